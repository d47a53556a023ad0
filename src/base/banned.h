/* banned.h -- functions that cannot be used safely do not compile. Included after the system's headers. */
#ifndef TGI_BANNED_H
#define TGI_BANNED_H
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof gets
#endif

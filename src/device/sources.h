/* sources.h -- the kernel texts that build-aux/cl2c.sh put into the library. */
#ifndef TGI_DEVICE_SOURCES_H
#define TGI_DEVICE_SOURCES_H

#include <stddef.h>

typedef struct tgi_source {
    const char *name; /* "conv2d" for cl/conv2d.cl */
    const char *const *lines;
    size_t n_lines;
} tgi_source;

extern const tgi_source tgi_sources[];
extern const size_t tgi_n_sources;

#endif

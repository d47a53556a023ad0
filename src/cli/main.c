/* main.c -- every program: its function in the library is its main. */
#include <taggan/programs.h>

int main(int argc, char **argv)
{
    return TG_MAIN(argc, argv);
}

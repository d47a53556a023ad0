/* main.c -- every program: its function in the library is its main, or, in the child process that the tuner starts, the tuner's. */
#include <taggan/programs.h>

#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--tune-worker"))
        return tg_tune_worker_main();
    return TG_MAIN(argc, argv);
}

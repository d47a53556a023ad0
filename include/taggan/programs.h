/** \file taggan/programs.h
 *  The programs as functions: what `taggan-X` does with these arguments, its messages, files and exit status included.
 *  They read the command line, write to stdout and stderr, set the log callback, and (training) handle SIGINT, SIGTERM and SIGUSR1,
 *  so they are for a main, not for a library. One call to a process.
 */
#ifndef TAGGAN_PROGRAMS_H
#define TAGGAN_PROGRAMS_H

#ifdef __cplusplus
extern "C" {
#endif

/** \return the program's exit status: 0 done, 1 failed, 2 wrong usage. */
int tg_train_main(int argc, char **argv);
int tg_infer_main(int argc, char **argv);
int tg_eval_main(int argc, char **argv);
int tg_data_main(int argc, char **argv);
int tg_devices_main(int argc, char **argv);

/** What a program does as the child that measures algorithms for another one of its kind: PROGRAM --tune-worker. Speaks with its
 *  parent alone, through standard input and output. \return its exit status */
int tg_tune_worker_main(void);

#ifdef __cplusplus
}
#endif
#endif

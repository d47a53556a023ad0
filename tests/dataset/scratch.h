/* scratch.h -- a folder of one test below the build tree, filled with small files and removed
 * again; and the log, kept. */
#ifndef TEST_DATASET_SCRATCH_H
#define TEST_DATASET_SCRATCH_H

#include <taggan/dataset.h>

/* An empty new folder, used by the functions below until scratch_close(). Fixtures of a case. */
void scratch_open(void);
void scratch_close(void);

/* Path of `name` in it; a few calls may be in use at a time. */
const char *scratch_path(const char *name);
/* A text file. */
void scratch_text(const char *name, const char *text);
/* A square 8-bit picture of one grey level, in [-1,1]; folders are made. */
void scratch_picture(const char *name, size_t size_px, float level);
/* A copy of a sample of tests/image/data. */
void scratch_sample(const char *name, const char *sample);

/* Opens `name` in the folder with these options; fails the test when it cannot. */
tg_dataset *scratch_dataset(const char *name, const tg_dataset_opts *opts);
/* Opening fails with this status, and the message holds both words. */
void scratch_refused(const char *name, const tg_dataset_opts *opts, tg_status status,
                     const char *first, const char *second);
/* How many images of a split. */
size_t scratch_count(const tg_dataset *set, tg_split split, bool is_diseased);
/* Warnings since scratch_open() hold this text? */
bool scratch_warned(const char *text);

#endif

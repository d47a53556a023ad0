/* many.h -- published sets at their real size: empty files and long tables, made in a moment, and a
 * bound on the memory that reading them takes. */
#ifndef TEST_DATASET_MANY_H
#define TEST_DATASET_MANY_H

#include <stddef.h>
#include <stdio.h>

enum { MANY = 100000 };

/* A file in the scratch folder, to be written row by row. */
FILE *many_open(const char *name);
void many_close(FILE *file);
/* An empty file; its folders are made when the folder differs from that of the call before. */
void many_touch(const char *name);

/* The most memory this process has had so far, in MiB; 0 where a sanitizer makes it say nothing. */
size_t many_peak_mib(void);

#endif

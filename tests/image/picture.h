/* picture.h -- the samples of tests/image/data: made by tests/parity/make_images.py, with what
 * Pillow sees in them. */
#ifndef TEST_IMAGE_PICTURE_H
#define TEST_IMAGE_PICTURE_H

#include <taggan/image.h>

/* Path of a sample; static storage, one call at a time. */
const char *picture_path(const char *name);
/* Fails unless sample `name` is width x height and each pixel is within `levels` of 255 of
 * tests/image/data/REFERENCE.grey. */
void picture_check(const char *name, const char *reference, size_t width_px, size_t height_px,
                   double levels);
/* The sample is refused with TG_ERR_FORMAT, its name and the word `why` in the message; nothing is
 * handed out. */
void picture_check_refused(const char *name, const char *why);
/* A file of exactly n bytes from the samples; free() releases it. */
char *picture_bytes(const char *name, size_t n);

#endif

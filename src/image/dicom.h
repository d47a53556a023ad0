/* dicom.h -- a DICOM file taken apart, and the seam between our C and GDCM's C++. */
#ifndef TGI_IMAGE_DICOM_H
#define TGI_IMAGE_DICOM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TGI_DICOM_TEXT = 68 };

/* A piece of pixel data. */
typedef struct tgi_dicom_piece {
    const unsigned char *bytes;
    size_t n;
} tgi_dicom_piece;

/* What a file says of its image. {0} is an empty one; release with tgi_dicom_release(). Numbers that
 * the standard keeps as text are text here, the first of several; "" = absent. */
typedef struct tgi_dicom {
    char syntax[TGI_DICOM_TEXT]; /* of the transfer */
    unsigned width_px, height_px, n_channels;
    unsigned bits_allocated, bits_stored, high_bit; /* bits of other meaning may lie above */
    unsigned is_signed;
    char photometric[TGI_DICOM_TEXT], n_frames[TGI_DICOM_TEXT];
    char slope[TGI_DICOM_TEXT], intercept[TGI_DICOM_TEXT];
    char window_center[TGI_DICOM_TEXT], window_width[TGI_DICOM_TEXT];
    char window_function[TGI_DICOM_TEXT];

    int has_pixels, is_compressed, is_big_endian;
    tgi_dicom_piece *pieces; /* plain: one; compressed: the items behind the table of offsets. Into
                                the file's bytes, or into `inflated`. */
    size_t n_pieces, capacity_pieces;
    unsigned char *inflated;
} tgi_dicom;

/* Takes a file apart, down to the end of its pixel data: what is cut off is refused here, since
 * libraries take it for zeros. 0 when the file is whole; else `why` says why not. (dicom_file.c) */
int tgi_dicom_parse(const unsigned char *bytes, size_t n, tgi_dicom *out, char *why,
                    size_t why_size);
void tgi_dicom_release(tgi_dicom *dicom);

/* Run lengths into pixels[n], the size that the file says, in the byte order of the host. 0 when it
 * could. (dicom_rle.c) */
int tgi_dicom_unpack(const tgi_dicom *dicom, unsigned char *pixels, size_t n, char *why,
                     size_t why_size);

/* Is the compressed image as wide, high and deep as the file says? Asked before a codec that stops
 * the program where it is not. 0 when it is. (dicom_stream.c) */
int tgi_dicom_check_stream(const tgi_dicom *dicom, char *why, size_t why_size);

/* Decodes compressed pieces into pixels[n], the size that the file says. 0 when it could.
 * (dicom_gdcm.cc) */
int tgi_gdcm_decode(const tgi_dicom *dicom, unsigned char *pixels, size_t n, char *why,
                    size_t why_size);

#ifdef __cplusplus
}
#endif
#endif

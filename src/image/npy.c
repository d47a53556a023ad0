/* npy.c -- a map as a NumPy file, format 1.0: magic, a Python dictionary padded to 64 bytes,
 * little-endian float32. */
#include "config.h"
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/banned.h"

tg_status tg_map_save_npy(const char *path, const tg_image *map)
{
    tg_status status = TG_OK;
    const size_t n = map->width_px * map->height_px;
    tgi_text head = {0};
    unsigned char *bytes = NULL;
    size_t n_bytes;

    TG_TRY(tgi_text_add(&head, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }",
                        map->height_px, map->width_px));
    while ((10 + head.size + 1) % 64)
        TG_TRY(tgi_text_add(&head, " "));
    TG_TRY(tgi_text_add(&head, "\n"));
    TG_TRY(tgi_size_mul(n, 4, &n_bytes));
    n_bytes += 10 + head.size;
    TG_TRY(tgi_alloc(n_bytes, 1, &bytes));
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (unsigned char)(head.size & 255);
    bytes[9] = (unsigned char)(head.size >> 8);
    memcpy(bytes + 10, head.data, head.size);
    for (size_t i = 0; i < n; i++) {
        unsigned char *to = bytes + 10 + head.size + 4 * i;
        uint32_t word;

        memcpy(&word, &map->pixels[i], 4);
        for (int k = 0; k < 4; k++)
            to[k] = (unsigned char)(word >> (8 * k));
    }
    TG_TRY(tgi_file_write(path, bytes, n_bytes));
cleanup:
    tgi_text_release(&head);
    free(bytes);
    return status;
}

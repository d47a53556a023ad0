/* annotate_csv.c -- a plain table, a row a region; texts with a comma, a quote or a line's end are
 * quoted (RFC 4180). */
#include "config.h"
#include "tag/annotate.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

tg_status tgi_csv_add_cell(tgi_text *csv, const char *s)
{
    tg_status status = TG_OK;

    if (!s[strcspn(s, ",\"\r\n")]) {
        TG_TRY(tgi_text_add(csv, "%s,", s));
        goto cleanup;
    }
    TG_TRY(tgi_text_add(csv, "\""));
    for (; *s; s++)
        TG_TRY(tgi_text_add(csv, *s == '"' ? "\"\"" : "%c", *s));
    TG_TRY(tgi_text_add(csv, "\","));
cleanup:
    return status;
}

tg_status tgi_annotate_csv(const tg_annotations *a)
{
    tg_status status = TG_OK;
    tgi_text csv = {0};

    TG_TRY(tgi_text_add(&csv, "file,name,class,x,y,width,height,area,score\n"));
    for (size_t i = 0; i < a->n_images; i++) {
        for (size_t j = 0; j < a->images[i].n_items; j++) {
            const tgi_annotation *item = &a->images[i].items[j];
            const tg_region *r = &item->region;

            TG_TRY(tgi_csv_add_cell(&csv, a->images[i].file));
            TG_TRY(tgi_csv_add_cell(&csv, a->images[i].name));
            TG_TRY(tgi_csv_add_cell(&csv, a->classes[item->class_index]));
            TG_TRY(tgi_text_add(&csv, "%zu,%zu,%zu,%zu,%zu,", r->x, r->y, r->w, r->h, r->area_px));
            TG_TRY(tgi_text_add_fixed(&csv, r->score, 6));
            TG_TRY(tgi_text_add(&csv, "\n"));
        }
    }
    TG_TRY(tgi_annotate_write(a->folder, "annotations", ".csv", &csv));
cleanup:
    tgi_text_release(&csv);
    return status;
}

/* samples.c -- a few images of a test as panels. */
#include "config.h"
#include "report/samples.h"
#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

enum { N_COLUMNS = 6 };
static const char *const headings[N_COLUMNS] = {"input", "truth", "disease map",
                                                "mask",  "boxes", "healthy estimate"};

tg_status tgi_samples_init(tgi_samples *s, const char *folder, const tgi_model_info *info)
{
    *s = (tgi_samples){.folder = folder, .info = info};
    return tgi_alloc(info->n_classes, sizeof *s->seen, &s->seen);
}

static tg_status copy_image(const tg_image *from, tg_image *to)
{
    tg_status status = tg_image_new(from->width_px, from->height_px, to);

    if (status == TG_OK)
        memcpy(to->pixels, from->pixels, from->width_px * from->height_px * sizeof(float));
    return status;
}

static tg_status copy_mask(const tg_mask *from, tg_mask *to)
{
    size_t n = from->width_px * from->height_px;
    tg_status status = tgi_alloc(n, 1, &to->pixels);

    if (status == TG_OK) {
        to->width_px = from->width_px;
        to->height_px = from->height_px;
        memcpy(to->pixels, from->pixels, n);
    }
    return status;
}

static tg_status copy_tags(const tg_tags *from, tg_tags *to)
{
    tg_status status = TG_OK;

    *to = (tg_tags){.threshold = from->threshold, .max_score = from->max_score};
    TG_TRY(copy_mask(&from->mask, &to->mask));
    TG_TRY(tgi_alloc(from->n_regions, sizeof *to->regions, &to->regions));
    if (from->n_regions)
        memcpy(to->regions, from->regions, from->n_regions * sizeof *to->regions);
    to->n_regions = from->n_regions;
cleanup:
    return status;
}

/* "nodule + effusion" of a diseased image, or "healthy", and its name. */
static tg_status make_caption(const tgi_samples *s, const tg_sample *sample, char **out)
{
    tg_status status = TG_OK;
    tgi_text text = {0};

    for (size_t k = 0; k < s->info->n_classes; k++) {
        if (sample->labels[k] > 0)
            TG_TRY(tgi_text_add(&text, "%s%s", text.size ? " + " : "", s->info->classes[k]));
    }
    TG_TRY(tgi_text_add(&text, "%s\n%s", text.size ? "" : "healthy", sample->name));
    *out = text.data;
    return TG_OK;
cleanup:
    tgi_text_release(&text);
    return status;
}

/* Of each class as many as of the others, as far as the rows go. */
static bool is_wanted(tgi_samples *s, const tg_sample *sample)
{
    size_t share = TGI_SAMPLES_DISEASED / (s->info->n_classes ? s->info->n_classes : 1);

    if (!sample->is_diseased)
        return s->n_kept[0] < TGI_SAMPLES_HEALTHY;
    if (s->n_kept[1] == TGI_SAMPLES_DISEASED)
        return false;
    for (size_t k = 0; k < s->info->n_classes; k++) {
        if (sample->labels[k] > 0 && s->seen[k] < (share ? share : 1)) {
            s->seen[k]++;
            return true;
        }
    }
    return false;
}

tg_status tgi_samples_visit(void *user, const tgi_test_item *item)
{
    tg_status status = TG_OK;
    tgi_samples *s = user;
    int kind = item->sample.is_diseased;
    tgi_sample_kept *kept;

    if (!is_wanted(s, &item->sample))
        return TG_OK;
    kept = &s->kept[kind][s->n_kept[kind]++];
    TG_TRY(make_caption(s, &item->sample, &kept->caption));
    TG_TRY(copy_image(item->input, &kept->input));
    TG_TRY(copy_image(item->map, &kept->map));
    TG_TRY(copy_image(item->input, &kept->healthy));
    for (size_t i = 0; i < item->map->width_px * item->map->height_px; i++)
        kept->healthy.pixels[i] -= item->map->pixels[i];
    TG_TRY(copy_tags(item->tags, &kept->tags));
    if (item->truth->has_difference)
        TG_TRY(copy_image(&item->truth->difference, &kept->difference));
    if (item->truth->has_mask)
        TG_TRY(copy_mask(&item->truth->mask, &kept->truth_mask));
    TG_TRY(tgi_alloc(item->truth->n_boxes, sizeof *kept->boxes, &kept->boxes));
    if (item->truth->n_boxes)
        memcpy(kept->boxes, item->truth->boxes, item->truth->n_boxes * sizeof *kept->boxes);
    kept->n_boxes = item->truth->n_boxes;
cleanup:
    return status;
}

/* The best that is known of where the disease is. */
static tgi_cell truth_cell(const tgi_sample_kept *k)
{
    if (k->difference.pixels)
        return (tgi_cell){.kind = TGI_CELL_MAP, .image = &k->difference};
    if (k->truth_mask.pixels)
        return (tgi_cell){.kind = TGI_CELL_MASK, .mask = &k->truth_mask};
    if (k->n_boxes)
        return (tgi_cell){
            .kind = TGI_CELL_GREY, .image = &k->input, .truth = k->boxes, .n_truth = k->n_boxes};
    return (tgi_cell){0};
}

static void fill_row(const tgi_sample_kept *k, tgi_cell cells[N_COLUMNS])
{
    cells[0] = (tgi_cell){.kind = TGI_CELL_GREY, .image = &k->input};
    cells[1] = truth_cell(k);
    cells[2] = (tgi_cell){.kind = TGI_CELL_MAP, .image = &k->map};
    cells[3] = (tgi_cell){.kind = TGI_CELL_MASK, .mask = &k->tags.mask};
    cells[4] = (tgi_cell){.kind = TGI_CELL_GREY,
                          .image = &k->input,
                          .mask = &k->tags.mask,
                          .regions = k->tags.regions,
                          .n_regions = k->tags.n_regions,
                          .truth = k->boxes,
                          .n_truth = k->n_boxes};
    cells[5] = (tgi_cell){.kind = TGI_CELL_GREY, .image = &k->healthy};
}

/* Rows of the kinds last_kind (1 is diseased) down to first_kind. */
static tg_status draw_sheet(const tgi_samples *s, int first_kind, int last_kind, tgi_text *png)
{
    tgi_cell cells[TGI_SAMPLES_DISEASED + TGI_SAMPLES_HEALTHY][N_COLUMNS] = {0};
    tgi_panel_row rows[TGI_SAMPLES_DISEASED + TGI_SAMPLES_HEALTHY];
    size_t n = 0;

    for (int kind = last_kind; kind >= first_kind; kind--) {
        for (size_t i = 0; i < s->n_kept[kind]; i++, n++) {
            fill_row(&s->kept[kind][i], cells[n]);
            rows[n] = (tgi_panel_row){s->kept[kind][i].caption, cells[n]};
        }
    }
    const tgi_panel panel = {.headings = headings,
                             .n_columns = N_COLUMNS,
                             .rows = rows,
                             .n_rows = n,
                             .density = TGI_SAMPLES_DENSITY};
    return tgi_panel_draw(&panel, png);
}

tg_status tgi_samples_sheet(const tgi_samples *s, tgi_text *png)
{
    return draw_sheet(s, 0, 1, png);
}

static tg_status draw_kind(tgi_samples *s, int kind, tgi_tensorboard *board, long long step)
{
    static const char *const names[] = {"healthy", "diseased"};
    static const char *const captions[] = {
        "Healthy test images: maps and masks should be blank.",
        "Diseased test images. Green: found boxes; blue: true ones."};
    tg_status status = TG_OK;
    tgi_text png = {0};
    char *path = NULL, *name = NULL;

    if (!s->n_kept[kind])
        return TG_OK;
    TG_TRY(draw_sheet(s, kind, kind, &png));
    TG_TRY(tgi_printf(&name, "%s.png", names[kind]));
    TG_TRY(tgi_path_join(s->folder, name, &path));
    TG_TRY(tgi_file_write(path, png.data, png.size));
    if (board)
        TG_TRY(tgi_tensorboard_image(board, step, names[kind], png.data, png.size));
    s->panels[s->n_panels] =
        (tgi_run_panel){.path = path, .density = TGI_SAMPLES_DENSITY, .caption = captions[kind]};
    s->paths[s->n_panels++] = path;
    path = NULL;
cleanup:
    tgi_text_release(&png);
    free(path);
    free(name);
    return status;
}

tg_status tgi_samples_draw(tgi_samples *s, tgi_tensorboard *board, long long step)
{
    tg_status status = draw_kind(s, 1, board, step);

    return status == TG_OK ? draw_kind(s, 0, board, step) : status;
}

/* ---- several models ---- */

/* "NAME: map" and "NAME: mask" behind input and truth; the part behind the last slash of a path will do. */
static tg_status make_headings(const char *const *names, size_t n, char **out)
{
    tg_status status = TG_OK;

    TG_TRY(tgi_strdup("input", &out[0]));
    TG_TRY(tgi_strdup("truth", &out[1]));
    for (size_t i = 0; i < n; i++) {
        const char *last = tgi_path_name(names[i]);

        last = *last ? last : names[i];
        TG_TRY(tgi_printf(&out[2 + 2 * i], "%s: map", last));
        TG_TRY(tgi_printf(&out[3 + 2 * i], "%s: mask", last));
    }
cleanup:
    return status;
}

static tg_status compare_row(const tgi_samples *samples, size_t n, int kind, size_t row,
                             tgi_cell *cells)
{
    const tgi_sample_kept *first = &samples[0].kept[kind][row];

    cells[0] = (tgi_cell){.kind = TGI_CELL_GREY, .image = &first->input};
    cells[1] = truth_cell(first);
    for (size_t i = 0; i < n; i++) {
        const tgi_sample_kept *k = &samples[i].kept[kind][row];

        if (samples[i].n_kept[kind] != samples[0].n_kept[kind] ||
            strcmp(k->caption, first->caption))
            return tg_fail(
                TG_ERR_ARGUMENT,
                "the models were shown different images: there is nothing to put side by side");
        cells[2 + 2 * i] = (tgi_cell){.kind = TGI_CELL_MAP, .image = &k->map};
        cells[3 + 2 * i] = (tgi_cell){.kind = TGI_CELL_MASK, .mask = &k->tags.mask};
    }
    return TG_OK;
}

tg_status tgi_samples_side_by_side(const tgi_samples *samples, const char *const *names, size_t n,
                                   tgi_text *png)
{
    tg_status status = TG_OK;
    size_t n_columns = 2 + 2 * n, n_rows = 0;
    tgi_panel_row rows[TGI_SAMPLES_DISEASED + TGI_SAMPLES_HEALTHY];
    char **titles = NULL;
    tgi_cell *cells = NULL;

    TG_TRY(tgi_alloc(n_columns, sizeof *titles, &titles));
    TG_TRY(tgi_alloc(TG_COUNT(rows) * n_columns, sizeof *cells, &cells));
    TG_TRY(make_headings(names, n, titles));
    for (int kind = 1; kind >= 0; kind--) {
        for (size_t i = 0; i < samples[0].n_kept[kind]; i++, n_rows++) {
            TG_TRY(compare_row(samples, n, kind, i, cells + n_rows * n_columns));
            rows[n_rows] =
                (tgi_panel_row){samples[0].kept[kind][i].caption, cells + n_rows * n_columns};
        }
    }
    const tgi_panel panel = {.headings = (const char *const *)titles,
                             .n_columns = n_columns,
                             .rows = rows,
                             .n_rows = n_rows,
                             .density = TGI_SAMPLES_DENSITY};
    TG_TRY(tgi_panel_draw(&panel, png));
cleanup:
    if (titles)
        tgi_names_free(titles, n_columns);
    free(cells);
    return status;
}

void tgi_samples_release(tgi_samples *s)
{
    for (int kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < s->n_kept[kind]; i++) {
            tgi_sample_kept *k = &s->kept[kind][i];

            free(k->caption);
            tg_image_release(&k->input);
            tg_image_release(&k->map);
            tg_image_release(&k->healthy);
            tg_image_release(&k->difference);
            tg_tags_release(&k->tags);
            tg_mask_release(&k->truth_mask);
            free(k->boxes);
        }
    }
    for (size_t i = 0; i < s->n_panels; i++)
        free(s->paths[i]);
    free(s->seen);
    *s = (tgi_samples){0};
}

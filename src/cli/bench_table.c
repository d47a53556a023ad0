/* bench_table.c -- what taggan-devices bench found, as tables and as JSON. */
#include "config.h"
#include "cli/devices_bench.h"
#include "cli/devices_list.h"

#include <string.h>

#include "base/banned.h"

static const double giga = 1e9, ms = 1e3, mib = 1048576;

void tgi_bench_print_device(const tg_device_info *info, const tgi_peak *peak, FILE *out)
{
    fprintf(out,
            "device %zu: %s (%s, driver %s)\n"
            "peak  %.1f GFLOP/s of multiply-adds (%s), %.1f GB/s read and written by a copy (%s)\n",
            info->index, info->name, info->platform, info->driver, peak->flop_s / giga,
            peak->fma_variant, peak->copy_bytes_s / giga, peak->copy_variant);
}

/* "2x256x256 -> 64x256x256", without the batch */
static void sizes_text(const tgi_bench_entry *e, char *out, size_t size)
{
    snprintf(out, size, "%zux%zux%zu -> %zux%zux%zu", e->x.c, e->x.h, e->x.w, e->y.c, e->y.h,
             e->y.w);
}

/* How wide the columns of text must be for what stands in them. */
typedef struct widths {
    int name, what, sizes;
} widths;

static int wider(int width, const char *text)
{
    int n = (int)strlen(text);

    return n > width ? n : width;
}

static widths widths_of(const tgi_bench *bench)
{
    widths w = {5, 4, 5}; /* the headings */
    char sizes[128];

    for (size_t i = 0; i < bench->list.n_rows; i++) {
        const tgi_bench_entry *e = bench->list.rows[i].entry;

        sizes_text(e, sizes, sizeof sizes);
        w.name = wider(w.name, e->name);
        w.what = wider(w.what, e->what);
        w.sizes = wider(w.sizes, sizes);
    }
    return w;
}

static void print_row(const tgi_bench_row *row, const widths *w, const tgi_peak *peak, FILE *out)
{
    const tgi_bench_entry *e = row->entry;
    double rate = (e->is_conv ? row->flop : row->bytes) / row->time.min_s;
    double most = e->is_conv ? peak->flop_s : peak->copy_bytes_s;
    char sizes[128];

    sizes_text(e, sizes, sizeof sizes);
    fprintf(out, "%-3s %-*s %3zu  %-*s  %-*s  %-8s  ", e->prefix, w->name, e->name, e->n_same,
            w->what, e->what, w->sizes, sizes, row->pass);
    if (e->is_conv)
        fprintf(out, "%-10s", row->algorithm);
    fprintf(out, "%10.3f %10.3f %9.1f %8.1f%%\n", row->time.min_s * ms, row->time.median_s * ms,
            rate / giga, 100 * rate / most);
}

/* One pass through every convolution of one network. */
static void print_sums(const tgi_bench *bench, FILE *out)
{
    static const char *const passes[] = {"forward", "data", "weights"};
    const tgi_bench_list *list = &bench->list;

    for (size_t i = 0; i < list->n_rows; i++) {
        const char *prefix = list->rows[i].entry->prefix;
        double sums[3] = {0, 0, 0};

        if (!list->rows[i].entry->is_conv ||
            (i && !strcmp(list->rows[i - 1].entry->prefix, prefix)))
            continue;
        for (size_t k = 0; k < list->n_rows; k++) {
            for (size_t p = 0; p < 3; p++) {
                if (list->rows[k].entry->is_conv && !strcmp(list->rows[k].pass, passes[p]) &&
                    !strcmp(list->rows[k].entry->prefix, prefix))
                    sums[p] += (double)list->rows[k].entry->n_same * list->rows[k].time.min_s;
            }
        }
        fprintf(out, "%-3s all convolutions: forward %.3f ms, data %.3f ms, weights %.3f ms\n",
                prefix, sums[0] * ms, sums[1] * ms, sums[2] * ms);
    }
}

static void print_table(const tgi_bench *bench, bool of_convs, const tgi_peak *peak, FILE *out)
{
    const tgi_bench_list *list = &bench->list;
    const widths w = widths_of(bench);
    bool has_head = false;

    for (size_t i = 0; i < list->n_rows; i++) {
        if (list->rows[i].entry->is_conv != of_convs)
            continue;
        if (!has_head) {
            fprintf(out, "\n%-3s %-*s %3s  %-*s  %-*s  %-8s  ", "", w.name, "layer", "n", w.what,
                    "kind", w.sizes, "sizes", "pass");
            if (of_convs)
                fprintf(out, "%-10s", "algorithm");
            fprintf(out, "%10s %10s %9s %9s\n", "min ms", "median ms",
                    of_convs ? "GFLOP/s" : "GB/s", of_convs ? "of peak" : "of copy");
        }
        has_head = true;
        print_row(&list->rows[i], &w, peak, out);
    }
    if (of_convs)
        print_sums(bench, out);
}

static void print_whole(const char *name, const tgi_timing *time, size_t n_images, FILE *out)
{
    fprintf(out, "%-14s min %10.3f ms, median %10.3f ms, %zu %s: %.1f images/s\n", name,
            time->min_s * ms, time->median_s * ms, time->n_runs, time->n_runs == 1 ? "run" : "runs",
            (double)n_images / time->min_s);
}

/* As taggan-train counts them: one batch of each domain a step. */
static size_t step_images(const tgi_bench *bench)
{
    return 2 * bench->settings.batch;
}

void tgi_bench_print(const tgi_bench *bench, const tgi_peak *peak, FILE *out)
{
    const tgi_settings *s = &bench->settings;

    fprintf(out, "\n%s: %s of width %zu, %s of width %zu, %zu px, batch %zu, %zu %s\n", bench->name,
            bench->generator, s->width, bench->judge, s->dwidth, s->size, s->batch,
            bench->n_classes, bench->n_classes == 1 ? "class" : "classes");
    print_table(bench, true, peak, out);
    print_table(bench, false, peak, out);
    if (bench->has_step || bench->has_inference)
        putc('\n', out);
    if (bench->has_step)
        print_whole("training step", &bench->step, step_images(bench), out);
    if (bench->has_inference)
        print_whole("inference", &bench->inference, s->batch, out);
    if (bench->has_step)
        fprintf(out, "peak memory    %.1f MiB in tensors during a step\n",
                (double)bench->peak_bytes / mib);
}

/* ---- JSON ---- */

static json_t *dims_json(tg_dims dims)
{
    return json_pack("[I, I, I, I]", (json_int_t)dims.n, (json_int_t)dims.c, (json_int_t)dims.h,
                     (json_int_t)dims.w);
}

static json_t *row_json(const tgi_bench_row *row, const tgi_peak *peak)
{
    const tgi_bench_entry *e = row->entry;
    double flop_s = row->flop / row->time.min_s, bytes_s = row->bytes / row->time.min_s;
    json_t *object = json_pack("{s:s, s:s, s:I, s:s, s:o, s:o, s:s, s:I, s:f, s:f, s:f, s:f}",
                               "net", e->prefix, "layer", e->name, "n", (json_int_t)e->n_same,
                               "kind", e->what, "input", dims_json(e->x), "output", dims_json(e->y),
                               "pass", row->pass, "runs", (json_int_t)row->time.n_runs, "min_ms",
                               row->time.min_s * ms, "median_ms", row->time.median_s * ms,
                               "gb_per_s", bytes_s / giga, "of_copy", bytes_s / peak->copy_bytes_s);

    if (e->is_conv && object) {
        json_object_set_new(object, "algorithm", json_string(row->algorithm));
        json_object_set_new(object, "gflop_per_s", json_real(flop_s / giga));
        json_object_set_new(object, "of_peak", json_real(flop_s / peak->flop_s));
    }
    return object;
}

static json_t *rows_json(const tgi_bench *bench, bool of_convs, const tgi_peak *peak)
{
    json_t *array = json_array();

    for (size_t i = 0; i < bench->list.n_rows; i++) {
        if (bench->list.rows[i].entry->is_conv == of_convs)
            json_array_append_new(array, row_json(&bench->list.rows[i], peak));
    }
    return array;
}

static json_t *whole_json(bool is_measured, const tgi_timing *time, size_t n_images)
{
    if (!is_measured)
        return json_null();
    return json_pack("{s:I, s:f, s:f, s:f}", "runs", (json_int_t)time->n_runs, "min_ms",
                     time->min_s * ms, "median_ms", time->median_s * ms, "images_per_s",
                     (double)n_images / time->min_s);
}

static tg_status add_setting(const char *name, const char *value, const char *help, void *user)
{
    TG_UNUSED(help);
    json_object_set_new(user, name, json_string(value));
    return TG_OK;
}

static json_t *bench_json(const tgi_bench *bench, const tgi_peak *peak)
{
    json_t *settings = json_object();

    if (tgi_settings_each(&bench->settings, add_setting, settings) != TG_OK) {
        json_decref(settings);
        return NULL;
    }
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "name", bench->name, "classes",
                     (json_int_t)bench->n_classes, "settings", settings, "layers",
                     rows_json(bench, true, peak), "passes", rows_json(bench, false, peak), "step",
                     whole_json(bench->has_step, &bench->step, step_images(bench)), "inference",
                     whole_json(bench->has_inference, &bench->inference, bench->settings.batch),
                     "peak_bytes",
                     bench->has_step ? json_integer((json_int_t)bench->peak_bytes) : json_null());
}

json_t *tgi_bench_json(const tg_device_info *info, const tgi_peak *peak, const tgi_bench *benches,
                       size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, bench_json(&benches[i], peak));
    return json_pack("{s:i, s:s, s:o, s:{s:f, s:s, s:f, s:s}, s:o}", "version", 1, "taggan",
                     tg_version(), "device", tgi_devices_json(info), "peak", "gflop_per_s",
                     peak->flop_s / giga, "fma", peak->fma_variant, "copy_gb_per_s",
                     peak->copy_bytes_s / giga, "copy", peak->copy_variant, "benches", array);
}

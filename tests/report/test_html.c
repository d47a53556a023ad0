/* test_html.c -- report pages: self-contained, escaped, whole, and made from the files of a run. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "report/html.h"
#include "report/run_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *folder, *log_path, *metrics_path, *panel_path, *page_path;
/* 1 x 1 pixel, as small as a PNG gets */
static const unsigned char png[] = {
    0x89, 'P',  'N',  'G',  13,  10,  26,  10,   0,    0,    0,    13,  'I',  'H',  'D',  'R',  0,
    0,    0,    1,    0,    0,   0,   1,   8,    0,    0,    0,    0,   0x3a, 0x7e, 0x9b, 0x55, 0,
    0,    0,    10,   'I',  'D', 'A', 'T', 0x78, 0x9c, 0x63, 0x60, 0,   0,    0,    2,    0,    1,
    0x48, 0xaf, 0xa4, 0x71, 0,   0,   0,   0,    'I',  'E',  'N',  'D', 0xae, 0x42, 0x60, 0x82};

static void make_folder(void)
{
    ck_assert_tg_ok(tgi_printf(&folder, "%s.%ld", tg_scratch_path("html_test"), (long)getpid()));
    ck_assert_tg_ok(tgi_mkdirs(folder));
    ck_assert_tg_ok(tgi_path_join(folder, "log.csv", &log_path));
    ck_assert_tg_ok(tgi_path_join(folder, "metrics.json", &metrics_path));
    ck_assert_tg_ok(tgi_path_join(folder, "panel.png", &panel_path));
    ck_assert_tg_ok(tgi_path_join(folder, "report.html", &page_path));
}

static void remove_folder(void)
{
    char *const paths[] = {log_path, metrics_path, panel_path, page_path};

    for (size_t i = 0; i < TG_COUNT(paths); i++) {
        unlink(paths[i]);
        free(paths[i]);
    }
    rmdir(folder);
    free(folder);
}

static void save(const char *path, const char *text)
{
    ck_assert_tg_ok(tgi_file_write(path, text, strlen(text)));
}

static char *page(void)
{
    char *bytes;
    size_t n;

    ck_assert_tg_ok(tgi_file_read(page_path, 1 << 24, &bytes, &n));
    ck_assert_uint_eq(strlen(bytes), n);
    return bytes;
}

static void expect(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "the page lacks '%s'", part);
}

/* Nothing on the page may be fetched, and nothing may run. */
static void expect_self_contained(const char *text)
{
    static const char *const loads[] = {"<script",     "<link",      "<iframe", "@import", "url(",
                                        "href=\"http", "src=\"http", "onclick", "onerror="};

    for (size_t i = 0; i < TG_COUNT(loads); i++)
        ck_assert_msg(!strstr(text, loads[i]), "the page has '%s'", loads[i]);
    for (const char *at = text; (at = strstr(at, "src=\"")); at++)
        ck_assert_int_eq(strncmp(at, "src=\"data:image/png;base64,", 27), 0);
}

START_TEST(escapes_every_text)
{
    static const char evil[] = "<script>alert('\"&</script>";
    const char *const headings[] = {evil, evil};
    const char *const cells[] = {evil, NULL, "0.5\n<script>", evil};
    const tgi_row_kind kinds[] = {TGI_ROW_STRONG, TGI_ROW_FAINT};
    const tgi_fact fact = {evil, evil};
    const tgi_tile tile = {evil, evil, evil};
    tgi_report *report;
    char *text;

    ck_assert_tg_ok(tgi_report_new(evil, evil, &report));
    ck_assert_tg_ok(tgi_report_section(report, evil));
    ck_assert_tg_ok(tgi_report_section(report, "two"));
    ck_assert_tg_ok(tgi_report_text(report, evil));
    ck_assert_tg_ok(tgi_report_code(report, evil));
    ck_assert_tg_ok(tgi_report_facts(report, &fact, 1));
    ck_assert_tg_ok(tgi_report_folded_facts(report, evil, &fact, 1));
    ck_assert_tg_ok(tgi_report_tiles(report, &tile, 1));
    ck_assert_tg_ok(tgi_report_table(report, &(tgi_table){evil, headings, 2, 2, cells, kinds}));
    ck_assert_tg_ok(tgi_report_image(report, png, sizeof png, 2, evil));
    ck_assert_tg_fails(tgi_report_image(report, "GIF89a", 6, 1, "x"), TG_ERR_ARGUMENT);
    ck_assert_tg_ok(tgi_report_write(report, page_path));
    ck_assert_tg_fails(tgi_report_write(report, "no/such/folder/r.html"), TG_ERR_IO);
    tgi_report_free(report);
    tgi_report_free(NULL);
    text = page();
    expect_self_contained(text);
    expect(text, "<title>&lt;script&gt;alert(&#39;&quot;&amp;&lt;/script&gt;</title>");
    expect(text, "Content-Security-Policy");
    expect(text, "iVBORw0KGgo"); /* the picture, inlined */
    expect(text, "<td>0.5<small>&lt;script&gt;</small></td>");
    expect(text, "</html>");
    free(text);
}
END_TEST

static const char metrics[] =
    "{\"version\":1,\"dataset\":\"phantom\",\"n_diseased\":200,\"n_healthy\":150,"
    "\"threshold\":{\"rule\":\"healthy:0.95\",\"value\":0.1732},"
    "\"overall\":{\"ncc\":{\"mean\":0.921,\"low\":0.912,\"high\":0.93},\"dice\":{\"mean\":0.7},"
    "\"iou\":null,"
    "\"blank_rate\":{\"mean\":0.955,\"low\":0.93,\"high\":0.98},\"healthy_fire\":{\"mean\":0.0004,"
    "\"low\":0.0001,\"high\":0.001}}"
    ","
    "\"per_class\":{\"nodule\":{\"ncc\":{\"mean\":0.95,\"low\":0.9,\"high\":1}},\"<b>\":{\"ncc\":{"
    "\"mean\":0.85,\"low\":0.8,\"high\":0.9}}},"
    "\"baselines\":{\"zero map\":{\"ncc\":{\"mean\":0,\"low\":0,\"high\":0}}}}";

START_TEST(a_runs_page_is_made_from_its_files)
{
    const tgi_fact settings[] = {{"size", "64"}, {"adv", "wgangp"}};
    const tgi_run_panel panels[] = {
        {.path = panel_path, .density = 1, .caption = "held-out images"}};
    const tgi_run_report run = {.program = "taggan-train",
                                .command = "taggan-train --classes 'a<b'",
                                .model = "taggan",
                                .preset = "quick",
                                .dataset = "phantom",
                                .device = "PoCL",
                                .seed = 18446744073709551615u,
                                .started_s = 1700000000,
                                .duration_s = 301,
                                .metrics_path = metrics_path,
                                .log_path = log_path,
                                .best_step = 200,
                                .panels = panels,
                                .n_panels = 1,
                                .settings = settings,
                                .n_settings = 2};
    char *text;

    save(metrics_path, metrics);
    save(log_path, "step,loss_d,ncc,map_healthy,own_thing,seconds,empty\n100,1,0.5,0.1,7,10,\n200,"
                   "0.5,0.9,0.01,8,20,\n");
    ck_assert_tg_ok(tgi_file_write(panel_path, png, sizeof png));
    ck_assert_tg_ok(tgi_run_report_write(&run, page_path));
    text = page();
    expect_self_contained(text);
    expect(text, "<h1>taggan on phantom</h1>");
    expect(text, "2023-11-14 22:13 UTC");
    expect(text, "18446744073709551615");
    expect(text, "5:01");
    expect(text, "<td>0.921<small>0.912 to 0.930</small></td>");
    expect(text, "zero map");
    expect(text, "&lt;b&gt;");
    expect(text, "95.5 % [93.0, 98.0]");
    expect(text, "0.040 % [0.010, 0.100]");
    expect(text, "0.1732 (rule: healthy:0.95)");
    expect(text, "Scores on the validation images");
    expect(text, "weights kept");
    expect(text, ">own</text>");
    ck_assert_ptr_null(strstr(text, ">seconds<"));
    ck_assert_ptr_null(strstr(text, ">IoU<")); /* without truth a column is absent, not zero */
    expect(text, "taggan-train --classes &#39;a&lt;b&#39;");
    free(text);
}
END_TEST

START_TEST(a_run_without_files_has_a_page)
{
    const tgi_run_report run = {
        .program = "taggan-train", .metrics_path = metrics_path, .log_path = log_path};
    char *text;

    ck_assert_tg_ok(tgi_run_report_write(&run, page_path));
    text = page();
    expect(text, "<h1>taggan-train</h1>");
    ck_assert_ptr_null(strstr(text, "<h2"));
    free(text);
    save(log_path, "step,loss_d\n");
    save(metrics_path,
         "{\"version\":1,\"dataset\":\"\",\"n_diseased\":0,\"n_healthy\":0,\"threshold\":"
         "{\"rule\":\"\",\"value\":0},\"overall\":{}}");
    ck_assert_tg_ok(tgi_run_report_write(&run, page_path));
}
END_TEST

START_TEST(compares_methods)
{
    static const tg_metric ncc[] = {{"ncc", 0.9, 0.8, 0.95, 10, 0}, {"ncc", 0.3, 0.2, 0.4, 10, 0}};
    const tg_eval_results a = {.overall = {NULL, (tg_metric *)&ncc[0], 1}},
                          b = {.overall = {NULL, (tg_metric *)&ncc[1], 1}};
    const tg_eval_results *const both[] = {&a, &b};
    const char *const names[] = {"taggan", "cam<"};
    tgi_report *report;
    char *text;

    ck_assert_tg_ok(tgi_report_new("t", "", &report));
    ck_assert_tg_ok(tgi_report_add_comparison(report, both, names, 2));
    ck_assert_tg_ok(tgi_report_write(report, page_path));
    tgi_report_free(report);
    text = page();
    expect(text, "<td>cam&lt;</td><td>0.300<small>0.200 to 0.400</small></td>");
    expect(text, "0.900 [0.800, 0.950]");
    free(text);
}
END_TEST

START_TEST(damaged_files_are_named)
{
    static const char *const bad[] = {"", "{", "[]", "{\"overall\":[]}", "{\"overall\":{\"ncc\":"};
    const tgi_run_panel panel = {.path = panel_path, .density = 1, .caption = ""};
    tgi_run_report run = {.program = "taggan-train", .metrics_path = metrics_path};

    for (size_t i = 0; i < TG_COUNT(bad); i++) {
        save(metrics_path, bad[i]);
        ck_assert_tg_fails(tgi_run_report_write(&run, page_path), TG_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(tg_error_message(), "metrics.json"));
        ck_assert(!tgi_is_file(page_path));
    }
    run.metrics_path = NULL;
    run.panels = &panel;
    run.n_panels = 1;
    save(panel_path, "not a picture, whatever its name says");
    ck_assert_tg_fails(tgi_run_report_write(&run, page_path), TG_ERR_FORMAT);
    unlink(panel_path);
    ck_assert_tg_fails(tgi_run_report_write(&run, page_path), TG_ERR_IO);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("html", 30);

    tcase_add_checked_fixture(tc, make_folder, remove_folder);
    tcase_add_test(tc, escapes_every_text);
    tcase_add_test(tc, a_runs_page_is_made_from_its_files);
    tcase_add_test(tc, a_run_without_files_has_a_page);
    tcase_add_test(tc, compares_methods);
    tcase_add_test(tc, damaged_files_are_named);
    return tg_run("html");
}

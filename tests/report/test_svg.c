/* test_svg.c -- charts are well-formed, keep inside their box, and survive any numbers. */
#include "config.h"
#include "tg_test.h"
#include "report/svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

static size_t n_elements;

static void count(GMarkupParseContext *context, const gchar *name, const gchar **names,
                  const gchar **values, gpointer user, GError **error)
{
    TG_UNUSED(context);
    TG_UNUSED(name);
    TG_UNUSED(user);
    TG_UNUSED(error);
    n_elements++;
    for (size_t i = 0; names[i]; i++) /* no number of a drawing is infinite or none */
        ck_assert_msg(!strstr(values[i], "nan") && !strstr(values[i], "inf"), "%s=%s", names[i],
                      values[i]);
}

/* Fails unless the text is one well-formed element. Returns how many elements are in it. */
static size_t parsed(const tgi_text *svg)
{
    static const GMarkupParser parser = {.start_element = count};
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, NULL, NULL);
    GError *error = NULL;

    n_elements = 0;
    ck_assert_msg(g_markup_parse_context_parse(context, svg->data, (gssize)svg->size, &error) &&
                      g_markup_parse_context_end_parse(context, &error),
                  "%s in %s", error ? error->message : "", svg->data);
    g_markup_parse_context_free(context);
    return n_elements;
}

static size_t lines(const tgi_line_chart *chart, tgi_text *svg)
{
    svg->size = 0;
    ck_assert_tg_ok(tgi_svg_lines(chart, svg));
    return parsed(svg);
}

START_TEST(draws_curves)
{
    const double x[] = {0, 500, 1000}, y[] = {-3, NAN, 2};
    const tgi_series series[] = {{"loss <d> & \"g\"", x, y, 3}};
    const tgi_line_chart chart = {.title = "a < b",
                                  .x_label = "step",
                                  .y_label = "loss",
                                  .series = series,
                                  .n_series = 1,
                                  .mark_x = 500,
                                  .mark_label = "best"};
    tgi_text svg = {0};

    lines(&chart, &svg);
    ck_assert_ptr_nonnull(strstr(svg.data, "a &lt; b"));
    ck_assert_ptr_nonnull(strstr(svg.data, "loss &lt;d&gt; &amp; &quot;g&quot;"));
    ck_assert_ptr_nonnull(strstr(svg.data, ">best</text>"));
    ck_assert_ptr_nonnull(strstr(svg.data, ">1000</text>"));
    ck_assert_ptr_nonnull(strstr(svg.data, ">\xe2\x88\x92"
                                           "3</text>")); /* a minus sign, not a hyphen */
    ck_assert_ptr_nonnull(strstr(svg.data, "currentColor"));
    tgi_text_release(&svg);
}
END_TEST

static const double odd[][3] = {
    {0, 0, 0},
    {1, 1, 1},
    {-1e-300, 0, 1e-300},
    {1e300, -1e300, 0},
    {NAN, NAN, NAN},
    {INFINITY, -INFINITY, 1},
    {1e-9, 1e-8, 1e-7},
    {1e6, 1e7, 1e8},
    {0.1, 0.2, 0.30000000000000004},
    {1e15, 1e15 + 1, 1e15 + 2},
    {5e-324, 1, 1e308},
};

START_TEST(survives_odd_numbers)
{
    const double x[] = {0, 1, 2};
    tgi_text svg = {0};

    for (int log = 0; log < 2; log++) {
        const tgi_series along[] = {
            {"a", x, odd[_i], 3}, {"", odd[_i], x, 3}, {"none", NULL, NULL, 0}};
        tgi_line_chart chart = {
            .title = "", .series = along, .n_series = 3, .y_axis = (tgi_axis)log};

        lines(&chart, &svg);
        chart.y_low = 1e-3;
        chart.y_high = 1;
        lines(&chart, &svg);
        chart.n_series = 0;
        lines(&chart, &svg);
    }
    for (int i = 0; i < 3; i++) {
        const tgi_bar bars[] = {{"a", {odd[_i][i], odd[_i][0], odd[_i][2]}, TGI_BAR_METHOD},
                                {"b", {odd[_i][i], NAN, NAN}, TGI_BAR_BASELINE}};

        svg.size = 0;
        ck_assert_tg_ok(
            tgi_svg_bars(&(tgi_bar_chart){.title = "t", .bars = bars, .n_bars = 2}, &svg));
        ck_assert_tg_ok(tgi_svg_bars(
            &(tgi_bar_chart){.title = "", .bars = bars, .n_bars = 0, .high = 1}, &svg));
    }
    tgi_text_release(&svg);
}
END_TEST

START_TEST(thins_long_curves_but_keeps_their_peaks)
{
    enum { N = 200000 };
    double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    tgi_series series = {"a", x, y, N};
    tgi_line_chart chart = {.title = "", .series = &series, .n_series = 1, .y_low = 0, .y_high = 1};
    tgi_text svg = {0};
    char *path, *at;
    double lowest = 1e9, highest = 0;

    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = i == 77777 ? 1 : 0;
    }
    lines(&chart, &svg);
    ck_assert_uint_lt(svg.size, 40000);
    path = strstr(svg.data, " d=\"M");
    ck_assert_ptr_nonnull(path);
    for (at = path + 5; *at != '"';) {
        double px = g_ascii_strtod(at, &at), py = g_ascii_strtod(at, &at);

        ck_assert(px >= 0 && px <= 720);
        lowest = fmin(lowest, py);
        highest = fmax(highest, py);
        if (*at == 'L')
            at++;
    }
    ck_assert(fabs(highest - lowest - 230) < 0.2); /* the one peak reaches the top of the plot */
    free(x);
    free(y);
    tgi_text_release(&svg);
}
END_TEST

START_TEST(draws_bars_with_whiskers)
{
    const tgi_bar bars[] = {{"this run", {0.92, 0.9, 0.94}, TGI_BAR_METHOD},
                            {"input <image>", {-0.2, -0.3, -0.1}, TGI_BAR_BASELINE}};
    tgi_text svg = {0};

    ck_assert_tg_ok(tgi_svg_bars(&(tgi_bar_chart){"NCC", bars, 2, 1}, &svg));
    parsed(&svg);
    ck_assert_ptr_nonnull(strstr(svg.data, "0.920 [0.900, 0.940]"));
    ck_assert_ptr_nonnull(strstr(svg.data, "input &lt;image&gt;"));
    tgi_text_release(&svg);
}
END_TEST

START_TEST(escapes_any_bytes)
{
    tgi_text text = {0};

    ck_assert_tg_ok(tgi_add_escaped(&text, "<a href='x'>\"&\001\xff\xc3\xb6\xef\xbf\xbf\n"));
    ck_assert_str_eq(
        text.data,
        "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\xef\xbf\xbd\xef\xbf\xbd\xc3\xb6\xef\xbf\xbd\n");
    tgi_text_release(&text);
    ck_assert_tg_ok(tgi_add_escaped(&text, ""));
    ck_assert_str_eq(text.data, "");
    tgi_text_release(&text);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("svg", 30);

    tcase_add_test(tc, draws_curves);
    tcase_add_loop_test(tc, survives_odd_numbers, 0, TG_COUNT(odd));
    tcase_add_test(tc, thins_long_curves_but_keeps_their_peaks);
    tcase_add_test(tc, draws_bars_with_whiskers);
    tcase_add_test(tc, escapes_any_bytes);
    return tg_run("svg");
}

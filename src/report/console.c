/* console.c -- a progress line that fits its terminal, never cuts a character in half, and is plain
 * text in a file. */
#include "config.h"
#include "report/console.h"
#include "base/memory.h"
#include "base/text.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "base/banned.h"

enum { LEAST_BAR = 8, WIDEST_BAR = 30, PLAIN_WIDTH = 80 };
#define REDRAW_S 0.1

struct tgi_progress {
    FILE *stream;
    tgi_progress_mode mode;
    char *title;
    bool has_blocks; /* the terminal's text is UTF-8 */
    bool is_drawn;   /* a bar stands on the current line */
    char *line;      /* that bar's text; NULL at first */
    bool is_late;    /* line is newer than what is drawn */
    double drawn_at_s;
    size_t first_step; /* of this bar: a resumed run begins in the middle */
    double first_at_s; /* negative before the first step was told */
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

tg_status tgi_progress_new(FILE *stream, tgi_progress_mode mode, const char *title,
                           tgi_progress **out)
{
    tg_status status = TG_OK;
    tgi_progress *progress = NULL;
    const char *terminal = getenv("TERM");

    *out = NULL;
    TG_TRY(tgi_alloc(1, sizeof *progress, &progress));
    TG_TRY(tgi_strdup(title, &progress->title));
    progress->stream = stream;
    progress->mode = mode;
    progress->first_at_s = -1;
    progress->has_blocks = !strcmp(nl_langinfo(CODESET), "UTF-8");
    if (mode == TGI_PROGRESS_AUTO)
        progress->mode = isatty(fileno(stream)) && terminal && strcmp(terminal, "dumb")
                             ? TGI_PROGRESS_BAR
                             : TGI_PROGRESS_ROWS;
    *out = progress;
    progress = NULL;
cleanup:
    tgi_progress_free(progress);
    return status;
}

tgi_progress_mode tgi_progress_shown_as(const tgi_progress *progress)
{
    return progress->mode;
}

void tgi_progress_free(tgi_progress *progress)
{
    if (!progress)
        return;
    if (progress->title)
        tgi_progress_end(progress);
    free(progress->title);
    free(progress->line);
    free(progress);
}

/* Columns a terminal gives to a text: wide characters two, combining ones none. */
static size_t columns_of(const char *text)
{
    size_t n = 0;

    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        n += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    return n;
}

/* Ends the text where the next character would pass the given column. */
static void cut_to(char *text, size_t columns)
{
    size_t n = 0;

    for (char *at = text; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        n += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
        if (n > columns) {
            *at = 0;
            return;
        }
    }
}

static size_t terminal_width(FILE *stream)
{
    struct winsize size;

    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return PLAIN_WIDTH;
}

static double seconds_left(const tgi_progress *progress, const tgi_progress_state *state)
{
    double per_step;

    if (state->left_s >= 0)
        return state->left_s;
    if (!state->n_steps || state->step <= progress->first_step || state->step > state->n_steps)
        return -1;
    per_step = (now_s() - progress->first_at_s) / (double)(state->step - progress->first_step);
    return per_step * (double)(state->n_steps - state->step);
}

/* "412 images/s  1:23 left", as far as it is known; each part with two blanks before it. */
static tg_status add_speed(const tgi_progress *progress, const tgi_progress_state *state,
                           tgi_text *out)
{
    tg_status status = TG_OK;
    char number[TGI_NUMBER_SIZE];
    double left_s = seconds_left(progress, state);

    if (state->images_per_s > 0) {
        tgi_number_plain(state->images_per_s, number);
        TG_TRY(tgi_text_add(out, "  %s images/s", number));
    }
    if (left_s >= 0) {
        tgi_duration_text(left_s, number);
        TG_TRY(tgi_text_add(out, "  %s left", number));
    }
cleanup:
    return status;
}

static tg_status add_value(const tgi_value *value, tgi_text *out)
{
    char number[TGI_NUMBER_SIZE];

    tgi_number_plain(value->value, number);
    return tgi_text_add(out, "  %s %s", value->name, number);
}

static tg_status add_step(const tgi_progress *progress, const tgi_progress_state *state,
                          tgi_text *out)
{
    const char *gap = *progress->title ? " " : "";

    if (!state->n_steps)
        return tgi_text_add(out, "%s%sstep %zu", progress->title, gap, state->step);
    return tgi_text_add(out, "%s%sstep %zu/%zu", progress->title, gap, state->step, state->n_steps);
}

static tg_status row_text(const tgi_progress *progress, const tgi_progress_state *state,
                          tgi_text *out)
{
    tg_status status = TG_OK;

    TG_TRY(add_step(progress, state, out));
    for (size_t i = 0; i < state->n_values; i++)
        TG_TRY(add_value(&state->values[i], out));
    TG_TRY(add_speed(progress, state, out));
cleanup:
    return status;
}

/* Eighths of a character cell where the terminal can show them. */
static tg_status add_bar(const tgi_progress *progress, double part, size_t width, tgi_text *out)
{
    static const char *const eighths[] = {"",
                                          "\xe2\x96\x8f",
                                          "\xe2\x96\x8e",
                                          "\xe2\x96\x8d",
                                          "\xe2\x96\x8c",
                                          "\xe2\x96\x8b",
                                          "\xe2\x96\x8a",
                                          "\xe2\x96\x89"};
    tg_status status = TG_OK;
    size_t fill = (size_t)(part * (double)width * 8), used = 0;

    TG_TRY(tgi_text_add(out, progress->has_blocks ? " \xe2\x96\x95" : " ["));
    for (; used < fill / 8; used++)
        TG_TRY(tgi_text_add(out, "%s", progress->has_blocks ? "\xe2\x96\x88" : "#"));
    if (progress->has_blocks && fill % 8) {
        TG_TRY(tgi_text_add(out, "%s", eighths[fill % 8]));
        used++;
    }
    TG_TRY(tgi_text_add(out, "%*s", (int)(width - used), ""));
    TG_TRY(tgi_text_add(out, progress->has_blocks ? "\xe2\x96\x8f" : "]"));
cleanup:
    return status;
}

/* The line for a terminal of that width: step and speed always, then as many values as fit, then
 * the bar. */
static tg_status bar_text(const tgi_progress *progress, const tgi_progress_state *state,
                          size_t width, tgi_text *out)
{
    tg_status status = TG_OK;
    tgi_text front = {0}, values = {0}, speed = {0};
    double part = state->n_steps ? (double)state->step / (double)state->n_steps : 0;
    size_t used;

    TG_TRY(add_step(progress, state, &front));
    TG_TRY(tgi_text_add(&speed, "%s", ""));
    TG_TRY(tgi_text_add(&values, "%s", ""));
    TG_TRY(add_speed(progress, state, &speed));
    used = columns_of(front.data) + columns_of(speed.data);
    if (state->n_steps)
        used += LEAST_BAR + 3 + 5; /* blank and two edges; two blanks and "100%" less one */
    for (size_t i = 0; i < state->n_values; i++) {
        size_t kept = values.size;

        TG_TRY(add_value(&state->values[i], &values));
        if (used + columns_of(values.data) > width) {
            values.data[kept] = 0;
            break;
        }
    }
    used += columns_of(values.data);
    TG_TRY(tgi_text_add(out, "%s", front.data));
    if (state->n_steps) {
        size_t spare = width > used ? width - used : 0;

        part = part > 1 ? 1 : part;
        if (spare > WIDEST_BAR - LEAST_BAR)
            spare = WIDEST_BAR - LEAST_BAR;
        TG_TRY(add_bar(progress, part, LEAST_BAR + spare, out));
        TG_TRY(tgi_text_add(out, " %3d%%", (int)(part * 100)));
    }
    TG_TRY(tgi_text_add(out, "%s%s", values.data, speed.data));
cleanup:
    tgi_text_release(&front);
    tgi_text_release(&values);
    tgi_text_release(&speed);
    return status;
}

/* Back to the first column, the line, and the rest of the old one cleared. */
static void draw(tgi_progress *progress)
{
    fprintf(progress->stream, "\r%s\033[K", progress->line);
    fflush(progress->stream);
    progress->is_drawn = true;
    progress->is_late = false;
    progress->drawn_at_s = now_s();
}

void tgi_progress_tell(tgi_progress *progress, const tgi_progress_state *state)
{
    tgi_text text = {0};
    size_t width;

    if (progress->mode == TGI_PROGRESS_SILENT)
        return;
    if (progress->first_at_s < 0) {
        progress->first_at_s = now_s();
        progress->first_step = state->step;
    }
    if (progress->mode == TGI_PROGRESS_ROWS) {
        if (row_text(progress, state, &text) == TG_OK)
            fprintf(progress->stream, "%s\n", text.data);
        fflush(progress->stream);
        tgi_text_release(&text);
        return;
    }
    /* the last column stays free: a full line would wrap on some terminals and be drawn twice */
    width = terminal_width(progress->stream) - 1;
    if (bar_text(progress, state, width, &text) != TG_OK) {
        tgi_text_release(&text);
        return;
    }
    free(progress->line);
    progress->line = g_utf8_validate(text.data, -1, NULL) ? text.data : NULL;
    if (!progress->line) {
        tgi_text_release(&text);
        return;
    }
    cut_to(progress->line, width);
    progress->is_late = true;
    if (!progress->is_drawn || now_s() - progress->drawn_at_s >= REDRAW_S)
        draw(progress);
}

void tgi_progress_note(tgi_progress *progress, const char *format, ...)
{
    va_list args;

    if (progress->mode == TGI_PROGRESS_SILENT)
        return;
    if (progress->is_drawn)
        fputs("\r\033[K", progress->stream);
    va_start(args, format);
    vfprintf(progress->stream, format, args);
    va_end(args);
    fputc('\n', progress->stream);
    if (progress->is_drawn)
        draw(progress);
    fflush(progress->stream);
}

void tgi_progress_end(tgi_progress *progress)
{
    if (progress->is_late)
        draw(progress);
    if (progress->is_drawn)
        fputc('\n', progress->stream);
    if (progress->stream)
        fflush(progress->stream);
    progress->is_drawn = false;
    progress->first_at_s = -1;
}

/* test_console.c -- rows where it is redirected, a line that fits on a terminal (a pseudo-terminal
 * here), nothing with -q. */
#include "config.h"
#include "tg_test.h"
#include "report/console.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <glib.h>

#define OE   "\xc3\xb6"     /* one column, two bytes */
#define WIDE "\xe7\x97\x85" /* two columns, three bytes */

static const tgi_value values[] = {{"d", -0.512}, {"g", 1.25}, {"val" OE "r", 0.921}, {WIDE, 3}};
static const tgi_progress_state state = {1240, 2000, 412.3, 83, values, TG_COUNT(values)};
static char seen[65536];

/* What a progress display in that mode wrote to a plain file for one state told twice and a note.
 */
static const char *shown(tgi_progress_mode mode)
{
    FILE *stream = tmpfile();
    tgi_progress *progress;
    size_t n;

    ck_assert_ptr_nonnull(stream);
    ck_assert_tg_ok(tgi_progress_new(stream, mode, "train", &progress));
    tgi_progress_tell(progress, &state);
    tgi_progress_note(progress, "saved %s", "x");
    tgi_progress_tell(progress, &state);
    tgi_progress_free(progress);
    rewind(stream);
    n = fread(seen, 1, sizeof seen - 1, stream);
    seen[n] = 0;
    fclose(stream);
    return seen;
}

START_TEST(a_file_gets_a_row_each_time)
{
    static const char row[] = "train step 1240/2000  d -0.5120  g 1.250  val" OE "r 0.9210  " WIDE
                              " 3.000  412.3 images/s  1:23 left\n";
    const char *text = shown(TGI_PROGRESS_AUTO);

    ck_assert_mem_eq(text, row, sizeof row - 1);
    ck_assert_mem_eq(text + sizeof row - 1, "saved x\n", 8);
    ck_assert_str_eq(text + sizeof row + 7, row);
}
END_TEST

START_TEST(silent_is_silent)
{
    ck_assert_str_eq(shown(TGI_PROGRESS_SILENT), "");
}
END_TEST

/* The widest line of what was drawn, in columns; checks that it is UTF-8 all through. */
static size_t widest(char *text)
{
    size_t n_widest = 0;

    ck_assert_msg(g_utf8_validate(text, -1, NULL), "not UTF-8: '%s'", text);
    for (char *line = text; line;) {
        char *end = strpbrk(line, "\r\n"), *clear;
        size_t n = 0;

        if (end)
            *end = 0;
        clear = strstr(line, "\033[K");
        if (clear)
            *clear = 0;
        for (char *at = line; *at; at = g_utf8_next_char(at))
            n += g_unichar_iswide(g_utf8_get_char(at)) ? 2 : 1;
        n_widest = n > n_widest ? n : n_widest;
        line = end ? end + 1 : NULL;
    }
    return n_widest;
}

/* Opens both ends of a pseudo-terminal of that width; -1 where the system has none. */
static int open_terminal(unsigned short width, int *master)
{
    struct winsize size = {24, width, 0, 0};
    int slave;

    *master = posix_openpt(O_RDWR | O_NOCTTY);
    if (*master < 0 || grantpt(*master) || unlockpt(*master))
        return -1;
    slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
    if (slave >= 0)
        ioctl(slave, TIOCSWINSZ, &size);
    return slave;
}

static const unsigned short widths[] = {1, 2, 5, 12, 20, 33, 40, 57, 80, 100, 200};

START_TEST(a_terminal_gets_one_line_that_fits)
{
    int master, slave = open_terminal(widths[_i], &master);
    tgi_progress *progress;
    FILE *stream;
    size_t n_seen = 0;
    ssize_t n;

    if (slave < 0)
        return; /* a build chroot without /dev/pts: rows are tested above */
    setenv("TERM", "xterm", 1);
    if (_i % 2)
        setlocale(LC_CTYPE, "C.UTF-8");
    stream = fdopen(slave, "w");
    ck_assert_tg_ok(tgi_progress_new(stream, TGI_PROGRESS_AUTO, "train", &progress));
    ck_assert_int_eq(tgi_progress_shown_as(progress), TGI_PROGRESS_BAR);
    for (size_t step = 0; step <= 2000; step += 400) {
        tgi_progress_state now = state;

        now.step = step;
        now.left_s = -1;
        tgi_progress_tell(progress, &now);
    }
    tgi_progress_end(progress);
    tgi_progress_free(progress);
    fclose(stream);
    /* what was written comes in pieces, then an error because the other end is closed */
    while ((n = read(master, seen + n_seen, sizeof seen - 1 - n_seen)) > 0)
        n_seen += (size_t)n;
    ck_assert_uint_gt(n_seen, 0);
    seen[n_seen] = 0;
    if (widths[_i] >= 80)
        ck_assert_ptr_nonnull(
            strstr(seen, "2000/2000")); /* the last state is drawn though it came at once */
    ck_assert_uint_le(widest(seen), widths[_i] - 1U);
    close(master);
}
END_TEST

START_TEST(goes_on_without_a_known_end)
{
    static const tgi_progress_state open_end = {7, 0, 0, -1, NULL, 0};
    FILE *stream = tmpfile();
    tgi_progress *progress;

    ck_assert_tg_ok(tgi_progress_new(stream, TGI_PROGRESS_BAR, "", &progress));
    tgi_progress_tell(progress, &open_end);
    tgi_progress_end(progress);
    tgi_progress_free(progress);
    tgi_progress_free(NULL);
    rewind(stream);
    ck_assert_ptr_nonnull(fgets(seen, sizeof seen, stream));
    ck_assert_str_eq(seen, "\rstep 7\033[K\n");
    fclose(stream);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("console", 20);

    tcase_add_test(tc, a_file_gets_a_row_each_time);
    tcase_add_test(tc, silent_is_silent);
    tcase_add_loop_test(tc, a_terminal_gets_one_line_that_fits, 0, TG_COUNT(widths));
    tcase_add_test(tc, goes_on_without_a_known_end);
    return tg_run("console");
}

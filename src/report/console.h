/* console.h -- how far a run has come: one line redrawn on a terminal, plain lines elsewhere,
 * nothing with -q. */
#ifndef TGI_REPORT_CONSOLE_H
#define TGI_REPORT_CONSOLE_H

#include "base/status.h"
#include "report/value.h"
#include <stdio.h>

typedef enum tgi_progress_mode {
    TGI_PROGRESS_AUTO,  /* a bar when the stream is a terminal that can redraw, rows otherwise */
    TGI_PROGRESS_BAR,   /* one line, redrawn at most ten times a second */
    TGI_PROGRESS_ROWS,  /* a line every time it is told */
    TGI_PROGRESS_SILENT /* -q */
} tgi_progress_mode;

/* Where the work stands. */
typedef struct tgi_progress_state {
    size_t step, n_steps; /* n_steps 0: nobody knows how many; no bar and no time left then */
    double images_per_s;  /* 0 leaves it out */
    double left_s;        /* seconds left; negative: worked out from the steps so far */
    const tgi_value
        *values; /* losses, scores; the first ones stay longest when the line is narrow */
    size_t n_values;
} tgi_progress_state;

typedef struct tgi_progress tgi_progress;

/* The title stands in front of the line ("train"); "" for none; copied. Keeps the stream. */
tg_status tgi_progress_new(FILE *stream, tgi_progress_mode mode, const char *title,
                           tgi_progress **out) TG_MUST_CHECK;
/* What AUTO became. A program that is in ROWS mode should tell more seldom. */
tgi_progress_mode tgi_progress_shown_as(const tgi_progress *progress);
void tgi_progress_tell(tgi_progress *progress, const tgi_progress_state *state);
/* A line of its own, above the bar. Goes nowhere when silent. */
void tgi_progress_note(tgi_progress *progress, const char *format, ...) TG_PRINTF(2, 3);
/* Takes the bar's last state as final and goes to a fresh line; telling again begins another bar.
 */
void tgi_progress_end(tgi_progress *progress);
void tgi_progress_free(tgi_progress *progress);

#endif

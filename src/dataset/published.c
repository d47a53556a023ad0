/* published.c -- what the readers of published sets share: which images were asked for, and how
 * many were left out. */
#include "config.h"
#include "dataset/published.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "base/banned.h"

bool tgi_is_view_wanted(const tg_dataset_opts *opts, bool is_frontal, const char *projection)
{
    const char *view = opts->view ? opts->view : "frontal";

    if (strcmp(view, "all") == 0)
        return true;
    if (strcmp(view, "frontal") == 0)
        return is_frontal;
    if (strcmp(view, "lateral") == 0)
        return !is_frontal;
    return is_frontal && tgi_same_word(projection, view);
}

bool tgi_is_sex_wanted(const tg_dataset_opts *opts, const char *sex)
{
    return !opts->sex || strcmp(opts->sex, "all") == 0 ||
           tolower((unsigned char)*sex) == *opts->sex;
}

void tgi_left_out_report(const tgi_left_out *counts, const char *table)
{
    const struct reason {
        size_t n;
        const char *why;
    } reasons[] = {
        {counts->view, "of another view"},
        {counts->sex, "of another sex"},
        {counts->uncertain, "uncertain"},
        {counts->unlabelled, "with none of the classes, and not called healthy"},
        {counts->invisible, "marked as showing nothing"},
        {counts->children, "of children"},
    };
    tgi_text text = {0};
    tg_status status = TG_OK;

    for (size_t k = 0; k < TG_COUNT(reasons); k++)
        if (reasons[k].n)
            TG_TRY(tgi_text_add(&text, "%s%zu %s", text.size ? ", " : "", reasons[k].n,
                                reasons[k].why));
    if (text.size)
        tg_log(TG_LOG_INFO, "%s: left out of %zu images: %s", table, counts->n_rows, text.data);
cleanup:
    tgi_text_release(&text);
    if (status != TG_OK)
        tg_log(TG_LOG_WARNING, "%s", tg_error_message());
}

/* kernel_times.c -- where a profiled device spent its time, as a table. */
#include "config.h"
#include "cli/kernel_times.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

tg_status tgi_kernel_times_read(tg_device *dev, tg_kernel_time **rows, size_t *n)
{
    tg_status status = TG_OK;
    size_t n_all, n_kept = 0, k;

    *n = 0;
    TG_TRY(tg_device_profile(dev, rows, &n_all));
    for (size_t i = 0; i < n_all; i++) {
        tg_kernel_time row = (*rows)[i];

        for (k = 0; k < n_kept; k++) {
            if (!strcmp((*rows)[k].program, row.program) && !strcmp((*rows)[k].kernel, row.kernel))
                break;
        }
        if (k == n_kept) {
            (*rows)[n_kept++] = row;
        } else {
            (*rows)[k].n_launches += row.n_launches;
            (*rows)[k].seconds += row.seconds;
        }
    }
    *n = n_kept;
cleanup:
    return status;
}

tg_status tgi_kernel_times_print(tg_device *dev, FILE *out)
{
    tg_status status = TG_OK;
    tg_kernel_time *rows = NULL;
    size_t n;

    TG_TRY(tgi_kernel_times_read(dev, &rows, &n));
    fprintf(out, "\n%-16s %-26s %8s %9s\n", "program", "kernel", "launches", "ms");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%-16s %-26s %8zu %9.3f\n", rows[i].program, rows[i].kernel,
                rows[i].n_launches, rows[i].seconds * 1e3);
    fprintf(out, "\n");
cleanup:
    free(rows);
    return status;
}

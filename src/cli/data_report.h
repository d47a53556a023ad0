/* data_report.h -- what taggan-data prints. */
#ifndef TGI_CLI_DATA_REPORT_H
#define TGI_CLI_DATA_REPORT_H

#include <stdbool.h>
#include <taggan/dataset.h>

/* From now on warnings and errors of the log are printed as problems, and added up in *n. */
void tgi_data_count_warnings(size_t *n);
/* Runs the audit and prints each problem on its own line; adds their number to *n_problems. */
tg_status tgi_data_check(const tg_dataset *set, bool is_quiet, size_t *n_problems) TG_MUST_CHECK;
/* Writes a set as a folder, with a line of progress on a terminal. */
tg_status tgi_data_write(const tg_dataset *set, const char *folder, size_t size_px,
                         bool is_quiet) TG_MUST_CHECK;
/* Counts of each split and class. */
tg_status tgi_data_print_table(const tg_dataset *set) TG_MUST_CHECK;
tg_status tgi_data_print_json(const tg_dataset *set) TG_MUST_CHECK;

#endif

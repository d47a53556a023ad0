/* test_log_csv.c -- log.csv grows by whole rows, is taken up again on resume, and reads back. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "base/text.h"
#include "report/log_csv.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *const columns[] = {"loss_d", "ncc"};
static char *path;

static void name_file(void)
{
    ck_assert_tg_ok(tgi_printf(&path, "%s.%ld", tg_scratch_path("log_csv_test"), (long)getpid()));
}

static void remove_file(void)
{
    unlink(path);
    free(path);
}

static void expect(const char *text)
{
    char *bytes;
    size_t n;

    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &bytes, &n));
    ck_assert_str_eq(bytes, text);
    free(bytes);
}

static void save(const char *text)
{
    ck_assert_tg_ok(tgi_file_write(path, text, strlen(text)));
}

START_TEST(appends_rows)
{
    tgi_log_csv *log;
    tgi_log_table table;

    ck_assert_tg_ok(tgi_log_csv_open(path, columns, 2, -1, &log));
    expect("step,loss_d,ncc\n");
    ck_assert_tg_ok(tgi_log_csv_row(log, 100, (double[]){-0.25, NAN}));
    ck_assert_tg_ok(tgi_log_csv_row(log, 20000000000, (double[]){0.1f, 1}));
    expect("step,loss_d,ncc\n100,-0.25,\n20000000000,0.1,1\n");
    tgi_log_csv_free(log);
    ck_assert_tg_ok(tgi_log_csv_read(path, &table));
    ck_assert_uint_eq(table.n_rows, 2);
    ck_assert_uint_eq(table.n_columns, 2);
    ck_assert_str_eq(table.columns[1], "ncc");
    ck_assert(table.steps[1] == 2e10 && table.values[0] == -0.25 && isnan(table.values[1]));
    tgi_log_table_release(&table);
}
END_TEST

START_TEST(a_resumed_run_keeps_rows_up_to_its_step)
{
    tgi_log_csv *log;

    save("step,loss_d,ncc\n100,1,2\n200,3,4\n300,5,6\n40");
    ck_assert_tg_ok(tgi_log_csv_open(path, columns, 2, 200, &log));
    ck_assert_tg_ok(tgi_log_csv_row(log, 300, (double[]){7, 8}));
    tgi_log_csv_free(log);
    expect("step,loss_d,ncc\n100,1,2\n200,3,4\n300,7,8\n");
}
END_TEST

START_TEST(a_resumed_run_may_have_other_columns)
{
    tgi_log_csv *log;

    save("step,old,ncc\r\n100,1,2\r\n");
    ck_assert_tg_ok(tgi_log_csv_open(path, columns, 2, 100, &log));
    tgi_log_csv_free(log);
    expect("step,loss_d,ncc\n100,,2\n");
}
END_TEST

START_TEST(a_new_run_begins_a_new_log)
{
    tgi_log_csv *log;

    save("anything");
    ck_assert_tg_ok(tgi_log_csv_open(path, columns, 2, -1, &log));
    tgi_log_csv_free(log);
    expect("step,loss_d,ncc\n");
    unlink(path);
    ck_assert_tg_ok(
        tgi_log_csv_open(path, columns, 0, 500, &log)); /* resumed, but the log was deleted */
    ck_assert_tg_ok(tgi_log_csv_row(log, 600, NULL));
    tgi_log_csv_free(log);
    expect("step\n600\n");
}
END_TEST

START_TEST(refuses_what_is_no_log)
{
    static const char *const bad[] = {"", "step", "time,a\n1,2\n", "step,a\nx,1\n",
                                      "step,a,b\n1,2\n"};
    static const char *const comma[] = {"a,b"}, *const none[] = {""};
    tgi_log_csv *log;
    tgi_log_table table;

    for (size_t i = 0; i < TG_COUNT(bad); i++) {
        save(bad[i]);
        ck_assert_tg_fails(tgi_log_csv_open(path, columns, 2, 1, &log), TG_ERR_FORMAT);
        ck_assert_ptr_null(log);
        expect(bad[i]); /* and leaves it as it was */
    }
    ck_assert_tg_ok(tgi_file_write(path, "step,a\n1,\0\n", 11));
    ck_assert_tg_fails(tgi_log_csv_read(path, &table), TG_ERR_FORMAT);
    ck_assert_tg_fails(tgi_log_csv_open(path, comma, 1, -1, &log), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_log_csv_open(path, none, 1, -1, &log), TG_ERR_ARGUMENT);
    ck_assert_tg_fails(tgi_log_csv_open("no/such/folder/log.csv", columns, 2, -1, &log), TG_ERR_IO);
}
END_TEST

/* A limit on the size of files stands for a full disk. */
START_TEST(a_full_disk_leaves_whole_rows)
{
    const struct rlimit small = {64, RLIM_INFINITY};
    tgi_log_csv *log;
    tg_status status = TG_OK;
    char *bytes;
    size_t n, n_rows = 0;

    ck_assert_tg_ok(tgi_log_csv_open(path, columns, 2, -1, &log));
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    while (status == TG_OK && n_rows < 100) {
        status = tgi_log_csv_row(log, 1000, (double[]){0.123456, 0.5});
        n_rows += status == TG_OK;
    }
    ck_assert_int_eq(status, TG_ERR_IO);
    tgi_log_csv_free(log);
    ck_assert_tg_ok(tgi_file_read(path, 1 << 20, &bytes, &n));
    ck_assert_uint_eq(n, strlen("step,loss_d,ncc\n") + n_rows * strlen("1000,0.123456,0.5\n"));
    free(bytes);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("log_csv", 20);

    tcase_add_checked_fixture(tc, name_file, remove_file);
    tcase_add_test(tc, appends_rows);
    tcase_add_test(tc, a_resumed_run_keeps_rows_up_to_its_step);
    tcase_add_test(tc, a_resumed_run_may_have_other_columns);
    tcase_add_test(tc, a_new_run_begins_a_new_log);
    tcase_add_test(tc, refuses_what_is_no_log);
    tcase_add_test(tc, a_full_disk_leaves_whole_rows);
    return tg_run("log_csv");
}

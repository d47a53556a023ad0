/* devices_check.h -- taggan-devices check: every operation of taggan/op.h on one device against its
 * plain C reference.
 *
 * A row of the table is an operation (or one of its kinds); it has a few cases, mostly shapes. A
 * case names its values, computes the reference, and calls the operation until tgi_check_round()
 * says that it was enough:
 *
 *     static tg_status add(tgi_check *c, int kind, size_t i)
 *     {
 *         tg_status status = TG_OK;
 *         tgi_check_value *a = c->values, *b = a + 1, *y = a + 2;
 *
 *         TG_TRY(tgi_check_values(c, TGI_SPECS(TGI_READS("a", shapes[i]), TGI_READS("b",
 * shapes[i]), TGI_WRITES("y", shapes[i], TOL_EXACT)))); for (size_t k = 0; k < y->n; k++) y->ref[k]
 * = a->ref[k] + b->ref[k]; while (tgi_check_round(c)) TG_TRY(tg_add(a->t, b->t, y->t)); status =
 * c->status; cleanup: return status;
 *     }
 *
 * The rounds give the device the same inputs, compare what it wrote with the reference, ask for the
 * same bits from the second run on the same buffers, and see that inputs were left alone. */
#ifndef TGI_CLI_DEVICES_CHECK_H
#define TGI_CLI_DEVICES_CHECK_H

#include <jansson.h>
#include <stdio.h>
#include <taggan/op.h>

#include "base/status.h"
#include "ref/ref.h"
#include "ref/tolerance.h"

/* Whether an operation reads a value, overwrites it, or goes on from what is there (gradients,
 * moments). */
typedef enum tgi_check_role { TGI_READ, TGI_WRITTEN, TGI_CHANGED } tgi_check_role;

/* What a value holds at first; what is written holds NaN. */
typedef enum tgi_check_fill {
    TGI_NORMAL,   /* mean 0, sd 1 */
    TGI_POSITIVE, /* 0.5 and more */
    TGI_BINARY,   /* 0 or 1 */
    TGI_SHARES,   /* each sample sums to 1 */
    TGI_UNIT      /* length 1 */
} tgi_check_fill;

typedef struct tgi_check_spec {
    const char *name;
    tg_dims dims;
    tgi_check_role role;
    double tolerance; /* as in ref/tolerance.h; nothing for what is read */
    tgi_check_fill fill;
} tgi_check_spec;
#define TGI_WRITES(name, dims, tolerance)                                                          \
    {                                                                                              \
        name, dims, TGI_WRITTEN, tolerance, TGI_NORMAL                                             \
    }
#define TGI_CHANGES(name, dims, tolerance)                                                         \
    {                                                                                              \
        name, dims, TGI_CHANGED, tolerance, TGI_NORMAL                                             \
    }
#define TGI_READS(name, dims)                                                                      \
    {                                                                                              \
        name, dims, TGI_READ, 0, TGI_NORMAL                                                        \
    }
#define TGI_FILLED(name, dims, fill)                                                               \
    {                                                                                              \
        name, dims, TGI_READ, 0, fill                                                              \
    }
#define TGI_SPECS(...)                                                                             \
    (const tgi_check_spec[]){__VA_ARGS__},                                                         \
        sizeof((const tgi_check_spec[]){__VA_ARGS__}) / sizeof(tgi_check_spec)

typedef struct tgi_check_value {
    tgi_check_spec spec;
    size_t n;
    double *ref;          /* the same numbers as the device gets; the reference works on them */
    float *start, *first; /* what every run begins with; what the first run left */
    tg_tensor *t;
} tgi_check_value;

enum { TGI_CHECK_VALUES = 9 };

/* The case under way. */
typedef struct tgi_check {
    tg_device *dev;
    FILE *table;
    bool is_verbose;
    tgi_check_value values[TGI_CHECK_VALUES];
    size_t n_values;
    int round;
    tg_status status;        /* of the rounds */
    double error, tolerance; /* of the row: where their ratio was largest */
} tgi_check;

/* Makes the case's values, once and first. */
tg_status tgi_check_values(tgi_check *c, const tgi_check_spec *specs, size_t n) TG_MUST_CHECK;
/* The device gets what `value->ref` holds now: for inputs that the reference computes. ref is
 * rounded to float. */
void tgi_check_take(tgi_check_value *value);
/* True while the operation is to be run (again); c->status says how it went. */
bool tgi_check_round(tgi_check *c);

typedef struct tgi_check_row {
    const char *op, *kind; /* tg_OP; which of its kinds, or "" */
    const char *program;   /* cl/PROGRAM.cl that it is made of, in the main */
    tg_status (*run)(tgi_check *c, int kind, size_t i);
    int kind_number;
    size_t n_cases;
} tgi_check_row;

/* Runs the cases of one row until one fails; c->error and c->tolerance are its. */
tg_status tgi_check_run_row(tgi_check *c, const tgi_check_row *row) TG_MUST_CHECK;

/* The rows, a table a file. */
extern const tgi_check_row tgi_check_elementwise[], tgi_check_arrange[], tgi_check_norm[],
    tgi_check_conv2d[], tgi_check_loss[], tgi_check_optimizer[], tgi_check_peak[];
extern const size_t tgi_n_check_elementwise, tgi_n_check_arrange, tgi_n_check_norm,
    tgi_n_check_conv2d, tgi_n_check_loss, tgi_n_check_optimizer, tgi_n_check_peak;

typedef struct tgi_check_opts {
    FILE *table;      /* where rows are printed as they come; NULL: nowhere */
    bool is_verbose;  /* cases and kernels, too */
    const char *only; /* rows whose operation has this in its name; NULL: all */
} tgi_check_opts;

/* What came out; start from {0}. */
typedef struct tgi_check_report {
    json_t *rows;
    size_t n_passed, n_failed;
} tgi_check_report;

/* Runs all rows. A row's name is printed before it runs, so that a driver that kills the program is
 * caught in the act. A failing row is no error of this call. */
tg_status tgi_check_run(tg_device *dev, const tgi_check_opts *opts,
                        tgi_check_report *report) TG_MUST_CHECK;
void tgi_check_report_release(tgi_check_report *report);
/* The certificate: device, operations, kernels; NULL when memory runs out. `dev` is profiled. */
json_t *tgi_check_json(tg_device *dev, const tgi_check_report *report);

#endif

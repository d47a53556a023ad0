/* fft.c -- clFFT's plans: made once for each size and device, proven before use, released before the device's context. */
#include "config.h"
#include "op/fft.h"
#include "base/memory.h"
#include "base/rng.h"

#include <clFFT.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/banned.h"

typedef struct plan {
    struct plan *next;
    tgi_fft_shape shape;
    bool is_inverse;
    clfftPlanHandle id;
    size_t scratch_bytes;
} plan;

typedef struct proven_size {
    struct proven_size *next;
    size_t h, w;
    bool is_right;
} proven_size;

struct tgi_fft {
    plan *plans;
    proven_size *sizes;
};

/* clFFT's own state is one to a process: threads that bake at the same time abort it, and it is torn down once, with the last
 * device that used it. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;
static size_t n_users;

size_t tgi_fft_length(size_t n)
{
    static const size_t primes[] = {2, 3, 5, 7};

    for (size_t length = n < 4 ? 4 : n + n % 2;; length += 2) {
        size_t rest = length;

        for (size_t i = 0; i < TG_COUNT(primes); i++) {
            while (rest % primes[i] == 0)
                rest /= primes[i];
        }
        if (rest == 1)
            return length;
    }
}

static tg_status fft_fail(const tg_device *dev, clfftStatus code, const tgi_fft_shape *shape,
                          const char *what)
{
    return tg_fail(TG_ERR_OPENCL, "clFFT: cannot %s for %zu planes of %zu x %zu on %s (code %d)",
                   what, shape->planes, shape->h, shape->w, dev->info.name, (int)code);
}

static void fft_free(struct tgi_fft *fft)
{
    if (!fft)
        return;
    pthread_mutex_lock(&library);
    while (fft->plans) {
        plan *p = fft->plans;

        fft->plans = p->next;
        clfftDestroyPlan(&p->id);
        free(p);
    }
    if (--n_users == 0)
        clfftTeardown();
    pthread_mutex_unlock(&library);
    while (fft->sizes) {
        proven_size *size = fft->sizes;

        fft->sizes = size->next;
        free(size);
    }
    free(fft);
}

static tg_status open_library(tg_device *dev)
{
    tg_status status = TG_OK;
    /* clfftInitSetupData() does the same, but does not link at -O0 */
    const clfftSetupData setup = {clfftVersionMajor, clfftVersionMinor, clfftVersionPatch, 0};
    clfftStatus code = CLFFT_SUCCESS;

    if (dev->fft)
        return TG_OK;
    TG_TRY(tgi_alloc(1, sizeof *dev->fft, &dev->fft));
    pthread_mutex_lock(&library);
    if (n_users++ == 0)
        code = clfftSetup(&setup);
    pthread_mutex_unlock(&library);
    dev->fft_free = fft_free;
    if (code != CLFFT_SUCCESS)
        status = tg_fail(TG_ERR_OPENCL, "clFFT does not start (code %d)", (int)code);
cleanup:
    return status;
}

static clfftStatus set_up(tg_device *dev, plan *p)
{
    size_t h = p->shape.h, w = p->shape.w, columns = tgi_fft_columns(w), lengths[] = {w, h};
    size_t real[] = {1, w}, spectrum[] = {1, columns};
    bool inverse = p->is_inverse;
    clfftStatus code = clfftCreateDefaultPlan(&p->id, dev->context, CLFFT_2D, lengths);

    if (code != CLFFT_SUCCESS) {
        p->id = 0;
        return code;
    }
    if ((code = clfftSetPlanPrecision(p->id, CLFFT_SINGLE)) == CLFFT_SUCCESS &&
        (code = clfftSetLayout(p->id, inverse ? CLFFT_HERMITIAN_INTERLEAVED : CLFFT_REAL,
                               inverse ? CLFFT_REAL : CLFFT_HERMITIAN_INTERLEAVED)) ==
            CLFFT_SUCCESS &&
        (code = clfftSetResultLocation(p->id, CLFFT_OUTOFPLACE)) == CLFFT_SUCCESS &&
        (code = clfftSetPlanInStride(p->id, CLFFT_2D, inverse ? spectrum : real)) ==
            CLFFT_SUCCESS &&
        (code = clfftSetPlanOutStride(p->id, CLFFT_2D, inverse ? real : spectrum)) ==
            CLFFT_SUCCESS &&
        (code = clfftSetPlanDistance(p->id, h * (inverse ? columns : w),
                                     h * (inverse ? w : columns))) == CLFFT_SUCCESS &&
        (code = clfftSetPlanBatchSize(p->id, p->shape.planes)) == CLFFT_SUCCESS &&
        (code = clfftBakePlan(p->id, 1, &dev->queue, NULL, NULL)) == CLFFT_SUCCESS)
        code = clfftGetTmpBufSize(p->id, &p->scratch_bytes);
    return code;
}

/* Another number of planes of a size that was baked before costs a millisecond: clFFT keeps the kernels. */
static tg_status get_plan(tg_device *dev, const tgi_fft_shape *shape, bool inverse, plan **out)
{
    tg_status status = TG_OK;
    clfftStatus code;
    plan *p;

    TG_TRY(open_library(dev));
    for (p = dev->fft->plans; p; p = p->next) {
        if (p->shape.h == shape->h && p->shape.w == shape->w && p->shape.planes == shape->planes &&
            p->is_inverse == inverse) {
            *out = p;
            return TG_OK;
        }
    }
    TG_TRY(tgi_alloc(1, sizeof *p, &p));
    p->shape = *shape;
    p->is_inverse = inverse;
    pthread_mutex_lock(&library);
    code = set_up(dev, p);
    if (code != CLFFT_SUCCESS && p->id)
        clfftDestroyPlan(&p->id);
    pthread_mutex_unlock(&library);
    if (code != CLFFT_SUCCESS) {
        free(p);
        status = fft_fail(dev, code, shape, "make a plan");
        goto cleanup;
    }
    p->next = dev->fft->plans;
    dev->fft->plans = p;
    *out = p;
cleanup:
    return status;
}

static tg_status run(const tgi_fft_shape *shape, bool inverse, const tg_tensor *in, tg_tensor *out)
{
    tg_status status = TG_OK;
    tg_device *dev = in->dev;
    tg_tensor *scratch = NULL;
    cl_mem from = in->mem, to = out->mem;
    clfftStatus code;
    plan *p = NULL;

    TG_TRY(get_plan(dev, shape, inverse, &p));
    if (p->scratch_bytes)
        TG_TRY(tg_tensor_new(
            dev, (tg_dims){1, 1, 1, (p->scratch_bytes + sizeof(float) - 1) / sizeof(float)},
            &scratch));
    code = clfftEnqueueTransform(p->id, inverse ? CLFFT_BACKWARD : CLFFT_FORWARD, 1, &dev->queue, 0,
                                 NULL, NULL, &from, &to, scratch ? scratch->mem : NULL);
    if (code != CLFFT_SUCCESS)
        status = fft_fail(dev, code, shape, "run a transform");
cleanup:
    tg_tensor_free(scratch);
    return status;
}

tg_status tgi_fft_forward(const tgi_fft_shape *shape, const tg_tensor *real, tg_tensor *spectra)
{
    return run(shape, false, real, spectra);
}

tg_status tgi_fft_inverse(const tgi_fft_shape *shape, tg_tensor *spectra, tg_tensor *real)
{
    return run(shape, true, spectra, real);
}

/* ---- the known answer --------------------------------------------------------------------------------- */

/* Some sizes of clFFT race within a work-group where work-items do not run in step (8 and 18, found by Oclgrind). So there are
 * many planes, of two kinds in turn: two are compared with the definition, the others with those two. */
enum { MOST_TEST_PLANES = 32, MOST_TEST_VALUES = 1 << 22, N_KINDS = 2, MAX_TEST_COLUMNS = 129 };
static const double allowed = 1e-5; /* of the largest value; right transforms reach 3e-7 */

/* One column of a plane's spectrum, [h] complex values in double, straight from the definition. */
static void plain_column(const float *real, size_t h, size_t w, size_t column, double *rows,
                         double *out)
{
    const double turn = 2 * acos(-1.0);

    for (size_t i = 0; i < h; i++) {
        rows[2 * i] = rows[2 * i + 1] = 0;
        for (size_t j = 0; j < w; j++) {
            double angle = -turn * (double)(j * column % w) / (double)w;

            rows[2 * i] += (double)real[i * w + j] * cos(angle);
            rows[2 * i + 1] += (double)real[i * w + j] * sin(angle);
        }
    }
    for (size_t f = 0; f < h; f++) {
        out[2 * f] = out[2 * f + 1] = 0;
        for (size_t i = 0; i < h; i++) {
            double angle = -turn * (double)(i * f % h) / (double)h, c = cos(angle), s = sin(angle);

            out[2 * f] += rows[2 * i] * c - rows[2 * i + 1] * s;
            out[2 * f + 1] += rows[2 * i] * s + rows[2 * i + 1] * c;
        }
    }
}

/* The largest difference between spectra and their definition, or of planes that should be equal, as a share of the largest value;
 * not every column of large ones. */
static tg_status spectrum_error(const tgi_fft_shape *shape, const float *real, const float *spectra,
                                double *error)
{
    tg_status status = TG_OK;
    size_t columns = tgi_fft_columns(shape->w), step = 1 + (columns - 1) / MAX_TEST_COLUMNS;
    double *rows = NULL, *column = NULL, worst = 0, largest = 0;

    TG_TRY(tgi_alloc(2 * shape->h, sizeof *rows, &rows));
    TG_TRY(tgi_alloc(2 * shape->h, sizeof *column, &column));
    for (size_t plane = 0; plane < N_KINDS; plane++) {
        for (size_t f = plane % step; f < columns; f += step) {
            plain_column(real + plane * shape->h * shape->w, shape->h, shape->w, f, rows, column);
            for (size_t i = 0; i < 2 * shape->h; i++) {
                size_t at = 2 * ((plane * shape->h + i / 2) * columns + f) + i % 2;
                double difference = fabs((double)spectra[at] - column[i]);

                if (!(difference <= worst))
                    worst = difference;
                largest = fmax(largest, fabs(column[i]));
            }
        }
    }
    size_t kind = 2 * N_KINDS * shape->h * columns, n = 2 * shape->planes * shape->h * columns;
    for (size_t i = kind; i < n; i++) {
        double difference = fabs((double)spectra[i] - (double)spectra[i - kind]);

        if (!(difference <= worst))
            worst = difference;
    }
    *error = worst / largest;
cleanup:
    free(rows);
    free(column);
    return status;
}

static tg_status check_size(tg_device *dev, size_t h, size_t w)
{
    tg_status status = TG_OK;
    size_t planes = MOST_TEST_VALUES / (h * w);
    planes = planes < N_KINDS ? N_KINDS : planes > MOST_TEST_PLANES ? MOST_TEST_PLANES : planes;
    const tgi_fft_shape shape = {h, w, planes};
    size_t n_real = planes * h * w, n_spectra = 2 * planes * h * tgi_fft_columns(w);
    tgi_rng rng = tgi_rng_new(h * 65536 + w, TGI_STREAM_TEST, 0);
    float *start = NULL, *values = NULL, *spectra = NULL;
    tg_tensor *real = NULL, *complex_values = NULL;
    double error, back = 0;

    TG_TRY(tgi_alloc(n_real, sizeof *start, &start));
    TG_TRY(tgi_alloc(n_real, sizeof *values, &values));
    TG_TRY(tgi_alloc(n_spectra, sizeof *spectra, &spectra));
    TG_TRY(tg_tensor_new(dev, (tg_dims){1, planes, h, w}, &real));
    TG_TRY(tg_tensor_new(dev, (tg_dims){1, planes, h, 2 * tgi_fft_columns(w)}, &complex_values));
    for (size_t i = 0; i < n_real; i++)
        start[i] =
            i < N_KINDS * h * w ? (float)tgi_rng_range(&rng, -1, 1) : start[i - N_KINDS * h * w];
    TG_TRY(tg_tensor_upload(real, start, n_real));
    TG_TRY(tgi_fft_forward(&shape, real, complex_values));
    TG_TRY(tg_tensor_download(complex_values, spectra, n_spectra));
    TG_TRY(tgi_fft_inverse(&shape, complex_values, real));
    TG_TRY(tg_tensor_download(real, values, n_real));
    if (tgi_proof_is_spoilt("clfft"))
        spectra[0] += 1e3f;
    TG_TRY(spectrum_error(&shape, start, spectra, &error));
    for (size_t i = 0; i < n_real; i++) {
        double difference = fabs((double)values[i] - (double)start[i]);

        if (!(difference <= back))
            back = difference;
    }
    if (!(error <= allowed) || !(back <= allowed))
        status = tg_fail(TG_ERR_NUMERIC,
                         "clFFT: transforms of %zu x %zu are wrong on %s (error %.2g, and back "
                         "%.2g)",
                         h, w, dev->info.name, error, back);
cleanup:
    tg_tensor_free(real);
    tg_tensor_free(complex_values);
    free(start);
    free(values);
    free(spectra);
    return status;
}

tgi_proof tgi_fft_prove(tg_device *dev, size_t h, size_t w)
{
    proven_size *size;

    for (size = dev->fft ? dev->fft->sizes : NULL; size; size = size->next) {
        if (size->h == h && size->w == w)
            return size->is_right ? TGI_PROVEN : TGI_REFUTED;
    }
    if (open_library(dev) != TG_OK || tgi_alloc(1, sizeof *size, &size) != TG_OK)
        return TGI_REFUTED_NOW;
    *size = (proven_size){dev->fft->sizes, h, w, false};
    dev->fft->sizes = size;
    size->is_right = check_size(dev, h, w) == TG_OK;
    return size->is_right ? TGI_PROVEN : TGI_REFUTED_NOW;
}

/* label.c -- labels that steer a network: as planes beside the channels, or as a scale and a shift of each channel. */
#include "config.h"
#include "op/arrange.h"
#include "op/op.h"

#include "base/banned.h"

static tg_dims with_channels(tg_dims dims, size_t c)
{
    dims.c = c;
    return dims;
}

/* [N,C,1,1] for the samples of x. */
static tg_status check_labels(const char *what, const tg_tensor *x, const tg_tensor *labels)
{
    return tgi_op_expect(what, x, (tg_dims){x->dims.n, labels->dims.c, 1, 1}, labels);
}

tg_status tg_label_planes_forward(const tg_tensor *x, const tg_tensor *labels, tg_tensor *y)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t plane = tgi_plane_size(x), c = labels->dims.c, n_planes = tgi_plane_count(labels);

    TG_TRY(check_labels("label planes: labels", x, labels));
    TG_TRY(tgi_op_expect("label planes: y", x, with_channels(x->dims, x->dims.c + c), y));
    TG_TRY(tgi_rows_copy(x, 0, y, 0, x->dims.c * plane));
    TG_TRY(tgi_kernel_get(x->dev, "label", "label_planes", "", &kernel));
    TG_TRY(
        tgi_kernel_run(kernel, TGI_RANGE2(tgi_quads(plane), n_planes),
                       TGI_ARGS(tgi_buffer(labels), tgi_int(n_planes), tgi_int(plane), tgi_int(c),
                                tgi_int(x->dims.c), tgi_int(y->dims.c), tgi_buffer(y))));
    tgi_tensor_touch(y);
cleanup:
    return status;
}

tg_status tg_label_planes_backward(const tg_tensor *dy, tg_tensor *dx)
{
    tg_status status = TG_OK;

    if (!dx)
        return TG_OK;
    if (dx->dims.c >= dy->dims.c)
        return tg_fail(TG_ERR_SHAPE,
                       "label planes: dy has %zu channels, dx %zu: none is left for labels",
                       dy->dims.c, dx->dims.c);
    TG_TRY(tgi_op_expect("label planes: dx", dy, with_channels(dy->dims, dx->dims.c), dx));
    TG_TRY(tgi_rows_add(dy, 0, dx, 0, dx->dims.c * tgi_plane_size(dx)));
cleanup:
    return status;
}

/* [2,N,D]: the scale of each plane of x, then the shift. A missing gamma means a scale of one, a missing beta no shift. */
static tg_status coefficients_of(const tg_tensor *x, const tg_tensor *labels,
                                 const tg_tensor *gamma, const tg_tensor *beta, tg_tensor **out)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t n = x->dims.n, d = x->dims.c;

    *out = NULL;
    TG_TRY(tg_tensor_new(x->dev, (tg_dims){2, n, d, 1}, out));
    TG_TRY(tgi_kernel_get(x->dev, "label", "affine_coefficients", "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE1(n * d),
                          TGI_ARGS(tgi_buffer(labels), tgi_buffer(gamma ? gamma : labels),
                                   tgi_buffer(beta ? beta : labels), tgi_int(n),
                                   tgi_int(labels->dims.c), tgi_int(d), tgi_int(gamma != NULL),
                                   tgi_int(beta != NULL), tgi_buffer(*out))));
cleanup:
    return status;
}

/* y = s x + t, or dx += s dy, plane by plane. */
static tg_status apply(const char *name, const tg_tensor *in, const tg_tensor *coefficients,
                       tg_tensor *out)
{
    tg_status status = TG_OK;
    tgi_kernel *kernel;
    size_t n_planes = tgi_plane_count(in), plane = tgi_plane_size(in);

    TG_TRY(tgi_kernel_get(in->dev, "label", name, "", &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(tgi_quads(plane), n_planes),
                          TGI_ARGS(tgi_buffer(in), tgi_buffer(coefficients), tgi_int(n_planes),
                                   tgi_int(plane), tgi_buffer(out))));
    tgi_tensor_touch(out);
cleanup:
    return status;
}

tg_status tg_label_affine_forward(const tg_tensor *x, const tg_tensor *labels,
                                  const tg_tensor *gamma, const tg_tensor *beta, tg_tensor *y)
{
    tg_status status = TG_OK;
    tg_tensor *coefficients = NULL;
    const tg_dims parameter = {labels->dims.c, x->dims.c, 1, 1};

    TG_TRY(check_labels("label affine: labels", x, labels));
    if (gamma)
        TG_TRY(tgi_op_expect("label affine: gamma", x, parameter, gamma));
    TG_TRY(tgi_op_expect("label affine: beta", x, parameter, beta));
    TG_TRY(tgi_op_same_dims("label affine: y", x, y));
    TG_TRY(coefficients_of(x, labels, gamma, beta, &coefficients));
    TG_TRY(apply("affine_fwd", x, coefficients, y));
cleanup:
    tg_tensor_free(coefficients);
    return status;
}

/* The two sums over each plane, and from them the gradients of gamma and beta. */
static tg_status add_parameter_gradients(const tg_tensor *x, const tg_tensor *labels,
                                         const tg_tensor *dy, tg_tensor *dgamma, tg_tensor *dbeta)
{
    tg_status status = TG_OK;
    size_t n = x->dims.n, c = labels->dims.c, d = x->dims.c;
    tg_tensor *sums = NULL, *const gradients[2] = {dgamma, dbeta};
    tgi_kernel *kernel;

    TG_TRY(tg_tensor_new(x->dev, (tg_dims){2, n, d, 1}, &sums));
    TG_TRY(tgi_kernel_get(x->dev, "label", "affine_sums", tgi_reduce_options(x->dev), &kernel));
    TG_TRY(tgi_kernel_run(kernel, TGI_RANGE2(1, n * d),
                          TGI_ARGS(tgi_buffer(x), tgi_buffer(dy), tgi_int(n * d),
                                   tgi_int(tgi_plane_size(x)), tgi_buffer(sums))));
    TG_TRY(tgi_kernel_get(x->dev, "label", "affine_bwd_parameter", "", &kernel));
    for (size_t i = 0; i < 2; i++) {
        if (!gradients[i])
            continue;
        TG_TRY(
            tgi_kernel_run(kernel, TGI_RANGE1(c * d),
                           TGI_ARGS(tgi_buffer(labels), tgi_buffer(sums), tgi_int(i * n * d),
                                    tgi_int(n), tgi_int(c), tgi_int(d), tgi_buffer(gradients[i]))));
        tgi_tensor_touch(gradients[i]);
    }
cleanup:
    tg_tensor_free(sums);
    return status;
}

tg_status tg_label_affine_backward(const tg_tensor *x, const tg_tensor *labels,
                                   const tg_tensor *gamma, const tg_tensor *dy, tg_tensor *dx,
                                   tg_tensor *dgamma, tg_tensor *dbeta)
{
    tg_status status = TG_OK;
    tg_tensor *coefficients = NULL;
    const tg_dims parameter = {labels->dims.c, x->dims.c, 1, 1};

    TG_TRY(check_labels("label affine: labels", x, labels));
    TG_TRY(tgi_op_same_dims("label affine: dy", x, dy));
    if (gamma)
        TG_TRY(tgi_op_expect("label affine: gamma", x, parameter, gamma));
    if (dx)
        TG_TRY(tgi_op_same_dims("label affine: dx", x, dx));
    if (dgamma)
        TG_TRY(tgi_op_expect("label affine: dgamma", x, parameter, dgamma));
    if (dbeta)
        TG_TRY(tgi_op_expect("label affine: dbeta", x, parameter, dbeta));
    if (dx) {
        TG_TRY(coefficients_of(x, labels, gamma, NULL, &coefficients));
        TG_TRY(apply("affine_bwd_data", dy, coefficients, dx));
    }
    if (dgamma || dbeta)
        TG_TRY(add_parameter_gradients(x, labels, dy, dgamma, dbeta));
cleanup:
    tg_tensor_free(coefficients);
    return status;
}

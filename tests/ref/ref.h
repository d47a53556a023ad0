/* ref.h -- the operations in plain C and double: what the kernels are compared with. Shapes as in taggan/op.h; gradients are
 * added to, as there. One block a file of tests/ref/. */
#ifndef REF_REF_H
#define REF_REF_H

#include <stdbool.h>
#include <stddef.h>
#include <taggan/op.h>

/* ---- elementwise.c ---- */
void ref_clamp_forward(const double *x, double low, double high, size_t n, double *y);
void ref_clamp_backward(const double *x, double low, double high, const double *dy, size_t n,
                        double *dx);
void ref_mix(const double *a, const double *b, const double *t, size_t n_samples, size_t sample,
             double *y);
void ref_activation_forward(tg_activation f, double slope, const double *x, size_t n, double *y);
void ref_activation_backward(tg_activation f, double slope, const double *y, const double *dy,
                             size_t n, double *dx);

/* ---- arrange.c ---- n samples of n_a and n_b values; x_dims are the small side's */
void ref_concat_forward(const double *a, const double *b, size_t n, size_t n_a, size_t n_b,
                        double *y);
void ref_concat_backward(const double *dy, size_t n, size_t n_a, size_t n_b, double *da,
                         double *db);
void ref_upsample_forward(const double *x, tg_dims x_dims, size_t s, double *y);
void ref_upsample_backward(const double *dy, tg_dims x_dims, size_t s, double *dx);
/* w [K,C,3,3], w4 [C,K,4,4]: op/arrange.h. */
void ref_upsample_weights_forward(const double *w, tg_dims w_dims, double *w4);
void ref_upsample_weights_backward(const double *dw4, tg_dims w_dims, double *dw);
void ref_shuffle_forward(const double *x, tg_dims x_dims, size_t s, double *y);
void ref_shuffle_backward(const double *dy, tg_dims x_dims, size_t s, double *dx);

/* ---- loss.c: each returns weight * loss and adds weight * gradient; gradients and b may be NULL ---- */
double ref_l1_loss(const double *a, const double *b, size_t n, double weight, double *da,
                   double *db);
double ref_mse_loss(const double *a, const double *b, size_t n, double weight, double *da,
                    double *db);
double ref_tv_loss(const double *m, tg_dims dims, double weight, double *dm);
double ref_adversarial_loss(tg_adversarial kind, const double *z, size_t n, double weight,
                            double *dz);
double ref_label_loss(const double *l, const double *c, size_t n_samples, size_t n_classes,
                      double weight, double *dl);
double ref_softmax_loss(const double *l, const double *c, size_t n_samples, size_t n_classes,
                        double weight, double *dl);
double ref_statistic_of(tg_statistic what, const double *z, size_t n);
void ref_sample_norm(const double *g, size_t n_samples, size_t n, double *norm, double *u);

/* ---- optimizer.c ---- */
void ref_adam_step(const double *g, const tg_adam_opts *opts, size_t n, double *p, double *m,
                   double *v);
void ref_rmsprop_step(const double *g, double lr, double alpha, double eps, size_t n, double *p,
                      double *v);
/* Returns the norm before clipping. */
double ref_clip_norm(double limit, size_t n, double *g);

/* ---- half.c ---- */
/* The number that 16 bits are, and the bits nearest to a number: ties to even, the largest half for what is beyond. */
double ref_half_value(unsigned h);
unsigned ref_half_of(double x);

/* ---- conv2d.c ---- */
typedef struct ref_conv2d {
    tg_dims x, w; /* image [N,C,H,W], weights [K,C,R,S] */
    tg_conv2d_geom geom;
} ref_conv2d;
typedef enum ref_conv2d_pass { REF_FORWARD, REF_DATA, REF_WEIGHTS } ref_conv2d_pass;
/* Adds one pass of the convolution to y, x or w. A transposed convolution's forward is REF_DATA with the sides exchanged. */
void ref_conv2d_add(const ref_conv2d *c, ref_conv2d_pass pass, double *x, double *w, double *y);

/* ---- label.c ---- dims are x's; gamma may be NULL */
void ref_label_planes_forward(const double *x, const double *labels, tg_dims dims, size_t n_labels,
                              double *y);
void ref_label_planes_backward(const double *dy, tg_dims dims, size_t n_labels, double *dx);
void ref_label_affine_forward(const double *x, const double *labels, const double *gamma,
                              const double *beta, tg_dims dims, size_t n_labels, double *y);
void ref_label_affine_backward(const double *x, const double *labels, const double *gamma,
                               const double *dy, tg_dims dims, size_t n_labels, double *dx,
                               double *dgamma, double *dbeta);

/* ---- pool.c ---- dims are x's; choice holds places in a plane */
void ref_pool_max_forward(const double *x, tg_dims dims, size_t size, size_t stride, double *y,
                          double *choice);
void ref_pool_max_backward(const double *choice, const double *dy, tg_dims dims, size_t size,
                           size_t stride, double *dx);
void ref_pool_mean_forward(const double *x, tg_dims dims, size_t size, size_t stride, double *y);
void ref_pool_mean_backward(const double *dy, tg_dims dims, size_t size, size_t stride, double *dx);
void ref_plane_pool_forward(tg_plane_pool kind, const double *x, tg_dims dims, double *y);
void ref_plane_pool_backward(tg_plane_pool kind, const double *x, const double *y, const double *dy,
                             tg_dims dims, double *dx);

/* ---- instance_norm.c, batch_norm.c: d are x's sizes; gamma, beta may be NULL ---- */
void ref_instance_norm_forward(const double *x, const double *gamma, const double *beta, double eps,
                               tg_dims d, double *y, double *mu, double *rstd);
void ref_instance_norm_backward(const double *x, const double *gamma, const double *mu,
                                const double *rstd, const double *dy, tg_dims d, double *dx,
                                double *dgamma, double *dbeta);
void ref_batch_norm_forward_train(const double *x, const double *gamma, const double *beta,
                                  double eps, double momentum, tg_dims d, double *running_mean,
                                  double *running_var, double *y, double *mu, double *rstd);
void ref_batch_norm_forward_eval(const double *x, const double *gamma, const double *beta,
                                 double eps, const double *running_mean, const double *running_var,
                                 tg_dims d, double *y);
void ref_batch_norm_backward(const double *x, const double *gamma, const double *mu,
                             const double *rstd, const double *dy, tg_dims d, double *dx,
                             double *dgamma, double *dbeta);

/* ---- spectral_norm.c: w is n_rows x n_columns ---- */
double ref_spectral_norm_forward(const double *w, size_t n_rows, size_t n_columns, bool iterate,
                                 double *u, double *v, double *w_sn);
void ref_spectral_norm_backward(const double *w_sn, const double *u, const double *v, double sigma,
                                const double *dw_sn, size_t n_rows, size_t n_columns, double *dw);

/* ---- peak.c: y[i] = sum over 12 chains a = a m + c of n_rounds rounds, begun at x[i] + 0..11 ---- */
void ref_peak_fma(const double *x, size_t n, size_t n_rounds, double m, double c, double *y);

#endif

/* loss.c -- losses and statistics in plain C, doc/notation.md, Losses. */
#include "config.h"
#include "ref/ref.h"

#include <math.h>

static double softplus(double z)
{
    return fmax(z, 0) + log1p(exp(-fabs(z)));
}

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

static double sign(double x)
{
    return (x > 0) - (x < 0);
}

static void add_to(double *gradient, size_t i, double value)
{
    if (gradient)
        gradient[i] += value;
}

double ref_l1_loss(const double *a, const double *b, size_t n, double weight, double *da,
                   double *db)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double difference = a[i] - (b ? b[i] : 0);

        sum += fabs(difference);
        add_to(da, i, weight * sign(difference) / (double)n);
        add_to(db, i, -weight * sign(difference) / (double)n);
    }
    return weight * sum / (double)n;
}

double ref_mse_loss(const double *a, const double *b, size_t n, double weight, double *da,
                    double *db)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double difference = a[i] - (b ? b[i] : 0);

        sum += difference * difference;
        add_to(da, i, 2 * weight * difference / (double)n);
        add_to(db, i, -2 * weight * difference / (double)n);
    }
    return weight * sum / (double)n;
}

/* weight * |m[to] - m[from]|, with gradients. */
static double difference_term(const double *m, size_t from, size_t to, double weight, double *dm)
{
    add_to(dm, to, weight * sign(m[to] - m[from]));
    add_to(dm, from, -weight * sign(m[to] - m[from]));
    return weight * fabs(m[to] - m[from]);
}

double ref_tv_loss(const double *m, tg_dims d, double weight, double *dm)
{
    double down = weight / (double)(d.n * d.c * (d.h - 1) * d.w);
    double right = weight / (double)(d.n * d.c * d.h * (d.w - 1));
    double loss = 0;

    for (size_t plane = 0; plane < d.n * d.c; plane++) {
        for (size_t i = 0; i < d.h; i++) {
            for (size_t j = 0; j < d.w; j++) {
                size_t at = (plane * d.h + i) * d.w + j;

                if (i + 1 < d.h)
                    loss += difference_term(m, at, at + d.w, down, dm);
                if (j + 1 < d.w)
                    loss += difference_term(m, at, at + 1, right, dm);
            }
        }
    }
    return loss;
}

double ref_adversarial_loss(tg_adversarial kind, const double *z, size_t n, double weight,
                            double *dz)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double value = 0, slope = 0;

        switch (kind) {
        case TG_ADV_REAL:
            value = softplus(-z[i]);
            slope = sigmoid(z[i]) - 1;
            break;
        case TG_ADV_FAKE:
            value = softplus(z[i]);
            slope = sigmoid(z[i]);
            break;
        case TG_ADV_SATURATING:
            value = -softplus(z[i]);
            slope = -sigmoid(z[i]);
            break;
        case TG_ADV_LS_REAL:
            value = (z[i] - 1) * (z[i] - 1);
            slope = 2 * (z[i] - 1);
            break;
        case TG_ADV_LS_FAKE:
            value = z[i] * z[i];
            slope = 2 * z[i];
            break;
        case TG_ADV_W_REAL:
            value = -z[i];
            slope = -1;
            break;
        case TG_ADV_W_FAKE:
            value = z[i];
            slope = 1;
            break;
        }
        sum += value;
        add_to(dz, i, weight * slope / (double)n);
    }
    return weight * sum / (double)n;
}

double ref_label_loss(const double *l, const double *c, size_t n_samples, size_t n_classes,
                      double weight, double *dl)
{
    double sum = 0;

    for (size_t i = 0; i < n_samples * n_classes; i++) {
        double target = c ? c[i] : 0;

        sum += softplus(l[i]) - target * l[i];
        add_to(dl, i, weight * (sigmoid(l[i]) - target) / (double)n_samples);
    }
    return weight * sum / (double)n_samples;
}

double ref_softmax_loss(const double *l, const double *c, size_t n_samples, size_t n_classes,
                        double weight, double *dl)
{
    double loss = 0;

    for (size_t i = 0; i < n_samples; i++) {
        const double *li = l + i * n_classes, *ci = c + i * n_classes;
        double sum = 0, mass = 0;

        for (size_t k = 0; k < n_classes; k++) {
            sum += exp(li[k]);
            mass += ci[k];
        }
        for (size_t k = 0; k < n_classes; k++) {
            loss -= ci[k] * log(exp(li[k]) / sum);
            add_to(dl, i * n_classes + k,
                   weight * (mass * exp(li[k]) / sum - ci[k]) / (double)n_samples);
        }
    }
    return weight * loss / (double)n_samples;
}

double ref_statistic_of(tg_statistic what, const double *z, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += what == TG_MEAN ? z[i] : what == TG_MEAN_ABS ? fabs(z[i]) : sigmoid(z[i]);
    return sum / (double)n;
}

void ref_sample_norm(const double *g, size_t n_samples, size_t n, double *norm, double *u)
{
    for (size_t i = 0; i < n_samples; i++) {
        double sum = 0;

        for (size_t k = 0; k < n; k++)
            sum += g[i * n + k] * g[i * n + k];
        norm[i] = sqrt(sum);
        for (size_t k = 0; k < n; k++)
            u[i * n + k] = g[i * n + k] / fmax(norm[i], 1e-12);
    }
}

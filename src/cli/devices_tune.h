/* devices_tune.h -- taggan-devices tune: measures the algorithms of a training step's layers, keeps the choices. */
#ifndef TGI_CLI_DEVICES_TUNE_H
#define TGI_CLI_DEVICES_TUNE_H

#include "device/device.h"

#include <jansson.h>
#include <stdio.h>

typedef struct tgi_devices_tune_opts {
    const char *preset;        /* NULL: quick */
    size_t size, width, batch; /* 0: the preset's */
    char *const *sets;         /* KEY=VALUE, as --set */
    size_t n_sets;
    double seconds; /* for all layers together */
    FILE *table;    /* NULL: no table */
} tgi_devices_tune_opts;

/* Prints the table. *json, where wanted, gets the same; the caller releases it. */
tg_status tgi_devices_tune(tg_device *dev, const tgi_devices_tune_opts *opts,
                           json_t **json) TG_MUST_CHECK;

#endif

/* status.h -- the two macros that jump: TG_TRY here, TG_CL in device/device.h. */
#ifndef TGI_BASE_STATUS_H
#define TGI_BASE_STATUS_H

#include <taggan/status.h>

/* Keeps the status in the local `status` and leaves through `cleanup` when it is not TG_OK. */
#define TG_TRY(expression)                                                                         \
    do {                                                                                           \
        status = (expression);                                                                     \
        if (status != TG_OK)                                                                       \
            goto cleanup;                                                                          \
    } while (0)

#define TG_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TG_UNUSED(x)    ((void)(x))

#endif

/* devices_list.h -- what taggan-devices prints of a device, for people and as JSON. */
#ifndef TGI_CLI_DEVICES_LIST_H
#define TGI_CLI_DEVICES_LIST_H

#include <jansson.h>
#include <stdio.h>
#include <taggan/device.h>

/* One paragraph on stdout; `is_chosen` puts a star before it, `is_verbose` adds what few need. */
void tgi_devices_print(const tg_device_info *info, bool is_chosen, bool is_verbose);

/* All that is known of a device; NULL when memory runs out. The caller releases it. */
json_t *tgi_devices_json(const tg_device_info *info);

/* Prints `object`; NULL counts as memory that ran out. Releases it. Write errors stay with the
 * stream. */
tg_status tgi_devices_emit(json_t *object, FILE *out) TG_MUST_CHECK;

#endif

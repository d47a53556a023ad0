/* model_info.h -- what is known of a model beside its weights, as metadata of a file. */
#ifndef TGI_CHECKPOINT_MODEL_INFO_H
#define TGI_CHECKPOINT_MODEL_INFO_H

#include "checkpoint/model_file.h"
#include "checkpoint/safetensors.h"

tg_status tgi_model_info_write(const tgi_model_info *info,
                               tgi_safetensors_writer *writer) TG_MUST_CHECK;
/* TG_ERR_FORMAT when an entry is missing or damaged; info is {0} then. `path` names the file in
 * messages. */
tg_status tgi_model_info_read(const tgi_safetensors *file, const char *path,
                              tgi_model_info *info) TG_MUST_CHECK;

#endif

# src/local.mk -- the library and the programs, room by room from the ground floor up.
pkginclude_HEADERS = \
	include/taggan/taggan.h \
	include/taggan/programs.h \
	include/taggan/status.h \
	include/taggan/device.h \
	include/taggan/tensor.h \
	include/taggan/op.h \
	include/taggan/image.h \
	include/taggan/dataset.h \
	include/taggan/tag.h

noinst_LTLIBRARIES = libtgcore.la
libtgcore_la_SOURCES =
nodist_libtgcore_la_SOURCES = cl_texts.c
libtgcore_la_LIBADD = $(OPENCL_LIBS) $(CLBLAST_LIBS) $(CLFFT_LIBS) $(PNG_LIBS) $(JPEG_LIBS) $(JANSSON_LIBS) $(PANGO_LIBS) \
	$(ZLIB_LIBS) $(PTHREAD_LIBS)

# The rooms: one list each.
libtgcore_la_SOURCES += \
	src/base/status.c src/base/status.h src/base/banned.h \
	src/base/memory.c src/base/memory.h \
	src/base/text.c src/base/text.h \
	src/base/file.c src/base/file.h \
	src/base/rng.c src/base/rng.h

libtgcore_la_SOURCES += \
	src/image/image.h \
	src/image/image.c src/image/mask.c src/image/npy.c src/image/resize.c \
	src/image/png.c src/image/jpeg.c src/image/orientation.c \
	src/image/dicom.c src/image/dicom.h src/image/dicom_file.c src/image/dicom_rle.c
# C++ in a library of its own, so that the others are still linked by the C compiler.
if HAVE_GDCM
noinst_LTLIBRARIES += libtgdicom.la
libtgdicom_la_SOURCES = src/image/dicom_gdcm.cc
libtgdicom_la_CPPFLAGS = $(AM_CPPFLAGS) $(GDCM_CPPFLAGS)
libtgcore_la_SOURCES += src/image/dicom_stream.c
libtgcore_la_LIBADD += libtgdicom.la $(GDCM_LIBS)
endif

libtgcore_la_SOURCES += \
	src/dataset/dataset.c src/dataset/dataset.h src/dataset/open.c \
	src/dataset/label.c src/dataset/labels.c src/dataset/split.c src/dataset/keys.c \
	src/dataset/csv.c src/dataset/csv.h \
	src/dataset/folder.c src/dataset/coco.c src/dataset/drawn.c \
	src/dataset/load.c src/dataset/parts.c src/dataset/write.c \
	src/dataset/augment.c src/dataset/loader.c

libtgcore_la_SOURCES += \
	src/dataset/published.c src/dataset/published.h src/dataset/table.c src/dataset/table.h \
	src/dataset/shelf.c src/dataset/shelf.h src/dataset/list.c src/dataset/list.h \
	src/dataset/chexpert.c src/dataset/nih.c src/dataset/tbx11k.c src/dataset/nlm.c src/dataset/covid.c \
	src/dataset/vindr.c src/dataset/rsna.c
libtgcore_la_SOURCES += src/dataset/audit.c src/dataset/audit.h src/dataset/share.c
libtgcore_la_SOURCES += \
	src/dataset/phantom.c src/dataset/phantom.h src/dataset/scene.h \
	src/dataset/lesion.c src/dataset/vagan.c \
	src/dataset/draw.c src/dataset/draw.h

libtgcore_la_SOURCES += \
	src/device/device.c src/device/device.h src/device/list.c \
	src/device/program.c src/device/program.h src/device/sources.h \
	src/device/cache.c src/device/cache.h \
	src/device/profile.c src/device/profile.h
libtgcore_la_SOURCES += src/device/timing.c src/device/timing.h

libtgcore_la_SOURCES += \
	src/tensor/tensor.c src/tensor/tensor.h \
	src/tensor/pool.c src/tensor/pool.h \
	src/tensor/arena.c src/tensor/arena.h \
	src/tensor/readback.c src/tensor/stage.c

# op/
libtgcore_la_SOURCES += \
	src/op/conv2d.c src/op/conv2d.h src/op/conv2d_direct.c \
	src/op/conv2d_packed.c \
	src/op/conv2d_rows.c src/op/conv2d_rows.h \
	src/op/conv2d_channels.c src/op/conv2d_channels.h \
	src/op/conv2d_winograd.c \
	src/op/conv2d_implicit.c src/op/conv2d_implicit.h \
	src/op/conv2d_winograd_gpu.c
libtgcore_la_SOURCES += src/op/tune.c src/op/tune.h src/op/tune_file.c src/op/tune_table.c \
	src/op/tune_check.c src/op/tune_run.c src/op/tune_worker.c
if HAVE_CLBLAST
libtgcore_la_SOURCES += src/op/conv2d_matmul.c src/op/sgemm.c src/op/sgemm.h
endif
if HAVE_CLFFT
libtgcore_la_SOURCES += src/op/conv2d_fft.c src/op/fft.c src/op/fft.h
endif
libtgcore_la_SOURCES += src/op/elementwise.c
libtgcore_la_SOURCES += src/op/arrange.c src/op/arrange.h
libtgcore_la_SOURCES += src/op/label.c
libtgcore_la_SOURCES += src/op/pool.c
libtgcore_la_SOURCES += src/op/op.c src/op/op.h
libtgcore_la_SOURCES += src/op/half.c
libtgcore_la_SOURCES += src/op/reduce.c src/op/reduce.h src/op/loss.c src/op/optimizer.c
libtgcore_la_SOURCES += src/op/norm.h src/op/instance_norm.c src/op/batch_norm.c src/op/spectral_norm.c
libtgcore_la_SOURCES += src/op/peak.c src/op/peak.h
libtgcore_la_SOURCES += src/op/tensor_core.c src/op/tensor_core.h

# tape/
libtgcore_la_SOURCES += \
	src/tape/tape.c src/tape/tape.h src/tape/record.h \
	src/tape/arithmetic.c src/tape/layers.c src/tape/losses.c src/tape/compress.c

# net/
libtgcore_la_SOURCES += \
	src/net/net.c src/net/net.h \
	src/net/config.c src/net/family.h \
	src/net/layer.c src/net/layer.h src/net/run.c src/net/walk.c \
	src/net/resnet.c src/net/unet.c src/net/small_unet.c src/net/stargan.c \
	src/net/patchgan.c src/net/critic.c src/net/vagan.c src/net/classifier.c

# model/
libtgcore_la_SOURCES += \
	src/model/model.c src/model/model.h \
	src/model/settings.c src/model/settings.h src/model/settings.def \
	src/model/pool.c src/model/pool.h \
	src/model/judges.c src/model/taggan.c src/model/taggan.h

# checkpoint/
libtgcore_la_SOURCES += \
	src/checkpoint/safetensors.c src/checkpoint/safetensors.h \
	src/checkpoint/safetensors_format.c src/checkpoint/safetensors_format.h \
	src/checkpoint/safetensors_writer.c
libtgcore_la_SOURCES += \
	src/checkpoint/arrays.c src/checkpoint/arrays.h \
	src/checkpoint/model_file.c src/checkpoint/model_file.h \
	src/checkpoint/model_info.c src/checkpoint/model_info.h \
	src/checkpoint/init_from.c

# tag/
libtgcore_la_SOURCES += src/base/sort.c src/base/sort.h \
	src/tag/tag.c src/tag/tag.h \
	src/tag/score.c src/tag/threshold.c src/tag/morphology.c src/tag/region.c \
	src/tag/calibrate.c src/tag/overlay.c \
	src/tag/annotate.c src/tag/annotate.h \
	src/tag/annotate_coco.c src/tag/annotate_voc.c src/tag/annotate_yolo.c \
	src/tag/annotate_labelstudio.c src/tag/annotate_csv.c
pkginclude_HEADERS += include/taggan/annotate.h
libtgcore_la_SOURCES += src/tag/tagger.c src/tag/tagger.h
pkginclude_HEADERS += include/taggan/tagger.h

# eval/
libtgcore_la_SOURCES += \
	src/eval/evaluation.c src/eval/eval.h src/eval/metrics.def \
	src/eval/boxes.c src/eval/ranking.c src/eval/target.c src/eval/measure.c \
	src/eval/aggregate.c src/eval/pixels.c src/eval/threshold.c src/eval/baseline.c \
	src/eval/results.c src/eval/table.c src/eval/folders.c
pkginclude_HEADERS += include/taggan/eval.h

# trainer/
libtgcore_la_SOURCES += \
	src/trainer/trainer.c src/trainer/trainer.h src/trainer/schedule.c src/trainer/schedule.h \
	src/trainer/feeding.c src/trainer/feeding.h \
	src/trainer/loss_scale.c src/trainer/loss_scale.h \
	src/trainer/state.c src/trainer/state.h src/trainer/maps.c src/trainer/maps.h \
	src/trainer/validate.c src/trainer/validate.h src/trainer/test.c
libtgcore_la_SOURCES += \
	src/report/train_run.c src/report/train_run.h src/report/samples.c src/report/samples.h
libtgcore_la_SOURCES += src/report/eval_run.c src/report/eval_run.h
libtgcore_la_SOURCES += src/cli/train.c src/cli/train_options.def

# report/

# cli/: what programs share, and the programs; each is its main and what prints for it
libtgcore_la_SOURCES += \
	src/cli/options.c src/cli/options.h src/cli/options_table.h src/cli/common_options.def \
	src/cli/help.c

libtgcore_la_SOURCES += src/cli/data.c src/cli/data_options.def src/cli/data_report.c src/cli/data_report.h

libtgcore_la_SOURCES += \
	src/report/tag_inputs.c src/report/tag_inputs.h \
	src/report/tag_run.c src/report/tag_run.h src/report/tag_report.c
libtgcore_la_SOURCES += src/cli/infer.c src/cli/infer_options.def

libtgcore_la_SOURCES += src/cli/eval.c src/cli/eval_options.def

# taggan-devices check compares with the references of the tests, so they are in the library, unseen from outside
libtgcore_la_SOURCES += src/cli/devices.c src/cli/devices_options.def \
	src/cli/devices_list.c src/cli/devices_list.h src/cli/devices_report.c src/cli/kernel_times.c src/cli/kernel_times.h \
	src/cli/devices_check.c src/cli/devices_check.h src/cli/devices_tune.c src/cli/devices_tune.h \
	src/cli/check_elementwise.c src/cli/check_arrange.c src/cli/check_norm.c src/cli/check_conv2d.c \
	src/cli/check_loss.c src/cli/check_optimizer.c src/cli/check_peak.c \
	tests/ref/ref.h tests/ref/tolerance.h \
	tests/ref/arrange.c tests/ref/batch_norm.c tests/ref/conv2d.c tests/ref/elementwise.c tests/ref/half.c \
	tests/ref/instance_norm.c tests/ref/label.c tests/ref/loss.c tests/ref/optimizer.c tests/ref/pool.c \
	tests/ref/spectral_norm.c tests/ref/peak.c
libtgcore_la_SOURCES += src/cli/devices_bench.c src/cli/devices_bench.h \
	src/cli/bench_layers.c src/cli/bench_table.c

report_files = \
	src/report/report.h \
	src/report/console.c src/report/console.h \
	src/report/html.c src/report/html.h \
	src/report/log_csv.c src/report/log_csv.h \
	src/report/panel.c src/report/panel.h src/report/panel_cell.c src/report/panel_cell.h \
	src/report/run_report.c src/report/run_report.h src/report/run_curves.c src/report/run_metrics.c \
	src/report/svg.c src/report/svg.h \
	src/report/tensorboard.c src/report/tensorboard.h \
	src/report/value.c src/report/value.h
libtgcore_la_SOURCES += $(report_files)

lib_LTLIBRARIES = libtaggan.la
libtaggan_la_SOURCES =
libtaggan_la_LIBADD = libtgcore.la
libtaggan_la_LDFLAGS = $(AM_LDFLAGS) -export-symbols-regex '^tg_' -version-info 0:0:0

# The programs stand on the shared library: each is a main that calls its function of taggan/programs.h.
bin_PROGRAMS = taggan-train taggan-infer taggan-eval taggan-data taggan-devices
taggan_train_SOURCES = src/cli/main.c
taggan_train_CPPFLAGS = $(AM_CPPFLAGS) -DTG_MAIN=tg_train_main
taggan_train_LDADD = libtaggan.la
taggan_infer_SOURCES = src/cli/main.c
taggan_infer_CPPFLAGS = $(AM_CPPFLAGS) -DTG_MAIN=tg_infer_main
taggan_infer_LDADD = libtaggan.la
taggan_eval_SOURCES = src/cli/main.c
taggan_eval_CPPFLAGS = $(AM_CPPFLAGS) -DTG_MAIN=tg_eval_main
taggan_eval_LDADD = libtaggan.la
taggan_data_SOURCES = src/cli/main.c
taggan_data_CPPFLAGS = $(AM_CPPFLAGS) -DTG_MAIN=tg_data_main
taggan_data_LDADD = libtaggan.la
taggan_devices_SOURCES = src/cli/main.c
taggan_devices_CPPFLAGS = $(AM_CPPFLAGS) -DTG_MAIN=tg_devices_main
taggan_devices_LDADD = libtaggan.la

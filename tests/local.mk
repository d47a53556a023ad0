# tests/local.mk -- the tests mirror src/; each program prints TAP and Automake's driver counts its lines.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TEST_EXTENSIONS = .sh
SH_LOG_DRIVER = $(LOG_DRIVER)
# by name, since an archive or a patch may lose the executable bit
SH_LOG_COMPILER = $(SHELL)
# new_delete_type_mismatch: clFFT deletes its plans through a pointer of another type
AM_TESTS_ENVIRONMENT = \
	ASAN_OPTIONS=new_delete_type_mismatch=0$${ASAN_OPTIONS:+:$$ASAN_OPTIONS}; export ASAN_OPTIONS; \
	POCL_CACHE_DIR=$(abs_top_builddir)/.pocl; export POCL_CACHE_DIR; mkdir -p $$POCL_CACHE_DIR; \
	TAGGAN_CACHE_DIR=$(abs_top_builddir)/.taggan-cache; export TAGGAN_CACHE_DIR; \
	CC='$(CC)'; export CC; MAKE='$(MAKE)'; export MAKE; \
	taggan_programs='$(bin_PROGRAMS)'; export taggan_programs; \
	LSAN_OPTIONS=suppressions=$(abs_top_srcdir)/tests/lsan.supp:print_suppressions=0; export LSAN_OPTIONS; \
	abs_top_srcdir=$(abs_top_srcdir); export abs_top_srcdir; \
	abs_top_builddir=$(abs_top_builddir); export abs_top_builddir;

check_LTLIBRARIES += libtgtest.la
libtgtest_la_SOURCES = tests/tg_test.c tests/tg_test.h \
	tests/image/picture.c tests/image/picture.h

# What every program links that does not say otherwise: the tests do not, the programs of src/cli do.
LDADD = libtgtest.la libtgcore.la $(CHECK_LIBS)

# A C test is its name here: Automake derives tests/base/test_base.c from it.
c_tests = tests/base/test_base
c_tests += tests/device/test_program
c_tests += tests/tensor/test_tensor
c_tests += tests/tensor/test_arena
c_tests += \
	tests/image/test_image \
	tests/image/test_dicom \
	tests/image/test_jpeg \
	tests/image/test_png \
	tests/image/test_resize \
	tests/dataset/test_phantom
c_tests += \
	tests/dataset/test_csv \
	tests/dataset/test_folder \
	tests/dataset/test_loader \
	tests/dataset/test_write
libtgtest_la_SOURCES += tests/dataset/scratch.c tests/dataset/scratch.h
c_tests += tests/dataset/test_chexpert tests/dataset/test_nih tests/dataset/test_tbx11k \
	tests/dataset/test_nlm tests/dataset/test_covid tests/dataset/test_vindr tests/dataset/test_rsna
libtgtest_la_SOURCES += tests/dataset/many.c tests/dataset/many.h

# op/
libtgtest_la_SOURCES += tests/ref/conv2d.c
c_tests += tests/op/test_conv2d tests/op/test_conv2d_accuracy
c_tests += tests/op/test_library
c_tests += tests/op/test_tune
libtgtest_la_SOURCES += tests/ref/elementwise.c
c_tests += tests/op/test_elementwise tests/op/test_set
libtgtest_la_SOURCES += tests/ref/arrange.c
c_tests += tests/op/test_arrange
libtgtest_la_SOURCES += tests/ref/label.c
c_tests += tests/op/test_label
libtgtest_la_SOURCES += tests/ref/pool.c
c_tests += tests/op/test_pool
libtgtest_la_SOURCES += tests/ref/half.c
c_tests += tests/op/test_half
libtgtest_la_SOURCES += tests/op/golden.c tests/op/golden.h
c_tests += tests/op/test_golden_a
c_tests += tests/op/test_golden_conv
EXTRA_DIST += tests/parity/golden/ops_conv.safetensors
libtgtest_la_SOURCES += tests/op/op_test.c tests/op/op_test.h tests/ref/ref.h tests/ref/tolerance.h
libtgtest_la_SOURCES += tests/ref/loss.c tests/ref/optimizer.c
c_tests += tests/op/test_loss tests/op/test_optimizer
c_tests += tests/op/test_golden_b
libtgtest_la_SOURCES += tests/ref/instance_norm.c tests/ref/batch_norm.c tests/ref/spectral_norm.c
libtgtest_la_SOURCES += tests/ref/peak.c
c_tests += tests/op/test_peak
c_tests += tests/op/test_instance_norm tests/op/test_batch_norm tests/op/test_spectral_norm

# tape/
c_tests += tests/tape/test_tape

# net/
libtgtest_la_SOURCES += tests/net/net_test.c tests/net/net_test.h
c_tests += tests/net/test_net tests/net/test_parity tests/net/test_penalty
EXTRA_DIST += tests/parity/golden_nets.py \
	tests/parity/golden/net_classifier.safetensors \
	tests/parity/golden/net_classifier_eval.safetensors \
	tests/parity/golden/net_critic.safetensors \
	tests/parity/golden/net_patchgan.safetensors \
	tests/parity/golden/net_patchgan_plain.safetensors \
	tests/parity/golden/net_resnet.safetensors \
	tests/parity/golden/net_resnet_cin.safetensors \
	tests/parity/golden/net_resnet_reflect.safetensors \
	tests/parity/golden/net_resnet_zero.safetensors \
	tests/parity/golden/net_resnet_zero1.safetensors \
	tests/parity/golden/net_small_unet.safetensors \
	tests/parity/golden/net_small_unet_cin.safetensors \
	tests/parity/golden/net_small_unet_up.safetensors \
	tests/parity/golden/net_stargan_d.safetensors \
	tests/parity/golden/net_stargan_g.safetensors \
	tests/parity/golden/net_unet.safetensors \
	tests/parity/golden/net_vagan_d.safetensors \
	tests/parity/golden/net_vagan_g.safetensors \
	tests/parity/golden/penalty_critic.safetensors \
	tests/parity/golden/penalty_vagan.safetensors

# model/
c_tests += tests/model/test_step
c_tests += tests/model/test_settings tests/model/test_model
libtgtest_la_SOURCES += tests/model/step_golden.c tests/model/step_golden.h
EXTRA_DIST += \
	tests/parity/compare_step.py \
	tests/parity/make_step.py \
	tests/parity/step/healthy.png \
	tests/parity/step/init.safetensors \
	tests/parity/step/init2.safetensors \
	tests/parity/step/init_quick.safetensors \
	tests/parity/step/labels.csv \
	tests/parity/step/sick.png \
	tests/parity/step/step.safetensors \
	tests/parity/step/step2.safetensors \
	tests/parity/step/step_quick.safetensors \
	tests/parity/step/switches.safetensors \
	tests/parity/taggan_torch.py

# trainer/
c_tests += tests/trainer/test_schedule tests/trainer/test_loss_scale tests/trainer/test_trainer

# tag/
c_tests += tests/tag/test_tag tests/tag/test_annotate
c_tests += tests/tag/test_tagger

# eval/
c_tests += tests/eval/test_measure tests/eval/test_eval

# report/

c_tests += \
	tests/checkpoint/test_safetensors
c_tests += tests/checkpoint/test_model_file
EXTRA_DIST += tests/parity/make_golden.py tests/parity/golden/ops_a.safetensors
EXTRA_DIST += tests/parity/golden/ops_b.safetensors
EXTRA_DIST += tests/parity/safetensors_numpy.py tests/checkpoint/data/golden.safetensors

# report/
c_tests += \
	tests/report/test_console \
	tests/report/test_html \
	tests/report/test_log_csv \
	tests/report/test_panel \
	tests/report/test_svg \
	tests/report/test_tensorboard \
	tests/report/test_value

# cli/
c_tests += tests/cli/test_options
tests_cli_test_options_SOURCES = tests/cli/test_options.c tests/cli/sample_options.def

# Shell tests print TAP themselves; tests/cli/tap.sh has the helpers.
sh_tests = \
	tests/cli/layers.sh \
	tests/cli/headers.sh \
	tests/cli/install.sh \
	tests/cli/documents.sh \
	tests/cli/samples.sh \
	tests/cli/options.sh \
	tests/cli/data.sh \
	tests/cli/published.sh \
	tests/cli/devices.sh \
	tests/cli/eval.sh \
	tests/cli/infer.sh

sh_tests += tests/cli/oclgrind.sh
sh_tests += tests/cli/family.sh
sh_tests += tests/cli/train.sh
sh_tests += tests/cli/bench.sh tests/cli/tune.sh
sh_tests += tests/cli/parity.sh

TESTS += $(sh_tests)
EXTRA_DIST += $(sh_tests) tests/cli/tap.sh tests/lsan.supp

if HAVE_CHECK
check_PROGRAMS += $(c_tests)
TESTS += $(c_tests)
endif

# Samples, and the scripts that made them.
EXTRA_DIST += tests/parity/make_images.py \
	tests/image/make_dicom.py \
	tests/image/data/bomb.jpg \
	tests/image/data/bomb.png \
	tests/image/data/cmyk.grey \
	tests/image/data/cmyk.jpg \
	tests/image/data/corrupt.png \
	tests/image/data/dicom_big_endian.dcm \
	tests/image/data/dicom_deflated.dcm \
	tests/image/data/dicom_eight_bits.dcm \
	tests/image/data/dicom_exact_window.dcm \
	tests/image/data/dicom_explicit.dcm \
	tests/image/data/dicom_few_pixels.dcm \
	tests/image/data/dicom_high_bits.dcm \
	tests/image/data/dicom_implicit.dcm \
	tests/image/data/dicom_jpeg.dcm \
	tests/image/data/dicom_jpeg2000.dcm \
	tests/image/data/dicom_jpeg_lossless.dcm \
	tests/image/data/dicom_jpeg_ls.dcm \
	tests/image/data/dicom_no_pixels.dcm \
	tests/image/data/dicom_no_window.dcm \
	tests/image/data/dicom_rescaled.dcm \
	tests/image/data/dicom_rgb.dcm \
	tests/image/data/dicom_rle.dcm \
	tests/image/data/dicom_sigmoid_window.dcm \
	tests/image/data/dicom_two_frames.dcm \
	tests/image/data/dicom_two_windows.dcm \
	tests/image/data/empty.png \
	tests/image/data/exif.grey \
	tests/image/data/exif1.jpg \
	tests/image/data/exif2.jpg \
	tests/image/data/exif3.jpg \
	tests/image/data/exif4.jpg \
	tests/image/data/exif5.jpg \
	tests/image/data/exif6.jpg \
	tests/image/data/exif7.jpg \
	tests/image/data/exif8.jpg \
	tests/image/data/exif_cut.jpg \
	tests/image/data/exif_offset.jpg \
	tests/image/data/grey.jpg \
	tests/image/data/grey12in16.png \
	tests/image/data/grey16.png \
	tests/image/data/grey8.png \
	tests/image/data/grey_alpha.png \
	tests/image/data/header_only.png \
	tests/image/data/hole.grey \
	tests/image/data/huge.jpg \
	tests/image/data/huge.png \
	tests/image/data/interlaced.png \
	tests/image/data/jpeg.grey \
	tests/image/data/jpeg_named.png \
	tests/image/data/map.png \
	tests/image/data/one_pixel.png \
	tests/image/data/onebit.grey \
	tests/image/data/onebit.png \
	tests/image/data/palette.png \
	tests/image/data/progressive.grey \
	tests/image/data/progressive.jpg \
	tests/image/data/reference.grey \
	tests/image/data/resize_13x23.f32 \
	tests/image/data/resize_1x1.f32 \
	tests/image/data/resize_20x14.f32 \
	tests/image/data/resize_20x3.f32 \
	tests/image/data/resize_31x9.f32 \
	tests/image/data/resize_7x5.f32 \
	tests/image/data/rgb.grey \
	tests/image/data/rgb.jpg \
	tests/image/data/rgb.png \
	tests/image/data/rgb16.png \
	tests/image/data/rgb_jpeg.grey \
	tests/image/data/rgba_hole.png \
	tests/image/data/small.dcm \
	tests/image/data/text.png \
	tests/image/data/trns.grey \
	tests/image/data/trns.png \
	tests/image/data/truncated.jpg \
	tests/image/data/truncated.png \
	tests/image/data/truncated_progressive.jpg \
	tests/image/data/twobit.grey \
	tests/image/data/twobit.png \
	tests/image/data/webp_named.png

AM_DEFAULT_SOURCE_EXT = .c

# bench/: built by name only.
EXTRA_PROGRAMS += tests/bench/bench_conv2d tests/bench/bench_step tests/bench/bench_tiles
EXTRA_DIST += tests/bench/against-pytorch tests/bench/torch_peer.py tests/bench/gpu-session tests/bench/tiles
tests_bench_bench_step_LDADD = libtgcore.la
CLEANFILES += $(EXTRA_PROGRAMS)

clean-local:
	rm -rf .pocl .taggan-cache .scratch .bench doc/html

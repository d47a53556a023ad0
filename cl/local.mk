# cl/local.mk -- every kernel file, listed once; cl2c.sh turns the list into C arrays inside the library.
cl_files = \
	cl/common.cl \
	cl/arrange.cl \
	cl/conv2d.cl \
	cl/conv2d_pad.cl \
	cl/conv2d_packed.cl \
	cl/conv2d_winograd.cl \
	cl/conv2d_rows.cl \
	cl/conv2d_channels.cl \
	cl/conv2d_phases.cl \
	cl/conv2d_matmul.cl \
	cl/conv2d_fft.cl \
	cl/conv2d_few.cl \
	cl/conv2d_fold.cl \
	cl/conv2d_implicit.cl \
	cl/conv2d_winograd_gpu.cl \
	cl/label.cl \
	cl/pool.cl \
	cl/elementwise.cl
cl_files += cl/reduce.cl cl/loss.cl cl/optimizer.cl
cl_files += cl/half.cl
cl_files += cl/instance_norm.cl cl/batch_norm.cl cl/spectral_norm.cl
cl_files += cl/peak.cl

EXTRA_DIST += $(cl_files)
BUILT_SOURCES += cl_texts.c
CLEANFILES += cl_texts.c
cl_texts.c: $(cl_files) build-aux/cl2c.sh
	$(AM_V_GEN)(cd $(srcdir) && sh build-aux/cl2c.sh $(cl_files)) > $@.tmp && mv $@.tmp $@

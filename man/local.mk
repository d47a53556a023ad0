# man/local.mk -- manual pages and bash completions, one a program, both made from the program's .def file.
# A program is one line in each of the two lists and one in the dependencies below; its prose is man/taggan-X.1.in.
man1_MANS = \
	man/taggan-data.1 \
	man/taggan-devices.1 \
	man/taggan-eval.1 \
	man/taggan-infer.1 \
	man/taggan-train.1
bashcomp_DATA = \
	completions/taggan-data \
	completions/taggan-devices \
	completions/taggan-eval \
	completions/taggan-infer \
	completions/taggan-train

man/taggan-data.1 completions/taggan-data: src/cli/data_options.def
man/taggan-devices.1 completions/taggan-devices: src/cli/devices_options.def
man/taggan-eval.1 completions/taggan-eval: src/cli/eval_options.def
man/taggan-infer.1 completions/taggan-infer: src/cli/infer_options.def
man/taggan-train.1 completions/taggan-train: src/cli/train_options.def

man_templates = $(man1_MANS:=.in)
EXTRA_DIST += build-aux/opts2man.awk $(man_templates)
CLEANFILES += $(man1_MANS) $(bashcomp_DATA)

# taggan-X stands for the file's own name; its options are in src/cli/X_options.def.
$(man1_MANS): $(man_templates) src/cli/common_options.def build-aux/opts2man.awk
	$(AM_V_GEN)$(MKDIR_P) man; page=`basename $@ .1`; room=`echo $$page | sed 's/^taggan-//'`; \
	$(AWK) -v mode=man -v template=$(srcdir)/man/$$page.1.in -v version=$(VERSION) -f $(srcdir)/build-aux/opts2man.awk \
	  $(srcdir)/src/cli/$${room}_options.def $(srcdir)/src/cli/common_options.def > $@.tmp && mv $@.tmp $@
$(bashcomp_DATA): src/cli/common_options.def build-aux/opts2man.awk
	$(AM_V_GEN)$(MKDIR_P) completions; page=`basename $@`; room=`echo $$page | sed 's/^taggan-//'`; \
	$(AWK) -v mode=completion -v program=$$page -f $(srcdir)/build-aux/opts2man.awk \
	  $(srcdir)/src/cli/$${room}_options.def $(srcdir)/src/cli/common_options.def > $@.tmp && mv $@.tmp $@

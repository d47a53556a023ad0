# tests/local.mk -- the tests mirror src/; each program prints TAP and Automake's driver counts its lines.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TEST_EXTENSIONS = .sh
SH_LOG_DRIVER = $(LOG_DRIVER)
AM_TESTS_ENVIRONMENT = \
	POCL_CACHE_DIR=$(abs_top_builddir)/.pocl; export POCL_CACHE_DIR; mkdir -p $$POCL_CACHE_DIR; \
	TAGGAN_CACHE_DIR=$(abs_top_builddir)/.taggan-cache; export TAGGAN_CACHE_DIR; \
	abs_top_srcdir=$(abs_top_srcdir); export abs_top_srcdir; \
	abs_top_builddir=$(abs_top_builddir); export abs_top_builddir;

check_LTLIBRARIES += libtgtest.la
libtgtest_la_SOURCES = tests/tg_test.c tests/tg_test.h

# What every program links that does not say otherwise: the tests do not, the programs of src/cli do.
LDADD = libtgtest.la libtgcore.la $(CHECK_LIBS)

# A C test is its name here: Automake derives tests/base/test_base.c from it.
c_tests = \
	tests/base/test_base

# Shell tests print TAP themselves; tests/cli/tap.sh has the helpers.
sh_tests = \
	tests/cli/layers.sh

TESTS += $(sh_tests)
EXTRA_DIST += $(sh_tests) tests/cli/tap.sh

if HAVE_CHECK
check_PROGRAMS += $(c_tests)
TESTS += $(c_tests)
endif

AM_DEFAULT_SOURCE_EXT = .c

clean-local:
	rm -rf .pocl .taggan-cache

# TG_CHECK_GDCM -- --with-gdcm=auto|yes|no: DICOM images by GDCM, which has no .pc file: a program is linked. Only this needs a
# C++ compiler. Sets have_gdcm, GDCM_CPPFLAGS, GDCM_LIBS, TG_CXXFLAGS, HAVE_GDCM.
AC_DEFUN([TG_CHECK_GDCM], [
AC_ARG_WITH([gdcm],
  [AS_HELP_STRING([--with-gdcm=auto|yes|no|DIR], [DICOM images compressed by more than baseline JPEG; auto: where GDCM is installed; DIR: its headers])],
  [], [with_gdcm=auto])
have_gdcm=no
AS_IF([test "x$with_gdcm" != xno], [
  AC_MSG_CHECKING([for GDCM])
  AC_LANG_PUSH([C++])
  tg_save_CPPFLAGS=$CPPFLAGS tg_save_LIBS=$LIBS
  # the C compiler links: it does not add the library of the C++ compiler by itself
  GDCM_LIBS="-lgdcmMSFF -lgdcmDSED -lgdcmCommon -lstdc++"
  LIBS="$GDCM_LIBS $LIBS"
  for tg_dir in "$with_gdcm" /usr/include/gdcm-3.0 /usr/local/include/gdcm-3.0 /usr/include/gdcm-3.2 /usr/local/include/gdcm-3.2; do
    AS_IF([test $have_gdcm = yes || ! test -f "$tg_dir/gdcmImageReader.h"], [continue])
    GDCM_CPPFLAGS="-isystem $tg_dir"
    CPPFLAGS="$tg_save_CPPFLAGS $GDCM_CPPFLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <gdcmImageReader.h>]], [[gdcm::ImageReader reader; return reader.Read();]])],
      [have_gdcm=yes])
  done
  CPPFLAGS=$tg_save_CPPFLAGS LIBS=$tg_save_LIBS
  AC_LANG_POP([C++])
  AC_MSG_RESULT([$have_gdcm])
  AS_IF([test $have_gdcm = no && test "x$with_gdcm" != xauto],
    [AC_MSG_ERROR([GDCM is not installed (Debian: libgdcm-dev), or there is no C++ compiler])])])
AS_IF([test $have_gdcm = yes],
  [AC_DEFINE([HAVE_GDCM], [1], [GDCM is there])
   TG_CXXFLAGS="-Wall -Wextra -Wshadow"],
  [GDCM_CPPFLAGS= GDCM_LIBS=])
AC_SUBST([GDCM_CPPFLAGS])
AC_SUBST([GDCM_LIBS])
AM_CONDITIONAL([HAVE_GDCM], [test $have_gdcm = yes])
])

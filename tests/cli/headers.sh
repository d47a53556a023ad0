#!/bin/sh
# Every public header compiles alone, in C11 and, where there is a C++ compiler, in C++.
. "$abs_top_srcdir/tests/cli/tap.sh"
CC=${CC:-cc}
include=$abs_top_srcdir/include
cxx=
for candidate in ${CXX:-c++ g++ clang++}; do
    command -v "$candidate" >/dev/null && cxx=$candidate && break
done
for header in "$include"/taggan/*.h; do
    which=taggan/$(basename "$header")
    echo "#include <$which>" >"$work/alone.c"
    ok "$which compiles alone in C11" $CC -std=c11 -pedantic-errors -Wall -Wextra -Werror -I"$include" -fsyntax-only "$work/alone.c"
    if [ -n "$cxx" ]; then
        cp "$work/alone.c" "$work/alone.cc"
        ok "$which compiles alone in C++" $cxx -Wall -Wextra -Werror -I"$include" -fsyntax-only "$work/alone.cc"
    else
        skip "$which compiles alone in C++" "no C++ compiler here"
    fi
    ok "taggan.h includes $which" sh -c "[ $which = taggan/taggan.h ] || grep -q '^#include <$which>' '$include/taggan/taggan.h'"
done
done_testing

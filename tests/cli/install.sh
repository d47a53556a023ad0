#!/bin/sh
# What `make install` puts in place works for a stranger: the pkg-config file, the headers, the library and its names.
. "$abs_top_srcdir/tests/cli/tap.sh"
CC=${CC:-cc}
dest=$work/dest
# the make that runs this test must not pass its own words on
unset MAKEFLAGS MFLAGS MAKELEVEL TESTS
ok "make install works into another root" ${MAKE:-make} -C "$abs_top_builddir" install DESTDIR="$dest" TESTS=
pc=$(find "$dest" -name taggan.pc)
library=$(find "$dest" -name 'libtaggan.so.*' -type f | head -1)
header=$(find "$dest" -name taggan.h)
ok "a library, its headers and taggan.pc are there" test -f "$pc" -a -f "$library" -a -f "$header"
ok "and the start values of tuning" sh -c "find '$dest' -path '*/taggan/tuning.json' | grep -q ."
ok "and no file of the build folder" sh -c "! find '$dest' -name '*.la' -o -name '*.lo' -o -name '*.o' -o -name 'libtgcore*' -o -name 'libtgtest*' | grep -v 'libtaggan\.la$' | grep ."
for program in "$dest"/*/bin/* "$dest"/*/*/bin/* "$dest"/*/*/*/bin/* "$dest"/*/*/*/*/bin/*; do
    [ -f "$program" ] || continue
    program=$(basename "$program")
    ok "$program has a man page" sh -c "find '$dest' -name '$program.1*' | grep -q ."
    ok "$program has a completion for bash" sh -c "find '$dest' -path '*completions/$program' | grep -q ."
done

# names
if command -v nm >/dev/null; then
    nm -D --defined-only "$library" 2>/dev/null | awk '$2 ~ /^[A-Z]$/ && $2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$work/exported"
    ok "the library exports something" test -s "$work/exported"
    ok "and nothing but tg_ names" sh -c "! grep -v '^tg_' '$work/exported'"
    cat "$(dirname "$header")"/*.h | sed -e 's://.*::' | tr '\n' ' ' | sed -e 's:/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/: :g' |
        grep -oE '\btg_[a-z0-9_]+ *\(' | tr -d ' (' | grep -v '_fn$' | sort -u >"$work/declared"
    comm -23 "$work/declared" "$work/exported" >"$work/missing"
    ok "every function that a header declares is in the library" sh -c "! grep . '$work/missing'"
    comm -13 "$work/declared" "$work/exported" >"$work/undeclared"
    ok "and every name in the library is declared in a header" sh -c "! grep . '$work/undeclared'"
else
    skip "the library's names" "no nm here"
fi

# a program of somebody else
cat >"$work/list.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <taggan/taggan.h>
int main(void)
{
    tg_device_info *list = NULL;
    size_t n = 0;

    if (tg_device_list(&list, &n) != TG_OK) {
        fprintf(stderr, "%s\n", tg_error_message());
        return 1;
    }
    printf("taggan %s\n", tg_version());
    for (size_t i = 0; i < n; i++)
        printf("device %zu: %s\n", list[i].index, list[i].name);
    free(list);
    return 0;
}
END
if command -v pkg-config >/dev/null; then
    PKG_CONFIG_PATH=$(dirname "$pc"):$PKG_CONFIG_PATH
    export PKG_CONFIG_PATH
    prefix=$(pkg-config --variable=prefix taggan)
    flags=$(pkg-config --define-variable=prefix="$dest$prefix" --cflags --libs taggan)
    ok "pkg-config knows the version" sh -c "'$abs_top_builddir/taggan-data' --version | grep -q \" \$(pkg-config --modversion taggan)\$\""
    nm -D "$library" | grep -q ' __asan_init' && flags="$flags -fsanitize=address,undefined"
    ok "a program compiles by what pkg-config says" $CC -std=c11 -Wall -Wextra -Werror -o "$work/list" "$work/list.c" $flags
    LD_LIBRARY_PATH=$(dirname "$library")
    export LD_LIBRARY_PATH
    ok "and lists the devices" "$work/list"
    says "^device 0: ." "by name"
else
    skip "a program compiles by what pkg-config says" "no pkg-config here"
fi

# and away again
unset LD_LIBRARY_PATH
ok "make uninstall works" ${MAKE:-make} -C "$abs_top_builddir" uninstall DESTDIR="$dest"
ok "and leaves no file" sh -c "! find '$dest' ! -type d | grep ."
done_testing

#!/bin/sh
# cl2c.sh FILE.cl... -- turns OpenCL C files into one C file of string arrays, a line of source to a string.
# Each text opens with #line, so that a driver's message names our file and line. Any POSIX awk will do.
set -eu
echo '/* made by build-aux/cl2c.sh; do not edit */'
echo '#include "config.h"'
echo '#include "device/sources.h"'
names=
for file; do
    name=$(basename "$file" .cl)
    names="$names $name"
    printf 'static const char *const text_%s[] = {\n"#line 1 \\"cl/%s.cl\\"\\n",\n' "$name" "$name"
    awk '{ gsub(/\\/, "&&"); gsub(/"/, "\\\\&"); gsub(/\?/, "\\\\&"); sub(/\r$/, ""); printf "\"%s\\n\",\n", $0 }' "$file"
    echo '};'
done
echo 'const tgi_source tgi_sources[] = {'
for name in $names; do
    printf '    {"%s", text_%s, sizeof(text_%s) / sizeof(text_%s[0])},\n' "$name" "$name" "$name" "$name"
done
echo '};'
echo 'const size_t tgi_n_sources = sizeof(tgi_sources) / sizeof(tgi_sources[0]);'

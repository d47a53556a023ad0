#!/bin/sh
# The real radiographs of data/samples: sound, in both classes, with boxes, small, and each source in both classes.
. "$abs_top_srcdir/tests/cli/tap.sh"
samples=$abs_top_srcdir/data/samples
data=$abs_top_builddir/taggan-data

ok "nothing is wrong with them" "$data" check "$samples"
says "nothing wrong in 24 images" "all 24"
ok "they are counted" "$data" stats "$samples"
says '^diseased +[0-9]+ +[0-9]+ +4 +12$' "12 diseased, 4 of them for tests"
says '^\(healthy\) +[0-9]+ +[0-9]+ +4 +12$' "as many healthy ones"
for source in nih kermany; do
    ok "$source is in both classes alike" sh -c "[ \$(ls '$samples'/*/healthy/${source}_* | wc -l) -eq \$(ls '$samples'/*/diseased/${source}_* | wc -l) ]"
    ok "data/README says where $source is from" grep -q "^${source}_" "$abs_top_srcdir/data/README"
done
ok "no other source is among them" sh -c "! ls '$samples'/*/*/ | grep '\.png\$' | grep -vE '^(nih|kermany)_'"
ok "all of them are under half a megabyte" sh -c "[ \$(cat '$samples'/*/*/*.png | wc -c) -lt 500000 ]"
done_testing

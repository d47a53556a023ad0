#!/bin/sh
# The real radiographs of data/samples: sound, in both classes, with boxes, small, each source in both classes; and training,
# which learns nothing in two steps, goes all the way from them to a page of measured results.
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

run=$work/run
ok "taggan-train takes them" "$abs_top_builddir/taggan-train" "$samples" -o "$run" --preset standard --size 32 --width 8 --steps 2
says "^centre_blob " "and measures, with what needs no learning beside it"
for file in model.safetensors checkpoint.safetensors config.ini log.csv metrics.json report.html samples/diseased.png; do
    ok "$file is written" test -s "$run/$file"
done
ok "nothing is half-written" sh -c "! find '$run' -name '*.tmp*' | grep ."
done_testing

#!/bin/sh
# taggan-eval: measures files against a set that taggan-data wrote; the truth itself as a prediction has perfect scores.
. "$abs_top_srcdir/tests/cli/tap.sh"
data=$abs_top_builddir/taggan-data
eval_=$abs_top_builddir/taggan-eval
unset TAGGAN_DEVICE
set_=$work/set
tags=$work/tags

ok "prints its help" "$eval_" --help
says '^Usage: taggan-eval \[OPTION\.\.\.\] TRUTH PREDICTION$' "help begins with the usage"
says '^  -o, --output FILE +write metrics.json' "help has the options"
for words in "" "one" "a b c" "a b --table html" "a b --threshold best" "a b --threshold pct:200" "a b --draws -1" "--compare" "a b --bogus"; do
    exits 2 "wrong usage: '$words'" "$eval_" $words
    says '^taggan-eval: .*\(see taggan-eval --help\)$' "and says where help is"
done

"$data" phantom -q -o "$set_" --n 6 --val 1 --test 4 --seed 7 --size 32 || echo "# taggan-data failed"
mkdir "$tags"
for file in "$set_"/truth/*.png; do
    name=$(basename "$file" .png)
    cp "$file" "$tags/$name.map.png" # a truth has the format of a map
    cp "$set_/masks/$name.png" "$tags/$name.mask.png"
done
echo '{"threshold":{"rule":"healthy:0.99","value":0.25}}' >"$tags/tags.json"

ok "measures the truth itself" "$eval_" "$set_" "$tags" -o "$work/metrics.json" --csv "$work/metrics.csv" --draws 100
says '^4 diseased and 4 healthy images of .*; threshold healthy:0.99 = 0.25; fractions of 1$' "says what it measured"
says '^ncc +1.000 +\[1.000, 1.000\] +4$' "correlation is perfect"
says '^dice +1.000 ' "Dice is perfect"
says '^pixel_ap +1.000 ' "pixels are ranked perfectly"
says '^image_auroc +1.000 ' "images are told apart"
says '^blank_rate +1.000 ' "healthy images are blank"
says '^class_mean_known ' "baselines stand beside"
ok "writes metrics.json" grep -q '"version": 1' "$work/metrics.json"
ok "writes a table of numbers" grep -q '^overall,overall,ncc,1.000000,1.000000,1.000000,4,0$' "$work/metrics.csv"
ok "measures all splits" "$eval_" "$set_" "$tags" --split all --no-baselines --draws 10
says '^11 diseased and 11 healthy images' "with all images"
ok "prints Markdown" "$eval_" "$set_" "$tags" --table markdown --draws 10
says '^\| metric ' "as a table"
ok "says nothing when asked so" sh -c "test -z \"\$('$eval_' -q '$set_' '$tags' --draws 10)\""
ok "the same seed gives the same file" sh -c "'$eval_' -q '$set_' '$tags' --draws 100 -o '$work/again.json' && cmp '$work/metrics.json' '$work/again.json'"
ok "compares runs" "$eval_" --compare "$work" "$work/again.json"
says "^$work/again.json +1.000 +1.000" "side by side"

rm "$tags"/*.map.png
ok "masks alone will do" "$eval_" "$set_" "$tags" --draws 10
says '^dice +1.000 ' "and are their own maps"
kept=$(ls "$tags"/*.mask.png | tail -1)
mv "$kept" "$work/kept.png"
exits 1 "a missing prediction" "$eval_" "$set_" "$tags" --split all
says "^taggan-eval: no prediction for '" "is named, not left out"
head -c 60 "$work/kept.png" >"$kept"
exits 1 "a damaged one" "$eval_" "$set_" "$tags" --split all
exits 1 "no folder" "$eval_" "$set_" "$work/nowhere"
says "^taggan-eval: cannot open folder '.*nowhere' of predictions" "is named"
exits 1 "no data set" "$eval_" "$work/nowhere" "$tags"
exits 1 "no run" "$eval_" --compare "$work/nowhere"
says "^taggan-eval: cannot open '.*nowhere'" "is named as well"
echo '{}' >"$work/other.json"
exits 1 "another JSON file" "$eval_" --compare "$work/other.json"
says "not a metrics.json" "is told apart"
done_testing

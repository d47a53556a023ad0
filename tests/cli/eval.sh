#!/bin/sh
# taggan-eval: measures files against a set that taggan-data wrote; the truth itself as a prediction has perfect scores. Then
# measures models, which have hardly learned: alone, on sets they do not fit, and side by side.
. "$abs_top_srcdir/tests/cli/tap.sh"
data=$abs_top_builddir/taggan-data
eval_=$abs_top_builddir/taggan-eval
unset TAGGAN_DEVICE
set_=$work/set
tags=$work/tags

ok "prints its help" "$eval_" --help
says '^Usage: taggan-eval \[OPTION\.\.\.\] TRUTH PREDICTION \| -m RUN DATASET \| --compare RUN\.\.\.$' "help begins with the usage"
says '^  -o, --output FILE +write metrics.json' "help has the options"
for words in "" "one" "a b c" "a b --table html" "a b --threshold best" "a b --threshold pct:200" "a b --draws -1" "--compare" "a b --bogus" \
    "-m run" "-m run a b" "-m run a --compare" "-m run a -t otsu" "-m run a --sigma 1" "-m run a --label maybe" "a b --label auto" \
    "a b --panels x.png" "a b --on set" "--compare a --panels x.png" "--compare a --on set --panels folder" "--compare a -o x.json" \
    "--compare a --csv x.csv" "--compare a --split val" "--compare a --label auto" "--compare a --all" "--compare a --on s --conn 4"; do
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
says '^ncc +1.000 +\[1.000, 1.000\] +4 ' "correlation is perfect"
says '^dice +1.000 ' "Dice is perfect"
says '^pixel_ap +1.000 ' "pixels are ranked perfectly"
says '^image_auroc +1.000 ' "images are told apart"
says '^blank_rate +1.000 ' "healthy images are blank"
says '^class_mean_known ' "baselines stand beside"
ok "the table is short" sh -c "! grep -E '^(iou_boxes|poi_equal|dice_micro|dice_refined) ' '$work/out'"
ok "and has no more than 100 columns" sh -c "! grep -E '.{101}' '$work/out'"
ok "tells every protocol when asked to" "$eval_" --all "$set_" "$tags" --draws 10
says '^other protocol ' "those that stand behind"
says '^iou_boxes +1.000 ' "with boxes"
says '^oracle-refined ' "and those that read the truth, marked as such"
ok "as it does with -v" sh -c "'$eval_' -v '$set_' '$tags' --draws 10 | grep -q '^oracle-refined '"
ok "files always have them" grep -q '^overall,overall,dice_micro_refined,' "$work/metrics.csv"
ok "writes a page of files, too" "$eval_" -q "$set_" "$tags" --draws 10 --report "$work/files.html"
ok "with the numbers" grep -q 'class mean known' "$work/files.html"
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

# models
train=$abs_top_builddir/taggan-train
if ! "$abs_top_builddir/taggan-devices" list >"$work/out" 2>"$work/err"; then
    skip "measures models" "no device here"
    done_testing
fi
spec=phantom:n=6,val=2,test=4
ok "trains a model" "$train" -q -o "$work/run-a" --size 32 --steps 2 --batch 2 $spec
ok "and another" "$train" -q -o "$work/run-b" --size 32 --steps 2 --batch 2 --seed 5 $spec
ok "measures a model" "$eval_" -m "$work/run-a" $spec -o "$work/model.json" --csv "$work/model.csv" --panels "$work/model.png" --report "$work/model.html"
says '^4 diseased and 4 healthy images of phantom' "on the test images"
says '^test images; maps of diseased ones under their true labels, of healthy ones under a class drawn at random$' "says whose labels"
says '^image_auroc +0\.[0-9]+ ' "prints the table"
ok "finds what was found after training" cmp "$work/model.json" "$work/run-a/metrics.json"
ok "draws one picture" sh -c "head -c 8 '$work/model.png' | grep -q PNG"
ok "writes one page with it" grep -q 'data:image/png;base64' "$work/model.html"
ok "which says how it was made" grep -q 'taggan-eval -m ' "$work/model.html"
ok "measures by the model's own labels" "$eval_" -m "$work/run-a/model.safetensors" $spec --label auto --no-baselines --split val --draws 10 --panels "$work/panels"
says '^validation images; maps of all under the labels that the model.s label head chose$' "and says so"
ok "the threshold is not chosen on what is measured" sh -c "! grep '^dice_best' '$work/out'"
ok "draws a folder of pictures" test -s "$work/panels/diseased.png" -a -s "$work/panels/healthy.png"
ok "measures a set of files with its own sizes" "$eval_" -m "$work/run-a" "$set_" --draws 10
exits 1 "a set of other classes" "$eval_" -m "$work/run-a" phantom:n=4,val=2,test=2,classes=nodule
says "knows the classes nodule, .*, but 'phantom:.*' has nodule " "both lists are named"
exits 1 "no such run" "$eval_" -m "$work/nowhere" $spec
says "^taggan-eval: .*nowhere" "is named"
exits 1 "an unwritable picture" "$eval_" -q -m "$work/run-a" $spec --draws 10 --panels "$work/none/x.png"
mkdir -p "$work/well/test/healthy" "$work/ill/test"
cp "$set_"/images/*h0000*.png "$work/well/test/healthy/"
ok "measures a set of healthy images alone" "$eval_" -m "$work/run-a" "$work/well" --draws 10 -o "$work/well.json"
says '^0 diseased and [1-9][0-9]* healthy images' "as what it is"
says '^blank_rate +[01]\.' "by the measures that exist"
ok "and by no others" sh -c "! grep -E '^(dice|ncc|image_auroc) ' '$work/out'"
for class in nodule consolidation effusion cardiomegaly; do
    mkdir "$work/ill/test/$class" && cp "$(ls "$set_"/images/*d0000*.png | head -1)" "$work/ill/test/$class/$class.png"
done
ok "measures a set of diseased images without truth" "$eval_" -m "$work/run-a" "$work/ill" --draws 10 --panels "$work/ill.png"
says '^4 diseased and 0 healthy images' "which has little to be measured"

ok "measures several on the same images" "$eval_" --compare "$work/run-a" "$work/run-b" --on $spec --draws 10 --panels "$work/both.png" --report "$work/both.html"
says "^4 diseased and 4 healthy images of $spec$" "says on which"
says "^$work/run-b +" "side by side"
ok "draws them side by side" test -s "$work/both.png"
ok "and writes a page" grep -q 'run-b' "$work/both.html"
ok "a page of what was measured before" "$eval_" -q --compare "$work/run-a" "$work/model.json" --report "$work/before.html"
exits 1 "numbers alone cannot be measured anew" "$eval_" --compare "$work/run-a" "$work/model.json" --on $spec
done_testing

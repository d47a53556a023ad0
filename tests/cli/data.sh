#!/bin/sh
# taggan-data: writes sets that read back, finds planted faults, splits by patient, and says what is wrong with a command line.
. "$abs_top_srcdir/tests/cli/tap.sh"
data=$abs_top_builddir/taggan-data
unset TAGGAN_DEVICE
set_=$work/set

ok "prints its help" "$data" --help
says '^Usage: taggan-data phantom \[OPTION\.\.\.\] -o DIR$' "help begins with the usage"
says '^  -o, --output PATH +folder to write' "help has the options"
ok "prints its version" "$data" --version
says '^taggan-data [0-9]+\.[0-9]+' "version is one line"
for words in "" bogus "phantom" "phantom -o" "phantom -o $work/x extra" "phantom -o $work/x --n 0" "phantom -o $work/x --n many" \
    "phantom -o $work/x --size 8" "phantom -o $work/x --val 0.5" "phantom -o $work/x --positions random" \
    "vagan-synthetic -o $work/x --positions here" "check" "check a b" "stats" "split $work" "split $work -o $work/x.csv --val 0.6 --test 0.5" \
    "phantom -o $work/x --bogus" "--dataset nothing check $work"; do
    exits 2 "wrong usage: '$(echo "$words" | sed "s|$work|DIR|g")'" "$data" $words
    says '^taggan-data: .*\(see taggan-data --help\)$' "and says where help is"
done
ok "wrong usage writes nothing" test ! -e "$work/x"

ok "writes phantoms" "$data" phantom -o "$set_" --n 6 --seed 7 --size 32 --device nonsense
says "^wrote 16 images of 32 x 32 pixels to " "a tenth of six is one, for val and for test"
ok "labels.csv has a row an image" sh -c "[ \$(wc -l <'$set_/labels.csv') -eq 17 ] && head -1 '$set_/labels.csv' | grep -qx file,labels,split,patient"
ok "masks and truth lie beside" sh -c "[ \$(ls '$set_/images' | wc -l) -eq 16 ] && [ \$(ls '$set_/masks' | wc -l) -eq 16 ] && [ \$(ls '$set_/truth' | wc -l) -eq 16 ] && [ -s '$set_/boxes.json' ]"
ok "finds nothing wrong with them" "$data" check "$set_"
says "nothing wrong in 16 images" "and says so"
ok "the same seed writes the same set" "$data" phantom -q -o "$work/again" --n 6 --seed 7 --size 32
ok "byte for byte" diff -r "$set_" "$work/again"
ok "another seed another one" "$data" phantom -q -o "$work/other" --n 6 --seed 8 --size 32
ok "which differs" sh -c "! diff -rq '$set_/images' '$work/other/images' >/dev/null"
ok "writes one class alone" "$data" phantom -q -o "$work/one" --n 3 --val 0 --test 2 --size 32 --classes nodule
ok "and counts it" "$data" stats "$work/one"
says '^nodule +[0-9]+ +[0-9]+ +2 +5$' "in a table"
says '^\(images\) +[0-9]+ +[0-9]+ +4 +10$' "with all images"
ok "counts as JSON" "$data" stats --json "$set_"
says '"images": 16' "all images"
says '"healthy": 6' "healthy ones of train"
ok "counts a built-in set" "$data" stats phantom:n=5,val=2,test=3
says '^\(healthy\) +5 +2 +3 +10$' "without writing it"
ok "writes VA-GAN's set" "$data" vagan-synthetic -o "$work/squares" --n 2 --val 1 --test 1
says "of 112 x 112 pixels" "at its published size"
ok "and the harder one" "$data" vagan-synthetic -q -o "$work/hard" --n 2 --val 1 --test 1 --positions random --noise 40 --size 56
ok "both are sound" sh -c "'$data' check '$work/squares' && '$data' check '$work/hard'"

exits 1 "an output that cannot be" "$data" phantom -o "$set_/labels.csv/below" --n 1 --size 32
says "^taggan-data: cannot create folder '.*labels.csv" "is named"
exits 1 "a set is not overwritten" "$data" phantom -o "$set_" --n 1 --size 32
says "^taggan-data: cannot write '.*a data set is there" "but named"
if [ -w /dev/full ]; then
    exits 1 "a full disk" sh -c "'$data' stats '$set_' >/dev/full"
    says "^taggan-data: cannot write to the standard output: " "is an error"
else
    skip "a full disk is an error" "no /dev/full here"
fi
exits 1 "a set that is not there" "$data" check "$work/nowhere"
says "^taggan-data: cannot open '.*nowhere'" "is named"
exits 1 "an unknown disease" "$data" phantom -o "$work/x" --classes flu
says "unknown class 'flu'" "is named"

# every fault at once, in a copy
bad=$work/bad
cp -r "$set_" "$bad"
row() { sed -n "s/^\(images\/[^,]*\),$1,$2,.*/\1/p" "$bad/labels.csv" | sed -n "$3p"; } # row LABELS SPLIT NUMBER: the image's path
healthy=$(row "" train 1) victim=$(row "" train 2) missing=$(row "" train 3) second=$(row "" test 1)
size=$(wc -c <"$bad/$victim")
head -c $((size / 2)) "$set_/$victim" >"$bad/$victim"
rm "$bad/$missing"
cp "$bad/$healthy" "$bad/images/twin.png"
echo "images/twin.png,nodule,train,p-twin" >>"$bad/labels.csv"
sed "s|^\($second,,test\),.*|\1,leaky|; s|^\($healthy,,train\),.*|\1,leaky|" "$bad/labels.csv" >"$work/edited" && cp "$work/edited" "$bad/labels.csv"
echo "$healthy,effusion,train,leaky" >>"$bad/labels.csv"
exits 1 "a spoilt set is refused" "$data" check "$bad"
says "unreadable: .*$(basename "$victim")" "the truncated image is named"
says "unreadable: .*$(basename "$missing")" "the missing one, too"
says "label clash: .*(twin.png.* $bad/$healthy|$healthy and .*twin.png)" "the same picture with two labels is named"
says "$(basename "$healthy").*with other labels" "the row that contradicts another is named"
says "leak: patient leaky is in train .* and in test " "the patient in two splits is named"
says "^taggan-data: .*: [0-9]+ problems in [0-9]+ images" "and the problems are counted"
ok "the others are not" sh -c "! grep -c '$(basename "$(row "" train 4)")' '$work/out'"

# splits by patient
mkdir -p "$work/ward/images"
cp "$set_"/images/* "$work/ward/images"
{ echo file,labels,split,patient; i=0; for f in "$set_"/images/*; do
    i=$((i + 1)); l=; [ $((i % 2)) -eq 1 ] && l=nodule
    echo "images/$(basename "$f"),$l,train,p$((i / 4))"; done; } >"$work/ward/labels.csv"
ok "splits by patient" "$data" split "$work/ward" -o "$work/ward/new.csv" --val 0.2 --test 0.3 --seed 3
ok "no patient is in two splits" sh -c "cut -d, -f3,4 '$work/ward/new.csv' | tail -n +2 | sort -u | cut -d, -f2 | sort | uniq -d | { ! grep .; }"
ok "every image has its row" sh -c "[ \$(grep -c '^images/' '$work/ward/new.csv') -eq 16 ] && grep -q ,val, '$work/ward/new.csv' && grep -q ,test, '$work/ward/new.csv' && grep -q ,train, '$work/ward/new.csv'"
ok "the new table reads back" "$data" check "$work/ward/new.csv"
ok "the same seed splits alike" "$data" split -q "$work/ward" -o "$work/ward/new2.csv" --val 0.2 --test 0.3 --seed 3
ok "to the byte" cmp "$work/ward/new.csv" "$work/ward/new2.csv"
exits 1 "a missing file" "$data" split -q "$bad" -o "$bad/new.csv"
says "^taggan-data: cannot find '.*$(basename "$missing")'" "is named"
cp "$set_/$missing" "$bad/$missing"
ok "a leaky set can be split anew" "$data" split -q "$bad" -o "$bad/new.csv" --seed 1
ok "a table elsewhere has absolute paths" "$data" split -q "$work/ward" -o "$work/deep/er/new.csv"
ok "that read back" "$data" stats "$work/deep/er/new.csv"
exits 1 "a drawn set has no files to split" "$data" split phantom:n=4 -o "$work/x.csv"
says "are drawn, not files" "and the message says so"
done_testing

#!/bin/sh
# Published sets as they are unpacked: each is told by what it holds, counted, checked, split and trained on; what cannot be
# told apart is said. Pictures are those of tests/image/data, rows are our own, of the shape of the real ones.
. "$abs_top_srcdir/tests/cli/tap.sh"
data=$abs_top_builddir/taggan-data
pictures=$abs_top_srcdir/tests/image/data
unset TAGGAN_DEVICE
cd "$work" || exit 1
n_pictures=0
picture() { # picture PATH...: a picture that no other file has
    for path; do
        mkdir -p "$(dirname "$path")"
        [ -d drawn ] || "$data" phantom -q -o drawn --n 40 --val 0 --test 0 --size 16
        n_pictures=$((n_pictures + 1))
        cp "$(ls drawn/images/* | sed -n "${n_pictures}p")" "$path"
    done
}
kinds() { sed -n 's/^TG_OPTION(dataset, [^"]*"KIND", "auto", "\([^"]*\)".*/\1/p' "$abs_top_srcdir/src/cli/$1_options.def"; }
for program in train infer eval; do
    ok "taggan-$program knows the kinds that taggan-data knows" test "$(kinds $program)" = "$(kinds data)"
done
for kind in $(kinds data | tr , ' '); do
    ok "the manual page knows $kind" grep -q "^\.B[R]* .*$(echo "$kind" | sed 's/-/\\\\-/')" "$abs_top_srcdir/man/taggan-data.1.in"
done

# ---- CheXpert
set_=CheXpert-v1.0-small
labels='No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis'
labels="$labels,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices"
mkdir $set_
for part in train valid; do echo "Path,Sex,Age,Frontal/Lateral,AP/PA,$labels" >$set_/$part.csv; done
row() { # row PART PATIENT SEX SIDE LABELS
    side=$(echo "$4" | tr FL fl)
    picture "$set_/$1/patient$2/study1/view1_$side.jpg"
    echo "$set_/$1/patient$2/study1/view1_$side.jpg,$3,50,$4,PA,$5" >>$set_/$1.csv
}
row train 00001 Male Frontal 1.0,,,,,,,,,,,,,
row train 00002 Female Frontal 1.0,,,,,,,,,,,,,
row train 00003 Male Frontal ,,,,,,,1.0,,,,,,
row train 00004 Male Frontal ,,,,,,,-1.0,,,,,,
row train 00005 Male Lateral ,,,,,,,1.0,,,,,,
row train 00006 Female Frontal ,,,,,,,1.0,,,,,,
row valid 64541 Male Frontal 1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0
row valid 64542 Male Frontal 0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0
ok "CheXpert is told by its tables" "$data" stats .
says '^Pneumonia +2 +1 +0 +3$' "frontal, uncertain is absent"
says '^\(healthy\) +2 +1 +0 +3$' "healthy is No Finding"
says 'train.csv: left out of 6 rows: 1 of another view, 1 with none of the classes' "and what was left out is counted"
ok "it is sound" "$data" check $set_
ok "uncertain labels are taken as asked" "$data" stats --dataset chexpert --uncertain ones --sex male $set_
says '^Pneumonia +2 +1 +0 +3$' "of men alone"
exits 1 "a set that does not tell the sex" "$data" stats --sex male drawn
says "^taggan-data: cannot choose by sex: data sets of the kind csv do not tell" "says so"
ok "it can be split anew" "$data" split -q $set_ -o chexpert.csv --val 0.3 --test 0.3
ok "by patient" "$data" check chexpert.csv
ok "and trained on" "$abs_top_builddir/taggan-train" --dataset chexpert $set_ -o run --preset standard --size 32 --width 8 --steps 1 \
    --classes Pneumonia --sex male
says "^Pneumonia |centre_blob" "to a table"
cp $set_/train/patient00001/study1/view1_frontal.jpg $set_/valid/patient64541/study1/view1_frontal.jpg
exits 1 "the same picture on both sides" "$data" check $set_
says "leak: .*patient00001.* \(train\) and .*patient64541.* \(val\) are the same picture" "is named"
echo "$set_/train/patient00007/study1/view1_frontal.jpg,Male,50,Frontal,PA,,,,,,,,x,,,,,," >>$set_/train.csv
exits 1 "a malformed row" "$data" check $set_
says "^taggan-data: cannot read '.*train.csv', line 8: Pneumonia is 'x'" "is named with its line"
exits 2 "an unknown policy" "$data" check --uncertain perhaps $set_
done_testing

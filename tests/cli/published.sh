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
        [ -d drawn ] || "$data" phantom -q -o drawn --n 100 --val 0 --test 0 --size 16
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
says 'train.csv: left out of 6 images: 1 of another view, 1 with none of the classes' "and what was left out is counted"
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
cp $set_/train/patient00003/study1/view1_frontal.jpg $set_/valid/patient64541/study1/view1_frontal.jpg
exits 1 "and with another label there" "$data" check $set_
says "label clash: .*patient00003.* and .*patient64541" "is a clash"
says "leak: .*patient00003.* \(train\) and .*patient64541.* \(val\) are the same picture" "and a leak"
echo "$set_/train/patient00007/study1/view1_frontal.jpg,Male,50,Frontal,PA,,,,,,,,x,,,,,," >>$set_/train.csv
exits 1 "a malformed row" "$data" check $set_
says "^taggan-data: cannot read '.*train.csv', line 8: Pneumonia is 'x'" "is named with its line"
exits 2 "an unknown policy" "$data" check --uncertain perhaps $set_

# ---- ChestX-ray14
mkdir nih
echo 'Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],' \
    >nih/Data_Entry_2017.csv
row() { # row IMAGE LABELS PATIENT SEX VIEW LIST
    picture "nih/images_001/images/$1"
    echo "$1,$2,0,$3,055Y,$4,$5,3056,2544,0.139,0.139," >>nih/Data_Entry_2017.csv
    echo "$1" >>nih/$6.txt
}
row 00000001_000.png 'No Finding' 1 M PA train_val_list
row 00000002_000.png 'Mass|Effusion' 2 F AP train_val_list
row 00000003_000.png Mass 3 M PA train_val_list
row 00000004_000.png 'No Finding' 4 M AP train_val_list
row 00000005_000.png 'Mass|Infiltration' 5 F PA test_list
row 00000006_000.png 'No Finding' 6 F PA test_list
printf '%s\n' 'Image Index,Finding Label,Bbox [x,y,w,h],,,' '00000005_000.png,Infiltrate,256.5,128,512,256,,,' >nih/BBox_List_2017.csv
ok "ChestX-ray14 is told by its table" "$data" stats --classes Mass,Infiltration nih
says '^Mass +1 +1 +1 +3$' "test is the official one"
says '^Infiltration +0 +0 +1 +1$' "two findings in an image"
ok "it is sound" "$data" check --classes Mass nih
ok "one view alone" "$data" stats --dataset nih --view pa nih/Data_Entry_2017.csv
says '^\(images\) +[0-9]+ +[0-9]+ +2 +4$' "PA"
exits 1 "it knows no uncertain labels" "$data" stats --uncertain ones nih
says "cannot choose by uncertain labels: data sets of the kind nih do not tell" "and says so"
exits 1 "no image of the view" "$data" stats --view lateral nih
says "has no image of those asked for" "is said"
cp CheXpert-v1.0-small/valid.csv nih
exits 1 "two sets in one folder" "$data" stats nih
says "cannot tell what 'nih' is: it holds both CheXpert's train.csv, .* \(kind chexpert\) and ChestX-ray14's .* \(kind nih\)" "are named"
ok "which --dataset settles" "$data" stats --dataset nih nih
rm nih/valid.csv
echo 00000005_000.png >>nih/train_val_list.txt
exits 1 "an image in both lists" "$data" check nih
says "test_list.txt', line 1: '00000005_000.png' is in 'nih/train_val_list.txt', line 5, too" "is named"

# ---- TBX11K
mkdir -p tbx/TBX11K/lists tbx/TBX11K/annotations/json
for n in 1 2 3 4; do for kind in tb/tb health/h sick/s; do picture tbx/TBX11K/imgs/${kind}000$n.png; done; done
printf '%s\n' tb/tb0001.png tb/tb0002.png health/h0001.png health/h0002.png sick/s0001.png >tbx/TBX11K/lists/TBX11K_train.txt
printf '%s\n' tb/tb0003.png tb/tb0004.png health/h0003.png health/h0004.png >tbx/TBX11K/lists/TBX11K_val.txt
echo '{"categories": [{"id": 1, "name": "ActiveTuberculosis"}, {"id": 2, "name": "ObsoletePulmonaryTuberculosis"}],
 "images": [{"id": 5, "file_name": "tb/tb0003.png", "width": 512, "height": 512}, {"id": 6, "file_name": "tb/tb0004.png", "width": 512, "height": 512}],
 "annotations": [{"id": 1, "image_id": 5, "category_id": 2, "bbox": [256.5, 128, 64, 32]}]}' >tbx/TBX11K/annotations/json/TBX11K_val.json
ok "TBX11K is told by its folders" "$data" stats tbx
says '^Tuberculosis +1 +1 +1 +3$' "the official validation is the test"
says '^\(healthy\) +1 +1 +2 +4$' "with its healthy images"
says '1 tuberculous images without a box left out' "and what was left out is said"
ok "it is sound" "$data" check tbx/TBX11K
ok "the sick can be asked for" "$data" stats --classes Tuberculosis,Sick --dataset tbx11k tbx/TBX11K
says '^Sick +1 ' "as a class of their own"
echo imgs/tb/tb0003.png >>tbx/TBX11K/lists/TBX11K_val.txt
exits 1 "a bad line of a list" "$data" check tbx
says "TBX11K_val.txt', line 5: 'imgs/tb/tb0003.png' is no name of an image" "is named"

# ---- Shenzhen and Montgomery
for n in 0001_0 0002_0 0327_1 0328_1; do
    picture nlm/ChinaSet_AllFiles/CXR_png/CHNCXR_$n.png
    picture mc/MontgomerySet/CXR_png/MCUCXR_$n.png
    mkdir -p mc/MontgomerySet/ClinicalReadings
    printf "Patient's Sex: F\\r\\nPatient's Age: 031Y\\r\\nnormal\\r\\n" >mc/MontgomerySet/ClinicalReadings/MCUCXR_$n.txt
done
picture nlm/ChinaSet_AllFiles/mask/CHNCXR_0327_1_cavity_0.png
ok "Shenzhen is told by its names" "$data" stats nlm
says '^Tuberculosis +1 +1 +0 +2$' "which say who is ill"
ok "it is sound" "$data" check nlm/ChinaSet_AllFiles
ok "Montgomery, too" "$data" stats --sex female --dataset montgomery mc
says '^\(images\) +2 +2 +0 +4$' "with the sex from its readings"
mv mc/MontgomerySet nlm
exits 1 "both in one folder" "$data" stats nlm
says "kind shenzhen.* and .*kind montgomery" "are named"
picture nlm/ChinaSet_AllFiles/CXR_png/CHNCXR_0329.png
exits 1 "an odd name" "$data" check nlm/ChinaSet_AllFiles
says "cannot read '.*CHNCXR_0329.png': its name is not CHNCXR_NUMBER_0 or _1" "is named"

# ---- COVID-CXNet
for name in covid19/001.jpg covid19/002.PNG covid19/003-.jpeg covid19/004p.png normal/a.png normal/b.png cap/c.png cap/d.png; do
    picture covid/chest_xray_images/$name
done
printf '\357\273\277filename,patient_id,sex,view\n001.jpg,7,male,\n002.png,8,female,PA\n' >covid/metadata.csv
ok "COVID-CXNet is told by its folders" "$data" stats covid
says '^COVID-19 +[12] +[01] +0 +2$' "without the invisible and the child"
says '^CAP +[12] +[01] +0 +2$' "with what lies beside it"
says "1 marked as showing nothing, 1 of children" "and what was left out is counted"
ok "it is sound" "$data" check --classes COVID-19,CAP --dataset covid covid/chest_xray_images
echo 002.png >>covid/metadata.csv
exits 1 "a malformed row" "$data" check covid
says "metadata.csv', line 4: 1 fields, the header has 4" "is named"

# ---- VinDr-CXR
for id in a b c d; do picture vindr/train/900$id.png; done
printf '%s\n' image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max 900a,Cardiomegaly,3,R9,1,2,9,10 '900b,No finding,14,R9,,,,' \
    900c,Cardiomegaly,3,R8,1,2,9,10 '900d,No finding,14,R9,,,,' 900a,Cardiomegaly,3,R8,2,2,9,10 >vindr/train.csv
ok "VinDr-CXR is told by its table" "$data" stats vindr
says '^Cardiomegaly +1 +1 +0 +2$' "one image, several readers"
ok "it is sound" "$data" check vindr/train.csv
echo '900a,Cardiomegaly,3,R8,9,2,2,10' >>vindr/train.csv
exits 1 "a malformed row" "$data" check vindr
says "train.csv', line 7: 9,2,2,10 is no box" "is named"

# ---- RSNA pneumonia, as DICOM files
mkdir -p rsna/stage_2_train_images
cp "$pictures/dicom_jpeg.dcm" rsna/stage_2_train_images/a.dcm
cp "$pictures/dicom_explicit.dcm" rsna/stage_2_train_images/b.dcm
cp "$pictures/dicom_rescaled.dcm" rsna/stage_2_train_images/c.dcm
cp "$pictures/dicom_eight_bits.dcm" rsna/stage_2_train_images/d.dcm
cp "$pictures/dicom_no_window.dcm" rsna/stage_2_train_images/e.dcm
printf '%s\n' patientId,x,y,width,height,Target a,264.0,152.0,213.0,379.0,1 b,,,,,0 c,100,100,50,50,1 d,,,,,0 e,,,,,0 a,562,152,256,453,1 \
    >rsna/stage_2_train_labels.csv
printf '%s\n' patientId,class 'a,Lung Opacity' b,Normal 'c,Lung Opacity' d,Normal 'e,No Lung Opacity / Not Normal' 'a,Lung Opacity' \
    >rsna/stage_2_detailed_class_info.csv
ok "RSNA is told by its table" "$data" stats rsna
says '^Lung Opacity +1 +1 +0 +2$' "a row is a box"
says '^\(healthy\) +1 +1 +0 +2$' "and normal is not all that is without"
ok "it is sound, to the pixels of its DICOM files" "$data" check rsna
head -c 900 "$pictures/dicom_explicit.dcm" >rsna/stage_2_train_images/b.dcm
exits 1 "a truncated DICOM file" "$data" check rsna
says "unreadable: cannot read '.*b.dcm', a DICOM file: it is truncated" "is named"
echo 'a,1,2,,4,1' >>rsna/stage_2_train_labels.csv
exits 1 "a malformed row" "$data" check rsna
says "stage_2_train_labels.csv', line 8: width is ''" "is named"
done_testing

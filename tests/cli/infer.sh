#!/bin/sh
# taggan-infer: a model of two steps tags files, folders and data sets; damaged inputs, names that meet, wrong use.
. "$abs_top_srcdir/tests/cli/tap.sh"
infer=$abs_top_builddir/taggan-infer
data=$abs_top_builddir/taggan-data
unset TAGGAN_DEVICE
images=$abs_top_srcdir/tests/image/data
run=$work/run

# width, height and bits of a PNG
png() { od -An -t u1 -j 16 -N 9 "$1" | awk '{print 256*(256*(256*$1+$2)+$3)+$4, 256*(256*(256*$5+$6)+$7)+$8, $9}'; }
# header NAME FILE WIDTH HEIGHT BITS
header() { ok "$1" sh -c "test \"$(png "$2")\" = '$3 $4 $5'"; }

if ! "$abs_top_builddir/taggan-train" phantom:n=8,val=4,test=4 --size 32 --steps 2 -q -o "$run" >"$work/out" 2>&1; then
    grep -q 'no OpenCL\|no device\|clGetPlatformIDs' "$work/out" && { echo "1..0 # SKIP no OpenCL device"; exit 0; }
    sed 's/^/# /' "$work/out"
fi

# files of any size, and what is wrong with one of them
ok "tags a file" "$infer" -m "$run" -o "$work/one" "$images/rgb.png"
says '^tagged 1 image, [01] with boxes, into ' "and says so"
size=$(png "$images/rgb.png")
w=${size%% *} h=${size#* } h=${h%% *}
header "the map has the image's size and 16 bits" "$work/one/rgb.map.png" "$w" "$h" 16
header "so has the mask" "$work/one/rgb.mask.png" "$w" "$h" 8
header "so has the healthy image" "$work/one/rgb.healthy.png" "$w" "$h" 8
header "so has the overlay" "$work/one/rgb.overlay.png" "$w" "$h" 8
for file in annotations.json summary.csv tags.json report.html; do ok "writes $file" test -s "$work/one/$file"; done
ok "tags.json names rule and value" grep -q '"rule": "healthy:0.99"' "$work/one/tags.json"
ok "the summary has a row an image" sh -c "[ \$(wc -l <'$work/one/summary.csv') = 2 ]"
ok "its header is the contract's" grep -q '^file,name,label,p_nodule,p_consolidation,p_effusion,p_cardiomegaly,n_boxes,area_share,max_score,mean_score,seconds$' "$work/one/summary.csv"
ok "leaves no half files" sh -c "! ls -A '$work/one' | grep -q '^\\.'"
ok "a second time files are replaced" "$infer" -q -m "$run/model.safetensors" -o "$work/one" "$images/rgb.png"
ok "and nothing is said when asked so" test ! -s "$work/out" -a ! -s "$work/err"

exits 1 "a truncated image among others" "$infer" -m "$run" -o "$work/some" "$images/rgb.png" "$images/truncated.png" "$images/grey.jpg" "$work/nowhere.png"
says '^taggan-infer: .*truncated\.png' "is named"
says "nowhere\.png" "as is one that is not there"
says '^taggan-infer: 2 of 4 inputs could not be read' "and counted"
ok "the others are written" test -s "$work/some/rgb.mask.png" -a -s "$work/some/grey.map.png" -a ! -e "$work/some/truncated.map.png"
exits 1 "none that can be read" "$infer" -m "$run" -o "$work/none" "$images/truncated.png"

# folders and names
mkdir -p "$work/ward/a" "$work/ward/b/.hidden" "$work/ward/old"
cp "$images/rgb.png" "$work/ward/a/x.png"
cp "$images/rgb.jpg" "$work/ward/b/x.jpg"
cp "$images/rgb.jpg" "$work/ward/b/x.jpeg"
cp "$images/rgb.png" "$work/ward/b/y.PNG"
cp "$images/rgb.png" "$work/ward/b/.hidden/z.png"
cp "$work/one"/* "$work/ward/old"
echo text >"$work/ward/notes.txt"
ok "tags a folder and all below it" "$infer" -m "$run" -o "$work/ward/tags" "$work/ward"
says '^tagged 4 images' "but neither earlier results nor other files"
ok "images of one name get the folder's, too" test -s "$work/ward/tags/a_x.map.png" -a -s "$work/ward/tags/y.map.png"
ok "and the ending where that is not enough" sh -c "ls '$work/ward/tags' | grep -q 'b_x_jpg.map.png' && ls '$work/ward/tags' | grep -q 'b_x_jpeg.map.png'"
ok "the summary says which is which" grep -q 'ward/a/x.png,a_x,' "$work/ward/tags/summary.csv"
ok "the same image twice has two names" "$infer" -m "$run" -o "$work/twice" "$images/rgb.png" "$images/rgb.png"
ok "one each" sh -c "[ \$(ls '$work/twice'/*.overlay.png | wc -l) = 2 ]"
mkdir "$work/empty"
exits 1 "a folder without images" "$infer" -m "$run" -o "$work/none" "$work/empty"
says 'no image among the inputs' "is an error"

# labels, thresholds, formats
ok "looks for all diseases" "$infer" -m "$run" -o "$work/all" --label all --threshold 0 --save npy --format voc,yolo,labelstudio,csv "$images/rgb.png"
ok "with a map each" test -s "$work/all/rgb.map.png" -a -s "$work/all/rgb.nodule.map.png" -a -s "$work/all/rgb.effusion.mask.png"
ok "and NumPy files" test -s "$work/all/rgb.map.npy"
for file in voc/rgb.xml yolo/rgb.txt yolo/classes.txt labelstudio.json annotations.csv; do ok "writes $file" test -s "$work/all/$file"; done
ok "boxes carry their class" grep -q ',effusion,' "$work/all/annotations.csv"
ok "looks for one" "$infer" -m "$run" -o "$work/otsu" -l nodule --threshold otsu --batch 1 "$images/rgb.png"
ok "and says which" grep -q ',nodule,0\.' "$work/otsu/summary.csv"
ok "and by which rule" grep -q '"rule": "otsu"' "$work/otsu/tags.json"
ok "takes another stored rate" "$infer" -m "$run" -o "$work/rate" --max-false-alarm 0.1 "$images/rgb.png"
ok "which tags.json names" grep -q '"rule": "healthy:0.9"' "$work/rate/tags.json"
exits 1 "a rate that was not stored" "$infer" -m "$run" -o "$work/none" --max-false-alarm 0.3 "$images/rgb.png"
says 'no threshold for a false-alarm rate of 0.3 \(it has: 0.01, ' "is answered with those that were"

# a data set, and taggan-eval after it
"$data" phantom -q -o "$work/set" --n 4 --val 2 --test 3 --seed 5 --size 40 || echo "# taggan-data failed"
ok "tags the test images of a data set" "$infer" -m "$run" -o "$work/tags" --batch 4 "$work/set"
says '^tagged 6 images' "only those"
says '^[0-3] of 3 healthy images show a box$' "and tells of the healthy ones"
ok "taggan-eval finds every file" "$abs_top_builddir/taggan-eval" "$work/set" "$work/tags" --draws 10
says 'threshold healthy:0.99 = ' "and the threshold"
ok "tags another split" "$infer" -m "$run" -o "$work/val" --split val "$work/set"
says '^tagged 4 images' "that alone"
rm "$work/set/images/$(ls "$work/set/images" | grep test | head -1)"
exits 1 "a data set of which a file is gone" "$infer" -m "$run" -o "$work/tags" "$work/set"
says '^taggan-infer: 1 of 6 inputs could not be read' "is tagged without it"
ok "tags drawn images" "$infer" -q -m "$run" -o "$work/drawn" phantom:n=2,val=1,test=1
ok "the same ones twice give the same bits" sh -c "'$infer' -q -m '$run' -o '$work/drawn2' --batch 1 phantom:n=2,val=1,test=1 && for f in '$work'/drawn/*.map.png; do cmp \"\$f\" '$work/drawn2/'\$(basename \"\$f\") || exit 1; done"

# models
exits 1 "no model there" "$infer" -m "$work/nowhere" "$images/rgb.png"
says "^taggan-infer: cannot .*nowhere" "is named"
exits 1 "a folder without one" "$infer" -m "$work/empty" "$images/rgb.png"
says "empty/model.safetensors" "is named with the file that is missing"
cp "$run/model.safetensors" "$work/damaged.safetensors"
printf 'X' | dd of="$work/damaged.safetensors" bs=1 seek=9000 conv=notrunc 2>/dev/null
exits 1 "a damaged model" "$infer" -m "$work/damaged.safetensors" "$images/rgb.png"
says "^taggan-infer: .*damaged" "is refused"
head -c 4000 "$run/model.safetensors" >"$work/short.safetensors"
exits 1 "a truncated one" "$infer" -m "$work/short.safetensors" "$images/rgb.png"
exits 1 "what is no model" "$infer" -m "$images/rgb.png" "$images/rgb.png"
exits 1 "an unknown class" "$infer" -m "$run" --label goitre "$images/rgb.png"
says "label 'goitre' is unknown to the model \(nodule, " "is answered with the known ones"
exits 1 "a folder that cannot be written" "$infer" -m "$run" -o "$work/damaged.safetensors/tags" "$images/rgb.png"
says "^taggan-infer: .*damaged.safetensors" "is named"
exits 1 "no such device" "$infer" --device nonesuch -m "$run" "$images/rgb.png"

exits 2 "no model given" "$infer" "$images/rgb.png"
exits 2 "no input" "$infer" -m "$run"
exits 2 "an unknown option" "$infer" -m "$run" --frobnicate "$images/rgb.png"
exits 2 "an unknown threshold" "$infer" -m "$run" --threshold half "$images/rgb.png"
exits 2 "an unknown format" "$infer" -m "$run" --format coco,dicom "$images/rgb.png"
exits 2 "an unknown method" "$infer" -m "$run" --method cam "$images/rgb.png"
exits 2 "a rate without calibration" "$infer" -m "$run" --threshold 0.1 --max-false-alarm 0.1 "$images/rgb.png"
ok "prints its help" "$infer" --help
ok "prints its version" "$infer" --version
done_testing

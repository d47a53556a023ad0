#!/bin/sh
# taggan-train end to end on tiny sets: the files of a run, going on, a signal, real images, and a sentence for everything that is wrong.
. "$abs_top_srcdir/tests/cli/tap.sh"
train=$abs_top_builddir/taggan-train
unset TAGGAN_DEVICE
set_=phantom:n=8,val=4,test=4
tiny="--size 32 --batch 2 --steps 4 --set width=4 --set dwidth=4"

# ---- help and settings ----
ok "prints its help" "$train" --help
says '^Usage: taggan-train \[OPTION\.\.\.\] \[DATASET\]$' "help begins with the usage"
says '--resume +go on' "help has the options"
ok "prints all settings" "$train" --print-config
cp "$work/out" "$work/quick.ini"
says '^# preset quick$' "those of preset quick when the set is phantoms"
ok "a line each and a line about it" sh -c "[ \$(grep -c '^[a-z_0-9]* = ' '$work/quick.ini') -eq \$(grep -c '^TGI_[A-Z]*([a-z]' '$abs_top_srcdir/src/model/settings.def') ] && [ \$(grep -c '^# ' '$work/quick.ini') -gt 50 ]"
ok "those of a folder are preset standard's" "$train" --print-config "$abs_top_srcdir/data/samples"
says '^size = 128$' "which has its own size"
ok "reads what it printed" "$train" --print-config --preset paper --config "$work/quick.ini"
cp "$work/out" "$work/again.ini"
ok "to the letter" sh -c "grep -v '^# preset' '$work/again.ini' >'$work/a.ini'; grep -v '^# preset' '$work/quick.ini' | cmp - '$work/a.ini'"
ok "options win over a file, --set over options" "$train" --print-config --config "$work/quick.ini" --lr 0.5 --size 96 --set size=48
says '^lr = 0.5$' "the option's rate"
says '^size = 48$' "the size of --set"
ok "epochs take the place of steps" "$train" --print-config --epochs 3
says '^steps = 0$' "which are then unset"

# ---- wrong usage ----
for words in "--steps 3 --epochs 2" "--resume --lr 0.1" "--resume --set lr=0.1" "--resume --preset quick" "--resume --init x" \
    "--deterministic --time 3m" "one two" "--bogus" "--steps 0" "--steps few" "--time soon" "--model nothing" "--preset huge" "--dataset xml"; do
    exits 2 "wrong usage: '$words'" "$train" -o "$work/no" $words
    says '^taggan-train: .*\(see taggan-train --help\)$' "and says where help is"
done
refuses() { # refuses NAME PATTERN WORDS...: exit status 1 and a sentence
    name=$1 pattern=$2
    shift 2
    exits 1 "refuses $name" "$train" -q -o "$work/no" $tiny "$@"
    says "^taggan-train: .*$pattern" "and says so"
}
refuses "an unknown setting" "no setting is named 'widht'" --set widht=3 $set_
refuses "a setting out of range" "setting lr: '7' is not a number from 0 to 1" --set lr=7 $set_
refuses "a word that is no choice" "setting adv: 'gan' is none of bce" --set adv=gan $set_
refuses "a pair without a value" "'adv' is not KEY=VALUE" --set adv $set_
refuses "settings that contradict each other" "adv=wgangp and netd=patchgan contradict" --set adv=wgangp --set netd=patchgan $set_
refuses "a size that the network cannot halve" "multiple of 16 .*, not 40 x 40" --size 40 $set_
refuses "a device that is not there" "no device fits 'nosuch'" --device nosuch $set_
refuses "a file of settings that is not there" "cannot open '.*nowhere.ini'" --config "$work/nowhere.ini" $set_
printf 'size = 48\n\nwidht = 3\n' >"$work/wrong.ini"
refuses "a file with a wrong line" "wrong.ini, line 3: no setting is named 'widht'" --config "$work/wrong.ini" $set_
refuses "an unknown key of a built-in set" "'m'" phantom:m=3
ok "nothing of all that left a model" test ! -e "$work/no/model.safetensors"

# ---- a run ----
ok "trains" "$train" --deterministic -o "$work/run" $tiny $set_
says '^4 diseased and 4 healthy images of phantom:n=8,val=4,test=4; threshold healthy:0.99' "says what it measured"
says '^weights of step [1-4]$' "and which weights"
says '^trained for .*; at most [1-9][0-9]* MiB of the device' "and what it cost"
says '^ncc +' "prints the table"
says '^class_mean ' "with baselines beside"
says '^validation at step 4: image AUROC ' "and each validation"
for file in model.safetensors checkpoint.safetensors config.ini log.csv report.html metrics.json run.json samples/diseased.png samples/healthy.png; do
    ok "writes $file" test -s "$work/run/$file"
done
ok "writes a TensorBoard file" sh -c "ls '$work/run'/events.out.tfevents.*"
ok "and leaves nothing half-written" sh -c "cd '$work/run' && ! find . | grep -E 'tmp|~|\.part|\.[A-Za-z0-9]{6}$'"
for key in '"version": 1' '"dataset"' '"n_diseased": 4' '"n_healthy": 4' '"threshold"' '"rule": "healthy:0.99"' '"overall"' '"per_class"' '"nodule"' \
    '"baselines"' '"zero"' '"ncc"' '"dice"' '"iou"' '"poi"' '"pixel_ap"' '"pointing"' '"image_auroc"' '"blank_rate"' '"healthy_fire"' '"mean"' '"low"' '"high"'; do
    ok "metrics.json has $key" grep -q "$key" "$work/run/metrics.json"
done
ok "the log has a row a validation" sh -c "[ \$(wc -l <'$work/run/log.csv') -ge 5 ] && head -1 '$work/run/log.csv' | grep -q '^step,.*image_auroc'"
ok "the report fetches nothing" sh -c "! grep -oE '(src|href|data|url)[=(]\"?(https?:)?//[^\" >]*|@import|<link|<script[^>]*src' '$work/run/report.html'"
ok "and shows pictures" grep -q 'src="data:image/png;base64,' "$work/run/report.html"
ok "its settings can be used again" "$train" --print-config --config "$work/run/config.ini"
says '^width = 4$' "as they were"
ok "says nothing when asked so" sh -c "test -z \"\$('$train' -q --deterministic -o '$work/again' $tiny $set_ 2>&1)\""
ok "the same seed gives the same model" cmp "$work/run/model.safetensors" "$work/again/model.safetensors"
ok "and the same metrics" cmp "$work/run/metrics.json" "$work/again/metrics.json"

# ---- going on: everything but the seconds that it took ----
header() { od -An -tu8 -N8 "$1" | tr -d ' '; }
arrays() { tail -c +$(($(header "$1/checkpoint.safetensors") + 9)) "$1/checkpoint.safetensors" | cksum; }
ok "trains half of it" "$train" -q --deterministic -o "$work/half" $tiny --steps 2 --set schedule=constant --set validate=none $set_
ok "goes on without a data set's name" "$train" --resume --deterministic --steps 4 -o "$work/half"
says 'resumed at step 2' "says where"
ok "trains the whole" "$train" -q --deterministic -o "$work/whole" $tiny --set schedule=constant --set validate=none $set_
ok "both are the same model" cmp "$work/whole/model.safetensors" "$work/half/model.safetensors"
ok "and the same checkpoint" test "$(arrays "$work/whole")" = "$(arrays "$work/half")"
exits 1 "other classes are refused" "$train" -q --resume -o "$work/half" --steps 6 phantom:n=8,val=4,test=4,classes=nodule
says "the data set's classes are not those of the checkpoint" "and named"
exits 1 "a folder without a checkpoint" "$train" --resume -o "$work/nowhere" $set_
says "^taggan-train: cannot resume '.*nowhere': there is no checkpoint" "is named"
mkdir "$work/damaged"
head -c 5000 "$work/run/checkpoint.safetensors" >"$work/damaged/checkpoint.safetensors"
exits 1 "a truncated checkpoint" "$train" -q --resume -o "$work/damaged" $set_
says "^taggan-train: cannot read '.*damaged/checkpoint.safetensors': .*truncated" "is named"
cp "$work/run/model.safetensors" "$work/damaged/checkpoint.safetensors"
exits 1 "a model in a checkpoint's place" "$train" -q --resume -o "$work/damaged" $set_
says "is no checkpoint of taggan-train" "is named"
echo nonsense >"$work/damaged/checkpoint.safetensors"
exits 1 "a text in its place" "$train" -q --resume -o "$work/damaged" $set_
says "^taggan-train: cannot read '.*damaged/checkpoint.safetensors'" "is named, too"

# ---- weights of others ----
ok "begins from a checkpoint's weights, taking their width" "$train" -q --size 32 --batch 2 --steps 1 --set validate=none --init "$work/run/checkpoint.safetensors" -o "$work/from" $set_
ok "and says so in its settings" grep -qx 'width = 4' "$work/from/config.ini"
refuses "weights of another shape" "array 'G.*' is 4 x 1 x 4 x 4 in the file, but 6 x 1 x 4 x 4 in this model" --set width=6 --init "$work/run/checkpoint.safetensors" $set_
refuses "weights of another network" "array 'G\.[^']*' is missing" --set net=resnet --init "$work/run/checkpoint.safetensors" $set_
refuses "weights that are not there" "cannot (open|read) '.*nowhere.safetensors'" --init "$work/nowhere.safetensors" $set_
refuses "damaged weights" "cannot read '.*damaged/checkpoint.safetensors'" --init "$work/damaged/checkpoint.safetensors" $set_

# ---- a signal: the run below would take hours ----
"$train" -o "$work/long" $tiny --steps 1000000 --set validate=none --set log_every=1 $set_ >"$work/out" 2>"$work/err" </dev/null &
pid=$!
for i in $(seq 240); do
    [ "$(wc -l <"$work/long/log.csv" 2>/dev/null || echo 0)" -ge 3 ] && break
    sleep 0.5
done
kill -TERM $pid
wait $pid
got=$?
[ $got -eq 1 ]; tap_say $? "a signal ends the run with status 1"
says '^taggan-train: stopped at step [0-9]+ \(taggan-train --resume goes on from there\)$' "and says how to go on"
ok "having written a checkpoint" test -s "$work/long/checkpoint.safetensors"
rows=$(wc -l <"$work/long/log.csv")
last=$(tail -1 "$work/long/log.csv" | cut -d, -f1)
ok "goes on to the end" "$train" --resume --steps $((last + 2)) -o "$work/long"
says "resumed at step $last" "from where it was stopped"
ok "the log goes on, too" sh -c "[ \$(wc -l <'$work/long/log.csv') -eq $((rows + 2)) ] && [ \$(cut -d, -f1 '$work/long/log.csv' | sort | uniq -d | wc -l) -eq 0 ]"
ok "and the table is there" test -s "$work/long/metrics.json"

# ---- real images ----
samples=$abs_top_srcdir/data/samples
ok "trains on real radiographs" "$train" --preset standard --size 64 --steps 2 --batch 2 --set width=4 --set dwidth=4 -o "$work/real" "$samples"
says '^4 diseased and 4 healthy images of .*samples; threshold' "and measures them"
ok "with a report" test -s "$work/real/report.html"

# ---- the contract of the first steps: one pair of images and nothing else ----
mkdir -p "$work/pair/images"
cat "$samples"/train/diseased/nih_00000772_002.png >"$work/pair/images/sick.png" # not cp: the sources may be read-only
cat "$samples"/train/healthy/nih_00001401_001.png >"$work/pair/images/well.png"
printf 'file,labels,split,patient\nimages/sick.png,tb,train,p1\nimages/well.png,,train,p2\n' >"$work/pair/labels.csv"
contract="--set adv=bce --set bgan=image --set cond=plane-reflect --set cls_pool=lme --set net=resnet --set netd=patchgan --set pool=0 --set lam_id=5
    --set lam_map=0 --set map_scale=1 --set ema=0 --set clip=0 --set augment=none --set schedule=constant --set order=dg --set validate=none"
ok "trains on one pair" "$train" --preset paper -o "$work/pairs" --size 32 --width 4 --blocks 1 --batch 1 --steps 1 --set dwidth=4 $contract "$work/pair"
says 'no images to test on: .*neither test nor validation images' "and says that nothing could be measured"
ok "so there are no metrics" test ! -e "$work/pairs/metrics.json"
for file in model.safetensors checkpoint.safetensors config.ini log.csv report.html; do
    ok "and writes $file" test -s "$work/pairs/$file"
done
ok "its checkpoint begins another" "$train" -q --preset paper -o "$work/pairs2" --size 32 --batch 1 --steps 1 $contract --init "$work/pairs/checkpoint.safetensors" "$work/pair"

# ---- sets that cannot be trained on ----
mkdir -p "$work/empty"
refuses "an empty folder" "cannot open '.*empty': no data set" "$work/empty"
refuses "a folder that is not there" "cannot open '.*nowhere'" "$work/nowhere"
mkdir -p "$work/one/train/sick"
cp "$work/pair/images/sick.png" "$work/one/train/sick/a.png"
refuses "one class alone" "no healthy images in its train split" "$work/one"
mkdir -p "$work/spoilt/images"
cp "$work/pair/images"/* "$work/spoilt/images"
cp "$work/pair/labels.csv" "$work/spoilt"
head -c 900 "$work/pair/images/sick.png" >"$work/spoilt/images/sick.png"
refuses "a truncated image" "cannot read '.*spoilt/images/sick.png': damaged or truncated PNG" "$work/spoilt"
echo nonsense >"$work/spoilt/images/sick.png"
refuses "a file that is no image" "cannot read '.*sick.png': neither PNG, JPEG nor DICOM" "$work/spoilt"
: >"$work/spoilt/images/sick.png"
refuses "an empty file" "cannot read '.*sick.png'" "$work/spoilt"
rm "$work/spoilt/images/sick.png"
refuses "a missing image" "'.*sick.png'" "$work/spoilt"
table() { printf "$1" >"$work/spoilt/labels.csv"; cp "$work/pair/images"/* "$work/spoilt/images"; }
table 'images/sick.png,tb\n'
refuses "a table without a header" "labels.csv" "$work/spoilt"
table 'file,labels,split,patient\nimages/sick.png,tb,training,p1\nimages/well.png,,train,p2\n'
refuses "an unknown split" "labels.csv.*training" "$work/spoilt"
table 'file,labels,split,patient\nimages/sick.png,tb,train,p1\nimages/well.png,,train,p2\n'
refuses "classes that no image has" "'cancer'" --classes cancer "$work/spoilt"
table 'file,labels,split,patient\nimages/sick.png,tb,train,p1\nimages/well.png,,train,p2\nimages/sick.png,flu,train,p1\n'
refuses "a row that contradicts another" "labels.csv" "$work/spoilt"
# what is only unusual is read
table '\357\273\277file,labels,split,patient\r\n"images/sick.png","tb","train","p ""1"""\r\nimages/well.png,,train,p2\r\nimages/well.png,,train,p2\r\n'
ok "a BOM, CRLF, quotes and a row that stands twice are no error" "$train" -o "$work/odd" $tiny --steps 1 --set validate=none "$work/spoilt"
says 'labels.csv.*line 4: .images/well.png. stands in line 3 already' "the second row is told"
table 'file,labels,split,patient\nimages/sick.png,tb;flu,train,p1\nimages/well.png,,train,p2\n'
ok "a label beside the chosen ones is no error" "$train" -o "$work/odd2" $tiny --steps 1 --set validate=none --classes tb "$work/spoilt"

# ---- outputs that cannot be ----
: >"$work/file"
exits 1 "a file in the folder's place" "$train" -q -o "$work/file" $tiny $set_
says "^taggan-train: cannot create folder '.*file': a file of that name is there" "is named"
exits 1 "a folder below a file" "$train" -q -o "$work/file/below" $tiny $set_
says "^taggan-train: cannot create folder '.*file/below': " "is named"
if [ "$(id -u)" -ne 0 ]; then
    mkdir "$work/locked" && chmod a-w "$work/locked"
    exits 1 "a folder that may not be written" "$train" -q -o "$work/locked/run" $tiny $set_
    says "^taggan-train: cannot create folder '.*locked/run': " "is named"
else
    skip "a folder that may not be written is named" "the superuser may write everywhere"
fi
# no file may grow beyond 2 MiB (a shell of other units: 4): kernels fit, the checkpoint does not
exits 1 "a full disk" sh -c "trap '' XFSZ; ulimit -f 4096; exec '$train' -q -o '$work/full' --size 32 --batch 2 --steps 1 --set validate=none $set_"
says "^taggan-train: cannot write '.*full/.*safetensors" "is named"
ok "and nothing half-written is left" sh -c "! ls '$work/full' | grep safetensors"
if [ -w /dev/full ]; then
    exits 1 "a full disk behind the standard output" sh -c "'$train' -o '$work/out-full' $tiny --steps 1 --set validate=none $set_ >/dev/full"
    says "^taggan-train: cannot write .*: No space left on device" "is an error"
else
    skip "a full disk behind the standard output is an error" "no /dev/full here"
fi
done_testing

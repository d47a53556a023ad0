#!/bin/sh
# taggan-devices: lists what there is, says what is missing, its check covers every operation and every kernel and catches a
# wrong one, and its bench has every layer of what it was asked for.
. "$abs_top_srcdir/tests/cli/tap.sh"
devices=$abs_top_builddir/taggan-devices
unset TAGGAN_DEVICE TAGGAN_CL_DIR
mkdir "$work/none"

json() { # json FILE: whether it is JSON, where somebody can tell
    if command -v python3 >/dev/null 2>&1; then python3 -m json.tool "$1" >/dev/null; else grep -q '^}' "$1"; fi
}

ok "prints its help" "$devices" --help
says '^ +--only WORD' "help has the options"
ok "prints its version" "$devices" --version
says '^taggan-devices [0-9]+\.[0-9]+' "version is one line"
for words in bogus "list extra" "check extra" "check --json a b" "list --json a" "check --only" "--bogus" "bench extra" \
    "bench --json a b" "bench --preset fast" "bench --size 7" "bench --size big" "bench --batch 0" "bench --runs 0" \
    "bench --seconds soon" "bench --net vgg" "bench --netd 3" "bench --set" "bench --set width" "bench --set colour=red" \
    "bench --set width=-1" "bench --preset paper --set adv=wgangp"; do
    exits 2 "wrong usage: '$words'" "$devices" $words
    says '^taggan-devices: .*\(see taggan-devices --help\)$' "and says where help is"
done

for command in "" list check bench "list --json"; do
    exits 1 "no device at all: '$command'" env OCL_ICD_VENDORS="$work/none" "$devices" $command
    says '^taggan-devices: .*no OpenCL device found \(install a driver, .*pocl-opencl-icd' "says what to install"
done
if ! "$devices" list -q >"$work/out" 2>&1; then
    skip "lists and checks a device" "there is none here: $(tail -1 "$work/out")"
    done_testing
fi

ok "lists without a command" "$devices"
says '^\* [0-9]+  [^ ]' "and marks the device that programs take"
says '^     kind       (CPU|GPU|other), [0-9]+ compute units' "with its numbers"
says '^     driver     .' "and its driver"
ok "lists more" "$devices" list -v
says '^     versions   platform .*device OpenCL' "of everything"
ok "lists as JSON" "$devices" list --json
cp "$work/out" "$work/list.json"
ok "that can be read" json "$work/list.json"
ok "with the members that scripts need" sh -c 'for name in index name platform kind compute_units global_bytes local_bytes max_work_group vector_width fp64 fp16 subgroups driver usable chosen; do grep -q "\"$name\": " "$1" || exit 1; done' - "$work/list.json"
exits 1 "a device that is not there" "$devices" --device nosuch
says '^\*? *0  [^ ]' "has the list printed"
says "^taggan-devices: no device fits 'nosuch' \(there is: 0 = " "and the message has it"
exits 1 "the same for check" "$devices" check --device nosuch
says "^taggan-devices: .*no device fits 'nosuch' \(there is: 0 = " "with the list"
exits 1 "a wrong TAGGAN_DEVICE" env TAGGAN_DEVICE=9999 "$devices"
says "no device fits '9999'" "is named"
exits 1 "for check, too" env TAGGAN_DEVICE=9999 "$devices" check
says "no device fits '9999'" "and named"
exits 0 "--device goes before TAGGAN_DEVICE" env TAGGAN_DEVICE=9999 "$devices" --device 0
if [ -w /dev/full ]; then
    exits 1 "a full disk" sh -c "'$devices' >/dev/full"
    says "^taggan-devices: cannot write to the standard output: " "is an error"
else
    skip "a full disk is an error" "no /dev/full here"
fi

# the whole check: every operation of the header, every kernel of cl/
ok "checks the default device" "$devices" check -v --json "$work/check.json"
cp "$work/out" "$work/check.txt"
ok "its last line counts" sh -c 'tail -1 "$1" | grep -qE "^[0-9]+ passed, 0 failed$"' - "$work/check.txt"
ok "the certificate can be read" json "$work/check.json"
ok "and holds device, operations and kernels" sh -c 'for name in device operations max_error tolerance seconds kernels launches passed failed; do grep -q "\"$name\": " "$1" || exit 1; done' - "$work/check.json"
missing=
for op in $(sed -n 's/^tg_status tg_\([a-z0-9_]*\)(.*/\1/p' "$abs_top_srcdir/include/taggan/op.h" | grep -v '_output$'); do
    grep -qE "^$op " "$work/check.txt" || missing="$missing $op"
done
echo "operations without a row:$missing" >"$work/err"; : >"$work/out"
[ -z "$missing" ]; tap_say $? "every operation of op.h has a row"
missing= n_kernels=0
for file in "$abs_top_srcdir"/cl/*.cl; do
    program=$(basename "$file" .cl)
    [ "$program" = common ] && continue
    # what a build without its library has no use for
    case $program in
    conv2d_matmul) grep -q '^#define HAVE_CLBLAST 1' "$abs_top_builddir/config.h" || continue ;;
    conv2d_fft) grep -q '^#define HAVE_CLFFT 1' "$abs_top_builddir/config.h" || continue ;;
    esac
    # kernels stand behind macros here and there: the C preprocessor opens them
    names=$(cat "$abs_top_srcdir/cl/common.cl" "$file" | ${CC:-cc} -E -P -x c -DS=2 - 2>/dev/null | tr '\n' ' ' |
        grep -oE '__kernel [^{;]*' | grep -oE 'void +[a-z0-9_]+ *\(' | sed 's/^void *//; s/ *($//')
    for name in $names; do
        n_kernels=$((n_kernels + 1))
        grep -qE "^$program +$name +[1-9]" "$work/check.txt" || missing="$missing $program/$name"
    done
done
echo "kernels that check never launched:$missing (of $n_kernels)" >"$work/err"
[ -z "$missing" ] && [ "$n_kernels" -ge 60 ]; tap_say $? "every kernel of cl/ was launched"

# a kernel that is wrong, one that does not build, one that is not there
cp -r "$abs_top_srcdir/cl" "$work/cl"
chmod -R u+w "$work/cl"
sed 's/\([^a-z_]\)a - b\([^a-z_]\)/\1b - a\2/; s/load_lanes(a, i, n) - load_lanes(b, i, n)/load_lanes(b, i, n) - load_lanes(a, i, n)/' "$abs_top_srcdir/cl/elementwise.cl" >"$work/cl/elementwise.cl"
if cmp -s "$work/cl/elementwise.cl" "$abs_top_srcdir/cl/elementwise.cl"; then
    echo "the edit of elementwise.cl did nothing" >"$work/err"; false; tap_say $? "spoils a kernel"
fi
exits 1 "a wrong kernel fails" env TAGGAN_CL_DIR="$work/cl" "$devices" check --only tract --json "$work/bad.json"
says '^subtract .* FAILED ' "in the table"
says '^    a of .*: value [0-9]+ of [0-9]+ of y is .*, not ' "with place and numbers"
says '^0 passed, 1 failed$' "and in the count"
says '^taggan-devices: 1 of 1 operations? fails? on ' "and in the message"
ok "the certificate says so" grep -q '"passed": false' "$work/bad.json"
exits 1 "quietly, too" env TAGGAN_CL_DIR="$work/cl" "$devices" check -q --only tract
[ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" -eq 1 ]; tap_say $? "where only the message is printed"
echo '__kernel void add(__global float *x { }' >>"$work/cl/elementwise.cl"
exits 1 "a kernel that does not build fails" env TAGGAN_CL_DIR="$work/cl" "$devices" check --only add
says 'cannot build cl/elementwise.cl' "and the table has the compiler's words"
ok "one operation alone passes" "$devices" check --only clip_weights --json -
says '^1 passed, 0 failed$' "with its count"
cp "$work/out" "$work/one.json"
ok "JSON alone is on stdout" json "$work/one.json"
exits 1 "an operation that is not there" "$devices" check --only nosuch
says "^taggan-devices: no operation has 'nosuch' in its name" "is named"
exits 1 "an output that cannot be" "$devices" check --only clip_weights --json "$work/check.json/below"
says "^taggan-devices: cannot .*check.json/below" "is named"

# bench: sizes as small as they come, so that the time goes into the kernels' compilation; no time is asserted
tiny="--size 16 --width 2 --batch 1 --runs 2 --seconds 0"
ok "times a step of preset quick" "$devices" bench --preset quick $tiny --set dwidth=2 --json "$work/bench.json"
cp "$work/out" "$work/bench.txt"
says '^peak +[0-9.]+ GFLOP/s .* [0-9.]+ GB/s' "beside what the device can do"
says '^bench: quick: [0-9]+ different layers$' "progress is on stderr"
says '^quick: small_unet of width 2, critic of width 2, 16 px, batch 1, 4 classes$' "the settings are named"
for pass in forward data weights; do
    says "^G +down1.1 +2 +conv 3x3 +2x8x8 -> 2x8x8 +$pass +[a-z0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+%\$" "$pass of a layer, with its algorithm"
done
says '^DD +down1 +1 +conv 4x4 /2 ' "the discriminator's layers, too"
says '^G +down1.0 +1 +label [+] leaky ReLU .* backward +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+%$' "the passes between"
says '^training step +min +[0-9.]+ ms, median +[0-9.]+ ms, 1 run: [0-9.]+ images/s$' "the whole step"
says '^inference +min +[0-9.]+ ms' "the forward pass alone"
says '^peak memory +[0-9.]+ MiB' "and its memory"
columns_are_aligned() { # every line of a table ends in the same column
    grep -E '^(G|DD) +[a-z0-9.]+ +[0-9]+  .*%$' "$1" | grep -E " (forward|data|weights|backward) " |
        awk '{ kind = /(forward|data|weights) +[a-z]/; if (!(kind in w)) w[kind] = length($0); if (length($0) != w[kind]) bad = 1 } END { exit bad || NR < 20 }'
}
ok "progress is not on stdout" sh -c '! grep -q "^bench: " "$1"' - "$work/bench.txt"
ok "all in columns" columns_are_aligned "$work/bench.txt"
ok "the JSON can be read" json "$work/bench.json"
ok "and has what it should" sh -c 'for name in version taggan device peak gflop_per_s copy_gb_per_s benches name classes settings layers passes step inference peak_bytes net layer n kind input output pass algorithm runs min_ms median_ms gb_per_s of_peak of_copy images_per_s; do grep -q "\"$name\": " "$1" || { echo "no $name"; exit 1; }; done' - "$work/bench.json"
ok "a resnet's layers, one word's alone" "$devices" bench --net resnet --netd patchgan --blocks 1 $tiny --size 32 --set norm=instance --set adv=bce --only reflect --json -
cp "$work/out" "$work/one.json"
says '^G +model.10.conv_block.1 +2 +conv 3x3 reflect ' "its table is on stderr"
ok "JSON alone is on stdout" json "$work/one.json"
ok "and nothing else in it" sh -c '! grep -q "conv_block.1.*leaky\|/2" "$1" && grep -q "\"step\": null" "$1"' - "$work/one.json"
ok "the step alone" "$devices" bench -q --preset quick $tiny --set dwidth=2 --only step --json "$work/step.json"
[ ! -s "$work/out" ] && [ ! -s "$work/err" ]; tap_say $? "quietly"
ok "whose JSON has no layers" sh -c 'grep -q "\"layers\": \[\]" "$1" && grep -q "\"images_per_s\": " "$1"' - "$work/step.json"
exits 1 "a layer that is not there" "$devices" bench $tiny --only nosuch
says "^taggan-devices: nothing that is measured has 'nosuch' in its name" "is named"
exits 1 "a size that the network cannot halve" "$devices" bench --preset quick --size 17 --runs 1
says '^taggan-devices: .*17' "is named"
exits 1 "a device that is not there" "$devices" bench --device nosuch
says "^taggan-devices: .*no device fits 'nosuch' \(there is: 0 = " "is named for bench, too"
exits 1 "an output that cannot be" "$devices" bench $tiny --only step --json "$work/bench.json/below"
says "^taggan-devices: cannot .*bench.json/below" "is named by bench"
done_testing

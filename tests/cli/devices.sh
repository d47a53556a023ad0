#!/bin/sh
# taggan-devices: lists what there is, says what is missing, and its check covers every operation and every kernel and catches a wrong one.
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
for words in bogus "list extra" "check extra" "check --json a b" "list --json a" "check --only" "--bogus"; do
    exits 2 "wrong usage: '$words'" "$devices" $words
    says '^taggan-devices: .*\(see taggan-devices --help\)$' "and says where help is"
done

for command in "" list check "list --json"; do
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
sed 's/\([^a-z_]\)a - b\([^a-z_]\)/\1b - a\2/; s/load4(a, i, n) - load4(b, i, n)/load4(b, i, n) - load4(a, i, n)/' "$abs_top_srcdir/cl/elementwise.cl" >"$work/cl/elementwise.cl"
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
done_testing

#!/bin/sh
# Runs the tests of operations on Oclgrind, a simulated device that finds data races, reads of memory nobody wrote and
# accesses outside a buffer. Its exit status never tells: its messages on stderr do. Small shapes only (TAGGAN_TEST_TINY).
. "$abs_top_srcdir/tests/cli/tap.sh"

finish() { skip "kernels are clean under Oclgrind" "$1"; done_testing; }

oclgrind=$(command -v oclgrind) || finish "oclgrind is not installed"
icd=
for folder in "${oclgrind%/bin/oclgrind}"/lib "${oclgrind%/bin/oclgrind}"/lib64 "${oclgrind%/bin/oclgrind}"/lib/*; do
    if [ -f "$folder/oclgrind/liboclgrind-rt-icd.so" ]; then icd=$folder/oclgrind/liboclgrind-rt-icd.so; fi
    if [ -f "$folder/liboclgrind-rt-icd.so" ]; then icd=$folder/liboclgrind-rt-icd.so; fi
done
[ -n "$icd" ] || finish "oclgrind is installed without its ICD library"
[ -x "$abs_top_builddir/tests/op/test_elementwise" ] || finish "the tests of operations are not built"

# The loader is shown this device alone: other drivers would be loaded, and take time, in every forked test.
mkdir "$work/icd" "$work/cache" "$work/plain" "$work/cl"
work=$(cd "$work" && pwd)
echo "$icd" >"$work/icd/oclgrind.icd"
OCL_ICD_VENDORS=$work/icd
TAGGAN_DEVICE=oclgrind
TAGGAN_TEST_TINY=1
TAGGAN_CACHE_DIR=$work/cache
CK_TIMEOUT_MULTIPLIER=10
OCLGRIND_DATA_RACES=1
export OCL_ICD_VENDORS TAGGAN_DEVICE TAGGAN_TEST_TINY TAGGAN_CACHE_DIR CK_TIMEOUT_MULTIPLIER OCLGRIND_DATA_RACES

# Passes when the program's TAP has no failure and Oclgrind said nothing.
is_clean() {
    "$@" >"$work/tap" 2>"$work/messages"
    grep '^not ok' "$work/tap"
    cat "$work/messages"
    grep -q '^ok' "$work/tap" && ! grep -q '^not ok' "$work/tap" && [ ! -s "$work/messages" ]
}

# The check for memory that nobody wrote does not know an instruction of optimised code (freeze), hence the option. Oclgrind 21.10 also
# reports conv2d_bias, conv_weights and reduce_finish, whose inputs are all written as far as reading the code tells; no cause was
# found, so only programs without them are checked.
check_unwritten() {
    env OCLGRIND_UNINITIALIZED=1 OCLGRIND_BUILD_OPTIONS=-cl-opt-disable TAGGAN_CACHE_DIR="$work/plain" "$@"
}

# Oclgrind itself is tested first: without barriers the sums of a work-group race.
cp "$abs_top_srcdir"/cl/*.cl "$work/cl/"
chmod u+w "$work"/cl/*.cl
sed 's/barrier(CLK_LOCAL_MEM_FENCE);//' "$abs_top_srcdir/cl/common.cl" >"$work/cl/common.cl"
planted_race_is_found() {
    TAGGAN_CL_DIR=$work/cl CK_RUN_CASE="pool, wide reductions" "$abs_top_builddir/tests/op/test_pool" 2>&1 | grep -qi 'race'
}
ok "a planted race is found" planted_race_is_found

for program in "$abs_top_builddir"/tests/op/test_*; do
    case $program in *.o|*.log|*.trs) continue ;; esac
    name=$(basename "$program")
    case $name in
    test_arrange|test_elementwise|test_golden_a|test_label|test_pool)
        ok "$name has no race, no access outside, no read of unwritten memory" is_clean check_unwritten "$program" ;;
    *)
        ok "$name has no race and no access outside" is_clean "$program" ;;
    esac
done
ok "test_conv2d has no race and no access outside in the family of graphics cards" \
    is_clean env TAGGAN_TEST_FAMILY=gpu "$abs_top_builddir/tests/op/test_conv2d"
done_testing

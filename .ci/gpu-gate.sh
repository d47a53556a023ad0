#!/bin/sh
# gpu-gate.sh [FILE.cl...] -- compiles every kernel for GPUs that are not there: SPIR-V, NVIDIA (PTX, then ptxas), AMD.
#
# Prints a line a kernel and target with its registers, stack (NVIDIA) or scratch (AMD) bytes and local memory. Fails when a
# file does not compile without a warning, needs a function no GPU has, takes more than 32 KiB of local memory, spills, or keeps
# anything in stack or scratch (an array that did not become registers). The CPU family must compile too, but what it spills
# on a GPU is printed, not judged.
# Needs clang-15, lld-15, llvm-15, libclc-15, llvm-spirv-15, spirv-tools and rocm-device-libs; ptxas is used if there.
# Without clang-15 it says so and exits 77. The figures are estimates: the vendors' drivers have compilers of their own.
set -eu

cd "$(dirname "$0")/.."
MAX_LOCAL=32768
MAX_LOCAL_NVIDIA=49152
CPU_FAMILY="conv2d_packed conv2d_winograd conv2d_rows conv2d_channels conv2d_phases"

# What the GPU family is built with: one line a build, FILE:OPTIONS; a file that is not here is built once, by its defaults.
BUILDS='
arrange:-DS=2
batch_norm:-DWG=64 -DLANES=4
batch_norm:-DWG=64 -DLANES=4 -DTG_SUBGROUPS
conv2d:
conv2d:-DBIAS_WG=256 -DLANES=4
conv2d:-DBIAS_WG=256 -DLANES=4 -DTG_SUBGROUPS
conv2d_few:-DCORRELATE -DR=7 -DS=7 -DM=1 -DCB=4
conv2d_few:-DCORRELATE -DR=7 -DS=7 -DM=3 -DCB=4
conv2d_few:-DCORRELATE -DR=4 -DS=4 -DM=4 -DCB=4
conv2d_few:-DWEIGHTS -DR=7 -DS=7 -DROWS=32
conv2d_few:-DWEIGHTS -DR=4 -DS=4 -DROWS=32
conv2d_implicit:
conv2d_implicit:-DCORRELATE -DBM=4 -DBN=256 -DBK=8 -DTM=4 -DTN=4
conv2d_implicit:-DCORRELATE -DBM=4 -DBN=256 -DBK=8 -DTM=4 -DTN=4 -DFLAT=3 -DFLAT_S=7
conv2d_implicit:-DCORRELATE -DBM=32 -DBN=64 -DBK=8 -DTM=4 -DTN=8
conv2d_implicit:-DCORRELATE -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8
conv2d_implicit:-DCORRELATE -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DALIGNED=1 -DFLAT=3 -DFLAT_S=7
conv2d_implicit:-DCORRELATE -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DALIGNED=1 -DSPLIT=1
conv2d_implicit:-DCORRELATE -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DPHASES
conv2d_implicit:-DCORRELATE -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DPHASES -DFLAT=3 -DFLAT_S=4
conv2d_implicit:-DCORRELATE -DBM=128 -DBN=128 -DBK=8 -DTM=8 -DTN=8 -DALIGNED=1
conv2d_implicit:-DCORRELATE -DBM=128 -DBN=128 -DBK=8 -DTM=8 -DTN=8
conv2d_implicit:-DCORRELATE -DBM=128 -DBN=128 -DBK=8 -DTM=8 -DTN=8 -DPHASES
conv2d_implicit:-DWEIGHTS -DBM=8 -DBN=128 -DBK=8 -DTM=4 -DTN=4 -DSPLIT=1
conv2d_implicit:-DWEIGHTS -DBM=32 -DBN=32 -DBK=16 -DTM=4 -DTN=4 -DSPLIT=1
conv2d_implicit:-DWEIGHTS -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DSPLIT=1
conv2d_implicit:-DWEIGHTS -DBM=128 -DBN=128 -DBK=8 -DTM=8 -DTN=8 -DALIGNED=1 -DSPLIT=1
conv2d_implicit:-DMATRIX -DBM=32 -DBN=64 -DBK=8 -DTM=4 -DTN=8 -DALIGNED=1
conv2d_implicit:-DMATRIX -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DALIGNED=1
conv2d_implicit:-DMATRIX -DBM=128 -DBN=128 -DBK=8 -DTM=8 -DTN=8 -DALIGNED=1
conv2d_implicit:-DMATRIX_NT -DBM=8 -DBN=128 -DBK=8 -DTM=4 -DTN=4 -DALIGNED=1
conv2d_implicit:-DMATRIX_NT -DBM=32 -DBN=32 -DBK=16 -DTM=4 -DTN=4 -DALIGNED=1
conv2d_implicit:-DMATRIX_NT -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DALIGNED=1
conv2d_implicit:-DMATRIX_NT -DBM=128 -DBN=128 -DBK=8 -DTM=8 -DTN=8 -DALIGNED=1
conv2d_rows:
conv2d_rows:-DWEIGHTS
conv2d_rows:-DWEIGHTS -DR=4 -DS=4 -DIN_STEP=2 -DCB=3 -DKV=2
conv2d_rows:-DFORMS
conv2d_implicit:-DCORRELATE -DBM=32 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DFLAT=3 -DFLAT_S=7 -DTENSOR=1
conv2d_implicit:-DCORRELATE -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DPHASES -DTENSOR=1
conv2d_implicit:-DCORRELATE -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DTENSOR=1
conv2d_implicit:-DWEIGHTS -DBM=32 -DBN=32 -DBK=16 -DTM=4 -DTN=4 -DSPLIT=1 -DTENSOR=1
conv2d_implicit:-DWEIGHTS -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DSPLIT=1 -DTENSOR=1
conv2d_implicit:-DMATRIX -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DTENSOR=1
conv2d_implicit:-DMATRIX_NT -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DTENSOR=1
conv2d_implicit:-DCORRELATE -DBM=32 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DFLAT=3 -DFLAT_S=7 -DTENSOR=2
conv2d_implicit:-DCORRELATE -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DPHASES -DTENSOR=2
conv2d_implicit:-DCORRELATE -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DTENSOR=2
conv2d_implicit:-DWEIGHTS -DBM=32 -DBN=32 -DBK=16 -DTM=4 -DTN=4 -DSPLIT=1 -DTENSOR=2
conv2d_implicit:-DWEIGHTS -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DSPLIT=1 -DTENSOR=2
conv2d_implicit:-DMATRIX -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DTENSOR=2
conv2d_implicit:-DMATRIX_NT -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DTENSOR=2
conv2d_implicit:-DCORRELATE -DBM=32 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DFLAT=3 -DFLAT_S=7 -DTENSOR=2 -DTENSOR_SHORT
conv2d_implicit:-DCORRELATE -DBM=64 -DBN=64 -DBK=16 -DTM=4 -DTN=8 -DPHASES -DTENSOR=2 -DTENSOR_SHORT
conv2d_implicit:-DCORRELATE -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DTENSOR=2 -DTENSOR_SHORT
conv2d_implicit:-DWEIGHTS -DBM=32 -DBN=32 -DBK=16 -DTM=4 -DTN=4 -DSPLIT=1 -DTENSOR=2 -DTENSOR_SHORT
conv2d_implicit:-DWEIGHTS -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DSPLIT=1 -DTENSOR=2 -DTENSOR_SHORT
conv2d_implicit:-DMATRIX -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DTENSOR=2 -DTENSOR_SHORT
conv2d_implicit:-DMATRIX_NT -DBM=128 -DBN=128 -DBK=16 -DTM=8 -DTN=8 -DALIGNED=1 -DTENSOR=2 -DTENSOR_SHORT
conv2d_winograd_gpu:-DM=4 -DR=3
conv2d_winograd_gpu:-DM=4 -DR=3 -DGRAD
conv2d_winograd_gpu:-DM=3 -DR=4
conv2d_winograd_gpu:-DM=3 -DR=4 -DGRAD
conv2d_winograd_gpu:-DM=2 -DR=3
conv2d_winograd_gpu:-DM=2 -DR=3 -DGRAD
instance_norm:-DWG=16 -DLANES=4
instance_norm:-DWG=64 -DLANES=4
instance_norm:-DWG=64 -DLANES=4 -DTG_SUBGROUPS
instance_norm:-DWG=256 -DLANES=4
label:-DWG=64 -DLANES=4
label:-DWG=64 -DLANES=4 -DTG_SUBGROUPS
loss:-DWG=64 -DLANES=4
loss:-DWG=64 -DLANES=4 -DTG_SUBGROUPS
optimizer:-DWG=64 -DLANES=4
optimizer:-DWG=64 -DLANES=4 -DTG_SUBGROUPS
pool:-DWG=64 -DLANES=4
pool:-DWG=64 -DLANES=4 -DTG_SUBGROUPS
pool:-DSIZE=2 -DSTRIDE=2
reduce:-DWG=64 -DLANES=4
reduce:-DWG=64 -DLANES=4 -DTG_SUBGROUPS
spectral_norm:-DWG=64 -DLANES=4
spectral_norm:-DWG=64 -DLANES=4 -DTG_SUBGROUPS
'
CLC=/usr/lib/clc/nvptx64--nvidiacl.bc
NVIDIA="sm_75 sm_90"
AMD="gfx906 gfx90a gfx1030"

for tool in clang-15 ld.lld-15 llvm-readelf-15 llvm-spirv-15 spirv-val; do
    if ! command -v $tool >/dev/null; then
        echo "gpu-gate: skipped, $tool is missing (apt-get install clang-15 lld-15 llvm-15 libclc-15 llvm-spirv-15 spirv-tools rocm-device-libs)"
        exit 77
    fi
done
amdlib=$(ls -d /usr/lib/*/amdgcn/bitcode /usr/lib/amdgcn/bitcode 2>/dev/null | head -n 1)
if [ ! -f $CLC ] || [ -z "$amdlib" ]; then
    echo "gpu-gate: skipped, libclc-15 or rocm-device-libs is missing"
    exit 77
fi

t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT INT TERM
# Helpers of common.cl that a file does not call are no fault.
clang="clang-15 -x cl -Xclang -finclude-default-header -Wall -Werror -Wno-linker-warnings -Wno-unused-function"
failed=0

# fail FILE TARGET: remembers it and shows what the compiler said.
fail() {
    echo "FAIL $1 $2"
    sed 's/^/    /' "$t/log"
    failed=1
}

# Sub-groups are OpenCL C 2.0.
standard() {
    case $1 in *TG_SUBGROUPS*) echo CL2.0 ;; *) echo CL1.2 ;; esac
}

# Matrix units are reached by one vendor's assembly language: the others never see it.
is_nvidias() {
    case $1 in *-DTENSOR=*) return 0 ;; esac
    return 1
}

check_spirv() {
    ! is_nvidias "$2" || return 0
    env=opencl1.2
    [ "$(standard "$2")" = CL1.2 ] || env=opencl2.0
    $clang -cl-std=$(standard "$2") $2 -target spir64 -O0 -emit-llvm -c "$t/k.cl" -o "$t/k.bc" >"$t/log" 2>&1 &&
        llvm-spirv-15 --spirv-max-version=1.0 "$t/k.bc" -o "$t/k.spv" >"$t/log" 2>&1 &&
        spirv-val --target-env $env "$t/k.spv" >"$t/log" 2>&1 || fail "$1" "spirv $2"
}

check_nvidia() {
    case $2 in *TG_SUBGROUPS*) return 0 ;; esac # no sub-groups in OpenCL there: such a device gets the other build
    march=sm_75 targets=$NVIDIA limit=$MAX_LOCAL
    if is_nvidias "$2"; then
        limit=$MAX_LOCAL_NVIDIA
        case $2 in *TENSOR_SHORT*) ;; *) march=sm_80 targets="sm_80 sm_90" ;; esac
    fi
    if ! $clang -cl-std=CL1.2 $2 -O2 -target nvptx64-nvidia-nvcl -march=$march -S -Xclang -mlink-builtin-bitcode -Xclang $CLC \
        "$t/k.cl" -o "$t/k.ptx" >"$t/log" 2>&1; then
        fail "$1" "nvptx $2"
        return
    fi
    if grep '^\.extern' "$t/k.ptx" >"$t/log"; then
        fail "$1" "nvptx $2: unresolved functions"
        return
    fi
    command -v ptxas >/dev/null || return 0
    for sm in $targets; do
        if ! ptxas -v -arch=$sm "$t/k.ptx" -o "$t/k.cubin" >"$t/log" 2>&1; then
            fail "$1" "$sm $2"
            continue
        fi
        awk -v f="$1" -v target=$sm -v limit=$limit -v max_stack=$max_stack '
            /Compiling entry/ { k = $7; gsub(/\047/, "", k) }
            /stack frame/ { stack = $1; spill = $5 }
            /Used .* registers/ {
                local_bytes = 0
                for (i = 2; i <= NF; i++) if ($i ~ /^smem/) local_bytes = $(i - 2)
                printf "  %-20s %-8s %-24s registers %3d  stack %5d  spill %4d  local %5d\n", f, target, k, $5, stack, spill, local_bytes
                if (local_bytes + 0 > limit) { print "FAIL " f " " k ": local memory"; bad = 1 }
                if (stack + spill > max_stack) { print "FAIL " f " " k ": stack"; bad = 1 } }
            END { exit bad }' "$t/log" || failed=1
    done
}

check_amd() {
    ! is_nvidias "$2" || return 0
    for gfx in $AMD; do
        if ! $clang -cl-std=$(standard "$2") $2 -O2 -target amdgcn-amd-amdhsa -mcpu=$gfx --rocm-device-lib-path="$amdlib" "$t/k.cl" -o "$t/k.elf" \
            >"$t/log" 2>&1; then
            fail "$1" "$gfx $2"
            continue
        fi
        llvm-readelf-15 --notes "$t/k.elf" | awk -v f="$1" -v target=$gfx -v limit=$MAX_LOCAL -v max_stack=$max_stack '
            /\.group_segment_fixed/ { local_bytes = $2 }
            /\.private_segment_fixed/ { scratch = $2 }
            /\.symbol:/ { k = $2; sub(/\.kd.*/, "", k); gsub(/[\047"]/, "", k) }
            /\.vgpr_count/ { vgpr = $2 }
            /\.vgpr_spill_count/ {
                printf "  %-20s %-8s %-24s registers %3d  scratch %4d  spill %3d  local %5d\n", f, target, k, vgpr, scratch, $2, local_bytes
                if (local_bytes + 0 > limit) { print "FAIL " f " " k ": local memory"; bad = 1 }
                if (scratch + $2 > max_stack) { print "FAIL " f " " k ": scratch"; bad = 1 } }
            END { exit bad }' || failed=1
    done
}

[ $# -gt 0 ] || set -- cl/*.cl
for file; do
    [ "$(basename "$file")" != common.cl ] || continue
    {
        printf '#line 1 "cl/common.cl"\n'
        cat cl/common.cl
        printf '#line 1 "%s"\n' "$file"
        cat "$file"
    } >"$t/k.cl"
    name=$(basename "$file" .cl)
    max_stack=0
    case " $CPU_FAMILY " in *" $name "*) max_stack=1000000 ;; esac
    echo "$BUILDS" | sed -n "s/^$name://p" >"$t/builds"
    [ -s "$t/builds" ] || echo >"$t/builds"
    while IFS= read -r options; do
        echo "$name $options"
        check_spirv "$name" "$options"
        check_nvidia "$name" "$options"
        check_amd "$name" "$options"
    done <"$t/builds"
done
[ $failed -eq 0 ] && echo "gpu-gate: passed"
exit $failed

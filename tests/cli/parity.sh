#!/bin/sh
# taggan-train --init: one and three steps from given weights on two given images change the weights as PyTorch does. The
# comparison itself is tests/parity/compare_step.py, which needs Python; test_step compares the same steps without it.
. "$abs_top_srcdir/tests/cli/tap.sh"
train=$abs_top_builddir/taggan-train
step=$abs_top_srcdir/tests/parity/step

python=
for p in python3 /usr/bin/python3; do
    "$p" -c 'import numpy' >/dev/null 2>&1 && python=$p && break
done

# The settings of the contract; width and blocks are those of the weights.
steps() { # steps RUN N MORE...: N steps into that folder
    run=$1; n=$2; shift 2
    "$train" -q -o "$work/$run" --init "$step/init.safetensors" --steps "$n" --size 32 --lr 2e-4 \
        --set adv=bce --set bgan=image --set cond=plane-reflect --set cls_pool=lme --set net=resnet --set netd=patchgan \
        --set pool=0 --set lam_id=5 --set lam_map=0 --set map_scale=1 --set ema=0 --set clip=0 --set augment=none \
        --set schedule=constant --set order=dg --set validate=none "$@" "$step"
}

ok "one step from PyTorch's weights" steps one 1
ok "three steps" steps three 3
ok "three steps of preset paper" steps paper 3 --preset paper
for run in one three paper; do
    if [ -n "$python" ]; then
        ok "$run: the updates are PyTorch's" "$python" "$step/../compare_step.py" "$work/$run"
    else
        skip "$run: the updates are PyTorch's" "no Python with NumPy here"
    fi
done

exits 1 "weights of another shape" "$train" -q -o "$work/other" --init "$step/init.safetensors" --steps 1 --size 32 --width 5 \
    --set net=resnet --set netd=patchgan "$step"
says "init.safetensors" "are named"
done_testing

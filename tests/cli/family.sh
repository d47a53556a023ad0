#!/bin/sh
# The kernels of graphics cards on whatever device there is: the tests of operations in that family, and a training run to
# its end with the losses of the other family.
. "$abs_top_srcdir/tests/cli/tap.sh"

# ---- operations: the other tests of reductions run the wide variant themselves (op_open_wide) ----
for name in conv2d instance_norm; do
    program=$abs_top_builddir/tests/op/test_$name
    if [ -x "$program" ]; then
        ok "test_$name in the family of graphics cards" env TAGGAN_TEST_FAMILY=gpu "$program"
    else
        skip "test_$name in the family of graphics cards" "it is not built"
    fi
done

# ---- training ----
train() { # train FAMILY; by SGD, since Adam makes whole steps of the signs of gradients that are rounding
    "$abs_top_builddir/taggan-train" -q -o "$work/$1" --size 32 --steps 3 --set kernel_family="$1" --set log_every=1 \
        --set optimizer=sgd --lr 0.001 \
        phantom:n=8,val=4,test=4
}
ok "trains with the kernels of processors" train cpu
ok "trains with the kernels of graphics cards" train gpu

# Every number of the log but the last two, which are times, within 1e-3 of the larger of it and one.
same_losses() {
    paste -d '|' "$work/cpu/log.csv" "$work/gpu/log.csv" | awk -F '|' '
        { n = split($1, a, ","); if (split($2, b, ",") != n) { print "other columns in line " NR; bad = 1 } }
        NR == 1 { split($1, name, ","); next }
        { for (i = 1; i <= n - 2; i++) {
              d = a[i] - b[i]; if (d < 0) d = -d
              size = a[i] < 0 ? -a[i] : a[i]; if (size < 1) size = 1
              if (a[i] != "") compared++
              if ((a[i] == "") != (b[i] == "") || d > 1e-3 * size) {
                  print "step " a[1] ": " name[i] " " a[i] " and " b[i]
                  bad = 1
              } } }
        END { if (compared < 60) { print "only " compared + 0 " numbers"; bad = 1 }; exit bad }'
}
ok "with the same losses" same_losses
done_testing

#!/bin/sh
# What `make check` can tell of the bench against PyTorch: our side of it builds and answers, and the script says what is wrong.
# No time is asserted, and PyTorch is not needed.
. "$abs_top_srcdir/tests/cli/tap.sh"
script=$abs_top_srcdir/tests/bench/against-pytorch
peer=$abs_top_builddir/tests/bench/bench_step

ok "our side builds" ${MAKE:-make} -s -C "$abs_top_builddir" tests/bench/bench_step
if "$abs_top_builddir/taggan-devices" list -q >/dev/null 2>&1; then
    answers() { # answers LINES: what bench_step says to them
        printf '%b' "$1" | "$peer" >"$work/answers" && cat "$work/answers"
    }
    time='[0-9]+[.][0-9]+/[0-9]+[.][0-9]+'
    ok "a step" answers 'step preset=quick size=16 width=2 dwidth=2 batch=1 classes=2\nrun 2 1\nmemory\nfree\n'
    says "^ready .+" "begins with the device"
    says "^$time $time\$" "and has as many times as runs"
    says "^[0-9]+ [0-9]+ [1-9][0-9]*\$" "and memory"
    ok "a forward pass" answers 'map preset=quick size=16 width=2 dwidth=2 batch=1\nrun 1 3\n'
    says "^$time\$" "has a time"
    for pass in forward data weights; do
        ok "a layer's $pass" answers "conv $pass 1 3 9 9 4 3 2 1 transposed\\nrun 1 2\\nconv $pass 2 3 9 9 4 3 1 1 zero\\nrun 3 1\\n"
        says "^$time $time $time\$" "has times"
    done
    for pass in forward backward; do
        ok "a norm's $pass" answers "norm $pass 1 8 16 16\\nrun 2 2\\n"
        says "^$time $time\$" "has times"
    done
    ok "nonsense" answers 'bogus\nstep width=no\nrun 1 1\nconv data 1\nnorm forward 1 7 9 9\nfree\n'
    says "^error unknown word 'bogus'\$" "is answered"
    says "^error setting width: 'no' is not a whole number" "with sentences"
    [ "$(grep -c '^error ' "$work/answers")" -eq 5 ] && [ "$(tail -1 "$work/answers")" = ready ]
    tap_say $? "and it goes on"
else
    skip "our side answers" "there is no device here"
fi

python=
for p in python3 /usr/bin/python3; do
    "$p" -c 'import json' >/dev/null 2>&1 && python=$p && break
done
if [ -z "$python" ]; then
    skip "the script says what is wrong" "no Python 3 here"
    done_testing
fi
PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE
ok "prints its help" "$python" "$script" --help
says '--rows WORD' "with its options"
ok "lists its rows" "$python" "$script" --list
says '^step 256 px width 64 +3[.]00$' "with their floors"
for words in "--rows nosuch" "--threads none" "--threads 0" "--seconds -1" "--bogus"; do
    exits 2 "wrong usage: '$words'" "$python" "$script" $words
    says '^against-pytorch: error: ' "is named"
done
exits 1 "a folder that is no build folder" "$python" "$script" "$work"
says 'is no build folder' "is named"
exits 1 "a Python without torch" "$python" "$script" --python "$work/none" "$abs_top_builddir"
says "^against-pytorch: .*none' cannot import torch" "is named"
done_testing

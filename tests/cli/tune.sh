#!/bin/sh
# Tuning: taggan-devices tune and what taggan-train measures; the file of choices, used again, damaged, written by two at once; a
# candidate that crashes and one that never answers.
. "$abs_top_srcdir/tests/cli/tap.sh"
devices=$abs_top_builddir/taggan-devices
train=$abs_top_builddir/taggan-train
unset TAGGAN_DEVICE TAGGAN_TEST_TUNE_CRASH TAGGAN_TEST_TUNE_HANG
TAGGAN_CACHE_DIR=$work/cache
export TAGGAN_CACHE_DIR
if ! "$devices" list >"$work/out" 2>&1; then
    skip "tunes a device" "there is none here: $(tail -1 "$work/out")"
    done_testing
fi
tiny="--size 16 --width 2 --batch 1 --set dwidth=2"
file() { ls "$TAGGAN_CACHE_DIR"/*.tune.json 2>/dev/null; }
layers() { grep -c '"layer":' "$(file)"; }
is_whole() { # the key, the checksum, and one line for each layer
    [ "$(file | wc -l)" -eq 1 ] && head -1 "$(file)" | grep -q '^{$' && tail -1 "$(file)" | grep -q '}$' && grep -q '"crc32": "[0-9a-f]\{8\}"' "$(file)"
}

for words in "tune extra" "tune --json a b" "tune --seconds 0" "tune --preset huge"; do
    exits 2 "wrong usage: '$words'" "$devices" $words
done
exits 1 "an output that cannot be" "$devices" tune $tiny --json "$work/out/below"

# a candidate that crashes ends its process, and is named; the others are measured (without the transforms, which compile for seconds)
ok "tunes, though a candidate crashes" env TAGGAN_TEST_TUNE_CRASH=fft "$devices" tune $tiny --seconds 600 --json "$work/tuned.json"
says 'pass +fastest +milliseconds' "prints a table"
says '^[1-9][0-9]* of 16 px [0-9]+ - 1, 3x3/1 +weights +[a-z0-9]+  .*packed [0-9]' "a line for each layer and pass"
says '^([0-9]+) of \1 tuned, in ' "all of them"
if grep -q '^#define HAVE_CLFFT 1' "$abs_top_builddir/config.h"; then
    says '^taggan-devices: warning: tuning: algorithm fft is left out on this device: it crashed \(signal 6\)$' "the crash is named"
    says 'fft: it crashed' "in the table, too"
fi
ok "the JSON has them, too" sh -c 'grep -q "\"pass\": \"scatter\"" "$1" && grep -q "\"algorithm\": \"packed\"" "$1"' - "$work/tuned.json"
ok "the choices are kept" is_whole

# a candidate that never answers
rm -rf "$TAGGAN_CACHE_DIR"
ok "tunes, though a candidate hangs" env TAGGAN_TEST_TUNE_CRASH=fft TAGGAN_TEST_TUNE_HANG=direct "$devices" tune $tiny --seconds 60
says 'tuning: algorithm direct is left out on this device: it did not answer for 30 s$' "the silence is named"
says '^[1-9][0-9]* of [0-9]+ tuned, in ' "the others are measured"
n=$(layers)

# two at once (again without the transforms)
TAGGAN_TEST_TUNE_CRASH=fft
export TAGGAN_TEST_TUNE_CRASH
"$devices" tune --size 32 --width 2 --batch 1 --set dwidth=2 --set cond=bias -q --seconds 300 >"$work/one" 2>&1 &
one=$!
"$devices" tune --size 48 --width 2 --batch 1 --set dwidth=2 --set cond=bias -q --seconds 300 >"$work/two" 2>&1 &
two=$!
wait $one; first=$?
wait $two; second=$?
cat "$work/one" "$work/two" >"$work/err"
[ $first -eq 0 ] && [ $second -eq 0 ]; tap_say $? "two processes tune at once"
ok "the file is whole" is_whole
sh -c '[ "$1" -gt $(($2 + 20)) ] && grep -q "\"layer\": \"[0-2] [0-9]* [0-9]* 32 " "$3" && grep -q "\"layer\": \"[0-2] [0-9]* [0-9]* 48 " "$3"' - "$(layers)" "$n" "$(file)"; tap_say $? "and holds what both found"

unset TAGGAN_TEST_TUNE_CRASH

# training measures what it meets, once
settle() { # trains until nothing is left to measure
    n_left=40
    while [ $((n_left -= 1)) -gt 0 ]; do
        "$train" --set tune=on $run >"$work/out" 2>"$work/err" </dev/null || return
        grep -q measuring "$work/err" || return
    done
}
run="-o $work/run --size 32 --batch 2 --steps 2 --set width=2 --set dwidth=2 phantom:n=4,val=4,test=4"
rm -rf "$TAGGAN_CACHE_DIR"
ok "trains with measured choices" "$train" --set tune=on $run
says 'measuring which algorithm is the fastest for [0-9]+ layers \(10 s at most\)$' "measures at first"
ok "keeps them" is_whole
n=$(layers)
settle # a slow machine may have left layers when the time was over
! grep -q measuring "$work/err"; tap_say $? "once all are kept, trains without measuring"
! grep -q 'a stored choice' "$work/err"; tap_say $? "every choice is still right"
sed 's/packed/direct/' "$(file)" >"$work/damaged" && cat "$work/damaged" >"$(file)"
ok "trains with a damaged file of choices" "$train" --set tune=on $run
says "warning: tuning: '.*tune.json' is damaged or of another program; it is made anew$" "says so"
says 'measuring which' "measures again"
ok "the file is whole again" is_whole
settle
ok "goes on from its checkpoint" "$train" --resume --steps 3 -o "$work/run"
! grep -q measuring "$work/err"; tap_say $? "with the choices it had"

rm -rf "$TAGGAN_CACHE_DIR"
ok "--deterministic does not measure" "$train" --deterministic --set tune=on $run
[ -z "$(file)" ] && ! grep -q measuring "$work/err"; tap_say $? "nor keep anything"
done_testing

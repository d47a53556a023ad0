#!/bin/sh
# Manual page and completion made from .def files, by the awk that make uses and by any other that is here.
. "$abs_top_srcdir/tests/cli/tap.sh"
script=$abs_top_srcdir/build-aux/opts2man.awk
defs="$abs_top_srcdir/tests/cli/sample_options.def $abs_top_srcdir/src/cli/common_options.def"
printf '%s\n' '.TH X 1 "" "taggan @VERSION@"' @COMMANDS@ '.SH OPTIONS' @OPTIONS@ >"$work/x.1.in"

for awk in awk mawk gawk 'busybox awk' original-awk; do
    command -v ${awk%% *} >/dev/null || continue
    ok "$awk makes a manual page" $awk -v mode=man -v template="$work/x.1.in" -v version=9.8.7 -f "$script" $defs
    cp "$work/out" "$work/x.1"
    says '^\.TH X 1 "" "taggan 9\.8\.7"$' "$awk puts the version in"
    says '^\\fB\\-m\\fR, \\fB\\-\\-model\\fR \\fINAME\\fR$' "$awk writes an option with its letter"
    says '^\\fB\\-\\-batch\\-size\\fR|\\fB\\-b\\fR, \\fB\\-\\-batch\\-size\\fR' "$awk turns _ into -"
    says '^images in a batch; left out, it is what the preset says\.$' "$awk joins strings"
    says '^a shift \(in "pixels"\), which may be negative\.$' "$awk reads quotes in strings"
    says '^Default: 90m\.$' "$awk writes a time as people do"
    says '^what is trained: taggan, cyclegan, antgan\.$' "$awk lists choices"
    says '^\\fBmake\\-it\\fR FILE$' "$awk writes commands"
    ok "$awk makes a completion" $awk -v mode=completion -v program=taggan-x -f "$script" $defs
    cp "$work/out" "$work/completion"
    says '^complete -o filenames -F _taggan_x taggan-x$' "$awk binds it"
done
ok "an unfinished declaration is an error" sh -c "echo 'TG_OPTION(a,' | awk -v mode=man -f '$script' 2>'$work/err'; test \$? = 1"
if command -v man >/dev/null; then
    ok "man reads the page without a warning" sh -c "man --warnings -l '$work/x.1' 2>&1 >/dev/null | sed 's/^/# /'; ! man --warnings -l '$work/x.1' 2>&1 >/dev/null | grep ."
else
    skip "man reads the page without a warning" "no man here"
fi
if command -v bash >/dev/null; then
    complete() { # complete WORD...: what bash offers for the last word
        bash -c '. "$0"; COMP_WORDS=(taggan-x "$@"); COMP_CWORD=$#; _taggan_x; printf "%s\n" "${COMPREPLY[@]}"' "$work/completion" "$@"
    }
    ok "bash completes options" complete --mo
    says '^--model$' "it is --model"
    ok "bash completes a choice" complete --model cy
    says '^cyclegan$' "it is cyclegan"
    ok "bash completes a command" complete ma
    says '^make-it$' "it is make-it"
else
    skip "bash completes" "no bash here"
fi
done_testing

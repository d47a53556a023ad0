#!/bin/sh
# README, HACKING and doc/ say what is so: the rooms, the programs, the sources that comments quote.
. "$abs_top_srcdir/tests/cli/tap.sh"
cd "$abs_top_srcdir" || exit 1
programs=$taggan_programs

grep -rhoE '\[[a-z]+[0-9]{4}\]' src include cl tests/ref doc/*.md | tr -d '[]' | sort -u >"$work/keys"
grep -rhoE '\[(taggan|cyclegan|vagan|stargan|pix2pix|wgan|wgangp|lsgan|antgan|gradcam)\]' src include cl tests/ref doc/*.md | tr -d '[]' | sort -u >>"$work/keys"
sed -n 's/^@[a-z]*{\(.*\),$/\1/p' doc/references.bib | sort >"$work/known"
ok "comments quote sources" test -s "$work/keys"
for key in $(cat "$work/keys"); do
    ok "[$key] is in references.bib" grep -qx "$key" "$work/known"
done
ok "no source is there twice" sh -c "! uniq -d '$work/known' | grep ."

rooms=$(sed -n 's/^rooms="\(.*\)"/\1/p' build-aux/check-layers.sh)
for folder in src/*/; do
    room=$(basename "$folder")
    ok "the room $room has its place in the order" sh -c "echo ' $rooms ' | grep -q ' $room '"
    ok "and its line in README" grep -qE "^        $room  " README
done
for program in $programs; do
    ok "README names $program" grep -q "$program" README
    ok "NEWS names $program" grep -q "$program" NEWS
done
for word in $(grep -ohE '\./taggan-[a-z]+' README | sort -u); do
    ok "$word, which README runs, is built" sh -c "echo ' $programs ' | grep -q ' ${word#./} '"
done
for path in $(grep -ohE '(src|tests|cl|doc|build-aux|include|data)/[a-zA-Z0-9_./-]+\.[a-z]+' README HACKING doc/*.md | sort -u); do
    case $path in *[A-Z][A-Z]*|tests/op/test_pool.log|doc/html/*) continue ;; esac
    ok "$path, which the documents name, is there" test -e "$path"
done

# .ci/run takes its list of packages from README's first command
packages=$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' README | sed -n 's/.*apt-get install -y --no-install-recommends \([^&]*\)&&.*/\1/p' | head -1)
ok "README's first command installs packages" sh -c "echo '$packages' | grep -q ' pocl-opencl-icd '"
for package in $(sed -n -e 's/.*is needed (Debian: \([a-z0-9.-]*\).*/\1/p' -e 's/.*is not installed (Debian: \([a-z0-9.-]*\).*/\1/p' configure.ac); do
    ok "and among them $package, which configure asks for" sh -c "echo ' $packages ' | grep -q ' $package '"
done
done_testing

# tap.sh -- sourced by the shell tests: prints TAP. `ok NAME COMMAND...` passes when the command does.
tap_n=0
tap_failed=0
work=$(mktemp -d "${abs_top_builddir:-.}/tap.XXXXXX")
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT

tap_say() { # tap_say STATUS NAME
    tap_n=$((tap_n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $tap_n - $2"; else
        echo "not ok $tap_n - $2"
        tap_failed=1
        sed 's/^/# /' "$work/out" "$work/err" 2>/dev/null | head -40
    fi
}
ok() { # the command succeeds
    name=$1; shift
    "$@" >"$work/out" 2>"$work/err" </dev/null; tap_say $? "$name"
}
exits() { # exits STATUS NAME COMMAND...: the command ends with exactly that status
    want=$1; name=$2; shift 2
    "$@" >"$work/out" 2>"$work/err" </dev/null; got=$?
    [ "$got" -eq "$want" ] || echo "exit status $got, not $want" >>"$work/err"
    [ "$got" -eq "$want" ]; tap_say $? "$name"
}
says() { # says PATTERN NAME: the last command's stderr or stdout matches (grep -E)
    grep -qE -- "$1" "$work/err" "$work/out"; tap_say $? "$2"
}
skip() { # skip NAME REASON
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}
done_testing() { echo "1..$tap_n"; exit $tap_failed; }

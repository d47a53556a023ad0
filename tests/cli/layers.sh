#!/bin/sh
# Rooms include only rooms below them.
. "$abs_top_srcdir/tests/cli/tap.sh"
ok "no room includes a room above it" sh "$abs_top_srcdir/build-aux/check-layers.sh" "$abs_top_srcdir"
done_testing

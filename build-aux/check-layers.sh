#!/bin/sh
# check-layers.sh SRCDIR -- fails when a room of src/ includes a header of a room above it.
set -eu
src=$1/src
# ref is tests/ref: plain C that taggan-devices compares kernels with
rooms="base image dataset device tensor op tape comm net model checkpoint tag eval trainer report ref cli"
bad=0
below=
for room in $rooms; do
    below="$below $room"
    for file in "$src/$room"/*.[ch] "$src/$room"/*.def; do
        [ -f "$file" ] || continue
        for header in $(sed -n 's/^#include "\([a-z_]*\/[a-z0-9_]*\.[a-z]*\)".*/\1/p' "$file"); do
            into=${header%%/*}
            case " $below " in
            *" $into "*) ;;
            *) echo "$file includes $header: $into/ is above $room/" >&2; bad=1 ;;
            esac
        done
    done
done
exit $bad

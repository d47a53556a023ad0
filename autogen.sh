#!/bin/sh
# autogen.sh -- makes ./configure from configure.ac; needed once in a git checkout, never in a release tarball.
set -eu
cd "$(dirname "$0")"
autoreconf --install --force "$@"

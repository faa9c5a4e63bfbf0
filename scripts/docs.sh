#!/bin/sh
# Regenerates what the docs take from the program: the demo's picture, the table of speeds.
#   scripts/docs.sh MOHO
set -eu
moho=$1
here=$(dirname "$0")/..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$here/scripts/demo.sh" "$moho" "$work/demo"
"$moho" view "$work/demo/image.zarr" --inline 11 --width 760 --height 560 --title "The demo, migrated" \
  --output "$here/docs/pictures/demo.png"
python3 "$here/scripts/bench_table.py" --write
ls -l "$here/docs/pictures"

#!/bin/sh
# Migrates the field data of this example where they are there: viking_small.segy in $MOHO_FIELD_DATA, or in the folder
# shared/data beside the repository.
#   test.sh MOHO
set -eu
moho=$1
here=$(cd "$(dirname "$0")" && pwd)
data=${MOHO_FIELD_DATA:-$here/../../../shared/data}/viking_small.segy
[ -f "$data" ] || { echo "skipped: no field data"; exit 77; }

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$moho" info "$data" >"$out/info.txt"
grep -q 600 "$out/info.txt" || { cat "$out/info.txt"; echo "info does not say 600 samples" >&2; exit 1; }
"$moho" migrate "$here/job.yaml" "input.traces=$data" "output.directory=$out/image"
for file in image.zarr/.zmetadata stack.sgy stack.png fold.png report.json; do
  [ -s "$out/image/$file" ] || { echo "$file was not written" >&2; exit 1; }
done

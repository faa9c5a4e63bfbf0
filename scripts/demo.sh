#!/bin/sh
# The demo: make a small survey, migrate it, leave image.zarr, stack.sgy, stack.png and report.json in a folder.
#   scripts/demo.sh MOHO FOLDER
set -eu
moho=$1 folder=$2
here=$(dirname "$0")/..

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
# One key=value a line; none holds a blank.
# shellcheck disable=SC2046
"$moho" synth --preset small --output "$folder/survey.sgy" $(grep -v '^#' "$here/examples/demo_survey.txt")
"$moho" migrate "$here/examples/demo.yaml" "input.traces=$folder/survey.sgy" "output.directory=$folder" --overwrite
for file in image.zarr stack.sgy stack.png report.json; do
  [ -e "$folder/$file" ] || { echo "demo: $folder/$file was not written" >&2; exit 1; }
done
echo "demo: look at $folder/stack.png; $folder/image.zarr opens in xarray, $folder/stack.sgy in any SEG-Y viewer"

#!/bin/sh
# Times the migration of the small survey on one core and compares with the figures kept for this processor.
#   scripts/bench.sh MOHO
set -eu
moho=$1
here=$(dirname "$0")/..
mkdir -p "$here/build-bench"
"$moho" bench migrate --device 'cpu?threads=1' --dataset small --weight none,spreading_obliquity --antialias none,triangle \
  --runs 5 --json >"$here/build-bench/migrate_small.json"
python3 "$here/scripts/bench_compare.py" "$here/build-bench/migrate_small.json" "$here/bench/results"

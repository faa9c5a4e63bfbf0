#!/bin/sh
# A sparse, irregular line migrated as it lies and by least squares; the footprint of both, by check.py.
#   run.sh MOHO [DIRECTORY]      seconds; leaves images, reports and pictures in DIRECTORY (a temporary one is removed)
set -eu
moho=$1
here=$(cd "$(dirname "$0")" && pwd)
work=${2:-$(mktemp -d)}
[ $# -ge 2 ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
cp "$here/job.yaml" "$work"
cd "$work"

"$moho" synth --output line.sgy extent_inline_m=0 extent_crossline_m=3000 midpoint_spacing_m=12.5 azimuths_deg=0 \
  offset_first_m=0 offset_last_m=800 offset_step_m=200 n_samples=701 dt_s=0.002 v0_mps=2000 peak_hz=20 noise=0.02 \
  diffractors=none reflectors=500:500:600,0:500:900:12:0

"$moho" migrate job.yaml --overwrite
"$moho" migrate job.yaml migration.iterations=10 migration.damping=0.03 output.directory=solved --overwrite
"$moho" demigrate job.yaml output.directory=solved --output modelled.sgy
for image in plain solved; do
  "$moho" view "$image/image.zarr" --inline 1 --width 760 --height 460 --output "$image.png"
done
python3 "$here/check.py" plain solved

#!/bin/sh
# Two rounds of migration and velocity scan on a synthetic line that starts 8 % wrong.
#   run.sh MOHO [DIRECTORY]      seconds; leaves velocities, reports and pictures in DIRECTORY (a temporary one is removed)
set -eu
moho=$1
here=$(cd "$(dirname "$0")" && pwd)
work=${2:-$(mktemp -d)}
[ $# -ge 2 ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
cp "$here/job.yaml" "$work"
cd "$work"

"$moho" synth --output line.sgy extent_inline_m=0 extent_crossline_m=2000 midpoint_spacing_m=25 azimuths_deg=0 \
  offset_first_m=100 offset_last_m=2000 offset_step_m=100 dt_s=0.004 n_samples=501 v0_mps=1800 gradient_per_s=0.6 \
  peak_hz=25 noise=0.02 diffractors=none reflectors=0:0:350,0:0:700,0:0:1050,0:1000:1350:10:0,0:0:1700

"$moho" migrate job.yaml --overwrite
"$moho" velocity scan round1/image.zarr --output v1.txt --report scan1.json --pictures pictures1
"$moho" migrate job.yaml 'velocity={type: rms, table: v1.txt}' output.directory=round2 --overwrite
"$moho" velocity scan round2/image.zarr --output v2.txt --report scan2.json --pictures pictures2

# v_rms^2 of v0 + k*z is v0^2 (exp(k t) - 1)/(k t); what the reflectors cover, 0.3 to 1.6 s, must be within 1 %.
for round in 1 2; do
  awk -v round=$round '
    $1 != "#" && $5 >= 300 && $5 <= 1600 {
      kt = 0.6 * $5 / 1000; wrong = 100 * ($6 / (1800 * sqrt((exp(kt) - 1) / kt)) - 1)
      if (wrong < 0) wrong = -wrong
      if (wrong > worst) worst = wrong
      n++
    }
    END {
      printf "after round %d: %d velocities, the worst %.2f %% from the true one\n", round, n, worst
      exit !(n > 1000 && (round < 2 || worst < 1))
    }' "v$round.txt"
done

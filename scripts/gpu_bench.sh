#!/bin/sh
# Checks and times Moho on a GPU machine from the folder that scripts/gpu_bundle.sh made; nothing is installed.
#   scripts/gpu_bench.sh BUNDLE RESULTS [PART ...]
# Parts, each with its seconds told; without any: check tests bench memory
#   check      devices and selftest, the device against the double reference
#   tests      the test programs that the device matters to
#   bench      DATASETS (small,medium) x KERNELS (baseline,v1,v2,v3): no weights, weights, triangle; half storage
#   memory     copies, allocation, pool, launches
#   large      the large survey through v3 in memory (KERNEL=v3)
#   disk       the large survey from SEG-Y on disk to image.zarr (PRESET=large)
#   sanitizer  compute-sanitizer's four tools over a small selftest
#   repeat     20 runs, bit for bit
# DEVICE=cuda:0, RUNS=5. Full figures go to RESULTS/*.json, the short table is printed last.
set -u
bundle=$(cd "$1" && pwd) || exit 2
mkdir -p "$2" && results=$(cd "$2" && pwd) || exit 2
shift 2
: "${DEVICE:=cuda:0}" "${RUNS:=5}" "${DATASETS:=small,medium}" "${KERNELS:=baseline,v1,v2,v3}" "${KERNEL:=v3}" "${PRESET:=large}"
moho=$bundle/moho
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=
table=$results/table.md
: >"$table"

# Where such machines hide the driver and the compiler.
for folder in /usr/local/nvidia/lib64 /usr/lib/x86_64-linux-gnu /usr/local/cuda/compat; do
  if ! ldconfig -p 2>/dev/null | grep -q libcuda.so.1 && [ -e "$folder/libcuda.so.1" ]; then
    export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    break
  fi
done
if [ -z "${MOHO_NVRTC:-}" ] && ! ls /usr/local/cuda/lib64/libnvrtc.so.* >/dev/null 2>&1; then
  packages=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))' 2>/dev/null)
  nvrtc=$(find "$packages/nvidia" -name 'libnvrtc.so.*' 2>/dev/null | sort -V | tail -n 1)
  if [ "$nvrtc" ]; then export MOHO_NVRTC="$nvrtc"; fi
fi
export XDG_CACHE_HOME="$scratch/cache"
[ -d /dev/shm ] || echo "gpu_bench: no /dev/shm, libomp will refuse to start" >&2

part() { # part NAME COMMAND...: timed; its end is told; a failure is remembered
  name=$1
  start=$(date +%s)
  shift
  echo "==== $name"
  if "$@"; then verdict=good; else verdict="FAILED ($?)" failed="$failed $name"; fi
  echo "$name: $verdict after $(($(date +%s) - start)) s" | tee -a "$scratch/closing"
}

check() {
  "$moho" devices | tee "$results/check.txt"
  "$moho" selftest --device "$DEVICE" >"$scratch/selftest"
  code=$?
  cat "$scratch/selftest" >>"$results/check.txt"
  grep -v ' good$' "$scratch/selftest" || true
  return $code
}

tests() {
  bad=
  while read -r area name; do
    if ! MOHO_DEVICE=$DEVICE timeout 120 "$bundle/$name" >"$scratch/$name.log" 2>&1; then
      bad="$bad $name"
      grep -E 'FAILED|ERROR|rror|ssert|ailed' "$scratch/$name.log" | head -n 20
    fi
    echo "== $area $name" && cat "$scratch/$name.log"
  done <"$bundle/tests.txt" >"$scratch/tests.log" 2>&1
  grep -E '^== |FAILED|SKIP' "$scratch/tests.log" >>"$results/check.txt"
  [ -z "$bad" ] && return 0
  echo "failing tests:$bad"
  tail -c 6000 "$scratch/tests.log"
  return 1
}

migrate() { # migrate WORDS OPTIONS...: one bench call, its cases kept, its table kept
  echo "-- $*"
  "$moho" bench migrate --device "$DEVICE" --progress none --json --output "$scratch/cases.json" --report "$scratch/report.md" "$@"
  code=$?
  if [ -f "$scratch/cases.json" ]; then cat "$scratch/cases.json" >>"$results/migrate.json" && rm "$scratch/cases.json"; fi
  if [ -f "$scratch/report.md" ]; then
    { cat "$scratch/report.md" && echo; } >>"$table"
    rm "$scratch/report.md"
  fi
  return $code
}

bench() {
  code=0
  migrate --dataset "$DATASETS" --kernel "$KERNELS" --runs "$RUNS" --weight none,spreading_obliquity || code=1
  migrate --dataset "$DATASETS" --kernel "$KERNELS" --runs "$RUNS" --antialias triangle || code=1
  migrate --dataset "${DATASETS##*,}" --kernel v1,v2,v3 --runs "$RUNS" --storage half || code=1
  return $code
}

memory() {
  "$moho" bench memory --device "$DEVICE" --json --output "$results/memory.json" && "$moho" bench memory --device "$DEVICE" >>"$table"
}

large() { migrate --dataset large --kernel "$KERNEL" --runs 3; }

disk() {
  "$moho" synth --preset "$PRESET" --progress none --output "$scratch/survey.sgy" || return 1
  cat >"$scratch/job.yaml" <<END
input: {traces: survey.sgy}
velocity: {constant_mps: 2500}
grid: auto
migration: {aperture: {max_m: 1500, max_dip_deg: 45}, rho_filter: none, weight: none}
output: {directory: out, formats: [zarr], png: false}
execution: {device: "$DEVICE", kernel: $KERNEL}
END
  "$moho" explain "$scratch/job.yaml" | sed -n '/^Plan/,$p'
  "$moho" migrate "$scratch/job.yaml" --progress none --json >"$results/disk.json" || return 1
  python3 - "$results/disk.json" <<'END' | tee -a "$table"
import json, sys
report = json.load(open(sys.argv[1]))
s = report["seconds"]
print("from SEG-Y to image.zarr:", ", ".join(f"{k} {v:.3f} s" for k, v in s.items()),
      f"; {report['contributions']:.4g} contributions; wall {s['total'] / s['kernel']:.3f} x kernel seconds")
END
}

sanitizer() {
  tool=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null) || { echo "no compute-sanitizer here"; return 1; }
  code=0
  for which in memcheck racecheck synccheck initcheck; do
    if ! timeout 280 "$tool" --tool "$which" --error-exitcode 9 "$moho" selftest --device "$DEVICE" --quick --progress none \
      >"$scratch/sanitizer" 2>&1; then code=1; fi
    { echo "== $which" && tail -n 12 "$scratch/sanitizer"; } | tee -a "$results/sanitizer.txt"
  done
  return $code
}

repeat() {
  "$moho" synth --preset small --progress none --output "$scratch/small.sgy" || return 1
  cat >"$scratch/repeat.yaml" <<END
input: {traces: small.sgy}
velocity: {constant_mps: 2500}
grid: auto
migration: {aperture: {max_m: 1500, max_dip_deg: 45}}
output: {directory: repeat, formats: [segy], png: false}
execution: {device: "$DEVICE"}
END
  code=0
  for kernel in baseline v1 v2 v3; do
    : >"$scratch/sums"
    while [ "$(wc -l <"$scratch/sums")" -lt 20 ]; do
      "$moho" migrate "$scratch/repeat.yaml" "execution.kernel=$kernel" --progress none --overwrite >/dev/null || return 1
      tail -c +3601 "$scratch/repeat/stack.sgy" | sha256sum >>"$scratch/sums"
    done
    different=$(sort -u "$scratch/sums" | wc -l)
    echo "$kernel: 20 runs, $different image(s)" | tee -a "$table"
    [ "$different" = 1 ] || code=1
  done
  return $code
}

[ $# -gt 0 ] || set -- check tests bench memory
for each in "$@"; do
  case $each in
  check | tests | bench | memory | large | disk | sanitizer | repeat) part "$each" "$each" ;;
  *) echo "gpu_bench: unknown part $each" >&2 && exit 2 ;;
  esac
done
echo "==== results"
cat "$table" "$scratch/closing"
if [ "$failed" ]; then echo "FAILED:$failed" && exit 1; fi

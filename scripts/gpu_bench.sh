#!/bin/sh
# Checks and times Moho on a GPU machine from the folder that scripts/gpu_bundle.sh made; nothing is installed.
#   scripts/gpu_bench.sh BUNDLE RESULTS [PART ...]
# Parts with the seconds that they are expected to take on an H200 with 16 cores; without any: check tests bench memory
#   check      60  devices, and selftest (a process a kernel): every kernel against the double reference
#   tests      60  the test programs that the device matters to; test_repeats among them runs every kernel 20 times
#   bench      90  small, medium: the ladder (of baseline and v1 one run), triangle; v2, v3: weights, storage as halves
#   demigrate  20  the adjoint on medium, beside the migration
#   tensor     40  operations on tensors against the copy's bandwidth, products of matrices, ternary layers
#   program    20  portable programs
#   memory     10  copies, allocation, pool, launches, 1000 empty tiles
#   large      80  the large survey through KERNEL (v3) once, traces in memory
#   disk       90  the large survey from SEG-Y (6.8 GB, written here first: 30 s) to image.zarr, compilation included
#   million    30  1.04 million traces of 501 samples (2.3 GB), from SEG-Y likewise
#   blocks    300  scripts/gpu_blocks.py: 2.08 million traces from SEG-Y (4.7 GB, written here first) to image.zarr by blocks within
#                  1 GB of memory, wall over kernel; against a run in memory; killed and gone on with. 15 GB free
#   beside     60  scripts/gpu_beside.py: in one process with PyTorch or CuPy, two migrations at once
#   python     60  bench/python_interchange.py: arrays of CuPy and PyTorch without a copy, cost of a call; Python's tests on the device
#   sanitizer  60  compute-sanitizer's four tools side by side over a quick selftest of all kernels
# TESTS=. (a pattern: which test programs), DEVICE=cuda:0, RUNS=3, KERNEL=v3, PRESET=large, DISK=a folder for the survey (14 GB free; default the temporary one).
# In medium's and large's images the double reference computes COLUMNS=9 columns, 3 x 3 that lie evenly (a second of 16 cores;
# all 64 of `moho bench` would take most of the part). Full figures go to RESULTS/*.json, the short table is printed last.
set -u
here=$(cd "$(dirname "$0")" && pwd)
bundle=$(cd "$1" && pwd) || exit 2
mkdir -p "$2" && results=$(cd "$2" && pwd) || exit 2
shift 2
: "${TESTS:=.}" "${DEVICE:=cuda:0}" "${RUNS:=3}" "${KERNEL:=v3}" "${PRESET:=large}" "${COLUMNS:=9}" "${PYTHON:=python3}"
moho=$bundle/moho
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
: "${DISK:=$scratch}"
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

part() { # part NAME: timed; its end is told; a failure is remembered
  start=$(date +%s)
  echo "==== $1"
  if "$1"; then verdict=good; else verdict="FAILED ($?)" failed="$failed $1"; fi
  echo "$1: $verdict after $(($(date +%s) - start)) s" | tee -a "$scratch/closing"
}

# ---- check

selftest() { # selftest OUTPUT WORDS...: a process a kernel, side by side: most of the time goes into compiling
  output=$1
  shift
  for kernel in baseline v1 v2 v3; do
    { timeout 200 "$moho" selftest --device "$DEVICE" --kernel $kernel --progress none "$@" 2>&1 || echo "selftest $kernel: FAILED"; } \
      >"$scratch/selftest-$kernel" &
  done
  wait
  for kernel in baseline v1 v2 v3; do
    cat "$scratch/selftest-$kernel" >>"$output"
    echo "selftest $kernel: $(grep comparisons "$scratch/selftest-$kernel" || tail -n 3 "$scratch/selftest-$kernel")" | tee -a "$table"
  done
  ! grep -h FAILED "$scratch"/selftest-*
}

check() {
  "$moho" devices --measure | tee "$results/check.txt"
  "$moho" devices --measure --json >"$results/devices.json"
  selftest "$results/check.txt"
}

# ---- tests

test_program() { # test_program NAME
  MOHO_DEVICE=$DEVICE timeout 150 "$bundle/$1" >"$scratch/$1.log" 2>&1
  code=$?
  if [ $code = 0 ]; then verdict=good; elif [ $code = 77 ]; then verdict=skipped; else verdict="FAILED ($code)"; fi
  echo "$1: $verdict" >>"$scratch/verdicts"
}

tests() {
  : >"$scratch/verdicts"
  grep -E "$TESTS" "$bundle/tests.txt" >"$scratch/tests.txt"
  # What measures or fills memory runs by itself, the others five at once.
  while read -r area name; do
    case "$area $name" in cuda* | *test_measure | *test_repeats) test_program "$name" ;; esac
  done <"$scratch/tests.txt"
  count=0
  while read -r area name; do
    case "$area $name" in cuda* | *test_measure | *test_repeats) continue ;; esac
    test_program "$name" &
    count=$((count + 1))
    if [ $((count % 5)) = 0 ]; then wait; fi
  done <"$scratch/tests.txt"
  wait
  for example in "$bundle"/example_*; do
    if [ -x "$example" ]; then test_program "$(basename "$example")"; fi
  done
  { cat "$scratch/verdicts" && tail -n 40 "$scratch"/test_*.log; } >>"$results/tests.txt"
  echo "tests: $(grep -c good "$scratch/verdicts") good, $(grep -c skipped "$scratch/verdicts") skipped, $(grep -c FAILED "$scratch/verdicts") failed" |
    tee -a "$table"
  sed -n 's/\(.*\): FAILED.*/\1/p' "$scratch/verdicts" | while read -r name; do
    echo "-- $name" && grep -E 'FAILED|ERROR|rror|ssert|differ' "$scratch/$name.log" | head -n 12
  done
  ! grep -q FAILED "$scratch/verdicts"
}

# ---- bench

migrate() { # migrate OPTIONS...: one bench call, its cases kept, its table kept
  echo "-- $*"
  "$moho" bench migrate --device "$DEVICE" --progress none --json --output "$scratch/cases.json" --report "$scratch/report.md" \
    --columns "$COLUMNS" "$@"
  code=$?
  if [ -f "$scratch/cases.json" ]; then cat "$scratch/cases.json" >>"$results/migrate.json" && rm "$scratch/cases.json"; fi
  if [ -f "$scratch/report.md" ]; then
    { cat "$scratch/report.md" && echo; } >>"$results/migrate.md"
    # dataset, kernel, options, kernel seconds, T/s, wall, times the baseline, reference
    awk -F '|' '/^\| (tiny|small|medium|large)/ { print "|" $2 "|" $3 "|" $4 "|" $6 "|" $7 "|" $10 "|" $11 "|" $12 "|" }' \
      "$scratch/report.md" >>"$table"
    rm "$scratch/report.md"
  fi
  return $code
}

bench() {
  code=0
  migrate --dataset small --kernel baseline,v1,v2,v3 --runs "$RUNS" || code=1
  migrate --dataset medium --kernel baseline,v1,v2,v3 --antialias none,triangle --runs "$RUNS" --seconds 4 || code=1
  migrate --dataset medium --kernel v2,v3 --weight spreading_obliquity --storage float,half --runs "$RUNS" || code=1
  migrate --dataset medium --kernel v2,v3 --storage half --runs "$RUNS" || code=1
  return $code
}

memory() {
  "$moho" bench memory --device "$DEVICE" --json --output "$results/memory.json" --report "$results/memory.md" --progress none || return 1
  awk -F '|' '/^\| [a-z]/ && $2 != " figure " { print "|" $2 "|" $3 "us |" ($4 + 0 > 0 ? $4 "GB/s |" : "") }' "$results/memory.md" >>"$table"
}

# Its table, as `moho bench` prints it.
figures() { # figures WHAT OPTIONS...
  what=$1
  shift
  "$moho" bench "$what" --device "$DEVICE" --progress none "$@" >"$results/$what.txt" 2>&1
  code=$?
  cat "$results/$what.txt" >>"$table"
  return $code
}

# PYTHON of the machine, 3.11 or later, with numpy; CuPy and PyTorch where they are.
python() {
  code=0
  tests=$bundle/python_tests path=$bundle/python
  PYTHONPATH=$path "$PYTHON" "$tests/python_interchange.py" --device "$DEVICE" --output "$results/python.md" >"$results/python.txt" 2>&1 ||
    code=1
  if [ -e "$results/python.md" ]; then cat "$results/python.md" >>"$table"; else tail -n 20 "$results/python.txt"; fi
  "$PYTHON" -c 'import pytest' 2>/dev/null || path=$path:$tests/pytest
  MOHO_DEVICE=$DEVICE MOHO_TEST_DEVICE=$DEVICE MOHO_TEST_SOURCE=$tests PYTHONPATH=$path "$PYTHON" -m pytest -q -p no:cacheprovider "$tests/test_device.py" \
    "$tests/test_buffer.py" "$tests/test_ops.py" "$tests/test_program.py" "$tests/test_pstm_metal.py" "$tests/test_operator.py" \
    >"$results/python_tests.txt" 2>&1 || code=1
  tail -n 15 "$results/python_tests.txt" | tee -a "$table"
  return $code
}

demigrate() { figures demigrate --dataset small,medium --kernel v3 --runs "$RUNS"; }

tensor() { figures tensor; }

program() {
  code=0
  figures program --runs 15 || code=1
  MOHO_DEVICE=$DEVICE "$bundle/test_program_fuzz" 60 2>&1 | tail -n 3 | tee -a "$table" || code=1
  return $code
}

large() { migrate --dataset large --kernel "$KERNEL" --runs 1; }

# ---- disk

from_disk() { # from_disk NAME SYNTH_WORDS...: a survey written, then migrated into image.zarr
  name=$1
  shift
  work=$(mktemp -d -p "$DISK") || return 1
  "$moho" synth "$@" --progress none --output "$work/survey.sgy" || return 1
  ls -l "$work/survey.sgy" && echo "written $(($(date +%s) - start)) s after the part began"
  cat >"$work/job.yaml" <<END
input: {traces: survey.sgy, resample: none}
velocity: {constant_mps: 2500}
grid: auto
migration: {aperture: {max_m: 1500, max_dip_deg: 45}, rho_filter: none, weight: none}
output: {directory: out, formats: [zarr], png: false}
execution: {device: "$DEVICE", kernel: $KERNEL}
END
  MOHO_CACHE=off "$moho" migrate "$work/job.yaml" --progress none --json --output "$results/$name.json"
  code=$?
  rm -rf "$work"
  [ $code = 0 ] || return $code
  whole() { sed -n 's/^ *"'"$1"'": \([0-9]*\),*$/\1/p' "$results/$name.json" | head -n 1; }
  seconds() { sed -n '/"seconds": {/,/}/s/^ *"'"$1"'": \([0-9.e+-]*\),*$/\1/p' "$results/$name.json"; }
  echo "$(seconds kernel) $(seconds total) $(seconds migrate) $(seconds read) $(seconds write) $(seconds transfer) $(seconds allocation)" \
    "$(seconds compile) $(whole contributions) $(whole used)" |
    awk -v name="$name" '{
      printf "%s: SEG-Y to image.zarr, %d traces used: total %.2f s = %.3f x kernel %.2f s; ", name, $10, $2, $2 / $1, $1
      printf "migrate %.2f, read %.2f, write %.2f, transfer %.2f, allocation %.2f, compile %.2f s; ", $3, $4, $5, $6, $7, $8
      printf "%.4g contributions\n", $9 }' | tee -a "$table"
}

disk() { from_disk disk --preset "$PRESET"; }

million() { from_disk million --preset large offset_last_m=4000 n_samples=501; }

blocks() {
  python3 "$here/gpu_blocks.py" "$moho" "$results/blocks.txt" --device "$DEVICE" --kernel "$KERNEL" --folder "$DISK"
  code=$?
  if [ -f "$results/blocks.txt" ]; then cat "$results/blocks.txt" >>"$table"; fi
  return $code
}

beside() {
  python3 "$here/gpu_beside.py" "$bundle/lib" --device "$DEVICE" --kernel "$KERNEL" >"$results/beside.txt" 2>&1
  code=$?
  tail -n 1 "$results/beside.txt" | sed 's/^/beside: /' | tee -a "$table"
  [ $code = 0 ] || tail -n 30 "$results/beside.txt"
  return $code
}

# ---- sanitizer

sanitizer() {
  tool=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null) || { echo "no compute-sanitizer here"; return 1; }
  selftest "$scratch/warm" --quick >"$scratch/words" || { cat "$scratch/words"; return 1; } # compiles once for all four
  for which in memcheck racecheck synccheck initcheck; do
    { timeout 120 "$tool" --tool "$which" --error-exitcode 9 "$moho" selftest --device "$DEVICE" --quick --progress none 2>&1
      echo "$which: exit code $?"; } >"$scratch/sanitizer-$which" &
  done
  wait
  code=0
  for which in memcheck racecheck synccheck initcheck; do
    { echo "== $which" && cat "$scratch/sanitizer-$which"; } >>"$results/sanitizer.txt"
    grep -q "^$which: exit code 0" "$scratch/sanitizer-$which" || { code=1 && grep -E '=====|FAILED|rror' "$scratch/sanitizer-$which" | head -n 25; }
    echo "$which: $(grep -E 'comparisons' "$scratch/sanitizer-$which"); $(grep -E 'SUMMARY' "$scratch/sanitizer-$which" | tail -n 1)" | tee -a "$table"
  done
  return $code
}

[ $# -gt 0 ] || set -- check tests bench memory
for each in "$@"; do
  case $each in
    check | tests | bench | demigrate | tensor | program | memory | large | disk | million | blocks | beside | python | sanitizer) part "$each" ;;
    *) echo "gpu_bench: unknown part $each, expected check, tests, bench, demigrate, tensor, program, memory, large, disk, million, blocks, beside, python or sanitizer" >&2 && exit 2 ;;
  esac
done
echo "==== results"
cat "$table" "$scratch/closing"
if [ "$failed" ]; then echo "FAILED:$failed" && exit 1; fi

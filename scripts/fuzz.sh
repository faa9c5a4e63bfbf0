#!/bin/sh
# Runs each fuzz target for FUZZ_SECONDS, JOBS at a time, from the seeds in tests/fuzz/corpus/<target>. What the fuzzer finds
# new stays in build-fuzz/corpus/<target>; a crash leaves its input in build-fuzz/crashes and fails.
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=${FUZZ_SECONDS:-60}
jobs=${JOBS:-2}

[ -f build-fuzz/build.ninja ] || cmake --preset fuzz >/dev/null || exit 1
cmake build-fuzz >/dev/null || exit 1
targets=$(cat build-fuzz/fuzz_targets.txt)
[ -n "$targets" ] || { echo "fuzz: there is no target in tests/fuzz/CMakeLists.txt" >&2; exit 1; }
# shellcheck disable=SC2086
cmake --build build-fuzz -j "$jobs" --target $targets || exit 1

fuzz_one() { # name: its log in build-fuzz/<name>.log, its verdict on stdout
  mkdir -p "build-fuzz/corpus/$1" build-fuzz/crashes
  seeds=tests/fuzz/corpus/$1
  [ -d "$seeds" ] || seeds=
  # shellcheck disable=SC2086
  if build-fuzz/"$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/crashes/$1-" "build-fuzz/corpus/$1" $seeds >"build-fuzz/$1.log" 2>&1; then
    echo "fuzz: $1: $(sed -n 's/^stat::number_of_executed_units: *//p' "build-fuzz/$1.log") inputs, nothing found"
  else
    tail -n 60 "build-fuzz/$1.log"
    echo "fuzz: $1: FAILED, the input is in build-fuzz/crashes"
    touch build-fuzz/failed
  fi
}

rm -f build-fuzz/failed
running=0
for target in $targets; do
  fuzz_one "$target" &
  running=$((running + 1))
  [ $((running % jobs)) -ne 0 ] || wait
done
wait
[ ! -e build-fuzz/failed ] && echo "fuzz: all targets ran for $seconds s, nothing found"

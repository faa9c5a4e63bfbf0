#!/bin/sh
# What only a Mac can tell of the Metal backend, in one text to send back (docs/metal.md):
#   scripts/metal_report.sh [COMMAND [OUTPUT]]        default: build/moho metal-report.txt
# The machine, the device, and the selftest three times: as it is, with Metal's API validation, with its shader validation.
set -u
moho=${1:-build/moho}
report=${2:-metal-report.txt}
failed=
: >"$report" || exit 1

say() { echo "$*" | tee -a "$report"; }

part() { # part NAME [VARIABLE=value ...] COMMAND...
  name=$1
  shift
  say "==== $name: $*"
  output=$(mktemp)
  env "$@" >"$output" 2>&1
  code=$?
  tee -a "$report" <"$output"
  # The validation layers report some faults on stderr without ending the program.
  if grep -qiE 'failed assertion|validation error|invalid (device|threadgroup|constant|resource).*(load|store|access)' "$output"; then
    say "==== $name: a complaint of Metal's validation"
    code=1
  fi
  rm -f "$output"
  [ "$code" -eq 0 ] || failed="$failed $name"
  say "==== $name: exit code $code"
}

part machine sh -c 'uname -a; sw_vers; sysctl -n machdep.cpu.brand_string hw.memsize hw.pagesize 2>/dev/null || true'
part version "$moho" --version
part devices "$moho" devices
part selftest "$moho" selftest --device metal
part api-validation MTL_DEBUG_LAYER=1 "$moho" selftest --device metal
part shader-validation MTL_DEBUG_LAYER=1 MTL_SHADER_VALIDATION=1 MTL_SHADER_VALIDATION_REPORT_TO_STDERR=1 \
  "$moho" selftest --device metal

[ -z "$failed" ] && say "==== all parts passed" && exit 0
say "==== FAILED:$failed"
exit 1

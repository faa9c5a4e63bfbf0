#!/bin/sh
# No kernel computes in double precision by mistake (a literal without its f is enough): clang makes PTX from the texts of
# kernels/, without a toolkit and without a GPU, and none of it may hold an .f64.
#   scripts/ptx_check.sh [FILE.k ...]     CLANG_PTX=clang-19 names the compiler
# Exit 77 where there is no such clang.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${CLANG_PTX:=clang-19}"
command -v "$CLANG_PTX" >/dev/null 2>&1 || { echo "ptx: skipped: $CLANG_PTX is not there: scripts/setup.sh check installs it"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0 checked=0

check() { # FILE.k OPTION...
  file=$1
  shift
  checked=$((checked + 1))
  "$CLANG_PTX" -x cuda -std=c++17 -O3 -ffp-contract=off -nocudainc -nocudalib --cuda-device-only --cuda-gpu-arch=sm_80 \
    -Wno-unknown-cuda-version -Wno-pass-failed -Wno-constant-logical-operand \
    -Wdouble-promotion -Werror=double-promotion -include scripts/ptx_prelude.h \
    -Ikernels "$@" -S -o "$scratch/ptx" "$file" || { failed=1 && echo "ptx: $file $*: does not compile" && return; }
  grep -q '\.entry ' "$scratch/ptx" || { failed=1 && echo "ptx: $file $*: no kernel in it"; }
  if grep -n '\.f64' "$scratch/ptx" | sed "s|^|ptx: $file $*: double precision, line |" | grep .; then failed=1; fi
}

# The check itself: it must find what it is for.
cat >"$scratch/double.k" <<'END'
#include "kern.h"
KERNEL(has_a_double, 64, INOUT(0, float, y)) {
  y[LANE] = (float)((double)y[LANE] * 0.1 + 0.3);
}
END
if (check "$scratch/double.k") | grep -q 'double precision, line'; then :; else failed=1 && echo "ptx: a double was not found"; fi

# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(find apps kernels tests examples -name '*.k' | sort)
for file in "$@"; do
  check "$file"
  case $file in
    kernels/migrate_* | kernels/demigrate_*)
      check "$file" -DINTERPOLATION=0 -DANTIALIAS=0 -DWEIGHT_POWER=0 -DHAS_MUTE=0 -DSTORAGE=2
      check "$file" -DINTERPOLATION=2 -DANTIALIAS=1 -DWEIGHT_POWER=2 -DHAS_MUTE=1 -DSTORAGE=1
      check "$file" -DINTERPOLATION=1 -DANTIALIAS=2 -DWEIGHT_POWER=5 -DHAS_MUTE=1 -DSTORAGE=1 -DLAW=1
      check "$file" -DINTERPOLATION=0 -DANTIALIAS=2 -DWEIGHT_POWER=8 -DHAS_MUTE=1 -DSTORAGE=1 -DLAW=3
      ;;
  esac
done
[ "$failed" = 0 ] && echo "ptx: $checked texts without double precision" && exit 0
echo "ptx: FAILED"
exit 1

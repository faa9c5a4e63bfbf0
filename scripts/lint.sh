#!/bin/sh
# What a reader should not have to look for. Each part says what it found; all parts run, any finding fails.
# shellcheck disable=SC2317 # the parts are called through part()
set -u
cd "$(dirname "$0")/.." || exit 1
jobs=${JOBS:-2}
failed=
part() { # part NAME COMMAND...
  name=$1
  shift
  if "$@"; then echo "ok: $name"; else failed="$failed, $name"; fi
}
sources() { git ls-files "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done; }

formatting() { sources '*.c' '*.h' | xargs clang-format --dry-run -Werror; }

# Every header compiles alone; the public ones in C++ too. Those of simd/ are one text compiled per instruction set: not alone.
headers() {
  bad=0
  for header in $(sources 'include/*.h' 'src/*.h' ':!src/*/simd/*'); do
    clang -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -Isrc -I. -fsyntax-only -x c - <<END || bad=1
#include "${header#*/}"
END
  done
  python=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')
  for header in $(sources 'python/*.h'); do
    clang -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -Ipython/src -isystem "$python" -fsyntax-only -x c - <<END || bad=1
#include "${header##*/}"
END
  done
  for header in $(sources 'include/*.h'); do
    clang++ -std=c++11 -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ - <<END || bad=1
#include "${header#*/}"
END
  done
  return "$bad"
}

builds() { # builds COMPILER: everything, with warnings as errors
  [ -f "build-lint-$1/build.ninja" ] || cmake --preset debug -B "build-lint-$1" -DCMAKE_C_COMPILER="$1" -DMOHO_WERROR=ON >/dev/null || return 1
  cmake --build "build-lint-$1" -j "$jobs" -- --quiet
}

tidy() { # the sources that the build knows how to compile
  sources 'src/*.c' 'apps/*.c' 'python/*.c' | while read -r file; do
    grep -q "\"file\": \".*/$file\"" build-lint-clang/compile_commands.json && echo "$file"
  done | xargs -P "$jobs" -n 4 clang-tidy --quiet -p build-lint-clang 2>build-lint-clang/tidy.err ||
    { grep -v 'warnings generated' build-lint-clang/tidy.err; return 1; }
}

shell_scripts() { sources '*.sh' .ci/run | xargs shellcheck; }

part "formatting" formatting
part "rooms" python3 scripts/check_rooms.py
part "headers alone" headers
part "shell scripts" shell_scripts
part "kernels in single precision" scripts/ptx_check.sh
part "kernels in what all machines share" python3 tests/metal/kernel_lint.py
part "metal for arm64 macOS" scripts/check_metal.sh
part "build with gcc" builds gcc
part "build with clang" builds clang
part "clang-tidy" tidy

[ -z "$failed" ] && echo "lint: nothing to complain about" && exit 0
echo "lint: FAILED: ${failed#, }"
exit 1

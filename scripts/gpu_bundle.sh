#!/bin/sh
# Builds Moho into a folder that runs on a machine where nothing can be installed: the command, the tests that a device matters to,
# the examples of the runtime and the Python packages, with every shared library that they need beside them, all but the C library.
# For GPU machines without our libraries. Tests on doubles stay at home: there they need no GPU.
#   scripts/gpu_bundle.sh [FOLDER]      default build-gpu-bundle; JOBS=2, CC=clang
# Run there: scripts/gpu_bench.sh FOLDER RESULTS. The C library there must be at least as new as the one here.
set -eu
cd "$(dirname "$0")/.."
bundle=${1:-build-gpu-bundle}
make_folder=build-gpu
: "${JOBS:=2}" "${CC:=$(command -v clang || echo cc)}"

# Old-style run paths: those of a program also hold for what its libraries need. Python's module lies in python/moho.
run_path="-Wl,--disable-new-dtags,-rpath,'\$ORIGIN/lib',-rpath,'\$ORIGIN',-rpath,'\$ORIGIN/../../lib'"
cmake -S . -B "$make_folder" -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_SKIP_RPATH=ON -DCMAKE_EXE_LINKER_FLAGS="$run_path" \
  -DCMAKE_SHARED_LINKER_FLAGS="$run_path" -DCMAKE_MODULE_LINKER_FLAGS="$run_path" >/dev/null

# "area program": the runtime's tests, CUDA's own, and those that take their device from MOHO_DEVICE or from "auto".
rm -rf "$bundle"
mkdir -p "$bundle/lib"
for file in tests/device/test_*.c tests/cuda/test_*.c tests/migrate/test_*.c tests/physics/test_*.c tests/tensor/test_*.c \
  tests/program/test_*.c; do
  area=$(basename "$(dirname "$file")") name=$(basename "$file" .c)
  case $name in
    test_cuda_device | test_cuda_runtime | test_disk_cache) ;;
    test_cuda_* | test_fibers) continue ;;
    *) [ "$area" = device ] || grep -qE 'MOHO_DEVICE|"auto"|migrate_constant|(tensor|physics|device)_support.h' "$file" || continue ;;
  esac
  if grep -q "add_test(.*/$name\")" "$make_folder/tests/$area/CTestTestfile.cmake"; then echo "$area $name"; fi
done >"$bundle/tests.txt"
examples=$(sed -n 's/^add_test(.*\/\(example_runtime_[a-z_]*\)")$/\1/p' "$make_folder/examples/CTestTestfile.cmake")
programs="moho $(cut -d ' ' -f 2 "$bundle/tests.txt" | tr '\n' ' ') $examples"

# shellcheck disable=SC2086
cmake --build "$make_folder" -j "$JOBS" --target moho_command ${programs#moho }
for program in $programs; do strip -o "$bundle/$program" "$make_folder/$program"; done

# The Python packages (abi3: for any Python from 3.11 on) and their tests; pytest where it is at hand, for a machine without.
if [ -d "$make_folder/python" ]; then
  cmake --build "$make_folder" -j "$JOBS" --target moho_python
  mkdir -p "$bundle/python" "$bundle/python_tests"
  cp -rL "$make_folder/python/." "$bundle/python"
  find "$bundle/python" -name __pycache__ -prune -exec rm -rf {} +
  strip --strip-unneeded "$bundle/python/moho/_moho.abi3.so"
  cp tests/python/*.py bench/python_interchange.py "$bundle/python_tests"
  mkdir -p "$bundle/python_tests/examples" "$bundle/python_tests/pytest" && cp -r examples/program "$bundle/python_tests/examples"
  for package in pytest _pytest pluggy iniconfig packaging attr attrs py.py; do
    [ ! -e "/usr/lib/python3/dist-packages/$package" ] || cp -r "/usr/lib/python3/dist-packages/$package" "$bundle/python_tests/pytest"
  done
  programs="$programs python/moho/_moho.abi3.so"
fi

# What is needed comes along under the name that is asked for; libc and its own parts are the machine's.
for program in $programs; do LD_LIBRARY_PATH=$PWD/$make_folder ldd "$bundle/$program"; done |
  sed -n 's/^[[:space:]]*\([^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' | sort -u |
  grep -Ev '^(libc|libm|libdl|librt|libpthread|ld-linux[^ ]*)\.so' | while read -r name path; do
  strip --strip-unneeded -o "$bundle/lib/$name" "$path"
done
ln -s libmoho.so.0 "$bundle/lib/libmoho.so"
git rev-parse HEAD >"$bundle/commit" 2>/dev/null || echo unknown >"$bundle/commit"
git diff --quiet HEAD 2>/dev/null || echo "with changes" >>"$bundle/commit"

# Nothing but the C library may come from the machine.
here=$(cd "$bundle" && pwd)
foreign=$(for program in $programs lib/libmoho.so; do env -i ldd "$here/$program"; done |
  grep -Ev "=> $here/|linux-vdso|ld-linux|(libc|libm|libdl|librt|libpthread)\.so" || true)
if [ "$foreign" ]; then
  printf 'gpu_bundle: still taken from this machine:\n%s\n' "$foreign" >&2
  exit 1
fi
env -i "$bundle/moho" --version >/dev/null
tar -czf "$bundle.tar.gz" -C "$(dirname "$here")" "$(basename "$here")"
megabytes=$(du -sm "$bundle.tar.gz" | cut -f 1)
echo "gpu_bundle: $bundle, $(wc -l <"$bundle/tests.txt") tests; packed: $bundle.tar.gz, $megabytes MB"
if [ "$megabytes" -ge 55 ]; then echo "gpu_bundle: too large to be carried, expected less than 55 MB" >&2 && exit 1; fi

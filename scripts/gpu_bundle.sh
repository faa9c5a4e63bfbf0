#!/bin/sh
# Builds Moho into a folder that runs on a machine where nothing can be installed: the command, the test programs and the
# examples, with every shared library that they need beside them, all but the C library. For GPU machines without our libraries.
#   scripts/gpu_bundle.sh [FOLDER]      default build-gpu-bundle; JOBS=2, CC=clang
# Run there: scripts/gpu_bench.sh FOLDER RESULTS. The C library there must be at least as new as the one here.
set -eu
cd "$(dirname "$0")/.."
bundle=${1:-build-gpu-bundle}
make_folder=build-gpu
: "${JOBS:=2}" "${CC:=$(command -v clang || echo cc)}"

# Old-style run paths: those of a program also hold for what its libraries need.
run_path="-Wl,--disable-new-dtags,-rpath,'\$ORIGIN/lib',-rpath,'\$ORIGIN'"
cmake -S . -B "$make_folder" -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_SKIP_RPATH=ON -DCMAKE_EXE_LINKER_FLAGS="$run_path" \
  -DCMAKE_SHARED_LINKER_FLAGS="$run_path" >/dev/null
cmake --build "$make_folder" -j "$JOBS"

rm -rf "$bundle"
mkdir -p "$bundle/lib"
for program in "$make_folder"/moho "$make_folder"/test_* "$make_folder"/runtime_* "$make_folder"/example_*; do
  if [ -f "$program" ] && [ -x "$program" ]; then strip -o "$bundle/$(basename "$program")" "$program"; fi
done

# What is needed comes along under the name that is asked for; libc and its own parts are the machine's.
for program in "$make_folder"/moho "$bundle"/test_*; do LD_LIBRARY_PATH=$make_folder ldd "$program"; done |
  sed -n 's/^[[:space:]]*\([^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' | sort -u |
  grep -Ev '^(libc|libm|libdl|librt|libpthread|ld-linux[^ ]*)\.so' | while read -r name path; do
  strip --strip-unneeded -o "$bundle/lib/$name" "$path"
done
ln -s libmoho.so.0 "$bundle/lib/libmoho.so"
# The tests that the device matters to, as "area program".
for area in device cuda physics migrate; do
  sed -n 's/^add_test([^ ]* "[^"]*\/\([a-z0-9_]*\)")$/'"$area"' \1/p' "$make_folder/tests/$area/CTestTestfile.cmake" 2>/dev/null || true
done >"$bundle/tests.txt"
git rev-parse HEAD >"$bundle/commit" 2>/dev/null || echo unknown >"$bundle/commit"
git diff --quiet HEAD 2>/dev/null || echo "with changes" >>"$bundle/commit"

# Nothing but the C library may come from the machine.
here=$(cd "$bundle" && pwd)
foreign=$(for file in "$here"/moho "$here"/*_* "$here"/lib/libmoho.so; do env -i ldd "$file"; done |
  grep -Ev "=> $here/|linux-vdso|ld-linux|(libc|libm|libdl|librt|libpthread)\.so" || true)
if [ "$foreign" ]; then
  printf 'gpu_bundle: still taken from this machine:\n%s\n' "$foreign" >&2
  exit 1
fi
env -i "$bundle/moho" --version >/dev/null
du -sh "$bundle" | sed 's/^/gpu_bundle: /'

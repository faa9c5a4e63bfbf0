#!/bin/sh
# The tests (but those labelled slow) under the address and undefined-behaviour sanitizers (leaks included), then those of the
# runtime, the migration and the Metal backend under the thread sanitizer. Clang with libomp: libomp's own tool, archer, tells
# the thread sanitizer how OpenMP orders things.
set -u
cd "$(dirname "$0")/.." || exit 1
jobs=${JOBS:-2}
failed=0

build() { # build PRESET
  [ -f "build-$1/build.ninja" ] || cmake --preset "$1" >/dev/null || return 1
  cmake --build "build-$1" -j "$jobs"
}

export MOHO_TEST_BRIEF=1 # what takes minutes is left out or shortened
export OMP_WAIT_POLICY=passive # several tests share the processors: threads that spin while they wait take them from the others
# Clang's runtime up to 16 looks for a header that glibc before 2.25 put before a library's thread-local block, takes what happens to
# lie there for one, and now and then ends in a segmentation fault when it looks for leaks: switched off.
build asan && ASAN_OPTIONS=detect_leaks=1:intercept_tls_get_addr=0 UBSAN_OPTIONS=print_stacktrace=1 \
  ctest --test-dir build-asan --output-on-failure -j "$jobs" -LE slow || failed=1
threads() { # ctest arguments...
  TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1 ctest --output-on-failure -j "$jobs" --no-tests=error "$@"
}
if build tsan; then
  threads --test-dir build-tsan/tests/device || failed=1
  threads --test-dir build-tsan/tests/migrate || failed=1
  threads --test-dir build-tsan/tests/physics -R 'determinism|invariance' || failed=1
  threads --test-dir build-tsan/tests/metal -R 'test_metal_faults$|(handles|in_use|kern_dialect|stream)_metal$' || failed=1
else
  failed=1
fi

[ $failed = 0 ] && echo "sanitize: address, undefined, leaks and threads are clean" || echo "sanitize: FAILED" >&2
exit $failed

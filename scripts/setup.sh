#!/bin/sh
# Installs what Moho needs and this machine lacks; where all is there it does nothing and takes a fraction of a second.
#   scripts/setup.sh [build|python|test|check]
#     build   what compiles and runs Moho (default)
#     python  and what builds it for Python, wheels too
#     test    and what its tests use
#     check   and what lint, sanitizers and fuzzing use
# Debian and Ubuntu: apt-get, as root or through sudo. macOS: Homebrew, and the two libraries that it lacks from pinned sources.
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
refuse() { echo "setup: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

what=${1:-build}
case $what in build | python | test | check) ;; *) refuse "unknown set '$what', expected build, python, test or check" ;; esac
wants() { # wants test: is the set "test" part of what was asked for?
  case $what:$1 in *:build | python:python | test:python | test:test | check:*) return 0 ;; *) return 1 ;; esac
}

# ---- Debian, Ubuntu ----

debian_packages() { # one package a line
  echo clang libomp-dev cmake ninja-build pkg-config libyaml-dev libjansson-dev libpopt-dev libblosc-dev libpng-dev zlib1g-dev \
    libkissfft-dev libsegyio-dev libopenblas0-pthread
  ! wants python || echo python3 python3-dev python3-numpy python3-setuptools python3-pip python3-wheel patchelf
  ! wants test || echo libcmocka-dev python3-pytest python3-scipy python3-tqdm python3-segyio python3-zarr python3-xarray
  ! wants check || echo gcc g++ libc6-dev clang-format clang-tidy llvm shellcheck git clang-19
}

# The sanitizers' and the fuzzer's runtime is a package of its own, named after clang's version (where clang has it apart).
debian_runtime_package() {
  version=$(clang -dumpversion | cut -d. -f1)
  if apt-cache show "libclang-rt-$version-dev" >/dev/null 2>&1; then echo "libclang-rt-$version-dev"; fi
}

debian_missing() { # of the packages given, those not installed
  # shellcheck disable=SC2048,SC2086
  present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $* 2>/dev/null | sed -n 's/^installed //p') || true
  for package in "$@"; do
    echo "$present" | grep -qx -- "$package" || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then env DEBIAN_FRONTEND=noninteractive "$@"
  elif have sudo; then sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else refuse "needs root to run '$*': run it as root, or install sudo"
  fi
}

debian_install() {
  say "installing with apt-get: $*"
  [ -n "${updated:-}" ] || as_root apt-get -qq update || refuse "apt-get update failed: is the network there?"
  updated=1
  as_root apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >/dev/null ||
    refuse "apt-get could not install: $*"
}

setup_debian() {
  # shellcheck disable=SC2046
  missing=$(debian_missing $(debian_packages))
  # shellcheck disable=SC2086
  [ -z "$missing" ] || debian_install $missing
  if wants check && ! sanitizer_runtime_there; then
    runtime=$(debian_runtime_package)
    [ -z "$runtime" ] || debian_install "$runtime"
    sanitizer_runtime_there || refuse "clang's sanitizer runtime is not there after installing '$runtime'"
  fi
  # The Metal test double compiles kernels with it; those tests are skipped where it is not to be had.
  if wants test && ! have clang-19; then
    if apt-cache show clang-19 >/dev/null 2>&1; then debian_install clang-19
    else say "no package clang-19 here: the tests of the Metal backend will be skipped"
    fi
  fi
}

sanitizer_runtime_there() {
  library=$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a")
  [ -f "$library" ] || [ -f "$(clang -print-runtime-dir)/libclang_rt.fuzzer.a" ]
}

# ---- macOS ----

homebrew_packages() {
  echo cmake ninja pkgconf libyaml jansson popt c-blosc libpng libomp
  ! wants python || echo python numpy
  ! wants test || echo cmocka scipy
  ! wants check || echo llvm clang-format shellcheck
}

setup_macos() {
  have brew || refuse "needs Homebrew (https://brew.sh)"
  have clang || refuse "needs Apple's compiler: run xcode-select --install"
  installed=$(brew list --formula -1)
  missing=
  for package in $(homebrew_packages); do
    echo "$installed" | grep -qx -- "$package" || missing="$missing $package"
  done
  if [ -n "$missing" ]; then
    say "installing with Homebrew:$missing"
    # shellcheck disable=SC2086
    brew install --quiet $missing || refuse "Homebrew could not install:$missing"
  fi
  scripts/build_dependencies.sh
}

# ---- all ----

check_cmake() {
  version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  # shellcheck disable=SC2086
  set -- $version
  [ "$1" -gt 3 ] || { [ "$1" = 3 ] && [ "$2" -ge 25 ]; } ||
    refuse "needs CMake 3.25 or newer, this is $1.$2: install a newer one (cmake.org/download) ahead of it in PATH"
}

if have apt-get && have dpkg-query; then setup_debian
elif [ "$(uname -s)" = Darwin ]; then setup_macos
else refuse "knows apt-get (Debian, Ubuntu) and Homebrew (macOS); elsewhere install: clang libomp cmake ninja pkg-config
  libyaml jansson popt c-blosc libpng zlib kissfft (float) segyio, for the tests cmocka and python3 with numpy segyio zarr xarray"
fi
check_cmake
say "all that '$what' needs is there"

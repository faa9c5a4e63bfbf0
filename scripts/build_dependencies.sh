#!/bin/sh
# Builds the two libraries that Homebrew lacks, the C library of segyio and kissfft (float), from pinned sources into
# build-deps/. An archive whose SHA-256 differs from the one written here is refused. Nothing is done where they are there.
# The hashes are those of Debian 12's signed source index, whose archives are upstream's. Building kissfft this way was tried
# on Linux; building segyio, and all of it on macOS, was not.
set -eu
cd "$(dirname "$0")/.."
prefix=$PWD/build-deps
work=$prefix/src

say() { echo "dependencies: $*"; }
refuse() { echo "dependencies: $*" >&2; exit 1; }

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

# fetch NAME SHA256 URL...: the archive of the first URL that gives the right bytes, unpacked in $work/NAME
fetch() {
  name=$1 hash=$2
  shift 2
  mkdir -p "$work"
  for url in "$@"; do
    say "fetching $url"
    curl -fsSL --retry 2 -o "$work/$name.tar.gz" "$url" || continue
    [ "$(sha256 "$work/$name.tar.gz")" = "$hash" ] && break
    say "$url: its SHA-256 is $(sha256 "$work/$name.tar.gz"), expected $hash"
    rm -f "$work/$name.tar.gz"
  done
  [ -f "$work/$name.tar.gz" ] || refuse "$name could not be had with SHA-256 $hash: put the archive at $work/$name.tar.gz by hand"
  rm -rf "${work:?}/$name"
  mkdir "$work/$name"
  tar -xzf "$work/$name.tar.gz" -C "$work/$name" --strip-components 1
}

failed() {
  tail -n 20 "$work/$1.log" >&2
  refuse "building $1 failed"
}

build() { # build NAME CMAKE-OPTIONS...
  name=$1
  shift
  say "building $name"
  cmake -G Ninja -S "$work/$name" -B "$work/$name/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_POLICY_VERSION_MINIMUM=3.5 -DBUILD_SHARED_LIBS=OFF "$@" \
    >"$work/$name.log" 2>&1 || failed "$name"
  cmake --build "$work/$name/build" --target install >>"$work/$name.log" 2>&1 || failed "$name"
}

if [ ! -f "$prefix/lib/libkissfft-float.a" ]; then
  fetch kissfft 76c1aac87ddb7258f34b08a13f0eebf9e53afa299857568346aa5c82bcafaf1a \
    https://github.com/mborgerding/kissfft/archive/refs/tags/131.1.0.tar.gz \
    https://deb.debian.org/debian/pool/main/k/kissfft/kissfft_131.1.0.orig.tar.gz
  build kissfft -DKISSFFT_DATATYPE=float -DKISSFFT_STATIC=ON -DKISSFFT_TEST=OFF -DKISSFFT_TOOLS=OFF -DKISSFFT_PKGCONFIG=ON
fi
if [ ! -f "$prefix/lib/libsegyio.a" ]; then
  fetch segyio a563f630c959236164b5cf3317671cb0202bdb7cae4f72e71b31a7d9c40365cb \
    https://github.com/equinor/segyio/archive/refs/tags/v1.8.3.tar.gz \
    https://deb.debian.org/debian/pool/main/s/segyio/segyio_1.8.3.orig.tar.gz
  build segyio -DBUILD_PYTHON=OFF -DBUILD_TESTING=OFF -DBUILD_DOC=OFF
fi

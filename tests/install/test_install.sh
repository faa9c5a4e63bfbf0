#!/bin/sh
# What is installed is enough: installs into a folder of its own, builds the examples as an outside project would, by
# find_package(moho) and by pkg-config, and runs them.
#   test_install.sh BUILD_FOLDER SOURCE_FOLDER C_COMPILER [FLAGS]
set -eu
build=$1 source=$2 compiler=$3 flags=${4:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "install: $*" >&2; exit 1; }

DESTDIR="$work/staged" cmake --install "$build" --prefix /opt/moho >"$work/log" || { cat "$work/log"; fail "cmake --install"; }
prefix=$work/staged/opt/moho
grep -rl -e "$source" "$prefix/include" "$(dirname "$(find "$prefix" -name moho-config.cmake)")" &&
  fail "the files above name the folder that Moho was built from"

# Moved as a whole it still works: packages are made that way.
mv "$prefix" "$work/prefix"
prefix=$work/prefix
config=$(dirname "$(find "$prefix" -name moho-config.cmake)")
libraries=$(dirname "$(dirname "$config")")

mkdir "$work/outside"
cp "$source"/tests/install/outside/CMakeLists.txt "$source"/examples/c/* "$work/outside"
by_cmake() {
  cmake -S "$work/outside" -B "$work/outside/build" -Dmoho_DIR="$config" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_FLAGS="$flags" &&
    cmake --build "$work/outside/build"
}
by_cmake >"$work/log" 2>&1 || { cat "$work/log"; fail "find_package(moho)"; }
for program in runtime_vector_add runtime_reduction runtime_pipeline; do
  "$work/outside/build/$program" cpu || fail "$program, built by find_package(moho)"
done

export PKG_CONFIG_PATH="${libraries%/cmake}/pkgconfig"
cd "$work/outside"
cmake -DINPUT=vector_add.k -DOUTPUT=vector_add_text.c -DNAME=vector_add -P "$(pkg-config --variable=embed_kernel moho)"
# shellcheck disable=SC2046,SC2086 # flags are words
"$compiler" $flags runtime_vector_add.c vector_add_text.c -iquote "$(pkg-config --variable=kernels moho)" \
  $(pkg-config --cflags --libs moho) -Wl,-rpath,"$(pkg-config --variable=libdir moho)" -o by_pkg_config
./by_pkg_config cpu || fail "runtime_vector_add, built by pkg-config"
"$prefix/bin/moho" --version >/dev/null || fail "the installed command does not run"

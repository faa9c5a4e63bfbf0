#!/bin/sh
# The Metal backend as clang for arm64 macOS sees it, without an SDK: the headers of the C library are stubs of ours
# (tests/metal/stubs) with macOS' own types and numbers. Nothing is linked or run. Also what no source of it may hold.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
for source in src/device/metal/*.c; do
  for target in arm64-apple-macos13 x86_64-apple-macos13; do # Intel Macs only have to be told no
    "${CLANG:-clang}" -target "$target" -fsyntax-only -std=gnu11 -nostdlibinc -isystem tests/metal/stubs -Iinclude -Isrc -I. \
      -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror "$source" || bad=1
  done
done
# A variadic objc_msgSend, a struct as a result or a block would pass this check and fail on a Mac.
if grep -nE 'objc_msgSend\(|_stret|_fpret|\(\^' src/device/metal/*.c; then
  echo "src/device/metal: messages are sent by METAL() only, without struct results and blocks" >&2
  bad=1
fi
if grep -nE '^ *X\([a-z_]+, [A-Z]+, [a-z_0-9]+, "[^"]*", metal_size' src/device/metal/metal_api.h; then
  echo "metal_api.h: a struct is a result" >&2
  bad=1
fi
exit "$bad"

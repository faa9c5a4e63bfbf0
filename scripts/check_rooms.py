#!/usr/bin/env python3
"""Checks the house rules that a compiler does not see (docs/design.md): a room includes only rooms below it; programs use only
include/moho; backends and systems are not named above src/device; files are written through src/base/file_writer alone."""
import pathlib
import re
import subprocess
import sys

# A room and the rooms it may include from, besides the public headers.
ROOMS = {
    "base": {"base"},
    "device": {"base", "device", "kernels"},
    "survey": {"base", "survey"},
    "migrate": {"base", "device", "survey", "migrate", "kernels"},
    "tensor": {"base", "device", "tensor", "kernels"},
    "program": {"base", "device", "program", "kernels"},
    "job": {"base", "device", "survey", "migrate", "job"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
PLATFORM = re.compile(r"^\s*#\s*(?:el)?if.*\b(__APPLE__|__linux__|_WIN32|\w*CUDA\w*|\w*METAL\w*)\b")
WRITE = re.compile(r'\b(fopen|freopen)\s*\([^;]*,\s*"[^"]*[wa+]|\b(creat|mkstemp|mkostemp)\s*\(|\bO_(WRONLY|RDWR|CREAT)\b')
WRITERS = ("src/base/disk_calls.c", "src/base/file_writer.c", "src/base/file_append.c", "src/base/file_lock.c")
# libpng and libsegyio could write by themselves; ours hand their bytes to the writer.
OTHER_WRITERS = re.compile(r"\b(png_init_io|segy_open\s*\([^;]*\"[^\"]*[wa+])")


def room_of(path):
    parts = pathlib.PurePath(path).parts
    if parts[0] == "src":
        return parts[1]
    return parts[0]


def complaints(path, text):
    room = room_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            yield from include_complaints(path, room, number, include.group(1), include.group(2))
        if path.startswith("src/") and room not in ("base", "device") or room in ("apps", "python"):
            if PLATFORM.match(line):
                yield f"{path}:{number}: a system or backend is named above src/device: {line.strip()}"
        if room in ("src", *ROOMS, "apps", "python") and path not in WRITERS and (WRITE.search(line) or OTHER_WRITERS.search(line)):
            yield f"{path}:{number}: a file is opened for writing: src/base/file_writer.h does that: {line.strip()}"
        if len(line) > 130:
            yield f"{path}:{number}: {len(line)} columns, at most 130"


def include_complaints(path, room, number, bracket, name):
    first = name.split("/")[0]
    if path.endswith(".k") or room == "kernels":  # flattened for compilers that know no folders: plain names
        beside = "/" not in name and ((pathlib.Path(path).parent / name).exists() or (pathlib.Path("kernels") / name).exists())
        if path != "kernels/kern.h" and (bracket == "<" or not beside):  # which alone knows the three languages
            yield f'{path}:{number}: a kernel includes "{name}": kernels use headers of kernels/ and beside them, by plain names'
        return
    if first == "moho" or bracket == "<":
        return
    if room == "include":
        yield f'{path}:{number}: a public header includes "{name}", expected "moho/..."'
    elif room in ("apps", "python"):
        beside = (pathlib.Path(path).parent / name).exists()
        if not beside or first in ROOMS:
            yield f'{path}:{number}: a program includes "{name}": programs use include/moho only'
    elif room in ROOMS:
        beside = "/" not in name and (pathlib.Path(path).parent / name).exists()
        if not beside and first not in ROOMS[room]:
            yield f'{path}:{number}: room {room} includes "{name}": it may use {", ".join(sorted(ROOMS[room]))}'


def main():
    listed = subprocess.run(["git", "ls-files", "*.c", "*.h", "*.k"], check=True, capture_output=True, text=True).stdout.split()
    found = [words for path in listed if pathlib.Path(path).exists()
             for words in complaints(path, pathlib.Path(path).read_text(encoding="utf-8"))]
    print("\n".join(found) if found else f"rooms: {len(listed)} files keep the rules of the house")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

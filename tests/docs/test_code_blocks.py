#!/usr/bin/env python3
"""The code in the docs works: a block after `<!-- from FILE -->` is a piece of that file, and every other block of C compiles as
the body of a function, after a prelude of what it takes as given.

    test_code_blocks.py SOURCE_FOLDER DOCUMENT PRELUDE COMPILER [FLAG ...]"""
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"(?:<!-- from (\S+) -->\n)?```c\n(.*?)```", re.S)
FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable", "-Wno-unused-but-set-variable",
         "-Wno-unused-function", "-fsyntax-only"]


def words(text):
    """Blanks and lengths of lines do not count, nor do comments that the document leaves out."""
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S).split()


def is_piece(block, whole):
    block, whole = words(block), words(whole)
    return any(whole[i:i + len(block)] == block for i in range(len(whole) - len(block) + 1))


def compiles(block, prelude, compiler, flags):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "block.c"
        source.write_text(f'#include "{prelude}"\nvoid block(void);\nvoid block(void) {{\n#line 1 "block"\n{block}}}\n')
        done = subprocess.run([compiler, *FLAGS, *flags, str(source)], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def main():
    source, document, prelude, compiler, *flags = sys.argv[1:]
    text = pathlib.Path(document).read_text(encoding="utf-8")
    bad = pieces = compiled = 0
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start(2)) + 1
        origin, block = match.groups()
        if origin:
            pieces += 1
            if not is_piece(block, (pathlib.Path(source) / origin).read_text(encoding="utf-8")):
                bad += 1
                print(f"{document}:{line}: this is no piece of {origin}")
        else:
            compiled += 1
            good, said = compiles(block, prelude, compiler, flags)
            if not good:
                bad += 1
                print(f"{document}:{line}: does not compile:\n{said}")
    print(f"{document}: {pieces} pieces of files, {compiled} compiled, {bad} wrong")
    return 1 if bad or not pieces or not compiled else 0


if __name__ == "__main__":
    sys.exit(main())

"""The footprint of two images: how much the amplitude varies along the flat reflector at 0.6 s. Needs nothing but Python."""

import json
import math
import struct
import sys

SAMPLES, STEP, REFLECTOR, EDGE = 601, 0.002, 0.6, 60  # EDGE: columns left out at either end of the line


def columns(path):
    with open(path, "rb") as file:
        data = file.read()
    length = 240 + 4 * SAMPLES
    for at in range(3600, len(data), length):
        yield struct.unpack(f">{SAMPLES}f", data[at + 240:at + length])


def footprint(directory):
    """Standard deviation over mean of the reflector's peak."""
    middle = round(REFLECTOR / STEP)
    peaks = [max(column[middle - 8:middle + 9]) for column in columns(f"{directory}/stack.sgy")][EDGE:-EDGE]
    mean = sum(peaks) / len(peaks)
    return math.sqrt(sum((peak - mean) ** 2 for peak in peaks) / len(peaks)) / mean


before, after = (footprint(directory) for directory in sys.argv[1:3])
with open(f"{sys.argv[2]}/report.json", encoding="utf-8") as file:
    history = json.load(file)["least_squares"]["history"]
print("residual", " ".join(f"{step['residual']:.3f}" for step in history))
print(f"amplitude along the reflector varies by {100 * before:.1f} % as migrated, by {100 * after:.1f} % after least squares")
sys.exit(0 if after < before / 3 and history[-1]["residual"] < 0.35 else 1)

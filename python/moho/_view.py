"""Pictures of arrays, drawn by the library itself: nothing else needs to be installed."""

import os

import numpy as np

from . import _moho

_COLOURS = {"grey": 0, "red_blue": 1, "sequential": 2}


def _axis(name, axis):
    label, unit, first, step = axis if axis is not None else ("", "", 0.0, 1.0)
    if not step:
        raise ValueError(f"{name}: the step is 0, expected the distance between samples")
    return str(label), str(unit), float(first), float(step)


def _line(line):
    across, down, (red, green, blue), *dots = line
    return (np.ascontiguousarray(across, np.float64), np.ascontiguousarray(down, np.float64), int(red), int(green), int(blue),
            bool(dots and dots[0]))


def write_png(path, data, *, across=None, down=None, title=None, subtitle=None, value_label=None, colours="grey", symmetric=True,
              wiggles=False, clip_percentile=99.0, clip_value=0.0, width=0, height=0, lines=()):
    """Draw an array as a picture, with axes, units and a colour bar.

    path: the PNG; written under a temporary name that is renamed in the end.
    data: [across, down], the second axis downwards, as [crossline, time] of a section; real numbers, NaN is drawn apart.
    across, down: (label, unit, value of sample 0, step) of the axes; None: sample numbers.
    colours: "grey", "red_blue" or "sequential". symmetric: from -clip to clip (amplitudes); False: from least to most.
    clip_percentile: of |value|; clip_value > 0 takes its place. wiggles: wiggle traces over the colours.
    width, height: pixels of the whole picture; 0: chosen from the data.
    lines: up to 16 of (across, down, (red, green, blue)[, dots]) over it, in values of the axes; NaN parts a line.
    Raises ValueError (a wrong word or shape), moho.FileError.
    """
    if colours not in _COLOURS:
        raise ValueError(f"colours: {colours!r}, expected grey, red_blue or sequential")
    data = np.ascontiguousarray(data, np.float32)
    if data.ndim != 2:
        raise ValueError(f"data: {data.ndim} dimensions, expected 2: [across, down]")
    _moho.write_png(os.fspath(path), data, _COLOURS[colours], bool(symmetric), bool(wiggles), float(clip_percentile), float(clip_value),
                    int(width), int(height), title, subtitle, value_label, _axis("across", across), _axis("down", down),
                    [_line(line) for line in lines])

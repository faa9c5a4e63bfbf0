"""moho.synth: synthetic surveys whose travel times are exact."""

import dataclasses
import os

import numpy as np

from . import _moho
from ._progress import callback_of


@dataclasses.dataclass
class Survey:
    """Traces in memory: ``traces`` float32 [trace, time], ``geometry`` (columns [trace] by name, as ``moho.migrate`` takes them) and
    ``dt_s``, the seconds between samples. Of a file that was read, too: ``headers``, those asked for, float64 [trace] by name, and
    ``info``, what it is (format, traces_in_file, anomalies, text_header, ...).
    """

    traces: np.ndarray
    geometry: dict
    dt_s: float
    headers: dict = dataclasses.field(default_factory=dict)
    info: dict = dataclasses.field(default_factory=dict)

    def __repr__(self):
        return f"<moho.Survey: {self.traces.shape[0]} traces of {self.traces.shape[1]} samples, {1000 * self.dt_s:g} ms>"


def _text(value):
    if isinstance(value, (list, tuple, np.ndarray)):
        nested = any(isinstance(part, (list, tuple, np.ndarray)) for part in value)
        return ",".join(":".join(map(_text, part)) if nested else _text(part) for part in value)
    return repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)


def synth(preset=None, *, path=None, progress=None, **options):
    """A synthetic survey: diffractors and reflectors in a constant or v0 + k z medium, with exact travel times.

    preset: "tiny", "small", "medium" or "large"; None: an empty one to fill in.
    options: the keys of ``moho synth`` (its --help lists them): extent_inline_m, midpoint_spacing_m, offset_last_m, n_samples, dt_s, v0_mps,
        gradient_per_s, peak_hz, noise, ...; lists as text (``"500:500:800:1,200:300:400:0.5"``) or as lists of tuples.
    path: a trace file to write (.sgy, .su, .zarr), in bounded memory; then nothing is returned.
    progress: called with a ``moho.Progress`` while a file is written; False stops it.

    Returns a ``moho.Survey``. Raises ValueError (unknown key or preset: names the nearest), moho.FileError.
    """
    pairs = [(key, _text(value)) for key, value in options.items()]
    if path is not None:
        _moho.synth_write(preset, pairs, os.fspath(path), callback_of(progress))
        return None
    traces, columns, dt_s = _moho.synth(preset, pairs)
    return Survey(np.asarray(traces), {name: np.asarray(column) for name, column in columns.items()}, dt_s)

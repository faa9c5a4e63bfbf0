"""What callers give of a survey - geometry, grid, velocity, options - as the objects that the extension module computes with.

Each function takes such an object too, and returns it: what is used often is made once.
"""

import functools
import json
import os
from collections.abc import Mapping

import numpy as np

from . import _moho

GEOMETRY_COLUMNS = ("source_x", "source_y", "receiver_x", "receiver_y", "first_sample_s", "mute_start_s", "mute_end_s", "cdp",
                    "inline_number", "crossline_number", "flags")
_SECTIONS = ("input", "velocity", "eta", "grid", "migration", "gathers", "output", "execution")
# Keys outside the section "migration" that options may name without their section.
_ELSEWHERE = {"amplitude": "input.amplitude", "resample": "input.resample", "kernel": "execution.kernel",
              "storage": "execution.storage", "tile": "execution.tile", "memory_gb": "execution.memory_gb"}
_VELOCITY_KINDS = ("rms", "interval", "average")


# ---- words ----

def _plain(value):
    """numpy's numbers and arrays, and paths, as JSON knows them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"a {type(value).__name__} is no value of a job's key")


_encode = json.JSONEncoder(default=_plain, allow_nan=False).encode


def words(value, name):
    """A value of a job's key as the text that the job reads."""
    try:
        return _encode(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def option_path(name):
    """The path of an option's key: a path as it is, a section, else a key below "migration"."""
    if "." in name or name in _SECTIONS:
        return name
    return _ELSEWHERE.get(name, f"migration.{name}")


@functools.lru_cache(maxsize=128)
def _job_of(pairs):
    made = _moho.Job()
    for path, text in pairs:
        made.set(path, text)
    return made


_PLAIN_JOB = _moho.Job()


def job(options, velocity_words=None):
    """The job that options make: a dict of the job file's keys (docs/job.md). Those of "migration" stand without their section
    (``aperture={"max_m": 1500}``), other sections by their names (``gathers={"kind": "offset", ...}``), any key by its path
    (``{"migration.aperture.max_m": 1500}``). Unknown ones are refused with the nearest.
    """
    if isinstance(options, _moho.Job):
        return options
    if not options and not velocity_words:
        return _PLAIN_JOB
    pairs = [("velocity", velocity_words)] if velocity_words else []
    pairs += sorted(((option_path(name), words(value, name)) for name, value in (options or {}).items()),
                    key=lambda pair: pair[0].count("."))  # a section before the keys in it
    return _job_of(tuple(pairs))


# ---- geometry ----

def geometry(given):
    """Where traces were recorded, from a dict or structured array of columns [trace]: ``source_x``, ``source_y``,
    ``receiver_x``, ``receiver_y`` (float64, m); and where there are any ``first_sample_s`` (float64 or one number, s),
    ``mute_start_s``, ``mute_end_s`` (float32, s), ``cdp``, ``inline_number``, ``crossline_number`` (int32), ``flags`` (uint8).
    Columns of a dict are held, not copied; those of a structured array are copied.

    Raises ValueError (missing or unknown column, shapes), TypeError (dtype).
    """
    if isinstance(given, _moho.Geometry):
        return given
    names = getattr(getattr(given, "dtype", None), "names", None)
    if names:
        columns = {name: np.ascontiguousarray(given[name]) for name in names}
    elif isinstance(given, Mapping):
        columns = dict(given)
    else:
        raise TypeError(f"geometry: a {type(given).__name__}, expected a dict or structured array of columns: source_x, source_y, "
                        "receiver_x, receiver_y")
    columns.pop("dt_s", None)
    first = columns.get("first_sample_s")
    if isinstance(first, (int, float)) and "source_x" in columns:
        columns["first_sample_s"] = np.full(len(columns["source_x"]), float(first))
    return _moho.Geometry(columns)


# ---- grid ----

@functools.lru_cache(maxsize=32)
def _grid_job(text):
    made = _moho.Job()
    made.set("grid", text)
    return made


def grid(given, of, n_samples, dt_s):
    """Where the image is computed: "auto" (from the midpoints of the geometry ``of``), a dict of the job file's section ``grid``
    (docs/job.md), or a Grid. What the dict leaves out of the time axis comes from the records: ``n_samples``, ``dt_s``.
    """
    if isinstance(given, _moho.Grid):
        return given
    if given is not None and given != "auto" and not isinstance(given, Mapping):
        raise TypeError(f"grid: a {type(given).__name__}, expected \"auto\", a dict as in a job file, or a Grid")
    return _grid_job(words(given or "auto", "grid")).grid(geometry(of), n_samples, dt_s)


# ---- velocity ----

def velocity_words(given):
    """The job's section ``velocity`` for a number or a dict of its keys; None for arrays and for a Velocity."""
    if isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool):
        return words({"constant_mps": float(given)}, "velocity")
    if isinstance(given, Mapping) and "v_mps" not in given:
        return words(given, "velocity")
    return None


@functools.lru_cache(maxsize=32)
def _velocity_job(text):
    made = _moho.Job()
    made.set("velocity", text)
    return made


def _of_functions(given, on):
    known = ("v_mps", "time_s", "type", "min_mps", "max_mps")
    for name in given:
        if name not in known:
            raise ValueError(f'velocity: unknown member "{name}" beside v_mps, expected of {", ".join(known)}')
    kind = given.get("type", "rms")
    if kind not in _VELOCITY_KINDS:
        raise ValueError(f'velocity["type"]: "{kind}", expected one of {", ".join(_VELOCITY_KINDS)}')
    values, times = given["v_mps"], given.get("time_s")
    shape = getattr(values, "shape", None)
    if shape is None or len(shape) not in (1, 3):
        raise ValueError(f"velocity: shape {shape}, expected [time] or [inline, crossline, time]")
    if times is None:
        numbers = on.numbers()
        times = numbers["first_s"] + numbers["step_s"] * np.arange(numbers["n_time"])
    if getattr(values, "dtype", None) in (np.float32, np.dtype(">f4"), np.dtype(">f8")):
        values = values.astype(np.float64)
    return _moho.velocity_functions(np.ascontiguousarray(times, dtype=np.float64), values, _VELOCITY_KINDS.index(kind),
                                    on if len(shape) == 3 else None, float(given.get("min_mps", 500)),
                                    float(given.get("max_mps", 9000)))


def velocity(given, on):
    """Migration velocity on the Grid ``on``: a number (m/s); a dict of the job file's section ``velocity`` (``{"linear_t0":
    {...}}``, ``{"type": "rms", "table": "v.txt"}``); an array of v_rms in m/s at the grid's times, [time] or [inline, crossline,
    time]; a dict ``{"v_mps": array, "time_s": array, "type": "rms"|"interval"|"average", "min_mps": 500, "max_mps": 9000}``; or a
    Velocity.
    """
    if isinstance(given, _moho.Velocity):
        return given
    text = velocity_words(given)
    if text is not None:
        return _velocity_job(text).velocity(on)
    if isinstance(given, np.ndarray):
        given = {"v_mps": given}
    if not isinstance(given, Mapping):
        raise TypeError(f"velocity: a {type(given).__name__}, expected a number in m/s, a dict, an array of v_rms, or a Velocity")
    return _of_functions(given, on)


def make_grid(given, of=None, n_samples=1, dt_s=0.001):
    """A moho.Grid, to be used often: of what ``moho.migrate`` takes as its grid. Where that leaves out nodes or times they come
    from ``of``, a geometry, and its records of ``n_samples``, ``dt_s`` apart.
    """
    nothing = {name: np.zeros(1) for name in GEOMETRY_COLUMNS[:4]}
    if of is None and (given is None or isinstance(given, str) or set(given.get("time", ())) < {"first_s", "step_s", "n"}):
        raise TypeError("make_grid: of is missing: the geometry whose records tell what the grid leaves out (its nodes, or "
                        "time.first_s, step_s and n)")
    return grid(given, nothing if of is None else of, n_samples, dt_s)


def make_velocity(given, on):
    """A moho.Velocity, to be used often: of what ``moho.migrate`` takes as its velocity, on a moho.Grid."""
    return velocity(given, on)

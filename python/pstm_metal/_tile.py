"""migrate_tile: arrays checked, made into what Moho migrates, and its image and fold added to the caller's."""

import functools
import marshal
import numbers
from typing import NamedTuple

import numpy as np

import moho
from moho import _devices, _given, _moho, _survey
from moho._future import start
from moho._progress import callback_of, step_of

from . import _check
from ._check import CopyWarning

MIDPOINT_TOLERANCE_M = 0.01
METRE_TOLERANCE, MS_TOLERANCE = 1e-3, 1e-3
NOT_OF_A_TILE = (("migration.normalise", "is not available: images are added up, and each call has a fold of its own"),
                 ("migration.iterations", "is not available: moho.migrate and moho.KirchhoffOperator do least squares"),
                 ("gathers.kind", "is not available: moho.migrate makes gathers"))


# ---- the device ----


def is_available():
    """True when there is a Metal device: it was opened just now."""
    try:
        moho.Device("metal")
    except moho.DeviceError:
        return False
    return True


def get_device_info(device="auto"):
    """A dict of the device that migrate_tile would take: name, kind ("metal", "cuda", "cpu"), uri, memory and limits in bytes and
    lanes, and is_metal. device: as config["device"].

    Raises ValueError (a name that is none), moho.DeviceError with the reason (a device that is not to be had).
    """
    report = _report(device)
    return {**report, "is_metal": report["kind"] == "metal"}


def _report(device):
    return _devices.find(device, "device").report()


# ---- arguments ----


# What follows from numbers alone is kept: a tile is migrated batch by batch, with the same axes, velocity and words each time.
# Keys are the numbers themselves, as bytes.


@functools.lru_cache(maxsize=64)
def _settings_of(packed):
    return _settings(marshal.loads(packed))


def _settings(config):
    """(device, dt_s, first_sample_s, rho_filter, job) that a config says."""
    config = dict(config)
    device, dt_s, first = (config.pop(name, other) for name, other in (("device", "auto"), ("dt_s", None), ("first_sample_s", 0.0)))
    job = _survey.job(config)
    _given.check(job, "config", NOT_OF_A_TILE)
    for name, value in (("dt_s", dt_s), ("first_sample_s", first)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, numbers.Real)):
            raise TypeError(f"config: {name} is {value!r}, expected a number of seconds")
    if dt_s is not None and not 0 < dt_s < 10:
        raise ValueError(f"config: dt_s is {dt_s:g} s, expected the sample interval of the amplitudes")
    return device, dt_s, float(first), _given.given(job).get("migration.rho_filter", "auto"), job


def _read_config(config):
    if config is None:
        config = {}
    if not isinstance(config, dict):
        raise TypeError(f"config: a {type(config).__name__}, expected a dict")
    try:
        return _settings_of(marshal.dumps(config, 2))
    except ValueError as error:
        if isinstance(error, moho.Error) or str(error) != "unmarshallable object":
            raise
        return _settings(config)


class _Lattice(NamedTuple):
    """Where a tile's nodes are, and the grid that is migrated: a second row where one alone would make a line."""

    grid: object
    migrated: tuple
    dt_s: float


@functools.lru_cache(maxsize=64)
def _lattice_of(shape, x, y, t_ms, dt_s, rho_filter):
    return _lattice(shape, *(np.frombuffer(axis) for axis in (x, y, t_ms)), dt_s, rho_filter)


def _lattice(shape, x_coords, y_coords, t_coords_ms, dt_s, rho_filter):
    x, dx = _check.even_axis("x_coords", x_coords, shape[0], "m", METRE_TOLERANCE)
    y, dy = _check.even_axis("y_coords", y_coords, shape[1], "m", METRE_TOLERANCE)
    t, dt = _check.even_axis("t_coords_ms", t_coords_ms, shape[2], "ms", MS_TOLERANCE)
    if dt < 0 or t < 0:
        raise ValueError(f"t_coords_ms: from {t:g} by {dt:g} ms, expected times from 0 on that grow")
    if dt_s is None:
        if not dt:
            raise ValueError("config: dt_s is missing, the sample interval of the amplitudes; t_coords_ms has one value and tells none")
        dt_s = dt / 1000
    narrow = min(shape[:2]) == 1  # of a 3D image or a 2D line: their filters and weights differ, and nothing else tells
    if narrow and rho_filter == "auto":
        raise ValueError(f"image: shape {shape}, one node wide; config[\"rho_filter\"] must say what of: \"2d\" a line, \"3d\" a part of a 3D "
                         "image, \"none\" the same unfiltered")
    migrated = tuple(2 if n == 1 and rho_filter != "2d" else n for n in shape[:2])
    keys = {
        "origin_m": [x, y],
        "inline_azimuth_deg": 0.0 if dy >= 0 else 180.0,  # crosslines run along y, inlines along x
        "flip": (dx < 0) != (dy < 0),
        "inline": {"n": migrated[0], "spacing_m": abs(dx) or abs(dy) or 25.0},
        "crossline": {"n": migrated[1], "spacing_m": abs(dy) or abs(dx) or 25.0},
        "time": {"first_s": t / 1000, "step_s": dt / 1000 or dt_s, "n": shape[2]},
    }
    return _Lattice(_survey.make_grid(keys), migrated, dt_s)


@functools.lru_cache(maxsize=64)
def _velocity_of(vrms, lattice):
    return _survey.velocity(np.frombuffer(vrms), lattice.grid)


def _velocity(vrms, shape, lattice):
    v = _check.numbers("vrms", vrms, [shape[2:], shape])
    if v.ndim == 1:
        return _velocity_of(v.tobytes(), lattice)
    v = np.pad(v, [(0, m - n) for m, n in zip(lattice.migrated, shape, strict=False)] + [(0, 0)], mode="edge")
    return _survey.velocity(v, lattice.grid)


class _Tile:
    """A call, its arguments checked: what is to be migrated, and where the result is to be added."""

    def __init__(self, amplitudes, places, midpoints, image, fold, coords, vrms, config):
        self.image = _check.writable("image", image, np.float64, (None, None, None))
        self.shape = image.shape
        if not image.size:
            raise ValueError(f"image: shape {image.shape}, expected at least one sample")
        self.fold = _check.writable("fold", fold, np.int32, self.shape[:2])
        if not _moho.tile_is_plain(amplitudes, *places.values(), *midpoints.values(), MIDPOINT_TOLERANCE_M):
            amplitudes, places = _look_closely(amplitudes, places, midpoints)
        self.amplitudes = amplitudes
        device, dt_s, first_sample_s, rho_filter, self.job = _read_config(config)
        self.device = _devices.find(device, 'config["device"]')
        if all(type(axis) is np.ndarray and axis.dtype == np.float64 and axis.ndim == 1 for axis in coords):
            lattice = _lattice_of(self.shape, *(axis.tobytes() for axis in coords), dt_s, rho_filter)
        else:
            lattice = _lattice(self.shape, *coords, dt_s, rho_filter)
        self.grid, self.migrated, self.dt_s = lattice
        if first_sample_s:
            places = {**places, "first_sample_s": np.full(len(amplitudes), first_sample_s)}
        self.geometry = _moho.Geometry(places)
        self.velocity = _velocity(vrms, self.shape, lattice)

    def migrate(self, progress):
        parts = _moho.migrate(self.job, self.device, self.geometry, self.velocity, self.grid, self.amplitudes, self.dt_s, callback_of(progress))
        return np.asarray(parts[0]), np.asarray(parts[1]), parts[5]

    def run(self, progress):
        """Migrate, then add: an error or a stop before the end leaves image and fold as they were."""
        stack, fold, counts = self.migrate(progress)
        nx, ny = self.shape[:2]
        result = {
            "kernel_time_ms": 1000 * counts["kernel_seconds"],
            "traces_processed": int(counts["traces_added"]),
            "contributions": int(counts["contributions"] if self.migrated == self.shape[:2] else fold[:nx, :ny].sum(dtype=np.int64)),
            "device": self.device.uri,
        }
        if progress is not None and progress(moho.Progress("adding", "tiles", 0.0, 1.0, 0.0)) is False:
            raise moho.Interrupted("stopped before anything was added to the image")
        self.image += stack[:nx, :ny]
        self.fold += fold[:nx, :ny].max(axis=2)
        return result


def _look_closely(amplitudes, places, midpoints):
    """What is not plain: copied where it may be, else refused by its name."""
    _check.array("amplitudes", amplitudes, np.float32, (None, None))
    if not amplitudes.size:
        raise ValueError(f"amplitudes: shape {amplitudes.shape}, expected at least one sample")
    arrays = {"amplitudes": amplitudes}
    for name, given in (*places.items(), *midpoints.items()):
        arrays[name] = _check.array(name, given, np.float64, (len(amplitudes),))
    arrays = _check.contiguous(arrays)
    for name, given in arrays.items():
        _check.finite(name, given)
    for axis in "xy":
        middle = (arrays[f"source_{axis}"] + arrays[f"receiver_{axis}"]) / 2
        off = np.abs(arrays[f"midpoint_{axis}"] - middle)
        i = int(off.argmax())
        if off[i] > MIDPOINT_TOLERANCE_M:
            raise ValueError(f"midpoint_{axis}[{i}]: {arrays[f'midpoint_{axis}'][i]:.10g} m, expected {middle[i]:.10g}: halfway between source "
                             f"and receiver, to {MIDPOINT_TOLERANCE_M} m; another place, such as the centre of a bin, is not available")
    return arrays["amplitudes"], {name: arrays[name] for name in places}


# ---- the calls ----


def _tile(amplitudes, source_x, source_y, receiver_x, receiver_y, midpoint_x, midpoint_y, image, fold, x_coords, y_coords, t_coords_ms,
          vrms, config):
    places = {"source_x": source_x, "source_y": source_y, "receiver_x": receiver_x, "receiver_y": receiver_y}
    return _Tile(amplitudes, places, {"midpoint_x": midpoint_x, "midpoint_y": midpoint_y}, image, fold, (x_coords, y_coords, t_coords_ms),
                 vrms, config)


def migrate_tile(amplitudes, source_x, source_y, receiver_x, receiver_y, midpoint_x, midpoint_y, image, fold, x_coords, y_coords, t_coords_ms,
                 vrms, config=None):
    """Migrate traces and add the result to a tile of an image.

        image[i, j, k] += sum over traces of weight * trace(time from source to (x_i, y_j, t_k) and back to the receiver)

    amplitudes: float32 [trace, sample].
    source_x ... midpoint_y: float64 [trace], metres. Midpoints are halfway between source and receiver.
    image: float64 [nx, ny, nt], added to. fold: int32 [nx, ny], grows by the largest number of this call's traces at any time.
    x_coords [nx], y_coords [ny]: metres, evenly spaced, growing or falling. t_coords_ms [nt]: two-way times, evenly spaced, growing.
    vrms: m/s, [nt] or [nx, ny, nt].
    config: a dict of
        device: "auto" (the default: metal, cuda, cpu, the first there is), "metal", "cuda:0", "cpu?threads=8", a moho.Device;
        dt_s: sample interval of the amplitudes, the step of t_coords_ms unless given; first_sample_s: time of their first sample, 0;
        and the keys of the job file's ``migration``, as of ``moho.migrate``: traveltime, aperture, rho_filter, weight, antialias, ...
        A tile one node wide needs rho_filter: "2d" (it is of a line) or "3d".

    Returns a dict: kernel_time_ms; traces_processed; contributions, pairs of a trace and an image sample; device, the URI it ran on.
    What follows from all traces (spacings of offsets: antialias, weight true_amplitude) is taken from the traces of this call.

    Arrays that are not C-contiguous are copied, with one CopyWarning a call; image and fold never are. Raises TypeError and ValueError
    naming the argument, moho.DeviceError: image and fold are unchanged then, as after Ctrl-C. Other threads run meanwhile.
    """
    return _tile(amplitudes, source_x, source_y, receiver_x, receiver_y, midpoint_x, midpoint_y, image, fold, x_coords, y_coords, t_coords_ms,
                 vrms, config).run(None)


def migrate_tile_async(amplitudes, source_x, source_y, receiver_x, receiver_y, midpoint_x, midpoint_y, image, fold, x_coords, y_coords,
                       t_coords_ms, vrms, config=None, on_complete=None, on_progress=None):
    """The same on a thread of its own: returns a ``moho.Future`` whose result is migrate_tile's dict.

    on_complete(result): called with the dict when image and fold have been added to; not after a failure or a cancellation.
    on_progress(progress): called with a ``moho.Progress`` now and then; False stops the work.
    Both are called on that thread. ``future.cancel()`` stops a running migration within a fraction of a second; ``future.progress`` is the
    last step. Arguments are checked before this returns. image and fold are written just before the future is done, and by nobody else
    until then, please: no array may be changed meanwhile. Calls that add to the same arrays must wait for one another.
    """
    tile = _tile(amplitudes, source_x, source_y, receiver_x, receiver_y, midpoint_x, midpoint_y, image, fold, x_coords, y_coords, t_coords_ms,
                 vrms, config)

    def work(step):
        result = tile.run(step)
        if on_complete is not None:
            on_complete(result)
        return result

    return start(work, step_of(on_progress))

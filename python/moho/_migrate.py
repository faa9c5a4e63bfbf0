"""moho.migrate: numpy's traces into an image."""

import functools

import numpy as np

from . import _future, _given, _moho, _survey
from ._progress import callback_of, step_of


class Image:
    """A migrated image.

    ``stack`` [inline, crossline, time] float32 and ``fold`` (int32, contributions a sample); ``gathers`` and ``gathers_fold``
    [inline, crossline, bin, time] and ``bins`` (middles of the bins, m or degrees), None where none were asked for.
    Axes: ``inline``, ``crossline`` (numbers, int32), ``time_s``, ``cdp_x``, ``cdp_y`` [inline, crossline] in metres.
    ``grid`` is what ``migrate`` takes as its grid; ``report`` tells counts of traces, contributions, seconds, device and kernel,
    and of least squares the ``steps``: residual, gradient and seconds of each iteration. The arrays are the library's own memory: nothing was copied.
    """

    def __init__(self, grid, parts):
        stack, fold, gathers, gathers_fold, bins, self._counts, self._steps, self._device = parts
        self.grid = grid
        self.stack, self.fold = np.asarray(stack), np.asarray(fold)
        self.gathers = None if gathers is None else np.asarray(gathers)
        self.gathers_fold = None if gathers_fold is None else np.asarray(gathers_fold)
        self.bins = None if bins is None else np.asarray(bins)

    @functools.cached_property
    def report(self):
        """Counts of traces and contributions, seconds, kernel, device; of least squares the steps (dict)."""
        return {**self._counts, "device": self._device.uri, **({"steps": self._steps} if self._steps else {})}

    @functools.cached_property
    def _numbers(self):
        return self.grid.numbers()

    @functools.cached_property
    def _positions(self):
        return tuple(np.asarray(block) for block in self.grid.positions())

    def _axis(self, name):
        n = self._numbers
        return (n[f"{name}_first"] + n[f"{name}_step"] * np.arange(n[f"n_{name}"])).astype(np.int32)

    @property
    def inline(self):
        """Inline numbers, int32 [inline]."""
        return self._axis("inline")

    @property
    def crossline(self):
        """Crossline numbers (CDPs of a 2D line), int32 [crossline]."""
        return self._axis("crossline")

    @property
    def time_s(self):
        """Two-way times, s, float64 [time]."""
        return self._numbers["first_s"] + self._numbers["step_s"] * np.arange(self._numbers["n_time"])

    @property
    def cdp_x(self):
        """x of the nodes, m, float64 [inline, crossline]."""
        return self._positions[0]

    @property
    def cdp_y(self):
        """y of the nodes, m, float64 [inline, crossline]."""
        return self._positions[1]

    def __repr__(self):
        bins = "" if self.gathers is None else f", {self.gathers.shape[2]} bins"
        return (f"<moho.Image {' x '.join(map(str, self.stack.shape))} (inline, crossline, time){bins}, "
                f"{self.report['contributions']:,} contributions>")

    def to_xarray(self):
        """The image as an xarray.Dataset, as ``moho.open_image`` gives it; needs xarray."""
        from ._image import dataset
        return dataset(self)


def _arguments(traces, geometry, velocity, grid, dt_s, options):
    if dt_s is None:
        dt_s = geometry.get("dt_s") if isinstance(geometry, dict) else None
        if dt_s is None:
            raise TypeError("migrate: dt_s is missing: the sampling interval of the traces in seconds")
    shape = getattr(traces, "shape", None)
    if shape is None or len(shape) != 2:
        words = f"shape {shape}" if shape is not None else f"a {type(traces).__name__}"
        raise (TypeError if shape is None else ValueError)(f"traces: {words}, expected an array [trace, time] of float32")
    if options:
        _given.check(_survey.job(options), "migrate")
    held = _survey.geometry(geometry)
    on = _survey.grid(grid, held, shape[1], dt_s)
    return _survey.job(options, _survey.velocity_words(velocity)), held, _survey.velocity(velocity, on), on, float(dt_s)


def migrate(traces, geometry, velocity, grid="auto", *, dt_s=None, device=None, progress=None, **options):
    """Migrate traces into an image.

    Parameters
    ----------
    traces : array [trace, time], float32, C-contiguous
        As recorded; not copied, not changed.
    geometry : dict or structured array of columns [trace], or moho.Geometry
        ``source_x``, ``source_y``, ``receiver_x``, ``receiver_y``: float64, metres; and where there are any ``first_sample_s``
        (float64 or a number, s), ``mute_start_s``, ``mute_end_s`` (float32, s), ``cdp``, ``inline_number``,
        ``crossline_number`` (int32), ``flags`` (uint8). A dict may also hold ``dt_s``.
    velocity : number, dict, array, or moho.Velocity
        m/s: a constant; a dict as in a job file (``{"linear_t0": {"v0_mps": 1800, "slope_mps_per_s": 600}}``); v_rms at the
        image's times, float64 [time] or [inline, crossline, time]; ``{"v_mps": array, "time_s": array, "type": "rms"}``.
    grid : "auto", dict, or moho.Grid
        As in a job file; what is left out of its time axis comes from the traces. Image.grid of an earlier call fits.
    dt_s : float
        Sampling interval of the traces, seconds.
    device : str or moho.Device
        "auto" (metal, cuda or cpu), "cpu?threads=8", "cuda:0", ...
    progress : function of a moho.Progress, True, or tqdm.tqdm
        Called some twenty times a second; what returns False stops the work.
    **options
        Keys of the job file (docs/job.md). Those of ``migration`` by their names (``aperture={"max_m": 1500}``,
        ``antialias="triangle"``, ``iterations=10``), also ``amplitude``, ``resample``, ``kernel``, ``storage``, ``tile`` and
        ``memory_gb``; ``eta`` and ``gathers`` as dicts; any key by its path: ``**{"migration.aperture.max_m": 1500}``.

    Returns
    -------
    moho.Image

    Raises
    ------
    ValueError (moho.ArgumentError: shapes, values, unknown keys, with a hint), TypeError (types, dtypes),
    MemoryError (moho.MemoryLimitError), moho.DeviceError, moho.Interrupted, KeyboardInterrupt.

    Other threads run meanwhile, and several may migrate at once. On the cpu the image is bitwise that of ``moho migrate`` for the
    same traces, whatever the number of threads.
    """
    job, held, v, on, dt_s = _arguments(traces, geometry, velocity, grid, dt_s, options)
    return Image(on, _moho.migrate(job, device, held, v, on, traces, dt_s, callback_of(progress)))


def migrate_async(traces, geometry, velocity, grid="auto", *, dt_s=None, device=None, progress=None, **options):
    """As ``migrate``, in the background: a ``moho.Future`` (a concurrent.futures.Future of an Image) with ``progress`` and a
    ``cancel()`` that stops it. Wrong arguments are raised here and now. The arrays must not be changed before it is done.
    """
    job, held, v, on, dt_s = _arguments(traces, geometry, velocity, grid, dt_s, options)

    def work(step):
        return Image(on, _moho.migrate(job, device, held, v, on, traces, dt_s, callback_of(step)))

    return _future.start(work, step_of(progress))

"""Migration as a linear operator, for inversions of one's own: scipy's solvers and PyLops take it as it is. Needs scipy."""

import math

import numpy as np
from scipy.sparse.linalg import LinearOperator

from . import _given, _moho, _survey
from ._progress import callback_of


class KirchhoffOperator(LinearOperator):
    """Demigration L as a matrix that is never built; its adjoint L* is the migration, exactly.

        |<L m, d> - <m, L* d>|  <=  1e-6 |L m| |d|        for every image m, traces d and travel-time law (docs/demigration.md)

    ``shape`` is (traces * samples, inlines * crosslines * times): an image is a column of ``dims`` = (inline, crossline, time), what it
    models a column of ``dimsd`` = (trace, time). ``A @ m`` demigrates, ``A.H @ d`` migrates; ``demigrate`` and ``migrate`` do the same
    with arrays of these dims and take an ``out``. All is prepared here, once; calls may come from several threads, one runs at a time.

    geometry, velocity, grid: as of ``moho.migrate``.
    n_samples, dt_s: of the traces. Their first samples are geometry's ``first_sample_s``.
    device: "auto", "cpu", "cuda:0", "metal", a ``moho.Device``; None: as "auto".
    dtype: of what comes out, float32 or float64. The sums are the library's, in float32, either way.
    progress: called with a ``moho.Progress`` now and then; False stops the work (``moho.Interrupted``).
    options: keys of the job file's ``migration``, ``eta`` and ``execution``, as of ``moho.migrate``. ``resample`` is "none" unless given:
        there are no data that could tell. Leave ``rho_filter`` on for inversions: it makes L nearly unitary on its spectrum.

    The mutes of ``geometry`` (``mute_start_s``, ``mute_end_s``) and its dead traces (``flags``) are part of L; zeros in traces are data.
    With ``normalise="fold"`` L* divides by the fold of all traces, and so does L.

    Raises ValueError (shapes, options), moho.NotAvailableError (what has no adjoint: gathers, half storage, kernels but native and v3).
    """

    def __init__(self, geometry, velocity, grid, *, n_samples, dt_s, device=None, dtype=np.float32, progress=None, **options):
        dtype = np.dtype(dtype)
        if dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise ValueError(f"dtype: {dtype}, expected float32 or float64")
        job = _survey.job(options, _survey.velocity_words(velocity))
        _given.check(_survey.job(options), "options")
        geometry = _survey.geometry(geometry)
        self.grid = _survey.grid(grid, geometry, n_samples, dt_s)
        velocity = _survey.velocity(velocity, self.grid)
        self._operator = _moho.Operator(job, device, geometry, velocity, self.grid, n_samples, dt_s)
        self._progress = callback_of(progress)
        numbers = self.grid.numbers()
        self.dims = (numbers["n_inline"], numbers["n_crossline"], numbers["n_time"])
        self.dimsd = (len(geometry), n_samples)
        super().__init__(dtype, (len(geometry) * n_samples, math.prod(self.dims)))

    @staticmethod
    def _input(name, array, shape):
        array = np.asarray(array)
        if array.dtype.kind == "c":
            raise TypeError(f"{name}: complex, expected real numbers")
        if array.shape != shape:
            if array.size != math.prod(shape):
                raise ValueError(f"{name}: shape {array.shape}, expected {shape}")
            array = array.reshape(shape)
        return np.ascontiguousarray(array, np.float32)

    @staticmethod
    def _output(out, shape):
        if out is None:
            return np.empty(shape, np.float32)
        if out.dtype != np.float32 or out.shape != shape or not out.flags.c_contiguous:
            raise ValueError(f"out: {out.dtype} {out.shape}, expected float32 {shape}, C-contiguous")
        return out

    def demigrate(self, image, out=None):
        """Traces [trace, time] that the image [inline, crossline, time] explains. out: float32 array to fill; not with float64."""
        traces = self._output(out, self.dimsd)
        self._operator.demigrate(self._input("image", image, self.dims), traces, self._progress)
        return traces if out is not None else traces.astype(self.dtype, copy=False)

    def migrate(self, traces, out=None):
        """Image [inline, crossline, time] of the traces [trace, time]: the adjoint. out: float32 array to fill."""
        image = self._output(out, self.dims)
        self._operator.migrate(self._input("traces", traces, self.dimsd), image, self._progress)
        return image if out is not None else image.astype(self.dtype, copy=False)

    def fold(self):
        """Contributions to each image sample, int32 [inline, crossline, time]: what a preconditioner wants."""
        return np.asarray(self._operator.fold(self._progress))

    def counts(self):
        """What was done so far: migrations, demigrations, kernel, seconds and contributions of the demigrations."""
        return self._operator.counts()

    def to_pylops(self):
        """The same as a ``pylops.LinearOperator`` with dims and dimsd, for PyLops' own algebra and solvers. Needs PyLops 2."""
        import pylops

        return pylops.LinearOperator(Op=self, dtype=self.dtype, shape=self.shape, dims=self.dims, dimsd=self.dimsd, name="Kirchhoff")

    def _matvec(self, x):
        return self.demigrate(x).reshape(-1)

    def _rmatvec(self, x):
        return self.migrate(x).reshape(-1)

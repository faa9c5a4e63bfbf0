"""Trace files as numpy's arrays."""

import os

import numpy as np

from . import _moho, _survey
from ._progress import callback_of
from ._synth import Survey


def read_segy(path, *, headers=(), first=0, n=None, progress=None, **options):
    """Read a trace file: SEG-Y, SU or Zarr, told apart by what it is.

    Parameters
    ----------
    path : str or path
    headers : names of trace headers to be read too, as "source_x", "fldr" (``moho info --help`` lists them) or, mapping a name to
        its place, a dict as in a job file: ``{"source_x": 73, "cdp": "21:i4"}`` moves what the geometry is read from.
    first, n : which of the selected traces, from 0; n None: all that follow
    progress : function of a moho.Progress, True, or tqdm.tqdm
    **options : keys of the job file's section ``input`` (docs/job.md): ``units``, ``coordinate_scalar``, ``first_sample_s``,
        ``geometry``, ``bad_samples``, ``select={"offset_m": [0, 3000], "where": "cdp % 2 == 0"}``, ``statics``

    Returns
    -------
    moho.Survey

    Raises
    ------
    FileNotFoundError; moho.FileFormatError (a ValueError: trace number, byte and a hint); moho.FileError (an OSError);
    moho.ArgumentError (a wrong key or header name, with the nearest); MemoryError; KeyboardInterrupt.
    """
    job = _moho.Job()
    job.set("input.traces", _survey.words(os.fspath(path), "path"))
    places, wanted = (headers, ()) if isinstance(headers, dict) else (None, tuple(headers))
    if places:
        options = {**options, "headers": places}
    for name, value in options.items():
        job.set(f"input.{name}", _survey.words(value, name))
    callback = callback_of(progress)
    file = job.traces(callback)
    count = len(file) - first if n is None else n
    if first < 0 or count < 0 or first + count > len(file):
        raise ValueError(f"read_segy: first {first}, n {n}: expected traces of the {len(file)} that are selected")
    # The geometry first: flags of the headers alone, as a run has them when it begins.
    columns = {name: np.asarray(block) for name, block in file.geometry(first, count).items()}
    samples = np.asarray(file.read(first, count, callback))
    info = file.info()
    of = {name: np.asarray(file.header(name, first, count)) for name in wanted}
    return Survey(samples, columns, info["dt_s"], of, info)

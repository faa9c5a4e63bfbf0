"""moho.run: a job file, as ``moho migrate`` runs it."""

import functools
import json
import os
from collections.abc import Mapping

from . import _future, _moho, _survey
from ._progress import callback_of, step_of

# Of these sections one way excludes the others: naming one replaces the whole.
_ALTERNATIVES = {"velocity": {"constant_mps", "linear_t0", "linear_z", "table", "cube"}, "eta": {"constant", "table", "cube"},
                 "grid": {"corners", "origin_m"}}


@functools.lru_cache(maxsize=None)
def _sections():
    """Paths of the job's keys that hold keys."""
    found = set()

    def look(node, path):
        for name, below in node.items():
            if isinstance(below, dict) and "given" not in below:
                found.add(f"{path}{name}")
            if isinstance(below, dict):
                look({k: v for k, v in below.items() if isinstance(v, dict)}, f"{path}{name}.")

    look(json.loads(_moho.Job().effective()), "")
    return found


def _pairs(path, value):
    """Keys below a path with their values: a dict changes the keys that it names."""
    replaces = isinstance(value, Mapping) and not _ALTERNATIVES.get(path, set()).isdisjoint(value)
    if isinstance(value, Mapping) and path in _sections() and not replaces:
        for name, below in value.items():
            yield from _pairs(f"{path}.{name}", below)
    else:
        yield path, _survey.words(value, path)


def _job(given, overrides):
    if isinstance(given, Mapping):
        job = _moho.Job(_survey.words(given, "job"), "job")
    else:
        job = _moho.Job.read(os.fspath(given))
    for name, value in overrides.items():
        for path, text in _pairs(name, value):
            job.set(path, text)
    return job


def run(job, *, overwrite=False, progress=None, **overrides):
    """Run a job: read traces, migrate them, write image.zarr, stack.sgy, pictures and reports into ``output.directory``.

    The same code as ``moho migrate``: the same files, bit for bit. A run of blocks that was stopped goes on (docs/large-surveys.md).

    Parameters
    ----------
    job : path of a job file, or the job as a dict
        Relative paths in a file are relative to it, in a dict to the working directory.
    overwrite : bool
        Earlier results in the output directory may be replaced.
    progress : function of a moho.Progress, True, or tqdm.tqdm
    **overrides : keys by their sections, as nested dicts, or by their paths
        ``migration={"aperture": {"max_m": 1500}}`` or ``**{"migration.aperture.max_m": 1500}``. A dict changes the keys that it
        names; one way of giving velocity, eta or grid replaces the other.

    Returns
    -------
    dict: report.json (docs/job.md), ``directory``, ``contributions``, ``seconds``, ``warnings``, ...

    Raises
    ------
    moho.ArgumentError (file, line, column and key, with a hint), FileNotFoundError, FileExistsError (results are there already),
    moho.FileError, MemoryError, moho.DeviceError, moho.Interrupted, KeyboardInterrupt (nothing partial stays under a final name).
    """
    return json.loads(_job(job, overrides).run(overwrite, callback_of(progress)))


def run_async(job, *, overwrite=False, progress=None, **overrides):
    """As ``run``, in the background: a ``moho.Future`` of the report, with ``progress`` and a ``cancel()`` that stops it."""
    made = _job(job, overrides)
    return _future.start(lambda step: json.loads(made.run(overwrite, callback_of(step))), step_of(progress))


def explain(job, **overrides):
    """What a job will do, as ``moho explain --json`` tells it: every value, unit, default or given; memory, contributions, time
    expected (dict). Opens the input; nothing is computed or written. Arguments and errors as of ``run``.
    """
    return json.loads(_job(job, overrides).explain(True))

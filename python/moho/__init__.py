"""Moho: Kirchhoff prestack time migration, and the compute runtime below it.

Arrays are numpy's, the last axis fastest: traces [trace, time] float32, image [inline, crossline, time]. Lengths are metres,
times seconds, velocities m/s. Errors are ``moho.Error`` and one of Python's own (``help(moho.Error)``). Calls that take long let
other threads run, tell their progress and stop at Ctrl-C. docs/python.md tells the rest.
"""

from ._errors import *  # noqa: F403
from . import ops
from ._devices import DeviceInfo, current_device, devices, is_cuda_available, is_metal_available
from ._executor import Executor
from ._files import read_segy
from ._future import Future, Progress
from ._image import open_image
from ._job import explain, run, run_async
from ._migrate import Image, migrate, migrate_async
from ._moho import Buffer, Device, Geometry, Grid, Velocity, from_dlpack, version
from ._program import Program, ProgramFault
from ._survey import make_grid, make_velocity
from ._synth import Survey, synth
from ._view import write_png

__version__ = version()


def __getattr__(name):
    """moho.KirchhoffOperator needs scipy: it is imported when it is asked for."""
    if name == "KirchhoffOperator":
        from ._operator import KirchhoffOperator

        return KirchhoffOperator
    raise AttributeError(f"module 'moho' has no attribute {name!r}")

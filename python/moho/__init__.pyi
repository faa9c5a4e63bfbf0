# The public interface of moho, typed; docstrings (help(moho.migrate)) tell shapes, units and errors.
import concurrent.futures
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple

import builtins
import numpy as np
import numpy.typing as npt

from . import ops as ops
from ._devices import DeviceInfo as DeviceInfo, current_device as current_device, devices as devices
from ._devices import is_cuda_available as is_cuda_available, is_metal_available as is_metal_available
from ._executor import Executor as Executor
from ._moho import Buffer as Buffer, Device as Device, Geometry as Geometry, Grid as Grid, Velocity as Velocity
from ._moho import from_dlpack as from_dlpack, version as version
from ._program import Program as Program, ProgramFault as ProgramFault
from ._operator import KirchhoffOperator as KirchhoffOperator

__version__: str

Path = str | os.PathLike[str]
DeviceName = Device | str | None
Columns = Mapping[str, Any] | np.ndarray | Geometry
VelocityModel = float | Mapping[str, Any] | npt.NDArray[np.float64] | Velocity
GridModel = str | Mapping[str, Any] | Grid | None
ProgressFunction = Callable[[Progress], object] | bool | type | None

# ---- errors ----

class Error(Exception):
    code: int
    name: str
    message: str
    hint: str | None
    file: str | None
    key: str | None
    trace: int | None
    byte: int | None
    line: int | None
    column: int | None

class ArgumentError(Error, ValueError): ...
class FileFormatError(ArgumentError): ...
class DeviceError(Error, RuntimeError): ...
class NotAvailableError(DeviceError, NotImplementedError): ...
class FileError(Error, OSError): ...
class FileNotFound(FileError, FileNotFoundError): ...
class FileExists(FileError, FileExistsError): ...
class MemoryLimitError(Error, MemoryError): ...
class TimeoutError(Error, builtins.TimeoutError): ...
class Interrupted(Error): ...
class InternalError(Error, RuntimeError): ...

# ---- seismic ----

class Progress(NamedTuple):
    stage: str
    unit: str
    done: float
    total: float
    seconds: float

class Future(concurrent.futures.Future[Any]):
    progress: Progress | None

class Survey:
    traces: npt.NDArray[np.float32]
    geometry: dict[str, np.ndarray]
    dt_s: float
    headers: dict[str, npt.NDArray[np.float64]]
    info: dict[str, Any]
    def __init__(self, traces: npt.NDArray[np.float32], geometry: dict[str, np.ndarray], dt_s: float, headers: dict[str, np.ndarray] = ...,
                 info: dict[str, Any] = ...) -> None: ...

class Image:
    stack: npt.NDArray[np.float32]
    fold: npt.NDArray[np.int32]
    gathers: npt.NDArray[np.float32] | None
    gathers_fold: npt.NDArray[np.int32] | None
    bins: npt.NDArray[np.float64] | None
    grid: Grid
    report: dict[str, Any]
    inline: npt.NDArray[np.int32]
    crossline: npt.NDArray[np.int32]
    time_s: npt.NDArray[np.float64]
    cdp_x: npt.NDArray[np.float64]
    cdp_y: npt.NDArray[np.float64]
    def __init__(self, grid: Grid, parts: tuple[Any, ...]) -> None: ...
    def to_xarray(self) -> Any: ...

def migrate(traces: npt.NDArray[np.float32], geometry: Columns, velocity: VelocityModel, grid: GridModel = "auto", *,
            dt_s: float | None = None, device: DeviceName = None, progress: ProgressFunction = None, **options: Any) -> Image: ...
def migrate_async(traces: npt.NDArray[np.float32], geometry: Columns, velocity: VelocityModel, grid: GridModel = "auto", *,
                  dt_s: float | None = None, device: DeviceName = None, progress: ProgressFunction = None, **options: Any) -> Future: ...
def make_grid(given: GridModel, of: Columns | None = None, n_samples: int = 1, dt_s: float = 0.001) -> Grid: ...
def make_velocity(given: VelocityModel, on: Grid) -> Velocity: ...
def run(job: Path | Mapping[str, Any], *, overwrite: bool = False, progress: ProgressFunction = None, **overrides: Any) -> dict[str, Any]: ...
def run_async(job: Path | Mapping[str, Any], *, overwrite: bool = False, progress: ProgressFunction = None, **overrides: Any) -> Future: ...
def explain(job: Path | Mapping[str, Any], **overrides: Any) -> dict[str, Any]: ...
def read_segy(path: Path, *, headers: Iterable[str] | Mapping[str, int | str] = (), first: int = 0, n: int | None = None,
              progress: ProgressFunction = None, **options: Any) -> Survey: ...
def open_image(path: Path) -> Any: ...
def synth(preset: str | None = None, *, path: Path | None = None, progress: ProgressFunction = None, **options: Any) -> Survey | None: ...
def write_png(path: Path, data: np.ndarray, *, across: Any = None, down: Any = None, title: str | None = None, subtitle: str | None = None,
              value_label: str | None = None, colours: str = "grey", symmetric: bool = True, wiggles: bool = False,
              clip_percentile: float = 99.0, clip_value: float = 0.0, width: int = 0, height: int = 0, lines: Sequence[Any] = ()) -> None: ...

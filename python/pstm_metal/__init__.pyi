from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import numpy as np
from moho import Device, Future, Progress
from numpy.typing import NDArray

__all__ = ["CopyWarning", "get_device_info", "is_available", "migrate_tile", "migrate_tile_async"]

_Axis = NDArray[Any] | Sequence[float]

class CopyWarning(UserWarning): ...

class _TileResult(TypedDict):
    kernel_time_ms: float
    traces_processed: int
    contributions: int
    device: str

def is_available() -> bool: ...
def get_device_info(device: str | Device = "auto") -> dict[str, Any]: ...
def migrate_tile(
    amplitudes: NDArray[np.float32],
    source_x: NDArray[np.float64],
    source_y: NDArray[np.float64],
    receiver_x: NDArray[np.float64],
    receiver_y: NDArray[np.float64],
    midpoint_x: NDArray[np.float64],
    midpoint_y: NDArray[np.float64],
    image: NDArray[np.float64],
    fold: NDArray[np.int32],
    x_coords: _Axis,
    y_coords: _Axis,
    t_coords_ms: _Axis,
    vrms: NDArray[Any] | Sequence[float],
    config: dict[str, Any] | None = None,
) -> _TileResult: ...
def migrate_tile_async(
    amplitudes: NDArray[np.float32],
    source_x: NDArray[np.float64],
    source_y: NDArray[np.float64],
    receiver_x: NDArray[np.float64],
    receiver_y: NDArray[np.float64],
    midpoint_x: NDArray[np.float64],
    midpoint_y: NDArray[np.float64],
    image: NDArray[np.float64],
    fold: NDArray[np.int32],
    x_coords: _Axis,
    y_coords: _Axis,
    t_coords_ms: _Axis,
    vrms: NDArray[Any] | Sequence[float],
    config: dict[str, Any] | None = None,
    on_complete: Callable[[_TileResult], object] | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> Future: ...

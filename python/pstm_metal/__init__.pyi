from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moho import Future, Progress

Doubles = npt.NDArray[np.float64]

class CopyWarning(UserWarning): ...

def is_available() -> bool: ...
def get_device_info(device: str = "auto") -> dict[str, Any]: ...
def migrate_tile(amplitudes: npt.NDArray[np.float32], source_x: Doubles, source_y: Doubles, receiver_x: Doubles, receiver_y: Doubles,
                 midpoint_x: Doubles, midpoint_y: Doubles, image: Doubles, fold: npt.NDArray[np.int32], x_coords: Doubles, y_coords: Doubles,
                 t_coords_ms: Doubles, vrms: Doubles, config: Mapping[str, Any] | None = None) -> dict[str, Any]: ...
def migrate_tile_async(amplitudes: npt.NDArray[np.float32], source_x: Doubles, source_y: Doubles, receiver_x: Doubles,
                       receiver_y: Doubles, midpoint_x: Doubles, midpoint_y: Doubles, image: Doubles, fold: npt.NDArray[np.int32],
                       x_coords: Doubles, y_coords: Doubles, t_coords_ms: Doubles, vrms: Doubles, config: Mapping[str, Any] | None = None,
                       on_complete: Callable[..., object] | None = None,
                       on_progress: Callable[[Progress], object] | None = None) -> Future: ...

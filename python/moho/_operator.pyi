from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy.sparse.linalg import LinearOperator

from ._future import Progress
from ._moho import Device, Geometry, Grid, Velocity

class KirchhoffOperator(LinearOperator):
    grid: Grid
    dims: tuple[int, int, int]
    dimsd: tuple[int, int]
    def __init__(
        self,
        geometry: Mapping[str, NDArray[Any]] | NDArray[np.void] | Geometry,
        velocity: float | Mapping[str, Any] | NDArray[np.float64] | Velocity,
        grid: str | Mapping[str, Any] | Grid,
        *,
        n_samples: int,
        dt_s: float,
        device: str | Device | None = None,
        dtype: DTypeLike = ...,
        progress: Callable[[Progress], object] | bool | None = None,
        **options: Any,
    ) -> None: ...
    def demigrate(self, image: ArrayLike, out: NDArray[np.float32] | None = None) -> NDArray[np.floating[Any]]: ...
    def migrate(self, traces: ArrayLike, out: NDArray[np.float32] | None = None) -> NDArray[np.floating[Any]]: ...
    def fold(self) -> NDArray[np.int32]: ...
    def counts(self) -> dict[str, Any]: ...
    def to_pylops(self) -> Any: ...

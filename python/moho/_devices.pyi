import dataclasses

from ._executor import Executor
from ._moho import Device

DeviceLike = Device | Executor | str | None

@dataclasses.dataclass(frozen=True)
class DeviceInfo:
    uri: str
    kind: str
    name: str
    architecture: str
    simd: str
    driver: str
    reason: str
    available: bool
    threads: int
    unified_memory: bool
    zero_copy: bool
    max_lanes: int
    multiprocessors: int
    has_double: bool
    has_half: bool
    has_bfloat: bool
    group_memory: int
    wrap_alignment: int
    memory_bytes: int
    memory_free_bytes: int
    working_set_bytes: int
    largest_buffer: int
    launch_seconds: float

def devices() -> list[DeviceInfo]: ...
def is_cuda_available() -> bool: ...
def is_metal_available() -> bool: ...
def current_device() -> Device: ...
def find(device: DeviceLike, name: str) -> Device: ...
def at(uri: str) -> Device: ...

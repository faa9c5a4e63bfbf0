"""Devices by name: what there is, what is open, and which one a call without a device runs on."""

import contextvars
import dataclasses
import os

from . import _moho
from ._errors import DeviceError

__all__ = ["DeviceInfo", "current_device", "devices", "is_cuda_available", "is_metal_available"]


@dataclasses.dataclass(frozen=True)
class DeviceInfo:
    """A device of this machine, or a backend that cannot be used, with the ``reason``. Sizes are bytes."""

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


def devices():
    """All devices of this machine, and every backend that cannot be used, with its reason.

    Each is really opened: this takes a moment.

    Returns:
        list of DeviceInfo; ``[d.uri for d in moho.devices() if d.available]`` are those that work.
    """
    return [DeviceInfo(**one) for one in _moho.devices()]


def _probe(uri):
    try:
        _moho.Device(uri)
    except DeviceError:
        return False
    return True


def is_cuda_available():
    """True when an NVIDIA GPU can be used: it is opened, now."""
    return _probe("cuda")


def is_metal_available():
    """True when an Apple GPU can be used: it is opened, now."""
    return _probe("metal")


# Devices that were asked for by name stay open; a forked child opens its own.
_open = {}
# The Executors that are entered, innermost last; each thread and task has its own.
_entered = contextvars.ContextVar("moho_executors", default=())


def _named(uri):
    key = (os.getpid(), uri, os.environ.get("MOHO_DEVICE") if uri == "auto" else None)
    device = _open.get(key)
    if device is None:
        device = _open.setdefault(key, _moho.Device(uri))
    return device


def current_device():
    """The Device of the innermost Executor that is entered, else the one that "auto" names."""
    entered = _entered.get()
    return entered[-1].device if entered else _named("auto")


def at(uri):
    """The Device where memory is: the innermost Executor's where that is the same device, else the one of this name."""
    entered = _entered.get()
    if entered and uri in (entered[-1].device.kind, entered[-1].device.uri.partition("?")[0]):
        return entered[-1].device
    return _named(uri)


def find(device, name):
    """A Device of what an argument says: a Device, a URI, an Executor, or None. The extension module calls it."""
    if device is None:
        return current_device()
    if isinstance(device, _moho.Device):
        return device
    if isinstance(device, str):
        return _named(device)
    inner = getattr(device, "device", None)
    if isinstance(inner, _moho.Device):
        return inner
    raise TypeError(f'{name}: a {type(device).__name__}, expected a Device, a URI such as "cuda:0", an Executor or None')

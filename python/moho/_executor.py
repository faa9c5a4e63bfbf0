"""Executor: a device for a stretch of code."""

from . import _moho
from ._devices import _entered, _named, find

__all__ = ["Executor"]


class Executor:
    """A device for a stretch of code: what runs inside without naming one runs there.

    >>> with moho.Executor(backend="cpu") as executor:
    ...     a = executor.Buffer(numpy.arange(4, dtype=numpy.float32))
    ...     b = moho.ops.vector_add(a, a)
    ...     print(b.to_numpy())
    [0. 2. 4. 6.]

    Args:
        backend: "auto", "cpu", "cuda", "metal", a URI ("cuda:1", "cpu?threads=8"), or a Device.

    Raises:
        ValueError: no such backend; the message has the nearest one.
        DeviceError: it is not to be had here, with the reason. Nothing falls back in silence.

    Executors nest; each thread and each task has its own innermost one. Buffers live on after it: they keep the device open.
    """

    def __init__(self, backend="auto"):
        self._device = find(backend, "backend") if not isinstance(backend, str) else _named(backend)

    @property
    def device(self):
        """The Device."""
        return self._device

    @property
    def backend(self):
        """str: "cpu", "cuda" or "metal"."""
        return self._device.kind

    def __enter__(self):
        _entered.set(_entered.get() + (self,))
        return self

    def __exit__(self, *exception):
        entered = list(_entered.get())
        for at in range(len(entered) - 1, -1, -1):
            if entered[at] is self:
                del entered[at]
                break
        _entered.set(tuple(entered))

    def allocate(self, shape, dtype="float32", memory="device"):
        """Fresh memory of the device, contents undefined: Buffer.allocate()."""
        return _moho.Buffer.allocate(shape, dtype, self._device, memory)

    def Buffer(self, array, copy=True):  # noqa: N802
        """A numpy array, or what speaks DLPack, on the device: Buffer.from_numpy()."""
        return _moho.Buffer.from_numpy(array, self._device, copy)

    def from_dlpack(self, array, copy=None):
        """An array that speaks DLPack, in place where its memory is the device's: moho.from_dlpack()."""
        return _moho.from_dlpack(array, self._device, copy)

    def metrics(self):
        """dict: launches, bytes moved, memory held; since the device was opened."""
        return self._device.metrics()

    def __repr__(self):
        return f"<moho.Executor on {self._device.uri}>"

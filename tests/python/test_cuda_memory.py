"""Memory of a CUDA device passed by DLPack, on the double of the driver (no kernel runs there): addresses, order, letting go.

bench/python_interchange.py shows the same with CuPy and PyTorch on a GPU."""

import gc
import os
import sys

import numpy as np
import pytest

import moho

DOUBLE = os.environ.get("MOHO_TEST_CUDA_DOUBLE")


@pytest.fixture(scope="module")
def devices():
    """One GPU, opened twice: what a neighbour in the process has is memory of the same device."""
    if not DOUBLE or not os.path.exists(DOUBLE):
        pytest.skip("the double of CUDA's driver is not built")
    os.environ.update(MOHO_CUDA_LIBRARY=DOUBLE, MOHO_NVRTC=DOUBLE)
    return moho.Device("cuda:0"), moho.Device("cuda:0")


class Neighbour:
    """An array library with memory on the GPU."""

    def __init__(self, buffer, knows_version=True):
        self.buffer, self.asked, self.knows_version = buffer, [], knows_version

    def __dlpack_device__(self):
        return self.buffer.__dlpack_device__()

    def __dlpack__(self, **words):
        self.asked.append(words)
        if not self.knows_version and "max_version" in words:
            raise TypeError("unexpected keyword argument 'max_version'")
        return self.buffer.__dlpack__(**words)


@pytest.fixture
def theirs(devices):
    return Neighbour(moho.Buffer.from_numpy(np.arange(1000, dtype=np.float32).reshape(20, 50), devices[0]))


def test_no_copy_either_way(devices, theirs):
    mine = moho.from_dlpack(theirs, devices[1])
    assert theirs.__dlpack_device__() == (2, 0) and mine.shared
    assert mine.address == theirs.buffer.address and mine.shape == (20, 50) and mine.device is devices[1]
    np.testing.assert_array_equal(mine.to_numpy(), np.arange(1000).reshape(20, 50))
    mine.write(np.full((20, 50), 7, np.float32))
    assert (theirs.buffer.to_numpy() == 7).all()


def test_the_default_stream_is_asked_for(devices, theirs):
    moho.from_dlpack(theirs, devices[1])
    assert theirs.asked == [{"stream": 1, "max_version": (1, 0)}]
    theirs.knows_version = False
    moho.from_dlpack(theirs, devices[1])
    assert theirs.asked[1:] == [{"stream": 1, "max_version": (1, 0)}, {"stream": 1}]


def test_views_at_any_element(devices, theirs):
    for index in (slice(3, 9), (2, slice(1, 40)), (slice(None, None, 4), slice(5, 50, 3)), (19, 49)):
        view = moho.from_dlpack(Neighbour(theirs.buffer[index]), devices[1])
        assert view.address == theirs.buffer[index].address and view.shape == theirs.buffer[index].shape
        if len(view.shape) < 2 or view.shape[1] == 50:
            np.testing.assert_array_equal(view.to_numpy(), np.arange(1000, dtype=np.float32).reshape(20, 50)[index])


def test_streams_that_consumers_name(theirs):
    for stream in (None, -1, 0, 1, 2, 0x7F0012345678):
        theirs.buffer.__dlpack__(stream=stream)
    for wrong in (-2, "one"):
        with pytest.raises((ValueError, TypeError)):
            theirs.buffer.__dlpack__(stream=wrong)


def test_it_is_held_and_let_go(devices, theirs):
    owner = theirs.buffer
    held = sys.getrefcount(owner)
    mine = moho.from_dlpack(theirs, devices[1])
    view = mine[3:]
    assert sys.getrefcount(owner) == held + 1
    del mine
    gc.collect()
    assert sys.getrefcount(owner) == held + 1 and view.to_numpy()[0, 0] == 150
    del view
    gc.collect()
    assert sys.getrefcount(owner) == held
    active = devices[0].metrics()["pool"]["active_bytes"]
    for _ in range(100):
        moho.from_dlpack(theirs, devices[1])
    gc.collect()
    assert devices[0].metrics()["pool"]["active_bytes"] == active and sys.getrefcount(owner) == held


def test_the_executor_s_device_is_taken_where_it_is_the_same(devices, theirs):
    with moho.Executor(devices[1]):
        assert moho.from_dlpack(theirs).device is devices[1]
        assert moho.from_dlpack(np.zeros(4, np.float32)).device.kind == "cpu"
    with moho.Executor("cpu"):
        assert moho.from_dlpack(theirs).device.uri == devices[0].uri


def test_other_memory_is_copied_only_when_asked(devices, theirs):
    with pytest.raises(ValueError, match="copy=False"):
        moho.from_dlpack(theirs, "cpu", copy=False)
    near = moho.from_dlpack(theirs, "cpu")
    assert near.device.kind == "cpu" and not near.shared
    np.testing.assert_array_equal(near.to_numpy(), theirs.buffer.to_numpy())
    far = moho.from_dlpack(np.arange(6, dtype=np.int64), devices[1])
    np.testing.assert_array_equal(far.to_numpy(), np.arange(6))
    copied = moho.from_dlpack(theirs, devices[1], copy=True)
    assert copied.address != theirs.buffer.address
    cpu = moho.Buffer.from_numpy(np.zeros((20, 50), np.float32), "cpu")
    with pytest.raises(ValueError, match="cannot be used in place"):
        moho.ops.add(cpu, theirs)  # nothing goes through the host in silence


def test_numpy_is_told_where_it_is(theirs):
    with pytest.raises((BufferError, RuntimeError, ValueError)):
        np.from_dlpack(theirs.buffer)
    with pytest.raises(BufferError, match="does not reach"):
        np.asarray(memoryview(theirs.buffer))
    with pytest.raises(ValueError, match="apart from the host"):
        moho.Buffer.from_numpy(np.zeros(10, np.float32), theirs.buffer.device, copy=False)
    here = np.from_dlpack(Hosted(theirs.buffer))
    np.testing.assert_array_equal(here, theirs.buffer.to_numpy())


class Hosted:
    """What numpy 2.1 does for device="cpu": it asks for the host's memory."""

    def __init__(self, buffer):
        self.buffer = buffer

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, **words):
        return self.buffer.__dlpack__(dl_device=(1, 0))


def test_pinned_memory_is_the_host_s_too(devices):
    pinned = moho.Buffer.allocate(1000, device=devices[0], memory="host")
    np.asarray(pinned)[:] = 3
    assert pinned.__dlpack_device__() == (3, 0) and np.from_dlpack(pinned).ctypes.data == pinned.address
    assert (pinned.to_numpy() == 3).all()


def test_an_address_that_is_none_of_the_device_s(devices):
    class Liar(Neighbour):
        def __dlpack_device__(self):
            return 2, 0

        def __dlpack__(self, **words):
            return self.buffer.__dlpack__()

    host = Liar(moho.Buffer.from_numpy(np.zeros(100, np.float32), "cpu"))
    with pytest.raises((ValueError, moho.Error)):
        moho.from_dlpack(host, devices[1], copy=False)


def test_memory_out_of_the_hosts_reach(devices):
    buffer = moho.Buffer.from_numpy(np.arange(6, dtype=np.float32), devices[0])
    with pytest.raises(BufferError, match="does not reach"):
        buffer.to_numpy(copy=False)
    assert buffer.to_numpy(copy=None).tolist() == [0, 1, 2, 3, 4, 5]


class Elsewhere(bytearray):
    """Speaks the buffer protocol too, like CuPy's arrays, but its bytes lie on a GPU."""

    asked = 0

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, **words):
        Elsewhere.asked += 1
        raise BufferError("on the GPU")


def test_dlpack_is_asked_where_arrays_lie_elsewhere(devices):
    for call in [moho.Buffer.from_numpy, moho.ops.relu, lambda a: moho.ops.add(a, np.ones(4, np.float32))]:
        with pytest.raises(BufferError, match="on the GPU"):
            call(Elsewhere(16))
    assert Elsewhere.asked >= 3

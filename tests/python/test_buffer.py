"""Buffers: one memory with numpy and other libraries where there is one, shown by addresses; held, viewed, given back."""

import ctypes
import gc
import hashlib
import sys
import threading

import numpy as np
import pytest

import moho

DTYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
rng = np.random.default_rng(7)


def shares(device):
    return device.unified_memory and device.wrap_alignment <= 4096


def pages(n, dtype="float32"):
    """A numpy array of whole pages."""
    size = n * np.dtype(dtype).itemsize
    raw = np.zeros(size + 65536, np.uint8)
    start = -raw.ctypes.data % 65536
    return raw[start:start + size].view(dtype)


# ---- from numpy ----


@pytest.mark.parametrize("dtype", DTYPES)
def test_there_and_back(device, dtype):
    array = (rng.random((3, 5, 7)) * 100).astype(dtype)
    buffer = moho.Buffer.from_numpy(array, device)
    assert (buffer.shape, buffer.dtype, buffer.ndim, buffer.size, buffer.nbytes) == ((3, 5, 7), dtype, 3, 105, array.nbytes)
    assert buffer.strides == array.strides and len(buffer) == 3 and not buffer.shared and not buffer.read_only
    back = buffer.to_numpy()
    assert back.dtype == array.dtype and back.ctypes.data != array.ctypes.data
    np.testing.assert_array_equal(back, array)
    array[:] = 0
    assert buffer.to_numpy().any()  # a copy was made


def test_without_a_copy_it_is_the_same_memory(device):
    array = pages(16384)
    array[:] = np.arange(16384)
    if not device.unified_memory:
        with pytest.raises(ValueError, match="apart from the host"):
            moho.Buffer.from_numpy(array, device, copy=False)
        return
    buffer = moho.Buffer.from_numpy(array, device, copy=False)
    assert buffer.address == array.ctypes.data and buffer.shared
    assert np.asarray(buffer).ctypes.data == array.ctypes.data
    moho.ops.add(buffer, 1, out=buffer)
    np.testing.assert_array_equal(array, np.arange(16384) + 1)  # the device wrote into it
    array[5] = -3
    assert buffer.to_numpy()[5] == -3


def test_any_alignment_is_used_in_place_on_the_cpu():
    raw = np.zeros(4096, np.uint8)
    for start in (0, 4, 20, 100):
        array = raw[start:start + 40].view(np.float32)
        buffer = moho.Buffer.from_numpy(array, "cpu", copy=False)
        assert buffer.address == array.ctypes.data
        moho.ops.fill(buffer, start + 1)
        assert (array == start + 1).all()
        array[:] = 0
        assert not raw.any()  # and nothing beside it


def test_strides_are_used_in_place_on_the_cpu():
    array = np.zeros((6, 10), np.float32)
    for view in (array[::2, 1::3], array.T, array[2], array[:, 3:4]):
        buffer = moho.Buffer.from_numpy(view, "cpu", copy=False)
        assert buffer.address == view.ctypes.data and buffer.strides == view.strides
        view[:] = rng.random(view.shape)
        np.testing.assert_array_equal(buffer.to_numpy(), view)


def test_what_cannot_be_shared_says_why(device):
    array = np.arange(12, dtype=np.float32)
    swapped = array.astype(">f4")
    with pytest.raises(TypeError, match="format"):
        moho.Buffer.from_numpy(swapped, device)
    with pytest.raises(TypeError, match="format"):
        moho.Buffer.from_numpy(np.zeros(3, complex), device)
    with pytest.raises(ValueError, match="copy=False.*strides are negative"):
        moho.Buffer.from_numpy(array[::-1], device, copy=False)
    np.testing.assert_array_equal(moho.Buffer.from_numpy(array[::-1], device, copy=None).to_numpy(), array[::-1])
    with pytest.raises(ValueError, match="copy=False"):
        moho.Buffer.from_numpy(array[:0], device, copy=False)
    assert moho.Buffer.from_numpy(array[:0], device).to_numpy().shape == (0,)
    with pytest.raises(TypeError, match="array: a list"):
        moho.Buffer.from_numpy([1.0], device)
    with pytest.raises(ValueError, match="checking mode"):
        moho.Buffer.from_numpy(array, "cpu?check=1", copy=False)
    with pytest.raises(ValueError, match="9 dimensions"):
        moho.Buffer.from_numpy(np.zeros((1,) * 9, np.float32), device)


def test_a_read_only_array_stays_so():
    array = np.arange(64, dtype=np.float32)
    array.flags.writeable = False
    buffer = moho.Buffer.from_numpy(array, "cpu", copy=False)
    assert buffer.read_only and not np.asarray(buffer).flags.writeable
    for write in (lambda: moho.ops.fill(buffer, 1), lambda: buffer.write(np.zeros(64, np.float32))):
        with pytest.raises(ValueError, match="read-only"):
            write()
    with pytest.raises(BufferError, match="read-only"):
        buffer.__dlpack__()
    np.testing.assert_array_equal(moho.ops.add(buffer, 1).to_numpy(), array + 1)
    assert moho.from_dlpack(buffer).read_only  # DLPack 1 says so
    assert not moho.Buffer.from_numpy(array, "cpu").read_only


def test_the_owner_is_held_as_long_as_the_buffer():
    array = np.arange(4096, dtype=np.float32)
    held = sys.getrefcount(array)
    buffer = moho.Buffer.from_numpy(array, "cpu", copy=False)
    view = buffer[10:]
    del buffer
    gc.collect()
    assert sys.getrefcount(array) > held
    with pytest.raises(ValueError, match="resize|referenced"):
        array.resize(8192)
    expected = array[10:].copy()
    del array
    gc.collect()
    scribble = [np.full(4096, -1, np.float32) for _ in range(50)]
    np.testing.assert_array_equal(view.to_numpy(), expected)
    del scribble


def test_owners_are_let_go():
    array = np.arange(4096, dtype=np.float32)
    held = sys.getrefcount(array)
    for _ in range(10):
        moho.ops.add(moho.Buffer.from_numpy(array, "cpu", copy=False), moho.from_dlpack(array))
        moho.ops.add(array, array, device="cpu")
    gc.collect()
    assert sys.getrefcount(array) == held


# ---- allocated ----


def test_allocated_memory(device):
    for shape, expected in ((5, (5,)), ((2, 3), (2, 3)), ([2, 0], (2, 0)), ((), ())):
        buffer = moho.Buffer.allocate(shape, np.int32, device)
        assert buffer.shape == expected and buffer.dtype == "int32"
        array = np.full(expected, 7, np.int32)
        buffer.write(array)
        np.testing.assert_array_equal(buffer.to_numpy(), array)
    assert moho.Buffer.allocate(4, np.dtype("float16"), device).dtype == "float16"
    host = moho.Buffer.allocate(1000, device=device, memory="host")
    np.asarray(host)[:] = 3
    assert (moho.ops.add(host, 1).to_numpy() == 4).all()


@pytest.mark.parametrize("wrong, error, words", [
    (dict(shape=-1), ValueError, "axis of -1"), (dict(shape=(2, "a")), TypeError, ""), (dict(shape=(1,) * 9), ValueError, "9 dimensions"),
    (dict(shape=3, dtype="float31"), TypeError, "float32, float64"), (dict(shape=3, memory="near"), ValueError, '"device" or "host"'),
    (dict(shape=1 << 60), (ValueError, MemoryError), ".")])
def test_wrong_sizes_are_refused(device, wrong, error, words):
    with pytest.raises(error, match=words):
        moho.Buffer.allocate(**wrong, device=device)


def test_write_checks_shape_and_dtype(device):
    buffer = moho.Buffer.allocate((2, 3), "float32", device)
    with pytest.raises(ValueError, match=r"\(3, 2\), expected \(2, 3\)"):
        buffer.write(np.zeros((3, 2), np.float32))
    with pytest.raises(TypeError, match="float64, expected float32"):
        buffer.write(np.zeros((2, 3)))


# ---- views ----


def test_views_are_the_same_memory(device):
    array = rng.random((4, 6, 5)).astype(np.float32)
    buffer = moho.Buffer.from_numpy(array, device)
    for index in (1, -1, slice(1, 3), slice(None, None, 2), (1, 2), (slice(None), 3), (slice(1, 4, 2), slice(0, 5, 3), 2),
                  slice(9, 2), (-2, slice(None), slice(-3, None))):
        np.testing.assert_array_equal(buffer[index].to_numpy(), array[index])
    np.testing.assert_array_equal(buffer.T.to_numpy(), array.T)
    np.testing.assert_array_equal(buffer.reshape(8, 15).to_numpy(), array.reshape(8, 15))
    np.testing.assert_array_equal(buffer.reshape((120,)).to_numpy(), array.ravel())
    assert buffer[1, 2].address == buffer.address + 4 * (30 + 10)
    np.testing.assert_array_equal(buffer.view("uint32").to_numpy(), array.view(np.uint32))
    moho.ops.fill(buffer[2], 9)
    array[2] = 9
    np.testing.assert_array_equal(buffer.to_numpy(), array)


@pytest.mark.parametrize("dtype", ["float64", "int16", "uint8"])
def test_strided_views_of_every_size_come_back(device, dtype):
    array = (rng.random((5, 6)) * 200).astype(dtype)
    np.testing.assert_array_equal(moho.Buffer.from_numpy(array, device)[::2, 1::2].T.to_numpy(), array[::2, 1::2].T)


def test_wrong_views_are_refused(device):
    buffer = moho.Buffer.allocate((4, 6), device=device)
    for index, error in ((4, IndexError), ((0, -7), IndexError), ((1, 2, 3), IndexError), (slice(None, None, -1), ValueError),
                         ("a", TypeError)):
        with pytest.raises(error):
            buffer[index]
    with pytest.raises(ValueError, match="cannot become"):
        buffer.reshape(5, 5)
    with pytest.raises(ValueError, match="without a copy"):
        buffer.T.reshape(24)
    with pytest.raises(ValueError, match="not as long"):
        buffer.view("float64")
    with pytest.raises(TypeError):
        len(moho.Buffer.allocate((), device=device))


# ---- the buffer protocol ----


def test_the_buffer_protocol(device):
    array = rng.random((4, 6)).astype(np.float32)
    buffer = moho.Buffer.from_numpy(array, device)
    if not device.unified_memory:
        with pytest.raises(BufferError, match="does not reach"):
            memoryview(buffer)
        with pytest.raises(BufferError):
            buffer.to_numpy(copy=False)
        assert buffer.to_numpy(copy=None).shape == (4, 6)
        return
    view = memoryview(buffer)
    assert (view.format, view.itemsize, view.shape, view.strides, view.readonly) == ("f", 4, (4, 6), (24, 4), False)
    assert np.asarray(buffer).ctypes.data == buffer.address == buffer.to_numpy(copy=False).ctypes.data
    view[1, 2] = 5.0
    assert buffer.to_numpy()[1, 2] == 5
    turned = memoryview(buffer.T)
    assert turned.strides == (4, 24) and turned.f_contiguous and not turned.c_contiguous
    with pytest.raises(BufferError, match="do not lie together"):
        hashlib.sha256(buffer.T[1:])
    assert bytes(buffer) == buffer.to_numpy().tobytes()
    held = np.asarray(buffer)
    del buffer, view, turned
    gc.collect()
    assert held[1, 2] == 5  # numpy holds it


def test_bfloat16_is_said_to_be_no_numpy_type(device):
    x = np.array([1.0, -2.5, 3.140625], np.float32)
    half = moho.ops.convert(moho.Buffer.from_numpy(x, device), "bfloat16")
    assert half.dtype == "bfloat16"
    np.testing.assert_array_equal(half.to_numpy(), (x.view(np.uint32) >> 16).astype(np.uint16))  # these are exact
    np.testing.assert_array_equal(moho.ops.convert(half, "float32").to_numpy(), x)
    with pytest.raises(BufferError):
        memoryview(half)


# ---- DLPack ----


def test_numpy_takes_a_buffer_without_a_copy(device):
    buffer = moho.Buffer.from_numpy(rng.random((3, 4)).astype(np.float32), device)
    type_number = buffer.__dlpack_device__()
    if not device.unified_memory:
        assert type_number == (2, 0)
        return
    assert type_number == (1, 0)
    array = np.from_dlpack(buffer)
    assert array.ctypes.data == buffer.address
    np.testing.assert_array_equal(array, buffer.to_numpy())
    turned = np.from_dlpack(buffer.T[1:])
    assert turned.ctypes.data == buffer.address + 4 and turned.strides == (4, 16)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_numpy_array_becomes_a_buffer_without_a_copy(dtype):
    array = (rng.random((5, 6)) * 100).astype(dtype)
    for view in (array, array[::2, 1:], array[3]):
        buffer = moho.from_dlpack(view)
        assert buffer.address == view.ctypes.data and buffer.dtype == dtype and buffer.shape == view.shape and buffer.shared
        np.testing.assert_array_equal(buffer.to_numpy(), view)
    copied = moho.from_dlpack(array, copy=True)
    assert copied.address != array.ctypes.data
    np.testing.assert_array_equal(copied.to_numpy(), array)


def test_dlpack_between_devices_copies_or_refuses(device):
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    np.testing.assert_array_equal(moho.from_dlpack(array, device).to_numpy(), array)
    if not device.unified_memory:
        with pytest.raises(ValueError, match="copy=False"):
            moho.from_dlpack(array, device, copy=False)
        near = moho.Buffer.from_numpy(array, device)
        np.testing.assert_array_equal(moho.from_dlpack(near, "cpu").to_numpy(), array)


class Versioned:
    """A producer that knows DLPack 1, and one that does not."""

    def __init__(self, array, knows=True):
        self.array, self.knows, self.asked = array, knows, []

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self, **words):
        self.asked.append(words)
        if "max_version" in words and not self.knows:
            raise TypeError("unexpected keyword max_version")
        return self.array.__dlpack__(**words)


def test_both_versions_of_dlpack(device):
    if not device.unified_memory:
        pytest.skip("shown by CuPy and PyTorch there")
    buffer = moho.Buffer.from_numpy(np.arange(6, dtype=np.int32), device)
    new, old = Versioned(buffer), Versioned(buffer, knows=False)
    assert moho.from_dlpack(new).address == buffer.address and new.asked == [{"max_version": (1, 0)}]
    assert moho.from_dlpack(old).address == buffer.address and old.asked == [{"max_version": (1, 0)}, {}]
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    assert name(buffer.__dlpack__()) == b"dltensor"
    assert name(buffer.__dlpack__(max_version=(1, 1))) == b"dltensor_versioned"
    assert name(buffer.__dlpack__(max_version=(0, 8))) == b"dltensor"


def test_wrong_words_of_dlpack_are_refused(device):
    buffer = moho.Buffer.allocate(4, device=device)
    on_cuda = device.kind == "cuda"
    with pytest.raises(ValueError, match="stream"):
        buffer.__dlpack__(stream=-2 if on_cuda else 7)
    for stream in ((None, -1, 1, 2, 12345) if on_cuda else (None, -1)):
        buffer.__dlpack__(stream=stream)
    with pytest.raises(BufferError, match="is on device"):
        buffer.__dlpack__(dl_device=(4, 0))
    with pytest.raises(TypeError, match="max_version"):
        buffer.__dlpack__(max_version=3)
    for wrong in (3.5, "text", None):
        with pytest.raises(TypeError, match="array: a .*DLPack"):
            moho.from_dlpack(wrong)
    copied = moho.from_dlpack(Versioned(buffer), copy=True)
    assert copied.address != buffer.address


def test_capsules_that_nobody_takes_let_go(device):
    buffer = moho.Buffer.allocate(1000, device=device)
    held = sys.getrefcount(buffer)
    capsules = [buffer.__dlpack__(max_version=version) for version in (None, (1, 0)) for _ in range(5)]
    assert sys.getrefcount(buffer) == held + 10
    del capsules
    gc.collect()
    assert sys.getrefcount(buffer) == held


def test_another_thread_lets_go_last(device):
    if not device.unified_memory:
        pytest.skip("numpy takes host memory only")
    buffer = moho.Buffer.allocate(1000, device=device)
    held = sys.getrefcount(buffer)
    box = [np.from_dlpack(buffer)]
    thread = threading.Thread(target=box.clear)
    thread.start(), thread.join()
    gc.collect()
    assert sys.getrefcount(buffer) == held


# ---- much of it ----


def test_no_growth_by_buffers(device, steady):
    array = np.arange(256, dtype=np.float32)

    def once():
        buffer = moho.Buffer.from_numpy(array, device)
        part = buffer[10:20]
        buffer.to_numpy()
        if device.unified_memory:
            np.asarray(part), np.from_dlpack(buffer)
        moho.from_dlpack(buffer)
        return part

    for _ in range(3 if "double" in device.name else 300):  # headers of the last 1024 are kept
        once()
    steady(once, 10000 if device.kind == "cpu" else 300 if "double" in device.name else 2000)
    assert device.metrics()["pool"]["active_bytes"] <= 1 << 20


def test_no_growth_by_refusals(device, steady):
    array = np.zeros((3, 4))

    def once():
        for wrong in (lambda: moho.ops.relu(array, device=device), lambda: moho.Buffer.allocate((-1,), device=device),
                      lambda: moho.from_dlpack(np.zeros(3, complex)), lambda: moho.Buffer.from_numpy("a", device)):
            try:
                wrong()
            except (TypeError, ValueError, RuntimeError, BufferError):
                continue
            raise AssertionError("was not refused")

    steady(once, 3000)


def test_threads_share_a_device(device):
    wrong = []

    def work(seed):
        own = np.random.default_rng(seed)
        for _ in range(60 if device.kind == "cpu" else 10):
            x = own.random(own.integers(1, 3000)).astype(np.float32)
            buffer = moho.Buffer.from_numpy(x, device)
            if not np.array_equal(moho.ops.add(buffer, buffer).to_numpy(), x + x):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert not wrong


@pytest.mark.parametrize("library", ["cupy", "torch", "jax.numpy"])
def test_arrays_of_others(device, library):
    """Where they are installed; bench/python_interchange.py shows it on a GPU."""
    other = pytest.importorskip(library)
    if device.kind == "cuda" and library == "torch":
        x = other.arange(12, dtype=other.float32, device="cuda").reshape(3, 4)
    elif device.kind == "cuda":
        x = other.arange(12, dtype="float32").reshape(3, 4)
    elif library == "cupy":
        pytest.skip("CuPy has arrays on CUDA only")
    else:
        x = other.arange(12, dtype=other.float32).reshape(3, 4)
    buffer = moho.from_dlpack(x)
    np.testing.assert_array_equal(buffer.to_numpy(), np.arange(12, dtype=np.float32).reshape(3, 4))
    np.testing.assert_array_equal(moho.ops.add(x, x).to_numpy(), 2 * np.arange(12, dtype=np.float32).reshape(3, 4))

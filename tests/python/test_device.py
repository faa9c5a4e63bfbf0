"""Devices: named, opened, refused with the reason; Executors; what outlives what."""

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import moho


def test_every_device_is_listed_or_says_why_not():
    listed = moho.devices()
    assert {d.kind or d.uri for d in listed} >= {"cpu"}
    assert any(d.kind == "cpu" and d.available and d.memory_bytes > 1 << 20 for d in listed)
    for d in listed:
        assert d.available or d.reason
        if d.available:
            assert moho.Device(d.uri).name == d.name


def test_options_of_a_uri_hold():
    device = moho.Device("cpu?threads=3")
    assert device.threads == 3 and "threads=3" in device.uri and device.unified_memory
    report = device.report()
    assert report["threads"] == 3 and 0 < report["memory_free_bytes"] <= report["memory_bytes"]
    assert repr(device) == f'<moho.Device "{device.uri}": {device.name}>'


@pytest.mark.parametrize("wrong, nearest", [("metl", "metal"), ("cdua", "cuda"), ("cpi", "cpu"), ("CUDDA", "cuda")])
def test_a_wrong_name_is_a_value_error_with_the_nearest(wrong, nearest):
    for make in (moho.Device, moho.Executor, lambda name: moho.ops.neg(np.zeros(3, np.float32), device=name)):
        with pytest.raises(ValueError, match=f'"{nearest}"') as caught:
            make(wrong)
        assert isinstance(caught.value, moho.Error) and not isinstance(caught.value, moho.DeviceError)


def test_wrong_options_are_named():
    with pytest.raises(ValueError, match="threads"):
        moho.Device("cpu?thread=3")
    with pytest.raises(TypeError, match="device: a float"):
        moho.ops.neg(np.zeros(3, np.float32), device=1.5)


def test_what_is_not_there_says_why():
    for kind, is_there in (("cuda", moho.is_cuda_available()), ("metal", moho.is_metal_available())):
        found = [d for d in moho.devices() if d.available and d.kind == kind]
        assert bool(found) == is_there
        if is_there:
            assert moho.Executor(backend=kind).backend == kind
            continue
        reason = next(d.reason for d in moho.devices() if d.uri == kind)
        with pytest.raises(moho.DeviceError, match=".") as caught:
            moho.Executor(backend=kind)
        assert reason in str(caught.value) and len(reason) > 10


def in_python(code, **environment):
    run = subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_probes_really_open_a_device():
    """A library that is there and is no driver is not taken for one."""
    code = "import moho; print(moho.is_cuda_available(), moho.is_metal_available())"
    assert in_python(code, MOHO_CUDA_LIBRARY="libm.so.6", MOHO_METAL_LIBRARY="libm.so.6") == ["False", "False"]
    double = os.environ.get("MOHO_METAL_LIBRARY")
    if double:
        assert in_python(code, MOHO_METAL_LIBRARY=double)[1] == "True"


def test_the_environment_replaces_auto():
    code = "import moho; print(moho.current_device().uri)"
    assert in_python(code, MOHO_DEVICE="cpu?threads=5")[0].startswith("cpu?threads=5")


# ---- Executors ----


def test_an_executor_is_the_device_of_what_runs_inside():
    x = np.arange(4, dtype=np.float32)
    with moho.Executor("cpu?threads=1") as outer:
        assert moho.current_device() is outer.device
        with moho.Executor("cpu?threads=2") as inner:
            assert inner.allocate(3).device is inner.device and moho.Buffer.allocate(3).device is inner.device
            assert moho.current_device() is inner.device
        assert moho.current_device() is outer.device
        made = outer.Buffer(x)
        assert made.device is outer.device
        assert moho.ops.vector_add(made, x).device is outer.device
    assert moho.current_device() is not outer.device
    np.testing.assert_array_equal(made.to_numpy(), x)  # lives on
    assert "metrics" in dir(outer) and outer.metrics()["launches"] >= 0


def test_an_executor_is_left_on_errors_too():
    before = moho.current_device()
    with pytest.raises(ZeroDivisionError):
        with moho.Executor("cpu?threads=1"):
            1 / 0
    assert moho.current_device() is before


def test_threads_and_tasks_have_executors_of_their_own():
    seen = {}

    def work(name, uri):
        with moho.Executor(uri) as executor:
            barrier.wait()
            seen[name] = moho.current_device() is executor.device
            barrier.wait()

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=work, args=(i, f"cpu?threads={i + 1}")) for i in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert seen == {0: True, 1: True}

    async def task(uri):
        with moho.Executor(uri) as executor:
            await asyncio.sleep(0)
            return moho.current_device() is executor.device

    async def both():
        return await asyncio.gather(task("cpu?threads=1"), task("cpu?threads=2"))

    assert asyncio.run(both()) == [True, True]
    assert not contextvars.copy_context().get(moho._devices._entered)


# ---- what outlives what ----


def test_a_buffer_keeps_its_device_open():
    device = moho.Device("cpu?threads=1")
    held = sys.getrefcount(device)
    buffer = moho.Buffer.from_numpy(np.arange(8, dtype=np.int32), device)
    view = buffer[2:]
    assert sys.getrefcount(device) == held + 2
    del device, buffer
    gc.collect()
    np.testing.assert_array_equal(view.to_numpy(), np.arange(2, 8))
    np.testing.assert_array_equal(moho.ops.add(view, 1).to_numpy(), np.arange(3, 9))


def test_a_device_is_closed_with_the_last_reference(steady):
    for _ in range(1100):  # the runtime keeps the headers of the last 1024, to notice late use
        moho.Device("cpu?threads=1")
    steady(lambda: moho.Device("cpu?threads=1").uri, n=2000)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork() here")
def test_a_forked_child_opens_its_own():
    x = np.arange(100, dtype=np.float32)
    moho.ops.add(x, x, device="cpu")
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if np.array_equal(moho.ops.add(x, x, device="cpu"), 2 * x) else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0

"""The device under test is the one that MOHO_DEVICE names, else the cpu."""

import gc
import os

import pytest

import moho


@pytest.fixture(scope="session")
def device():
    return moho.Device(os.environ.get("MOHO_DEVICE", "cpu"))


@pytest.fixture
def steady(device):
    """steady(function, n): memory does not grow while it is called n times, after a tenth of that to warm up.

    Metal's test double and the address sanitizer keep what was released for a while, to notice late use: there only Python's
    objects are counted."""

    def resident():
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def check(function, n=10000):
        if not os.path.exists("/proc/self/statm"):
            pytest.skip("no /proc/self/statm here")
        for _ in range(n // 10):
            function()
        gc.collect()
        objects, grown = len(gc.get_objects()), []
        for _ in range(4):  # what leaks does so in every quarter, what is kept for reuse does not
            before = resident()
            for _ in range(n // 4):
                function()
            gc.collect()
            grown.append(resident() - before)
        keeps = "test double" in device.name or "asan" in os.environ.get("LD_PRELOAD", "")
        assert keeps or min(grown) <= n // 4 * 16, f"grew by {grown} bytes"
        assert len(gc.get_objects()) - objects < 100

    return check

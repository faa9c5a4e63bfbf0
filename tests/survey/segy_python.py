#!/usr/bin/python3
"""SEG-Y and SU exchanged with segyio: what it writes Moho reads to the bit, what Moho writes it reads to the bit.

usage: segy_python.py SEGY_DUMP FIELD_DATA_FOLDER    (the environment's MOHO_FIELD_DATA goes before the folder)
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
import segyio
import segyio.su

DUMP = sys.argv[1]
rng = np.random.default_rng(5)


def read_with_moho(path, prefix, headers=None):
    for ending in ("samples", "geometry"):
        if os.path.exists(f"{prefix}.{ending}"):
            os.remove(f"{prefix}.{ending}")
    told = subprocess.run([DUMP, path, prefix] + ([headers] if headers else []), capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    info = dict(line.split(" ", 1) for line in told.stdout.splitlines() if " " in line and not line.startswith(("anomaly", "C")))
    info["anomalies"] = {line.split()[1]: int(line.split()[2]) for line in told.stdout.splitlines() if line.startswith("anomaly")}
    n, ns = int(info["traces"]), int(info["samples"])
    samples = np.fromfile(prefix + ".samples", np.float32).reshape(n, ns)
    geometry = np.fromfile(prefix + ".geometry", np.float64).reshape(5, n)
    return info, samples, geometry


def scaled(values, scalars):
    s = np.where(scalars == 0, 1, scalars).astype(np.float64)
    return np.where(s > 0, values * np.abs(s), values / np.abs(s))


def write_with_segyio(path, fmt, endian, n=37, ns=101):
    """A file made by segyio, prestack, with a scalar of its own on every trace; returns samples and headers."""
    spec = segyio.spec()
    spec.format, spec.samples, spec.tracecount, spec.endian = fmt, np.arange(ns) * 2.0, n, endian
    samples = rng.normal(size=(n, ns)).astype(np.float32) * np.float32(10) ** rng.integers(-6, 6, size=(n, 1))
    samples = samples.astype(np.float32)
    head = {
        73: rng.integers(-2**31, 2**31, n), 77: rng.integers(-2**31, 2**31, n), 81: rng.integers(-2**31, 2**31, n),
        85: rng.integers(-2**31, 2**31, n), 71: rng.choice([-100, -10, 1, 10, 0], n), 109: rng.integers(-300, 300, n),
        215: rng.choice([-10, 1, 0], n), 21: rng.integers(1, 9999, n), 115: np.full(n, ns), 117: np.full(n, 2000)}
    with segyio.create(path, spec) as f:
        f.bin.update(hdt=2000, hns=ns, format=fmt)
        for i in range(n):
            f.header[i] = {k: int(v[i]) for k, v in head.items()}
            f.trace[i] = samples[i] if fmt in (1, 5) else None
    with segyio.open(path, "r", ignore_geometry=True, endian=endian) as f:
        samples = f.trace.raw[:].copy()
    return samples, head


def check_read(folder):
    for fmt in (1, 5):
        for endian in ("big", "little"):
            path = os.path.join(folder, f"{fmt}{endian}.sgy")
            samples, head = write_with_segyio(path, fmt, endian)
            info, got, geometry = read_with_moho(path, os.path.join(folder, "a"))
            assert ("IBM" if fmt == 1 else "IEEE") in info["format"] and endian in info["format"], info["format"]
            assert np.array_equal(got, samples), (fmt, endian)
            assert float(info["dt_us"]) == 2000
            for row, byte in zip(geometry, (73, 77, 81, 85)):
                assert np.array_equal(row, scaled(head[byte], head[71])), (fmt, endian, byte)
            assert np.array_equal(geometry[4], scaled(head[109], head[215]) / 1000)
            print(f"format {fmt}, {endian} endian, as segyio has it: {len(got)} traces agree to the bit")


def check_copy(folder):
    """segyio -> Moho -> segyio, SEG-Y and SU."""
    path, copy, su = (os.path.join(folder, name) for name in ("from.sgy", "copy.sgy", "copy.su"))
    n, ns = 41, 77
    spec = segyio.spec()
    spec.format, spec.samples, spec.tracecount = 5, np.arange(ns) * 4.0, n
    samples = rng.normal(size=(n, ns)).astype(np.float32)
    head = {73: rng.integers(0, 10**8, n), 77: rng.integers(0, 10**8, n), 81: rng.integers(0, 10**8, n),
            85: rng.integers(0, 10**8, n), 71: np.full(n, -100), 109: rng.integers(0, 300, n), 21: rng.integers(1, 999, n),
            189: rng.integers(1, 99, n), 193: rng.integers(1, 99, n), 29: np.full(n, 1)}
    with segyio.create(path, spec) as f:
        f.bin.update(hdt=4000)
        for i in range(n):
            f.header[i] = {k: int(v[i]) for k, v in head.items()}
            f.trace[i] = samples[i]
    for target in (copy, su):
        done = subprocess.run([DUMP, "--copy", path, target], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    with segyio.open(copy, "r", strict=False) as f:
        assert f.bin[segyio.BinField.Format] == 5 and f.bin[segyio.BinField.Interval] == 4000
        assert f.bin[segyio.BinField.Samples] == ns and f.bin[segyio.BinField.MeasurementSystem] == 1
        assert f.bin[segyio.BinField.SEGYRevision] == 0x0100 and f.bin[segyio.BinField.TraceFlag] == 1
        assert segyio.tools.dt(f) == 4000
        text = bytes(f.text[0])
        assert text.startswith(b"C 1 a copy") and text[80:].startswith(b"C 2 for a check"), text[:160]
        assert text[38 * 80:].startswith(b"C39 SEG Y REV1") and b"C40 END TEXTUAL HEADER" in text
        assert np.array_equal(f.trace.raw[:], samples)
        for byte in (73, 77, 81, 85):
            assert np.array_equal(scaled(f.attributes(byte)[:], f.attributes(71)[:]), scaled(head[byte], head[71])), byte
        for byte in (109, 21, 189, 193, 29):
            assert np.array_equal(f.attributes(byte)[:], head[byte]), byte
        mid = (head[73] + head[81]) / 200
        assert np.max(np.abs(scaled(f.attributes(181)[:], f.attributes(71)[:]) - mid)) <= 0.005 + 1e-6
        offset = np.hypot((head[73] - head[81]) / 100, (head[77] - head[85]) / 100)
        assert np.max(np.abs(f.attributes(37)[:] - offset)) <= 0.5
        assert set(f.attributes(115)[:]) == {ns} and set(f.attributes(117)[:]) == {4000}
        assert list(f.attributes(1)[:]) == list(range(1, n + 1))
    with segyio.su.open(su, endian="little", ignore_geometry=True) as f:
        assert np.array_equal(f.trace.raw[:], samples)
        # One header at a time: segyio 1.8's attributes() reads 2-byte fields of little-endian files wrongly.
        field = {byte: np.array([f.header[i][byte] for i in range(n)]) for byte in (71, 73, 77, 81, 85, 109, 21, 29, 115, 117)}
        for byte in (73, 77, 81, 85):
            assert np.array_equal(scaled(field[byte], field[71]), scaled(head[byte], head[71])), byte
        for byte in (109, 21, 29):
            assert np.array_equal(field[byte], head[byte]), byte
        assert set(field[115]) == {ns} and set(field[117]) == {4000}
    for target in (copy, su):
        info, got, geometry = read_with_moho(target, os.path.join(folder, "b"))
        assert np.array_equal(got, samples) and not info["anomalies"], info
        assert np.array_equal(geometry[0], head[73] / 100)
    print("SEG-Y and SU that Moho wrote: segyio and Moho read them to the bit")


def check_image(folder):
    """An image of Moho's as segyio's cube, found by itself from inline and crossline numbers."""
    path = os.path.join(folder, "image.sgy")
    done = subprocess.run([DUMP, "--image", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with segyio.open(path, "r", strict=True) as f:
        assert list(f.ilines) == [100, 102, 104, 106, 108] and list(f.xlines) == list(range(300, 307))
        assert np.array_equal(segyio.tools.cube(f).ravel(), np.arange(5 * 7 * 40, dtype=np.float32) * np.float32(0.5))
        assert f.bin[segyio.BinField.SortingCode] == 4 and np.array_equal(f.samples, 500 + 4.0 * np.arange(40))
        i, j = np.divmod(np.arange(35), 7)
        x, y = f.attributes(181)[:] / 100, f.attributes(185)[:] / 100
        assert set(f.attributes(71)[:]) == {-100} and set(f.attributes(29)[:]) == {1} and set(f.attributes(37)[:]) == {0}
        assert np.array_equal(x, 450000.25 + 12.5 * j) and np.array_equal(y, 6700000.5 - 25.0 * i)
    print("an image: segyio finds the cube, its axes and positions")


def check_cube(folder):
    """A post-stack cube that segyio made (it writes offset 1) with cdp_x, cdp_y: midpoints at offset 0."""
    path = os.path.join(folder, "cube.sgy")
    spec = segyio.spec()
    spec.format, spec.sorting, spec.samples = 1, 2, np.arange(30) * 20.0
    spec.ilines, spec.xlines = np.arange(10, 14), np.arange(50, 56)
    values = rng.uniform(1500, 4500, (24, 30)).astype(np.float32)
    with segyio.create(path, spec) as f:
        f.bin.update(hdt=20000)
        for k in range(24):
            il, xl = divmod(k, 6)
            f.header[k] = {71: -10, 181: 5000000 + 250 * xl, 185: 60000000 + 250 * il, 189: 10 + il, 193: 50 + xl, 37: 1}
            f.trace[k] = values[k]
    with segyio.open(path, "r", strict=True) as f:
        values = f.trace.raw[:].copy()
    info, got, geometry = read_with_moho(path, os.path.join(folder, "d"))
    assert info["anomalies"] == {"stacked": 24}, info["anomalies"]
    assert np.array_equal(got, values) and float(info["dt_us"]) == 20000
    xl = np.arange(24) % 6
    assert np.array_equal(geometry[0], 500000 + 25.0 * xl) and np.array_equal(geometry[2], geometry[0])
    assert np.array_equal(geometry[1], 6000000 + 25.0 * (np.arange(24) // 6)) and np.array_equal(geometry[3], geometry[1])
    print("a velocity cube of segyio's: values and midpoints")


def check_field_data(folder, path):
    if not os.path.exists(path):
        print("skipped: no field data")
        return
    info, got, geometry = read_with_moho(path, os.path.join(folder, "c"))
    with segyio.open(path, "r", strict=False, ignore_geometry=True) as f:
        assert np.array_equal(got, f.trace.raw[:])
        assert np.array_equal(geometry[0], f.attributes(73)[:]) and np.array_equal(geometry[2], f.attributes(81)[:])
    assert got.shape == (480, 600) and float(info["dt_us"]) == 4000
    assert info["anomalies"] == {"ns_conflict": 480, "geographic_units": 480, "mute_not_applied": 480}, info["anomalies"]
    print("field data: samples and positions agree with segyio to the bit")


with tempfile.TemporaryDirectory() as work:
    check_read(work)
    check_copy(work)
    check_image(work)
    check_cube(work)
    check_field_data(work, os.path.join(os.environ.get("MOHO_FIELD_DATA", sys.argv[2]), "viking_small.segy"))

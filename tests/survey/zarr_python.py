"""Moho's Zarr groups read by xarray and python-zarr, and theirs by Moho.

Usage: zarr_python.py path/to/zarr_exchange
"""
import os
import subprocess
import sys
import tempfile
import warnings

import numcodecs
import numpy as np
import xarray
import zarr


def check_image(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        image = xarray.open_zarr(path, consolidated=True)
    assert image["stack"].dims == ("inline", "crossline", "time") == image["fold"].dims, image["stack"].dims
    assert image["stack"].shape == (5, 7, 600)
    assert image["fold"].dtype == np.int32 and image["stack"].dtype == np.float32, (image["fold"].dtype, image["stack"].dtype)
    n = np.arange(5 * 7 * 600)
    stack = np.sin(0.01 * n).astype(np.float32)
    stack[3] = np.nan
    np.testing.assert_array_equal(image["stack"].values.ravel(), stack)
    np.testing.assert_array_equal(image["fold"].values.ravel(), n % 1000)
    np.testing.assert_array_equal(image.inline, 100 + 2 * np.arange(5))
    np.testing.assert_array_equal(image.crossline, 900 - np.arange(7))
    np.testing.assert_array_equal(image.time, 0.004 * np.arange(600))
    assert image.time.attrs["units"] == "s" and image.time.dtype == np.float64 and image.cdp_x.attrs["units"] == "m"
    assert {"cdp_x", "cdp_y", "inline", "crossline", "time"} == set(image.coords), set(image.coords)
    a = np.radians(30)
    i, j = np.meshgrid(np.arange(5), np.arange(7), indexing="ij")
    np.testing.assert_allclose(image.cdp_x, 500000.25 + i * 25 * np.cos(a) + j * 12.5 * np.sin(a), rtol=0, atol=1e-8)
    np.testing.assert_allclose(image.cdp_y, 6700000.5 - i * 25 * np.sin(a) + j * 12.5 * np.cos(a), rtol=0, atol=1e-8)
    assert image.attrs["job"]["migration"]["aperture"]["max_m"] == 3000 and image.attrs["version"] == "0.1.0"
    grid = image.attrs["grid"]
    assert grid["origin_x_m"] == 500000.25 and grid["inline_azimuth_deg"] == 30 and grid["n_time"] == 600, grid


def rewrite_image(path, to, change):
    """As xarray writes it, other codecs and without our grid: Moho must find the grid in the coordinates."""
    image = xarray.open_zarr(path).load()
    del image.attrs["grid"]
    for name in image.variables:
        image[name].encoding = {}
    change(image).to_zarr(to, mode="w", consolidated=True)


def check_traces(path):
    group = zarr.open(path, mode="r")
    n = np.arange(3000)
    assert group.attrs["dt_s"] == 0.002 and group["traces"].shape == (3000, 701)
    np.testing.assert_array_equal(group["traces"][:], (n[:, None] + np.arange(701) / 1024).astype(np.float32))
    np.testing.assert_array_equal(group["source_x"][:], 0.5 * n)
    np.testing.assert_array_equal(group["receiver_y"][:], -1e6 - n)
    np.testing.assert_array_equal(group["cdp"][:], n)
    np.testing.assert_array_equal(group["flags"][:], n % 5)
    assert group["cdp"].dtype == np.int32 and group["flags"].dtype == np.uint8 and group["mute_end_s"][5] == 0.25
    assert group["traces"].attrs["_ARRAY_DIMENSIONS"] == ["trace", "time"]


def write_groups(path):
    """Arrays a[i, j, k] = 100 i + 10 j + k; chunk row i = 2 is never written."""
    group = zarr.open_group(path, mode="w")
    blosc, names = numcodecs.Blosc, []
    codecs = {
        "lz4": blosc("lz4", 5, blosc.SHUFFLE),
        "lz4hc": blosc("lz4hc", 5, blosc.BITSHUFFLE),
        "zstd": blosc("zstd", 3, blosc.NOSHUFFLE),
        "bzlib": blosc("zlib", 3),
        "blosclz": blosc("blosclz", 9),
        "zlib": numcodecs.Zlib(6),
        "gzip": numcodecs.GZip(1),
        "raw": None,
    }
    i, j, k = np.indices((4, 5, 9))
    values = 100 * i + 10 * j + k
    for codec, compressor in codecs.items():
        for dtype in ("<f4", ">f4", "<f8", ">f8", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8"):
            for separator in (".", "/"):
                name = f"{codec}_{dtype[1:]}_{'big' if dtype[0] == '>' else 'little'}_{'dot' if separator == '.' else 'slash'}"
                array = group.create_dataset(name, shape=values.shape, chunks=(1, 3, 4), dtype=dtype, compressor=compressor,
                                             fill_value=0, dimension_separator=separator)
                for row in (0, 1, 3):
                    array[row] = values[row]
                names.append(name)
    group.create_dataset("bytes", data=np.array([[[0, 1]]], dtype="u1"))
    return names + ["bytes"]


def main(program):
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([program, "write", directory], check=True)
        check_image(os.path.join(directory, "image.zarr"))
        ours, theirs = (os.path.join(directory, name) for name in ("image.zarr", "rewritten.zarr"))
        rewrite_image(ours, theirs, lambda image: image)
        subprocess.run([program, "same", ours, theirs], check=True)
        rewrite_image(ours, theirs, lambda image: image.assign(cdp_x=image.cdp_x + 0.001))
        assert subprocess.run([program, "same", ours, theirs], capture_output=True).returncode == 1
        check_traces(os.path.join(directory, "traces.zarr"))
        group = os.path.join(directory, "theirs.zarr")
        names = write_groups(group)
        subprocess.run([program, "read", group, *names], check=True)
        # A wrong value must be seen.
        zarr.open_group(group)[names[0]][0, 0, 0] = 7
        assert subprocess.run([program, "read", group, names[0]], capture_output=True).returncode == 1
        print(f"image, traces and {len(names)} foreign arrays agree")


main(sys.argv[1])

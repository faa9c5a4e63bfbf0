"""The wheel: made by pip without the network, installed in a fresh environment, it migrates; its libraries are its own."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

SOURCE = pathlib.Path(os.environ["MOHO_TEST_SOURCE"])
BUILD = pathlib.Path(os.environ["MOHO_TEST_COMMAND"]).parent
MIGRATES = """
import pstm_metal, moho, numpy as np
survey = moho.synth("tiny", n_samples=101)
image = moho.migrate(survey.traces, survey.geometry, 2500.0, dt_s=survey.dt_s, device="cpu", aperture={"max_m": 200})
assert np.abs(image.stack).max() > 0
print(moho.__file__, moho.__version__, [d.kind for d in moho.devices()])
"""

pytestmark = pytest.mark.skipif("LD_PRELOAD" in os.environ or not sys.platform.startswith("linux"),
                                reason="made of the release, on Linux")


@pytest.fixture(scope="module", name="wheel")
def make_wheel(tmp_path_factory):
    for tool in ("patchelf", "strip", "objdump"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    for module in ("pip", "wheel", "setuptools"):
        if subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False).returncode:
            pytest.skip(f"python's {module} is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    environment = {**os.environ, "MOHO_BUILD_FOLDER": str(BUILD)}
    del environment["PYTHONPATH"]
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir",
                           folder, SOURCE], env=environment, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("*.whl")
    return made


def test_one_wheel_for_311_and_later(wheel):
    assert re.fullmatch(r"moho-[\d.]+-cp311-abi3-manylinux_2_\d+_(x86_64|aarch64)\.whl", wheel.name)
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("moho/_moho.abi3.so", "moho/__init__.py", "moho/py.typed", "moho/lib/libmoho.so.0", "moho/_moho.pyi",
                 "pstm_metal/__init__.py"):
        assert name in names
    assert not [name for name in names if re.search(r"lib(c|m|dl|pthread|cuda|nvrtc|cublas)\b", pathlib.Path(name).name)]


def test_its_libraries_are_its_own(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    for file in [tmp_path / "moho" / "_moho.abi3.so", *(tmp_path / "moho" / "lib").iterdir()]:
        if file.parent.name != "lib":
            lines = subprocess.run(["ldd", file], env={}, capture_output=True, text=True, check=True).stdout.splitlines()
            foreign = [line for line in lines if "=>" in line and str(tmp_path) not in line]
            assert all(re.match(r"\s*(libc|libm|libdl|librt|libpthread)\.so", line) for line in foreign), foreign
        assert str(BUILD).encode() not in subprocess.run(["readelf", "-d", file], capture_output=True, check=True).stdout


def test_installed_in_an_environment_it_migrates(wheel, tmp_path):
    place = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", place], check=True)
    subprocess.run([sys.executable, "-m", "pip", "--python", place / "bin" / "python", "install", "--no-index", "--no-deps", "--quiet",
                    wheel], check=True, env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"})
    done = subprocess.run([place / "bin" / "python", "-c", MIGRATES], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
                          check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(place) in done.stdout and "cpu" in done.stdout

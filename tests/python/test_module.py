"""The extension module by itself: made of the limited API, importable, in several interpreters; errors as exceptions."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import moho
from moho import _moho


def test_version_is_the_library_s():
    command = subprocess.run([os.environ["MOHO_TEST_COMMAND"], "--version"], capture_output=True, text=True, check=True,
                             env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"})
    assert f"moho {moho.__version__}" == command.stdout.strip()


def test_one_build_serves_later_pythons():
    file = pathlib.Path(_moho.__file__)
    assert file.name == "_moho.abi3.so"
    symbols = subprocess.run(["nm", "-D", "--undefined-only", file], capture_output=True, text=True, check=True).stdout.split()
    stable = ("_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct", "_Py_Dealloc")
    private = [name for name in symbols if name.startswith("_Py") and not name.endswith("_SizeT") and name not in stable]
    assert private == []


def test_imported_twice_in_fresh_interpreters():
    code = ("import sys, moho, importlib\n"
            "one = sys.modules.pop('moho._moho')\n"
            "import moho._moho as two\n"
            "assert one is not two and one.Device is not two.Device\n"
            "print(two.Device('cpu').uri)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cpu?")


def test_a_caller_s_mistake_is_a_value_error_with_a_hint():
    with pytest.raises(ValueError, match='unknown backend "cdua"') as caught:
        moho.Device("cdua")
    error = caught.value
    assert isinstance(error, moho.ArgumentError) and error.name == "MOHO_ERROR_ARGUMENT" and error.code == 1
    assert error.hint == 'did you mean "cuda"?' and error.hint in str(error)
    assert error.file is error.line is error.trace is error.byte is None


def test_errors_of_a_job_tell_line_column_and_key():
    with pytest.raises(moho.ArgumentError) as caught:
        _moho.Job("migration:\n  aperture: {max_n: 3000}\n", "mine.yaml")
    error = caught.value
    assert (error.line, error.column) == (2, 14) and error.file == "mine.yaml"
    assert "max_m" in str(error)


def test_files_that_are_not_there_are_os_errors():
    with pytest.raises(FileNotFoundError) as caught:
        _moho.Job.read("/nowhere/job.yaml")
    assert isinstance(caught.value, moho.FileError) and caught.value.filename == "/nowhere/job.yaml"


def geometry(n, **more):
    columns = {name: np.zeros(n) for name in ("source_x", "source_y", "receiver_x", "receiver_y")}
    return {**columns, **more}


@pytest.mark.parametrize("columns, error, words", [
    (geometry(3, source_y=np.zeros(4)), ValueError, r'geometry\["source_y"\]: shape \(4,\), expected \(3,\)'),
    (geometry(3, cdp=np.zeros(3)), TypeError, r'geometry\["cdp"\]: float64, expected int32'),
    (geometry(3, source_x=np.zeros((3, 1))), ValueError, r"shape \(3, 1\), expected \(any,\)"),
    (geometry(3, source_x=np.zeros(6)[::2]), ValueError, "not C-contiguous"),
    (geometry(3, source_x=np.zeros(3, ">f8")), TypeError, 'format ">d"'),
    (geometry(3, source_x=[1, 2, 3]), TypeError, "a list, expected an array of float64"),
    (geometry(3, source_z=np.zeros(3)), ValueError, "unknown column 'source_z': did you mean \"source_"),
    ({"source_x": np.zeros(3)}, ValueError, r'geometry\["source_y"\] is missing'),
])
def test_arrays_that_do_not_fit_are_refused_by_name(columns, error, words):
    with pytest.raises(error, match=words):
        _moho.Geometry(columns)


def test_geometry_holds_its_arrays_and_gives_them_back():
    array = np.zeros(5)
    before = sys.getrefcount(array)
    held = _moho.Geometry(geometry(5, source_x=array))
    assert len(held) == 5 and sys.getrefcount(array) > before
    del held
    assert sys.getrefcount(array) == before


def test_wrong_objects_are_named():
    with pytest.raises(TypeError, match="geometry: a dict, expected a Geometry"):
        _moho.Job("{}").grid({}, 100, 0.002)


def test_a_grid_and_a_velocity_of_words_and_of_arrays():
    n = 11
    line = geometry(n, source_x=np.arange(n) * 10.0, receiver_x=np.arange(n) * 10.0)
    job = _moho.Job('{"grid": {"origin_m": [0, 0], "inline_azimuth_deg": 90, "inline": {"n": 1}, '
                    '"crossline": {"n": 11, "spacing_m": 10}}, "velocity": {"constant_mps": 2500}}')
    grid = job.grid(_moho.Geometry(line), 101, 0.004)
    numbers = grid.numbers()
    assert (numbers["n_inline"], numbers["n_crossline"], numbers["n_time"], numbers["step_s"]) == (1, 11, 101, 0.004)
    x, y = (np.asarray(block) for block in grid.positions())
    np.testing.assert_allclose(x, np.arange(n)[None, :] * 10.0, atol=1e-9)
    np.testing.assert_allclose(y, 0, atol=1e-9)
    v = np.empty(3)
    job.velocity(grid).rms(0, 0, 0, 0.1, v)
    assert v.tolist() == [2500] * 3
    times = np.array([0.0, 1.0])
    of_one = _moho.velocity_functions(times, np.array([2000.0, 3000.0]), 0, None, 500, 9000)
    of_one.rms(5, 5, 0, 0.25, v)
    np.testing.assert_allclose(v, [2000, 2250, 2500], rtol=1e-12)
    cube = np.linspace(2000, 3000, n)[None, :, None] * np.ones((1, n, 2))
    of_cube = _moho.velocity_functions(times, cube, 0, grid, 500, 9000)
    of_cube.rms(100, 0, 0, 0.25, v)
    np.testing.assert_allclose(v, 3000, rtol=1e-12)
    with pytest.raises(ValueError, match=r"velocity: shape \(2,\), expected \(3,\)"):
        _moho.velocity_functions(np.zeros(3), np.zeros(2), 0, None, 500, 9000)

"""moho.run, explain, read_segy, open_image: the same results as the command's and as moho.migrate's, from files."""

import concurrent.futures
import filecmp
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import moho

COMMAND = os.environ["MOHO_TEST_COMMAND"]
OPTIONS = {"aperture": {"max_m": 300}, "antialias": "triangle"}
EDGES = [0, 300, 1000]


@pytest.fixture(scope="module", name="folder")
def make_folder(tmp_path_factory):
    """A folder with survey.sgy, job.yaml, and what the command made of them in out/."""
    folder = tmp_path_factory.mktemp("run")
    moho.synth("tiny", path=folder / "survey.sgy", n_samples=301)
    (folder / "job.yaml").write_text(textwrap.dedent("""
        input: {traces: survey.sgy}
        velocity: {constant_mps: 2500}
        migration: {aperture: {max_m: 300}, antialias: triangle}
        gathers: {kind: offset, edges_m: [0, 300, 1000]}
        output: {directory: out, png: false, report: false}
        execution: {device: cpu}
        """), encoding="utf-8")
    subprocess.run([COMMAND, "migrate", folder / "job.yaml", "--progress", "json"], check=True, capture_output=True,
                   env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"})
    return folder


def names_below(folder):
    return sorted(os.path.relpath(os.path.join(path, name), folder) for path, _, names in os.walk(folder) for name in names)


# ---- run ----

def test_the_same_files_as_the_command(folder):
    told = []
    report = moho.run(folder / "job.yaml", output={"directory": str(folder / "again")}, progress=told.append)
    names = [name for name in names_below(folder / "out") if "report" not in name and not name.endswith((".zattrs", ".zmetadata"))]
    assert any(name.startswith(os.path.join("image.zarr", "stack")) for name in names) and "stack.sgy" in names
    assert names_below(folder / "again") == names_below(folder / "out")
    same, different, odd = filecmp.cmpfiles(folder / "out", folder / "again", names, shallow=False)
    assert (different, odd) == ([], []) and len(same) == len(names)
    assert report["contributions"] > 1e6 and report["traces"]["used"] == report["traces"]["total"]
    assert report["directory"] == str(folder / "again")
    assert {"migrating", "writing"} <= {step.stage for step in told}


def test_the_same_image_as_migrate_s(folder):
    pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    survey = moho.read_segy(folder / "survey.sgy")
    image = moho.migrate(survey.traces, survey.geometry, 2500.0, dt_s=survey.dt_s, device="cpu", **OPTIONS,
                         gathers={"kind": "offset", "edges_m": EDGES})
    on_disk = moho.open_image(folder / "out" / "image.zarr")
    in_memory = image.to_xarray()
    for name in ("stack", "fold", "gathers", "gathers_fold"):
        assert on_disk[name].dims == in_memory[name].dims and on_disk[name].dtype == in_memory[name].dtype
        np.testing.assert_array_equal(on_disk[name].values, in_memory[name].values)
    for name in ("inline", "crossline", "offset", "time", "cdp_x", "cdp_y"):
        np.testing.assert_allclose(on_disk[name].values, in_memory[name].values, atol=1e-9)


def test_open_image_names_its_axes(folder):
    pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    image = moho.open_image(folder / "out" / "image.zarr")
    assert image["stack"].dims == ("inline", "crossline", "time")
    assert image["gathers"].dims == ("inline", "crossline", "offset", "time")
    assert image["cdp_x"].dims == ("inline", "crossline") and image["fold"].dtype == np.int32
    section = image["stack"].sel(inline=3).sel(time=0.4, method="nearest")
    assert section.shape == (21,) and float(image["time"][1]) == pytest.approx(0.002)
    assert image.attrs["job"]["velocity"]["constant_mps"]["value"] == 2500


def test_open_image_says_what_is_missing(folder, monkeypatch):
    with pytest.raises(FileNotFoundError, match="there is no image"):
        moho.open_image(folder / "nowhere.zarr")
    for name in ("xarray", "zarr"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            with pytest.raises(ImportError, match=f"python3-{name}"):
                moho.open_image(folder / "out" / "image.zarr")


def test_a_job_as_a_dict_and_keys_by_section_and_path(folder):
    job = {"input": {"traces": str(folder / "survey.sgy")}, "velocity": {"constant_mps": 2500},
           "migration": {"aperture": {"max_m": 300, "max_dip_deg": 50}}}
    effective = moho.explain(job, migration={"aperture": {"max_m": 200}}, **{"migration.antialias": "triangle"})["job"]
    migration = effective["migration"]
    assert migration["aperture"]["max_m"] == {"value": 200, "unit": "m", "given": True}
    assert migration["aperture"]["max_dip_deg"]["value"] == 50 and migration["antialias"]["value"] == "triangle"
    velocity = moho.explain(job, velocity={"linear_t0": {"v0_mps": 2000, "slope_mps_per_s": 500}})["job"]["velocity"]
    assert velocity["linear_t0"]["v0_mps"]["value"] == 2000 and not velocity["constant_mps"]["given"]


def test_what_is_there_is_not_replaced_unasked(folder):
    with pytest.raises(FileExistsError):
        moho.run(folder / "job.yaml")
    assert moho.run(folder / "job.yaml", overwrite=True)["directory"] == str(folder / "out")


@pytest.mark.parametrize("overrides, words", [
    ({"migration": {"aperture": {"max_n": 3}}}, "migration.aperture.max_m"),
    ({"migratio": {}}, 'did you mean "migration"'),
    ({"velocity": {"constant_mps": 2.5}}, "2.5 km/s is 2500"),
    ({"migration.aperture.max_m": "3 km"}, "expected a number in m"),
    ({"velocity": {"table": "v.txt"}}, "velocity.type"),
])
def test_wrong_keys_are_value_errors(folder, overrides, words):
    with pytest.raises(ValueError, match=words):
        moho.run(folder / "job.yaml", **overrides)


def test_errors_of_a_file_tell_the_place(tmp_path):
    (tmp_path / "bad.yaml").write_text("input: {traces: a.sgy}\nvelocity: {constant_mps: 2500}\nmigration:\n  antialias: trangle\n")
    with pytest.raises(moho.ArgumentError) as caught:
        moho.run(tmp_path / "bad.yaml")
    assert caught.value.line == 4 and caught.value.key == "migration.antialias" and "triangle" in caught.value.hint
    with pytest.raises(FileNotFoundError):
        moho.run(tmp_path / "none.yaml")
    with pytest.raises(TypeError):
        moho.run(3)


def test_in_the_background(folder):
    future = moho.run_async(folder / "job.yaml", output={"directory": str(folder / "behind")})
    assert future.result(timeout=60)["contributions"] > 1e6
    going = threading.Event()
    stopped = moho.run_async(folder / "job.yaml", output={"directory": str(folder / "stopped")},
                             progress=lambda step: going.set() or time.sleep(0.2))
    assert going.wait(60) and stopped.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        stopped.result(timeout=60)
    assert not os.path.exists(folder / "stopped" / "image.zarr")


def test_ctrl_c_leaves_nothing_partial(folder):
    code = ("import sys, moho\n"
            "def told(step):\n"
            "    if step.stage == 'migrating' and step.done: print('going', flush=True)\n"
            "try:\n"
            "    moho.run(sys.argv[1], output={'directory': sys.argv[2]}, execution={'threads': 1}, progress=told,\n"
            "             migration={'aperture': {'max_m': 3000, 'max_dip_deg': 80}, 'interpolation': 'sinc8'},\n"
            "             grid={'time': {'step_s': 0.0002}})\n"
            "except KeyboardInterrupt:\n"
            "    print('stopped')\n")
    process = subprocess.Popen([sys.executable, "-c", code, folder / "job.yaml", folder / "broken"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "going\n"
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert rest.splitlines()[-1] == "stopped" and process.returncode == 0
    assert not os.path.exists(folder / "broken" / "image.zarr") and not os.path.exists(folder / "broken" / "report.json")


# ---- read_segy ----

def test_read_segy_gives_what_was_made(folder):
    made = moho.synth("tiny", n_samples=301)
    told = []
    read = moho.read_segy(folder / "survey.sgy", headers=["fldr", "source_x"], progress=told.append)
    np.testing.assert_array_equal(read.traces, made.traces)
    assert read.dt_s == made.dt_s and read.traces.dtype == np.float32
    for name in ("source_x", "source_y", "receiver_x", "receiver_y"):
        np.testing.assert_allclose(read.geometry[name], made.geometry[name], atol=0.01)  # headers hold centimetres
    assert read.headers["fldr"].shape == (len(made.traces),) and set(read.headers) == {"fldr", "source_x"}
    assert read.info["n_traces"] == len(made.traces) and "SEG-Y" in read.info["format"]
    assert told[-1].stage == "reading traces" and told[-1].done == told[-1].total


def test_read_segy_against_segyio(folder):
    segyio = pytest.importorskip("segyio")
    read = moho.read_segy(folder / "survey.sgy", first=100, n=7)
    with segyio.open(folder / "survey.sgy", ignore_geometry=True) as file:
        np.testing.assert_array_equal(read.traces, file.trace.raw[100:107])
        np.testing.assert_array_equal(read.geometry["cdp"], file.attributes(segyio.TraceField.CDP)[100:107])


def test_read_segy_selects(folder):
    near = moho.read_segy(folder / "survey.sgy", select={"offset_m": [0, 250]})
    everything = moho.read_segy(folder / "survey.sgy")
    g = everything.geometry
    offset = np.hypot(g["source_x"] - g["receiver_x"], g["source_y"] - g["receiver_y"])
    assert 0 < len(near.traces) < len(everything.traces) == near.info["traces_in_file"]
    np.testing.assert_array_equal(near.traces, everything.traces[offset <= 250 + 1e-3])
    moved = moho.read_segy(folder / "survey.sgy", headers={"source_x": 81}, n=3)
    np.testing.assert_array_equal(moved.geometry["source_x"], everything.geometry["receiver_x"][:3])


@pytest.mark.parametrize("arguments, error, words", [
    ({"unit": "m"}, ValueError, 'did you mean "input.units"'),
    ({"headers": ["fldx"]}, ValueError, "did you mean fldr"),
    ({"first": 10 ** 7}, ValueError, "first 10000000, n None: expected traces of the 1764"),
    ({"select": {"offset": 3}}, ValueError, "input.select.offset_m"),
    ({"progress": 3}, TypeError, "progress"),
])
def test_read_segy_refuses_by_name(folder, arguments, error, words):
    with pytest.raises(error, match=words):
        moho.read_segy(folder / "survey.sgy", **arguments)


def test_read_segy_of_what_is_no_survey(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        moho.read_segy(tmp_path / "none.sgy")
    whole = (folder / "survey.sgy").read_bytes()
    (tmp_path / "cut.sgy").write_bytes(whole[:3000])
    with pytest.raises(moho.FileFormatError) as caught:
        moho.read_segy(tmp_path / "cut.sgy")
    assert caught.value.file == str(tmp_path / "cut.sgy")
    bad = bytearray(whole)
    bad[3600 + 240:3600 + 244] = np.array([np.nan], ">f4").tobytes()
    (tmp_path / "nan.sgy").write_bytes(bad)
    with pytest.raises(moho.FileFormatError) as caught:
        moho.read_segy(tmp_path / "nan.sgy")
    assert caught.value.trace == 1
    assert moho.read_segy(tmp_path / "nan.sgy", bad_samples="zero").traces[0, 0] == 0

"""pstm_metal: the signature, its numbers against the oracle, every argument refused by name, asynchronous calls, the Metal double."""

import concurrent.futures
import gc
import inspect
import linecache
import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import oracle
import pstm_metal
import pytest

import moho

DEVICE = os.environ.get("MOHO_TEST_DEVICE", "cpu")
BOUND = 1e-5 if DEVICE == "cpu" else 1e-3  # the kernels of GPUs interpolate leg times to 0.0025 samples (docs/kernels.md)
CONFIG = {"device": DEVICE, "resample": "none"} | ({} if DEVICE == "cpu" else {"kernel": "v3"})  # auto would measure, and may change its mind
DT, NS = 0.004, 251
X, Y, T_MS = np.arange(350.0, 651.0, 50), np.arange(400.0, 601.0, 40), np.arange(NS) * 4.0
PLACES = ("source_x", "source_y", "receiver_x", "receiver_y", "midpoint_x", "midpoint_y")
NAMES = ("amplitudes", *PLACES, "image", "fold", "x_coords", "y_coords", "t_coords_ms", "vrms", "config")


def call(survey, **changes):
    """The arguments by name, as the signature has them."""
    traces, source, receiver = survey
    middle = (source + receiver) / 2
    places = dict(zip(PLACES, (a[:, i].copy() for a in (source, receiver, middle) for i in (0, 1)), strict=True))
    given = {"amplitudes": traces, **places, "x_coords": X, "y_coords": Y, "t_coords_ms": T_MS, "vrms": np.full(NS, 2000.0),
             "config": dict(CONFIG), **changes}
    shape = tuple(len(given[c]) for c in ("x_coords", "y_coords", "t_coords_ms"))
    return {"image": np.zeros(shape), "fold": np.zeros(shape[:2], np.int32), **given}


def run(arguments):
    return pstm_metal.migrate_tile(*(arguments[name] for name in NAMES))


def expected(arguments, v_mps=2000.0, **options):
    columns = np.array([(x, y) for x in arguments["x_coords"] for y in arguments["y_coords"]])
    source, receiver = (np.stack([arguments[f"{end}_x"], arguments[f"{end}_y"]], axis=1) for end in ("source", "receiver"))
    t0 = np.asarray(arguments["t_coords_ms"]) / 1000
    image, fold = oracle.migrate(arguments["amplitudes"], source, receiver, DT, columns, t0, v_mps, **options)
    shape = arguments["image"].shape
    return image.reshape(shape), fold.reshape(shape)


@pytest.fixture(scope="module")
def survey():
    return oracle.survey_3d(n=50, ns=NS, dt_s=DT)


def resident_kb():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


# ---- numbers ----


def test_the_signature_is_the_known_one():
    assert tuple(inspect.signature(pstm_metal.migrate_tile).parameters) == NAMES
    assert tuple(inspect.signature(pstm_metal.migrate_tile_async).parameters)[: len(NAMES)] == NAMES


@pytest.mark.parametrize("config, options", [
    ({}, {}),
    ({"aperture": {"max_m": 250, "max_dip_deg": 45, "taper": 0.3}, "weight": "none", "rho_filter": "none"},
     {"max_m": 250, "max_dip_deg": 45, "taper_fraction": 0.3, "weight_name": "none", "rho": "none"}),
    ({"traveltime": "vti", "eta": {"constant": 0.1}}, {"law": "vti", "law_numbers": {"eta": 0.1}}),
    ({"amplitude": "raw"}, {"weight_name": "obliquity"}),
], ids=str)
def test_a_tile_agrees_with_the_oracle(survey, config, options):
    arguments = call(survey)
    arguments["config"].update(config)
    result = run(arguments)
    image, fold = expected(arguments, **options)
    assert oracle.relative(arguments["image"], image) <= BOUND
    np.testing.assert_array_equal(arguments["fold"], fold.max(axis=2))
    assert result["contributions"] == fold.sum() and result["traces_processed"] == 50
    assert result["device"].startswith(DEVICE.split(":")[0]) and 0 < result["kernel_time_ms"] < 1e5


def test_velocities_differ_from_time_to_time_and_place_to_place(survey):
    v1 = 1900 + 0.3 * T_MS
    v3 = v1 + 0.4 * (X[:, None, None] - 500) - 0.3 * (Y[None, :, None] - 500)
    for v in (v1, v3, v3.astype(np.float32)):
        arguments = call(survey, vrms=v)
        run(arguments)
        image, fold = expected(arguments, v_mps=v.reshape(-1, NS) if v.ndim == 3 else v)
        assert oracle.relative(arguments["image"], image) <= BOUND
        np.testing.assert_array_equal(arguments["fold"], fold.max(axis=2))


def test_results_are_added(survey):
    once, parts = call(survey), call(survey, image=np.full((7, 6, NS), 3.0), fold=np.full((7, 6), 5, np.int32))
    run(once)
    maxima = []
    for chosen in (slice(0, 20), slice(20, None)):
        part = {name: parts[name][chosen] for name in ("amplitudes", *PLACES)}
        fresh = call(survey, **part)
        run(fresh)
        maxima.append(fresh["fold"])
        run({**parts, **part})
    assert oracle.relative(parts["image"] - 3.0, once["image"]) <= 1e-6
    np.testing.assert_array_equal(parts["fold"], 5 + maxima[0] + maxima[1])


def test_axes_may_fall_and_arrays_may_lie_anywhere(survey):
    whole = call(survey)
    run(whole)
    for x, y in ((-1, 1), (1, -1), (-1, -1)):
        turned = call(survey, x_coords=X[::x], y_coords=Y[::y])
        run(turned)
        assert oracle.relative(turned["image"][::x, ::y], whole["image"]) <= BOUND / 10
        np.testing.assert_array_equal(turned["fold"][::x, ::y], whole["fold"])
    frame = np.zeros((NS, 6, 7))
    strided = call(survey, image=frame.transpose(2, 1, 0), fold=np.zeros((7, 12), np.int32)[:, ::2])
    run(strided)
    np.testing.assert_array_equal(frame.transpose(2, 1, 0), whole["image"])
    np.testing.assert_array_equal(strided["fold"], whole["fold"])


def test_a_narrow_tile_is_a_part_of_the_wide_one(survey):
    for velocity in (np.full(NS, 2000.0), 1900 + np.zeros((7, 6, NS)) + Y[None, :, None] - X[:, None, None] / 2):
        whole = call(survey, vrms=velocity)
        run(whole)
        for rows, columns in ((slice(2, 3), slice(None)), (slice(None), slice(4, 5)), (slice(2, 3), slice(4, 5))):
            narrow = call(survey, x_coords=X[rows], y_coords=Y[columns], vrms=velocity if velocity.ndim == 1 else velocity[rows, columns])
            narrow["config"]["rho_filter"] = "3d"
            result = run(narrow)
            assert oracle.relative(narrow["image"], whole["image"][rows, columns]) <= BOUND / 10
            np.testing.assert_array_equal(narrow["fold"], whole["fold"][rows, columns])
            assert result["contributions"] == expected(narrow)[1].sum() if velocity.ndim == 1 else result["contributions"] > 0


def test_a_line_has_the_filter_and_weight_of_a_line(survey):
    arguments = call(survey, y_coords=Y[2:3])
    arguments["config"]["rho_filter"] = "2d"
    run(arguments)
    assert oracle.relative(arguments["image"], expected(arguments, rho="2d", two_d=True)[0]) <= BOUND


def test_traces_may_be_sampled_otherwise_and_begin_late(survey):
    traces, source, receiver = survey
    later = call((np.ascontiguousarray(traces[:, 20:]), source, receiver), t_coords_ms=np.arange(0, 1000.0, 5.0), vrms=np.full(200, 2000.0))
    later["config"].update(dt_s=DT, first_sample_s=20 * DT)
    run(later)
    image, fold = expected(later, first_sample_s=20 * DT)
    assert oracle.relative(later["image"], image) <= BOUND
    np.testing.assert_array_equal(later["fold"], fold.max(axis=2))


# ---- arrays that lie badly ----


def test_arrays_are_copied_with_one_warning(survey):
    plain, scattered = call(survey), call(survey)
    run(plain)
    scattered["amplitudes"] = np.asfortranarray(scattered["amplitudes"])
    scattered["source_x"] = np.repeat(scattered["source_x"], 2)[::2]
    with pytest.warns(pstm_metal.CopyWarning) as told:
        run(scattered)
    assert len(told) == 1 and "amplitudes, source_x: not C-contiguous, copied" in str(told[0].message)
    assert told[0].filename == __file__ and "migrate_tile(" in linecache.getline(__file__, told[0].lineno)
    np.testing.assert_array_equal(scattered["image"], plain["image"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(call(survey))


# ---- refused by name ----


def wrong(name, make, error, words, **config):
    return pytest.param(name, make, error, words, config, id=f"{name}: {words}")


@pytest.mark.parametrize("name, make, error, words, config", [
    wrong("amplitudes", lambda a: a.astype(np.float64), TypeError, "amplitudes: float64, expected float32"),
    wrong("amplitudes", lambda a: a.tolist(), TypeError, "amplitudes: a list, expected a numpy array of float32"),
    wrong("amplitudes", lambda a: a.astype(">f4"), TypeError, "amplitudes: float32, bytes swapped"),
    wrong("amplitudes", lambda a: a[0], ValueError, r"amplitudes: shape \(251,\), expected \(any, any\)"),
    wrong("amplitudes", lambda a: a[:0], ValueError, "amplitudes: shape .* at least one sample"),
    wrong("amplitudes", lambda a: np.where(np.arange(NS) == 7, np.nan, a).astype(np.float32), ValueError, r"amplitudes\[0, 7\]: nan"),
    wrong("source_x", lambda a: a[1:], ValueError, r"source_x: shape \(49,\), expected \(50,\)"),
    wrong("receiver_y", lambda a: a.astype(np.float32), TypeError, "receiver_y: float32, expected float64"),
    wrong("receiver_x", lambda a: a * np.inf, ValueError, r"receiver_x\[0\]: -?inf"),
    wrong("midpoint_y", lambda a: a + 0.02, ValueError, r"midpoint_y\[\d+\]: .* halfway between source and receiver"),
    wrong("image", lambda a: a.astype(np.float32), TypeError, "image: float32, expected float64"),
    wrong("image", lambda a: np.broadcast_to(a, a.shape), ValueError, "image: read-only"),
    wrong("image", lambda a: a[:, :, 0], ValueError, r"image: shape \(7, 6\), expected \(any, any, any\)"),
    wrong("fold", lambda a: a.astype(np.int64), TypeError, "fold: int64, expected int32"),
    wrong("fold", lambda a: a[:-1], ValueError, r"fold: shape \(6, 6\), expected \(7, 6\)"),
    wrong("x_coords", lambda a: a[:-1], ValueError, r"x_coords: shape \(6,\), expected \(7,\)"),
    wrong("x_coords", lambda a: a + (np.arange(7) == 3), ValueError, r"x_coords\[3\]: 501 m, expected 500: values must be evenly spaced"),
    wrong("y_coords", lambda a: a * 0, ValueError, "y_coords: all 0.0 m"),
    wrong("t_coords_ms", lambda a: a[::-1], ValueError, "t_coords_ms: from 1000 by -4 ms"),
    wrong("t_coords_ms", lambda a: a ** 1.1, ValueError, r"t_coords_ms\[\d+\]: .* evenly spaced"),
    wrong("t_coords_ms", lambda a: a / 1000, ValueError, "dt_s|step_s|sample"),
    wrong("vrms", lambda a: a[:-1], ValueError, r"vrms: shape \(250,\), expected \(251,\) or \(7, 6, 251\)"),
    wrong("vrms", lambda a: a / 1000, ValueError, "2 m/s"),
    wrong("vrms", lambda a: "2000", TypeError, "vrms: .* expected real numbers"),
    wrong("vrms", lambda a: a * np.nan, ValueError, r"vrms\[0\]: nan"),
    wrong("config", lambda a: {**a, "aperature": {}}, (ValueError, TypeError), "aperture"),
    wrong("config", lambda a: {**a, "aperture": {"max_m": "3 km"}}, ValueError, "3 km"),
    wrong("config", lambda a: {**a, "device": "cdua"}, ValueError, "cuda"),
    wrong("config", lambda a: {**a, "device": "metal"}, moho.DeviceError, "etal"),
    wrong("config", lambda a: {**a, "dt_s": -1}, ValueError, "dt_s"),
    wrong("config", lambda a: {**a, "gathers": {"kind": "offset", "edges_m": [0, 500]}}, (ValueError, moho.Error), "gathers"),
    wrong("config", lambda a: {**a, "iterations": 3}, (ValueError, moho.Error), "iterations"),
])
def test_wrong_arguments_are_named(survey, name, make, error, words, config):
    arguments = call(survey)
    arguments[name] = make(arguments[name])
    before = {kept: np.array(arguments[kept]) for kept in ("image", "fold")}
    with pytest.raises(error, match=words):
        run(arguments)
    for kept, values in before.items():
        np.testing.assert_array_equal(arguments[kept], values)


def test_a_tile_one_node_wide_must_say_what_it_is_of(survey):
    with pytest.raises(ValueError, match='one node wide; config\\["rho_filter"\\]'):
        run(call(survey, x_coords=X[:1]))


# ---- asynchronous ----


def test_an_asynchronous_tile_tells_when_it_is_done(survey):
    plain, behind = call(survey), call(survey)
    run(plain)
    told, steps = [], []
    future = pstm_metal.migrate_tile_async(*(behind[name] for name in NAMES), on_complete=told.append, on_progress=steps.append)
    result = future.result(timeout=60)
    assert told == [result] and result["contributions"] == expected(behind)[1].sum()
    assert steps and all(step.seconds >= 0 and step.stage for step in steps) and future.progress == steps[-1]
    assert not future.cancel() and future.done()
    np.testing.assert_array_equal(behind["image"], plain["image"])


def test_a_cancelled_tile_leaves_its_arrays_alone(survey):
    arguments = call(survey)
    reached, go_on = threading.Event(), threading.Event()

    def hold(step):
        reached.set()
        go_on.wait(60)

    told = []
    future = pstm_metal.migrate_tile_async(*(arguments[name] for name in NAMES), on_complete=told.append, on_progress=hold)
    assert reached.wait(60) and future.cancel()
    go_on.set()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(timeout=60)
    assert future.cancelled() and not told and not arguments["image"].any() and not arguments["fold"].any()


def test_asynchronous_mistakes_are_told_at_once(survey):
    arguments = call(survey)
    arguments["source_x"] = arguments["source_x"][1:]
    with pytest.raises(ValueError, match="source_x"):
        pstm_metal.migrate_tile_async(*(arguments[name] for name in NAMES))


def test_threads_migrate_tiles_of_their_own(survey):
    plain = call(survey)
    run(plain)
    tiles = [call(survey) for _ in range(6)]
    threads = [threading.Thread(target=lambda t=t: [run(t) for _ in range(2)]) for t in tiles]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for t in tiles:
        np.testing.assert_array_equal(t["image"], 2 * plain["image"])
        np.testing.assert_array_equal(t["fold"], 2 * plain["fold"])


@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="sanitizers keep what is freed")
def test_many_calls_do_not_grow():
    survey = oracle.survey_3d(n=2, ns=20, dt_s=DT)
    arguments = call(survey, x_coords=X[:2], y_coords=Y[:2], t_coords_ms=T_MS[:20], vrms=np.full(20, 2000.0))
    arguments["config"] = {"device": "cpu?threads=1", "resample": "none"}
    for _ in range(500):
        run(arguments)
    grown = []
    for _ in range(4):  # what leaks does so in every quarter, what is kept for reuse does not
        gc.collect()
        before = resident_kb()
        for _ in range(2500):
            run(arguments)
        gc.collect()
        grown.append(resident_kb() - before)
    assert min(grown) < 64, grown


# ---- the device ----


def test_devices_are_told_as_they_are():
    assert pstm_metal.is_available() == any(d.kind == "metal" and d.available for d in moho.devices())
    info = pstm_metal.get_device_info("cpu")
    assert info["kind"] == "cpu" and info["name"] and info["memory_bytes"] > 1e8 and info["is_metal"] is False and info["max_lanes"] > 0
    with pytest.raises(ValueError, match="cuda"):
        pstm_metal.get_device_info("cdua")


ON_METAL = """
import numpy as np, oracle, pstm_metal, test_pstm_metal as t
assert pstm_metal.is_available()
info = pstm_metal.get_device_info()
assert info["is_metal"] and "double" in info["name"], info
survey = oracle.survey_3d(n=12, ns=t.NS, dt_s=t.DT)
arguments = t.call(survey, x_coords=t.X[:3], y_coords=t.Y[:2])
arguments["config"] = {"resample": "none"}
result = t.run(arguments)
assert result["device"].startswith("metal"), result
image, fold = t.expected(arguments)
print(oracle.relative(arguments["image"], image), np.abs(arguments["fold"] - fold.max(axis=2)).max(), result)
assert oracle.relative(arguments["image"], image) <= 1e-3
assert np.abs(arguments["fold"] - fold.max(axis=2)).max() == 0
"""


def test_a_tile_on_the_metal_double():
    """Metal comes first by itself; the kernels interpolate leg times to 0.0025 samples (docs/kernels.md)."""
    double = os.environ.get("MOHO_TEST_METAL_DOUBLE")
    if not double or not os.path.exists(double):
        pytest.skip("MOHO_TEST_METAL_DOUBLE names no double")
    here = os.path.dirname(os.path.abspath(__file__))
    environment = {**os.environ, "MOHO_METAL_LIBRARY": double, "PYTHONPATH": os.pathsep.join([here, *sys.path])}
    environment.pop("MOHO_DEVICE", None)
    result = subprocess.run([sys.executable, "-c", ON_METAL], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr

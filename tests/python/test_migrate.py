"""moho.migrate: against a migration written in numpy alone, wrong input, other threads, Ctrl-C, memory, the cost of a call."""

import concurrent.futures
import gc
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import oracle
import pytest

import moho

DT_S = 0.004
GRID = {"origin_m": [250, 250], "inline_azimuth_deg": 0, "inline": {"n": 6, "spacing_m": 90, "first": 100},
        "crossline": {"n": 5, "spacing_m": 110, "first": 7, "step": 2}, "time": {"first_s": 0, "step_s": 0.004, "n": 201}}


def columns_of(source, receiver, **more):
    ends = {"source_x": source[:, 0], "source_y": source[:, 1], "receiver_x": receiver[:, 0], "receiver_y": receiver[:, 1]}
    return {**{name: np.ascontiguousarray(values) for name, values in ends.items()}, **more}


@pytest.fixture(scope="module", name="survey")
def make_survey():
    traces, source, receiver = oracle.survey_3d()
    return traces, columns_of(source, receiver), source, receiver


def nodes(image):
    return np.stack([image.cdp_x.ravel(), image.cdp_y.ravel()], axis=1)


# ---- agreement ----

@pytest.mark.parametrize("velocity, v_mps, options, theirs", [
    (2000.0, 2000.0, {}, {}),
    ({"linear_t0": {"v0_mps": 1800, "slope_mps_per_s": 600}}, 1800 + 600 * DT_S * np.arange(201), {}, {}),
    (1800 + 600 * DT_S * np.arange(201), 1800 + 600 * DT_S * np.arange(201), {"weight": "obliquity", "rho_filter": "none"},
     {"weight_name": "obliquity", "rho": "none"}),
    (2000.0, 2000.0, {"aperture": {"max_m": 400, "min_m": 100, "max_dip_deg": 40, "taper": 0.3}},
     {"max_m": 400, "min_m": 100, "max_dip_deg": 40, "taper_fraction": 0.3}),
    (2000.0, 2000.0, {"traveltime": "vti", "eta": {"constant": 0.15}}, {"law": "vti", "law_numbers": {"eta": 0.15}}),
])
def test_agrees_with_a_migration_in_numpy(survey, velocity, v_mps, options, theirs):
    traces, geometry, source, receiver = survey
    image = moho.migrate(traces, geometry, velocity, GRID, dt_s=DT_S, resample="none", **options)
    expected, fold = oracle.migrate(traces, source, receiver, DT_S, nodes(image), image.time_s, v_mps, **theirs)
    assert oracle.relative(image.stack.reshape(30, 201), expected) < 1e-5
    assert np.mean(image.fold.reshape(30, 201) != fold) < 1e-4  # but at the very edge of an aperture


def test_a_velocity_of_every_column(survey):
    traces, geometry, source, receiver = survey
    t0 = DT_S * np.arange(201)
    cube = np.linspace(1900, 2300, 30).reshape(6, 5, 1) + 300 * t0
    image = moho.migrate(traces, geometry, cube, GRID, dt_s=DT_S, resample="none")
    expected, _ = oracle.migrate(traces, source, receiver, DT_S, nodes(image), t0, cube.reshape(30, 201))
    assert oracle.relative(image.stack.reshape(30, 201), expected) < 1e-5


def test_a_line_has_the_2d_filter_and_weight(survey):
    traces, _, source, receiver = survey
    source, receiver = source * [1, 0], receiver * [1, 0]
    grid = {"origin_m": [200, 0], "inline_azimuth_deg": 90, "inline": {"n": 1}, "crossline": {"n": 9, "spacing_m": 70}}
    image = moho.migrate(traces, columns_of(source, receiver, first_sample_s=np.full(len(traces), 0.1)), 2000.0, grid, dt_s=DT_S,
                         resample="none")
    assert image.time_s[0] == pytest.approx(0.1) and image.stack.shape == (1, 9, 251)
    expected, _ = oracle.migrate(traces, source, receiver, DT_S, nodes(image), image.time_s, 2000.0, rho="2d", two_d=True,
                                 first_sample_s=0.1)
    assert oracle.relative(image.stack[0], expected) < 1e-5


def test_gathers_sum_to_the_stack(survey):
    traces, geometry, source, receiver = survey
    edges = [0, 150, 300, 1000]
    image = moho.migrate(traces, geometry, 2000.0, GRID, dt_s=DT_S, resample="none", gathers={"kind": "offset", "edges_m": edges})
    assert image.gathers.shape == (6, 5, 3, 201) and image.bins.tolist() == [75, 225, 650]
    np.testing.assert_allclose(image.gathers.sum(axis=2), image.stack, atol=1e-5 * np.abs(image.stack).max())
    near = np.hypot(*(receiver - source).T) < 150
    expected, _ = oracle.migrate(traces[near], source[near], receiver[near], DT_S, nodes(image), image.time_s, 2000.0)
    assert oracle.relative(image.gathers[:, :, 0].reshape(30, 201), expected) < 1e-5


def test_axes_of_the_image(survey):
    traces, geometry, _, _ = survey
    image = moho.migrate(traces, geometry, 2000.0, GRID, dt_s=DT_S)
    assert image.inline.tolist() == list(range(100, 106)) and image.crossline.tolist() == [7, 9, 11, 13, 15]
    assert image.time_s[-1] == pytest.approx(0.8)
    # Azimuth 0: crosslines grow to the north, inlines to the east.
    np.testing.assert_allclose(image.cdp_x[:, 0], 250 + 90 * np.arange(6))
    np.testing.assert_allclose(image.cdp_y[0], 250 + 110 * np.arange(5))
    again = moho.migrate(traces, geometry, 2000.0, image.grid, dt_s=DT_S)
    np.testing.assert_array_equal(again.stack, image.stack)


def test_least_squares_lowers_the_residual(survey):
    traces, geometry, _, _ = survey
    image = moho.migrate(traces, geometry, 2000.0, GRID, dt_s=DT_S, iterations=3)
    residuals = [step["residual"] for step in image.report["steps"]]
    assert len(residuals) == 4 and residuals[0] == 1 and all(b < a for a, b in zip(residuals, residuals[1:]))


# ---- memory is shared, not copied ----

def test_the_image_is_the_library_s_memory(survey):
    traces, geometry, _, _ = survey
    stack = moho.migrate(traces, geometry, 2000.0, GRID, dt_s=DT_S).stack
    assert type(stack.base).__name__ in ("Block", "memoryview") and stack.flags.writeable and stack.flags.c_contiguous
    np.testing.assert_array_equal(stack[0, 0, :0], [])
    kept = stack[3]
    value = kept.sum()
    del stack
    gc.collect()
    assert kept.sum() == value


def test_traces_are_neither_copied_nor_changed(survey):
    traces, geometry, _, _ = survey
    given = traces.copy()
    given.flags.writeable = False
    moho.migrate(given, geometry, 2000.0, GRID, dt_s=DT_S)
    np.testing.assert_array_equal(given, traces)


def test_structured_arrays(survey):
    traces, geometry, _, _ = survey
    records = np.zeros(len(traces), [("cdp", "i4"), *((name, "f8") for name in geometry)])
    for name, values in geometry.items():
        records[name] = values
    one, two = (moho.migrate(traces, g, 2000.0, GRID, dt_s=DT_S).stack for g in (geometry, records))
    np.testing.assert_array_equal(one, two)


# ---- wrong input ----

def good(**changes):
    traces = np.ones((4, 50), np.float32)
    ends = np.arange(4) * 10.0
    given = {"traces": traces, "geometry": columns_of(np.stack([ends, ends * 0], 1), np.stack([ends, ends * 0], 1)),
             "velocity": 2000.0, "grid": {"origin_m": [0, 0], "inline": {"n": 1}, "crossline": {"n": 3, "spacing_m": 10}},
             "dt_s": 0.004, "device": "cpu"}
    return {**given, **changes}


@pytest.mark.parametrize("changes, error, words", [
    ({"traces": np.ones((4, 50))}, TypeError, r"traces: float64, expected float32: traces.astype\(numpy.float32\) converts"),
    ({"traces": np.ones((3, 50), np.float32)}, ValueError, r"traces: shape \(3, 50\), expected \(4, any\)"),
    ({"traces": np.ones(50, np.float32)}, ValueError, r"traces: shape \(50,\), expected an array \[trace, time\]"),
    ({"traces": np.ones((50, 4), np.float32).T}, ValueError, "traces: is not C-contiguous"),
    ({"traces": np.ones((4, 50), ">f4")}, TypeError, "expected float32"),
    ({"traces": [[1.0]]}, TypeError, "traces: a list"),
    ({"traces": np.ones((4, 0), np.float32)}, ValueError, "4 traces of 0 samples"),
    ({"geometry": {}}, ValueError, r'geometry\["source_x"\] is missing'),
    ({"geometry": 3}, TypeError, "geometry: a int"),
    ({"dt_s": None}, TypeError, "dt_s is missing"),
    ({"dt_s": 4.0}, ValueError, "dt_s is 4 s, expected above 0 to 1; the sampling interval is in seconds"),
    ({"velocity": 2.0}, ValueError, "2 km/s is 2000"),
    ({"velocity": {"constant": 2000}}, ValueError, 'did you mean "velocity.constant_mps"'),
    ({"velocity": np.ones(49)}, ValueError, r"velocity: shape \(49,\), expected \(50,\)"),
    ({"velocity": np.full(50, 20.0)}, ValueError, "20"),
    ({"velocity": np.full(50, 2000)}, TypeError, "velocity: int64, expected float64"),
    ({"velocity": {"v_mps": np.full(2, 2000.0), "time_s": [1, 0]}}, ValueError, r"time_s\[1\] is 0 s after an equal or later one"),
    ({"velocity": {"v_mps": np.zeros(0), "time_s": []}}, ValueError, "time_s is empty"),
    ({"traces": np.float32([[1], [2], [np.nan], [3]]) * np.ones((4, 50), np.float32)}, ValueError, r"traces\[2, 0\] is nan"),
    ({"traces": np.where(np.arange(200).reshape(4, 50) == 60, -np.inf, 1).astype(np.float32)}, ValueError, r"traces\[1, 10\] is -inf"),
    ({"output": {"directory": "x"}}, ValueError, "output.directory is no key of a migration"),
    ({"velocity": None}, TypeError, "velocity: a NoneType"),
    ({"grid": "car"}, TypeError, "grid: a str"),
    ({"grid": {"origin": [0, 0]}}, ValueError, "grid.origin_m"),
    ({"grid": {"origin_m": [0, 0]}}, ValueError, "grid.inline.n is missing"),
    ({"aperture": {"max_n": 3}}, ValueError, "migration.aperture.max_m"),
    ({"aperture": {"max_m": "3 km"}}, ValueError, "expected a number in m"),
    ({"aperture": {"max_m": float("nan")}}, ValueError, "aperture: "),
    ({"apertures": {}}, ValueError, "migration.aperture"),
    ({"migration.antialias": "triangel"}, ValueError, 'did you mean "triangle"'),
    ({"antialias": object()}, TypeError, "antialias: a object is no value"),
    ({"levels": [4, 2, 1]}, NotImplementedError, "migration.levels"),
    ({"traveltime": "vti"}, ValueError, "eta"),
    ({"kernel": "v3"}, None, ""),
    ({"device": "cqu"}, ValueError, 'did you mean "cpu"'),
    ({"device": 3}, TypeError, "device"),
    ({"progress": 3}, TypeError, "progress"),
])
def test_wrong_input_is_refused_by_name(changes, error, words):
    if error is None:
        moho.migrate(**good(**changes))
    else:
        with pytest.raises(error, match=words):
            moho.migrate(**good(**changes))


def test_too_little_memory_is_a_memory_error():
    wide = {"origin_m": [0, 0], "inline": {"n": 400, "spacing_m": 10}, "crossline": {"n": 400, "spacing_m": 10}}
    with pytest.raises(MemoryError, match="memory"):
        moho.migrate(**good(grid=wide, memory_gb=0.001))


# ---- threads, progress, stopping ----

@pytest.fixture(scope="module", name="long_work")
def make_long_work():
    """Seconds of work for one thread."""
    n = 3000
    random = np.random.default_rng(1)
    ends = random.uniform(0, 2000, (n, 2))
    traces = random.standard_normal((n, 500), np.float32)
    grid = {"origin_m": [0, 0], "inline": {"n": 60, "spacing_m": 33}, "crossline": {"n": 60, "spacing_m": 33}}
    return {"traces": traces, "geometry": columns_of(ends, ends), "velocity": 2000.0, "grid": grid, "dt_s": 0.004,
            "device": "cpu?threads=1"}


def test_several_threads_at_once_give_the_same_bits(survey):
    traces, geometry, _, _ = survey
    alone = moho.migrate(traces, geometry, 2000.0, GRID, dt_s=DT_S, device="cpu")
    shared = moho.Geometry(geometry)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda _: moho.migrate(traces, shared, 2000.0, alone.grid, dt_s=DT_S, device="cpu"), range(12)))
    for image in images:
        np.testing.assert_array_equal(image.stack, alone.stack)


def test_other_threads_run_meanwhile(long_work):
    future = moho.migrate_async(**long_work)
    turns = 0
    while not future.done() and turns < 200:
        turns += 1
        time.sleep(0.001)
    future.cancel()
    concurrent.futures.wait([future])
    assert turns == 200


def test_progress_comes_often_and_can_stop_the_work(long_work):
    told = []

    def stop_at_ten(step):
        told.append(step)
        return len(told) < 10

    with pytest.raises(moho.Interrupted):
        moho.migrate(progress=stop_at_ten, **long_work)
    assert len(told) == 10
    last = told[-1]
    assert last.stage == "migrating" and last.unit == "contributions" and 0 < last.done < last.total
    assert [p.done for p in told] == sorted(p.done for p in told)


def test_an_exception_of_the_progress_function_comes_through(long_work):
    def fail(step):
        raise RuntimeError("of mine")

    with pytest.raises(RuntimeError, match="of mine"):
        moho.migrate(progress=fail, **long_work)


class FakeBar:
    """As tqdm: what it was told."""

    made = []

    def __init__(self, desc, unit, total, unit_scale):
        self.desc, self.unit, self.total, self.n, self.closed = desc, unit, total, 0, False
        FakeBar.made.append(self)

    def update(self, n):
        self.n += n

    def close(self):
        self.closed = True


def test_a_bar_like_tqdm_s(survey):
    traces, geometry, _, _ = survey
    FakeBar.made.clear()
    moho.migrate(traces, geometry, 2000.0, GRID, dt_s=DT_S, progress=FakeBar)
    assert FakeBar.made[0].desc == "migrating" and FakeBar.made[0].n > 0


def test_a_bar_of_tqdm_itself(survey, capsys):
    pytest.importorskip("tqdm")
    traces, geometry, _, _ = survey
    for progress in (True, sys.modules["tqdm"].tqdm):
        moho.migrate(traces, geometry, 2000.0, GRID, dt_s=DT_S, progress=progress)
        assert "migrating" in capsys.readouterr().err


def test_without_tqdm_true_says_so(survey, monkeypatch):
    traces, geometry, _, _ = survey
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="tqdm, which is not installed"):
        moho.migrate(traces, geometry, 2000.0, GRID, dt_s=DT_S, progress=True)


def test_a_future_tells_its_result(survey):
    traces, geometry, _, _ = survey
    future = moho.migrate_async(traces, geometry, 2000.0, GRID, dt_s=DT_S)
    assert isinstance(future, concurrent.futures.Future)
    image = future.result(timeout=60)
    np.testing.assert_array_equal(image.stack, moho.migrate(traces, geometry, 2000.0, GRID, dt_s=DT_S).stack)
    assert future.done() and not future.cancelled() and not future.cancel()
    assert future.exception() is None


def test_wrong_input_of_a_future_is_raised_at_once():
    with pytest.raises(ValueError, match="km/s"):
        moho.migrate_async(**good(velocity=2.0))


def test_a_future_is_cancelled_while_it_runs(long_work):
    future = moho.migrate_async(**long_work)
    called = threading.Event()
    future.add_done_callback(lambda _: called.set())
    while future.progress is None:
        time.sleep(0.01)
    assert future.running() and future.progress.stage == "migrating"
    asked = time.monotonic()
    assert future.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(timeout=20)
    assert future.cancelled() and future.done() and called.wait(5)
    assert time.monotonic() - asked < 5


def test_ctrl_c_stops_it_cleanly(tmp_path):
    code = """
import sys, numpy as np, moho
n = 3000
ends = np.random.default_rng(1).uniform(0, 2000, n)
geometry = {name: ends for name in ("source_x", "source_y", "receiver_x", "receiver_y")}
grid = {"origin_m": [0, 0], "inline": {"n": 100, "spacing_m": 20}, "crossline": {"n": 100, "spacing_m": 20}}
traces = np.random.default_rng(2).standard_normal((n, 500)).astype(np.float32)
def told(step):
    print("going", flush=True)
try:
    moho.migrate(traces, geometry, 2000.0, grid, dt_s=0.004, device="cpu?threads=1", progress=told)
except KeyboardInterrupt:
    image = moho.migrate(traces[:4], {k: v[:4] for k, v in geometry.items()}, 2000.0, grid, dt_s=0.004, device="cpu")
    print("stopped", np.isfinite(image.stack).all(), flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout.readline() == "going\n"
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert rest.splitlines()[-1] == "stopped True" and process.returncode == 0


# ---- cost ----

def small_work():
    ends = np.zeros(1)
    geometry = {name: ends for name in ("source_x", "source_y", "receiver_x", "receiver_y")}
    grid = {"origin_m": [0, 0], "inline": {"n": 1}, "crossline": {"n": 2, "spacing_m": 10}}
    return {"traces": np.ones((1, 16), np.float32), "geometry": geometry, "velocity": 2000.0, "grid": grid, "dt_s": 0.004,
            "device": moho.Device("cpu?threads=1"), "resample": "none"}


GROWTH = """
import os, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import pytest
from test_migrate import moho, small_work

def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def call(times, work):
    for number in range(times):
        moho.migrate(**work)
        if number % 10 == 0:
            with pytest.raises(ValueError):
                moho.migrate(**{**work, "velocity": 2.0})
            with pytest.raises(TypeError):
                moho.migrate(**{**work, "traces": np.ones((1, 16))})

work, times = small_work(), int(sys.argv[2])
call(times // 5, work)
grown = []
for quarter in range(4): # what leaks does so in every quarter, what is kept for reuse does not
    before = resident_bytes()
    call(times // 4, work)
    grown.append(resident_bytes() - before)
print(min(grown))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm") or "LD_PRELOAD" in os.environ,
                    reason="resident memory is read from /proc; sanitizers keep what was freed")
def test_ten_thousand_calls_do_not_grow():
    times = 10_000
    grown = int(subprocess.run([sys.executable, "-c", GROWTH, os.path.dirname(__file__), str(times)], stdout=subprocess.PIPE,
                               check=True).stdout)
    assert grown < 40_000  # sixteen bytes a call would be seen


@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="sanitizers make everything slow")
def test_a_call_costs_little_more_than_in_c():
    work = small_work()
    image = moho.migrate(**work)
    work.update(geometry=moho.Geometry(work["geometry"]), grid=image.grid, velocity=moho.make_velocity(2000.0, image.grid))
    extra = []
    for _ in range(500):
        begin = time.perf_counter()
        image = moho.migrate(**work)
        extra.append(time.perf_counter() - begin - image.report["seconds"])  # the library's calls alone
    print(f"{1e6 * min(extra):.1f} us at least, {1e6 * float(np.median(extra)):.1f} us in the middle, over C")
    assert min(extra) < 20e-6

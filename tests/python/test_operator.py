"""moho.KirchhoffOperator: an exact pair for every law, the oracle's image, scipy's solvers, threads, mistakes, memory."""

import gc
import os
import subprocess
import sys
import threading
import types

import numpy as np
import oracle
import pytest

import moho

scipy_linalg = pytest.importorskip("scipy.sparse.linalg")

DEVICE = os.environ.get("MOHO_TEST_DEVICE", "cpu")
BOUND = 1e-5 if DEVICE == "cpu" else 1e-3  # the kernels of GPUs interpolate leg times to 0.0025 samples (docs/kernels.md)
DT, NS = 0.004, 251
GRID = {"origin_m": [350.0, 350.0], "inline": {"n": 7, "spacing_m": 50}, "crossline": {"n": 6, "spacing_m": 50},
        "time": {"first_s": 0, "step_s": DT, "n": NS}}
COLUMNS = np.array([(350 + 50.0 * i, 350 + 50.0 * j) for i in range(7) for j in range(6)])  # crosslines run along y
CONSTANT = {"constant_mps": 2000}
GRADIENT = {"linear_z": {"v0_mps": 1800, "gradient_per_s": 0.6}}
LAWS = {
    "straight": (CONSTANT, {}),
    "curved_linear": (GRADIENT, {}),
    "curved_rms": (GRADIENT, {}),
    "curved_ray": (GRADIENT, {}),
    "vti": (CONSTANT, {"eta": {"constant": 0.1}}),
    "vti_rational": (CONSTANT, {"eta": {"constant": 0.1}}),
}


def geometry(source, receiver, **more):
    return {"source_x": source[:, 0].copy(), "source_y": source[:, 1].copy(), "receiver_x": receiver[:, 0].copy(),
            "receiver_y": receiver[:, 1].copy(), **more}


@pytest.fixture(scope="module")
def survey():
    return oracle.survey_3d(n=50, ns=NS, dt_s=DT)


def operator(survey, velocity=CONSTANT, grid=GRID, **options):
    _, source, receiver = survey
    places = {name: options.pop(name) for name in ("flags", "mute_start_s", "mute_end_s") if name in options}
    return moho.KirchhoffOperator(geometry(source, receiver, **places), velocity, grid, n_samples=NS, dt_s=DT, **{"device": DEVICE, **options})


def smooth_noise(shape, seed=1):
    """Noise without the highest frequencies, which would measure how well a float knows the time."""
    white = np.random.default_rng(seed).uniform(-1, 1, shape)
    return np.apply_along_axis(np.convolve, -1, white, np.hanning(9), "same").astype(np.float32)


def mismatch(a, model, data):
    forward, adjoint, model, data = (np.asarray(x, np.float64).ravel() for x in (a @ model.ravel(), a.H @ data.ravel(), model, data))
    assert np.linalg.norm(forward) > 0 and np.linalg.norm(adjoint) > 0
    return abs(forward @ data - model @ adjoint) / (np.linalg.norm(forward) * np.linalg.norm(data))


def resident_kb():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


# ---- the pair ----


@pytest.mark.parametrize("law", LAWS)
def test_the_dot_product_holds_for_every_law(survey, law):
    velocity, options = LAWS[law]
    a = operator(survey, velocity, traveltime=law, **options)
    assert a.shape == (50 * NS, 42 * NS) and a.dtype == np.float32
    for seed in (1, 2):  # prepared once, applied again
        assert mismatch(a, smooth_noise(a.dims, seed), smooth_noise(a.dimsd, seed + 7)) <= 1e-6
    assert a.counts()["migrations"] == 2 and a.counts()["demigrations"] == 2


@pytest.mark.parametrize("options", [{"antialias": "triangle"}, {"antialias": "filter_bank", "interpolation": "cubic"}, {"interpolation": "sinc8"},
                                     {"weight": "true_amplitude"}, {"normalise": "fold"}, {"rho_filter": "none", "weight": "none"},
                                     {"aperture": {"max_m": 300, "taper": 0.5}, "stretch_mute": 0.5, "resample": 2}], ids=str)
def test_the_dot_product_holds_for_options(survey, options):
    a = operator(survey, **options)
    assert mismatch(a, smooth_noise(a.dims), smooth_noise(a.dimsd, 3)) <= 1e-6


def test_zeros_are_data(survey):
    """A spike in a trace of zeros is no muted trace: L* must be linear whatever it is given."""
    a = operator(survey)
    spikes = np.zeros(a.dimsd, np.float32)
    spikes[4, 120] = 1
    spikes[9, 90] = -2
    assert mismatch(a, smooth_noise(a.dims), spikes) <= 1e-6
    first, second = spikes.copy(), spikes.copy()
    first[9] = 0
    second[4] = 0
    both = np.asarray(a.migrate(first), np.float64) + a.migrate(second)
    assert oracle.relative(both, a.migrate(spikes)) <= 1e-6
    assert not a.migrate(np.zeros(a.dimsd, np.float32)).any()


def test_dead_and_muted_traces_are_part_of_it(survey):
    flags = np.zeros(50, np.uint8)
    flags[3] = 1
    mute = np.zeros(50, np.float32)
    mute[5] = 0.5
    a = operator(survey, flags=flags, mute_start_s=np.zeros(50, np.float32), mute_end_s=mute)
    assert mismatch(a, smooth_noise(a.dims), smooth_noise(a.dimsd, 3)) <= 1e-6
    modelled = a.demigrate(smooth_noise(a.dims))
    assert not modelled[3].any() and not modelled[5, :125].any() and modelled[5, 140:].any() and modelled[4].any()


def test_float64_goes_in_and_out(survey):
    single, double = operator(survey), operator(survey, dtype=np.float64)
    model = smooth_noise(single.dims)
    assert (double @ model.astype(np.float64).ravel()).dtype == np.float64 and (single @ model.ravel()).dtype == np.float32
    np.testing.assert_array_equal(double.demigrate(model), single.demigrate(model))
    np.testing.assert_array_equal((double.H @ survey[0].astype(np.float64).ravel()).reshape(double.dims), single.migrate(survey[0]))


# ---- against what is outside ----


@pytest.mark.parametrize("law", ["straight", "curved_linear", "vti", "vti_rational"])
def test_the_adjoint_is_the_oracles_migration(survey, law):
    traces, source, receiver = survey
    velocity, options = LAWS[law]
    t0 = np.arange(NS) * DT
    v, numbers = 2000.0, {"eta": 0.1} if "vti" in law else {}
    if law == "curved_linear":
        twice = 0.6 * np.maximum(t0, 1e-9)
        v, numbers = 1800 * np.sqrt(np.expm1(twice) / twice), {"v0": 1800.0, "gradient": 0.6}
    expected, fold = oracle.migrate(traces, source, receiver, DT, COLUMNS, t0, v, law=law, law_numbers=numbers, max_m=600)
    a = operator(survey, velocity, traveltime=law, aperture={"max_m": 600}, **options)
    assert oracle.relative(a.migrate(traces).reshape(expected.shape), expected) <= BOUND
    np.testing.assert_array_equal(a.fold().reshape(fold.shape), fold)


def test_it_is_the_migration(survey):
    traces, source, receiver = survey
    image = moho.migrate(traces, geometry(source, receiver), CONSTANT, GRID, dt_s=DT, resample="none", device=DEVICE)
    assert oracle.relative(operator(survey).migrate(traces), image.stack) <= BOUND / 10


def test_it_is_a_pair_on_the_metal_double():
    """Kernel v3 and its adjoint, on a device that is not the processor."""
    double = os.environ.get("MOHO_TEST_METAL_DOUBLE")
    if not double or not os.path.exists(double) or DEVICE != "cpu":
        pytest.skip("MOHO_TEST_METAL_DOUBLE names no double")
    environment = {**os.environ, "MOHO_METAL_LIBRARY": double, "MOHO_TEST_DEVICE": "metal", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    tests = "every_law and straight or zeros_are or stops_it"
    result = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", tests], env=environment,
                            capture_output=True, text=True, timeout=280, check=False)
    assert result.returncode == 0 and "3 passed" in result.stdout, result.stdout + result.stderr


# ---- solvers ----


def test_scipys_lsqr_solves_damped_least_squares(survey):
    """Traces that an image explains are explained again, and damping holds the image back."""
    a = operator(survey, dtype=np.float64)
    model = smooth_noise(a.dims, 5).astype(np.float64)
    data = a @ model.ravel()
    solved = scipy_linalg.lsqr(a, data, iter_lim=12)
    residual = np.linalg.norm(a @ solved[0] - data)
    assert residual < 0.25 * np.linalg.norm(data) and abs(residual - solved[3]) < 1e-3 * np.linalg.norm(data)
    damped = scipy_linalg.lsqr(a, data, damp=np.linalg.norm(data) / np.linalg.norm(model), iter_lim=12)
    assert np.linalg.norm(damped[0]) < np.linalg.norm(solved[0])


def test_it_composes_with_scipys_algebra(survey):
    a = operator(survey, dtype=np.float64)
    model = smooth_noise(a.dims, 2).astype(np.float64).ravel()
    normal = a.H @ a + 0.5 * scipy_linalg.LinearOperator((a.shape[1],) * 2, matvec=lambda x: x, dtype=np.float64)
    assert oracle.relative(normal @ model, a.H @ (a @ model) + 0.5 * model) <= 1e-12
    two = a @ np.stack([model, 2 * model], axis=1)
    assert two.shape == (a.shape[0], 2) and oracle.relative(two[:, 1], 2 * two[:, 0]) <= 1e-6
    assert isinstance(a, scipy_linalg.LinearOperator)


def test_pylops_gets_what_its_constructor_asks_for(survey, monkeypatch):
    """PyLops is not at hand here: a stand-in with the arguments of its LinearOperator shows what is handed over, no more."""
    seen = {}

    def constructor(Op=None, dtype=None, shape=None, dims=None, dimsd=None, clinear=None, explicit=None, name=None):
        seen.update(Op=Op, dtype=dtype, shape=shape, dims=dims, dimsd=dimsd)

    stand_in = types.ModuleType("pylops")
    stand_in.LinearOperator = constructor
    monkeypatch.setitem(sys.modules, "pylops", stand_in)
    a = operator(survey)
    a.to_pylops()
    assert seen == {"Op": a, "dtype": a.dtype, "shape": a.shape, "dims": (7, 6, NS), "dimsd": (50, NS)}


# ---- use ----


def test_results_go_where_they_are_told(survey):
    a = operator(survey)
    image, traces = np.full(a.dims, 7, np.float32), np.full(a.dimsd, 7, np.float32)
    assert a.migrate(survey[0], out=image) is image and a.demigrate(image, out=traces) is traces
    np.testing.assert_array_equal(image, a.migrate(survey[0]))
    np.testing.assert_array_equal(traces, a.demigrate(image))


def test_threads_share_an_operator(survey):
    a = operator(survey)
    expected = a.migrate(survey[0])
    modelled = a.demigrate(expected)
    good = []

    def use(number):
        for _ in range(4):
            good.append(np.array_equal(a.migrate(survey[0]), expected) if number % 2 else np.array_equal(a.demigrate(expected), modelled))

    threads = [threading.Thread(target=use, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert good == [True] * 16


def test_progress_stops_it_and_it_goes_on_afterwards(survey):
    told, goes_on = [], [True]

    def progress(step):
        told.append(step)
        return goes_on[0]

    a = operator(survey, progress=progress)
    expected = a.migrate(survey[0])
    assert told and told[0].stage and told[0].unit
    goes_on[0] = False
    for call in (lambda: a.migrate(survey[0]), lambda: a.demigrate(expected)):
        with pytest.raises(moho.Interrupted):
            call()
    goes_on[0] = True
    np.testing.assert_array_equal(a.migrate(survey[0]), expected)


def test_an_operator_cannot_be_used_by_its_own_progress(survey):
    box = []
    a = operator(survey, progress=lambda step: box[0].migrate(survey[0]))
    box.append(a)
    with pytest.raises(RuntimeError, match="operator that is calling it"):
        a.migrate(survey[0])


@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="sanitizers keep what is freed")
def test_many_calls_do_not_grow():
    traces, source, receiver = oracle.survey_3d(n=3, ns=40, dt_s=DT)
    grid = {"origin_m": [350.0, 350.0], "inline": {"n": 2, "spacing_m": 50}, "crossline": {"n": 2, "spacing_m": 50},
            "time": {"first_s": 0, "step_s": DT, "n": 40}}

    def made():
        return moho.KirchhoffOperator(geometry(source, receiver), CONSTANT, grid, n_samples=40, dt_s=DT, device="cpu?threads=1")

    a = made()
    model = np.ones(a.dims, np.float32)
    for work, n in ((lambda: (a.migrate(traces), a.demigrate(model)), 4000), (lambda: made().migrate(traces), 400)):
        for _ in range(n // 4):
            work()
        grown = []
        for _ in range(4):  # what leaks does so in every quarter, what is kept for reuse does not
            gc.collect()
            before = resident_kb()
            for _ in range(n // 4):
                work()
            gc.collect()
            grown.append(resident_kb() - before)
        assert min(grown) < 64, grown


# ---- mistakes ----


@pytest.mark.parametrize("options, error, words", [
    ({"traveltime": "curved"}, ValueError, "traveltime"),
    ({"aperature": {"max_m": 3}}, (ValueError, TypeError), "aperture"),
    ({"aperture": {"max_m": -3}}, ValueError, "aperture.max_m"),
    ({"traveltime": "vti"}, ValueError, "eta"),
    ({"traveltime": "straight", "eta": {"constant": 0.1}}, ValueError, "eta"),
    ({"kernel": "v1"}, moho.NotAvailableError, "does not demigrate"),
    ({"gathers": {"kind": "offset", "edges_m": [0, 500]}}, (moho.NotAvailableError, ValueError), "gathers"),
    ({"iterations": 3}, moho.NotAvailableError, "iterations"),
    ({"levels": [2, 1]}, moho.NotAvailableError, "levels"),
    ({"dtype": np.int32}, ValueError, "dtype: int32, expected float32 or float64"),
    ({"device": "cdua:0"}, ValueError, "cuda"),
    ({"device": 7}, TypeError, "device"),
    ({"progress": 3}, TypeError, "progress"),
], ids=lambda x: str(x) if isinstance(x, dict) else "")
def test_wrong_options_are_named(survey, options, error, words):
    with pytest.raises(error, match=words):
        operator(survey, **options)


def test_wrong_arrays_are_named(survey):
    a = operator(survey)
    image, traces = np.zeros(a.dims, np.float32), np.zeros(a.dimsd, np.float32)
    read_only, hollow = image.copy(), image.copy()
    hollow[2, 1, 5] = np.nan
    read_only.flags.writeable = False
    for call, error, words in (
        (lambda: a.demigrate(image[:-1]), ValueError, r"image: shape \(6, 6, 251\), expected \(7, 6, 251\)"),
        (lambda: a.migrate(traces[:, 1:]), ValueError, r"traces: shape"),
        (lambda: a.migrate(traces, out=image.astype(np.float64)), ValueError, "out: float64"),
        (lambda: a.migrate(traces, out=image[:, ::-1]), ValueError, "C-contiguous"),
        (lambda: a.migrate(traces, out=read_only), ValueError, "read-only"),
        (lambda: a.migrate(traces + 1j), TypeError, "complex"),
        (lambda: a @ image.ravel()[1:], ValueError, ""),
        (lambda: a.demigrate(hollow), ValueError, "nan at inline 3, crossline 2, 0.02 s"),
        (lambda: a.migrate(np.full(a.dimsd, np.nan)), ValueError, "traces"),
    ):
        with pytest.raises(error, match=words):
            call()

"""Operations against formulas in float64, on arrays and Buffers of any shape; what is refused, and how it is said."""

import math
import os
import sys
import threading

import numpy as np
import pytest

import moho
from moho import ops

rng = np.random.default_rng(11)
F32 = np.float32
SMALL = bool(os.environ.get("MOHO_TEST_SMALL"))  # where every kernel is compiled first: the Metal double
erf = np.vectorize(math.erf, otypes=[float])


def given(*shape, dtype=F32, low=-3.0, high=3.0):
    return (rng.random(shape) * (high - low) + low).astype(dtype)


def close(made, expected, relative=2e-6, absolute=1e-6):
    made = made.to_numpy() if isinstance(made, moho.Buffer) else made
    assert made.shape == np.shape(expected)
    np.testing.assert_allclose(made.astype(float), expected, relative, absolute)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def tanh_gelu(x):
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def slope(f):
    """f' by a central difference in float64."""
    return lambda x, h=1e-5: (f(x + h) - f(x - h)) / (2 * h)


UNARY = {
    ops.abs: np.abs, ops.neg: np.negative, ops.exp: np.exp, ops.tanh: np.tanh, ops.sigmoid: sigmoid,
    ops.relu: lambda x: np.maximum(x, 0), ops.silu: lambda x: x * sigmoid(x), ops.gelu: lambda x: x / 2 * (1 + erf(x / math.sqrt(2))),
    ops.copy: lambda x: x, ops.leaky_relu: lambda x: np.where(x > 0, x, 0.01 * x),
}
BACKWARD = {ops.sigmoid_backward: sigmoid, ops.tanh_backward: np.tanh, ops.silu_backward: lambda x: x * sigmoid(x),
            ops.gelu_backward: UNARY[ops.gelu], ops.relu_backward: UNARY[ops.relu], ops.leaky_relu_backward: UNARY[ops.leaky_relu]}
ARITHMETIC = {ops.add: np.add, ops.sub: np.subtract, ops.mul: np.multiply, ops.div: np.divide, ops.minimum: np.minimum,
              ops.maximum: np.maximum}


def by_name(operation):
    return getattr(operation, "__name__", None)


@pytest.fixture(params=["buffer"] if SMALL else ["array", "buffer"])
def bring(request, device):
    """As a numpy array, or on the device."""
    return (lambda x: x) if request.param == "array" else (lambda x: moho.Buffer.from_numpy(x, device))


@pytest.fixture(autouse=True)
def on_device(device):
    with moho.Executor(device):
        yield


# ---- every operation ----


@pytest.mark.parametrize("operation", UNARY, ids=by_name)
def test_unary(operation, bring):
    x = given(7, 33)
    made = operation(bring(x))
    assert isinstance(made, type(bring(x)))
    close(made, UNARY[operation](x.astype(float)))


def test_roots_and_logarithms(bring):
    x = given(1001, low=1e-3, high=50)
    close(ops.sqrt(bring(x)), np.sqrt(x.astype(float)), 1e-7)
    close(ops.log(bring(x)), np.log(x.astype(float)))


@pytest.mark.parametrize("operation", BACKWARD, ids=by_name)
def test_backward(operation, bring):
    x, dy = given(5, 19), given(5, 19)
    close(operation(bring(x), bring(dy)), slope(BACKWARD[operation])(x.astype(float)) * dy, 1e-4, 1e-6)


def test_gelu_by_tanh(bring):
    x, dy = given(100), given(100)
    close(ops.gelu(bring(x), approximate="tanh"), tanh_gelu(x.astype(float)))
    close(ops.gelu_backward(bring(x), bring(dy), approximate="tanh"), slope(tanh_gelu)(x.astype(float)) * dy, 1e-4, 1e-6)
    with pytest.raises(ValueError, match="approximate"):
        ops.gelu(x, approximate="erf")


@pytest.mark.parametrize("operation", ARITHMETIC, ids=by_name)
def test_arithmetic(operation, bring):
    a, b = given(6, 1, 17), given(5, 17, low=0.5)
    close(operation(bring(a), bring(b)), ARITHMETIC[operation](a.astype(float), b), 1e-6)
    close(operation(bring(a), 2.5), ARITHMETIC[operation](a.astype(float), 2.5), 1e-6)
    close(operation(2, bring(b)), ARITHMETIC[operation](2.0, b.astype(float)), 1e-6)
    whole = given(9, 4, dtype=np.int32, low=1, high=1000)
    expected = whole // 7 if operation is ops.div else ARITHMETIC[operation](whole, 7)
    np.testing.assert_array_equal(np.asarray(operation(whole, 7)), expected)


def test_the_vector_names_are_the_same_functions():
    assert (ops.vector_add, ops.vector_sub, ops.vector_mul, ops.vector_div) == (ops.add, ops.sub, ops.mul, ops.div)


def test_fma_clip_fill_convert(bring):
    a, b, c = given(30), given(30), given(30)
    close(ops.fma(bring(a), bring(b), bring(c)), a.astype(float) * b + c, 1e-7)
    close(ops.clip(bring(a), -1, 0.5), np.clip(a, -1, 0.5), 0, 0)
    filled = bring(np.zeros((3, 4), F32))
    assert ops.fill(filled, 2.5) is filled
    close(filled, np.full((3, 4), 2.5), 0, 0)
    big = np.array([1.9, -1.9, 300, -300, np.nan], F32)
    np.testing.assert_array_equal(np.asarray(ops.convert(big, "int8")), [1, -1, 127, -128, 0])
    close(ops.convert(bring(a), "float16"), a.astype(np.float16), 0, 0)


@pytest.mark.parametrize("axis", [None, 1] if SMALL else [None, 0, 1, 2, -1])
def test_reductions(axis, bring):
    x = given(5, 37, 6, low=0.5, high=1.5)
    wide = x.astype(float)
    for operation, expected in ((ops.reduce_sum, np.sum), (ops.reduce_mean, np.mean), (ops.reduce_min, np.min),
                                (ops.reduce_max, np.max), (ops.reduce_prod, np.prod)):
        close(operation(bring(x), axis), expected(wide, axis), 2e-5)
        close(operation(bring(x), axis, keepdims=True), expected(wide, axis, keepdims=True), 2e-5)
    made = ops.argmax(bring(x), axis)
    made = made.to_numpy() if isinstance(made, moho.Buffer) else made
    assert made.dtype == np.int32
    np.testing.assert_array_equal(made, np.argmax(x, axis))


@pytest.mark.parametrize("axis", [0] if SMALL else [0, 1, -1])
def test_rows(axis, bring):
    x = given(9, 33)
    wide = x.astype(float)
    shifted = wide - wide.max(axis, keepdims=True)
    weights = np.exp(shifted) / np.exp(shifted).sum(axis, keepdims=True)
    close(ops.softmax(bring(x), axis), weights, 1e-5)
    close(ops.log_softmax(bring(x), axis), np.log(weights), 1e-5)
    n = x.shape[axis]
    gamma, beta = given(n), given(n)
    turn = (lambda v: v[:, None]) if axis == 0 else (lambda v: v)
    mean, variance = wide.mean(axis, keepdims=True), wide.var(axis, keepdims=True)
    close(ops.layer_norm(bring(x), bring(gamma), bring(beta), axis), (wide - mean) / np.sqrt(variance + 1e-5) * turn(gamma) + turn(beta),
          1e-4, 1e-5)
    close(ops.layer_norm(bring(x), axis=axis), (wide - mean) / np.sqrt(variance + 1e-5), 1e-4, 1e-5)
    close(ops.rms_norm(bring(x), bring(gamma), axis), wide / np.sqrt((wide**2).mean(axis, keepdims=True) + 1e-6) * turn(gamma), 1e-4, 1e-5)


def test_losses(bring):
    x, y = given(8, 5), given(8, 5)
    square = (x.astype(float) - y)**2
    p, q = given(40, low=0.01, high=0.99), given(40, low=0, high=1)
    entropy = -(q * np.log(p.astype(float)) + (1 - q.astype(float)) * np.log(1 - p.astype(float)))
    classes = rng.integers(0, 5, 8).astype(np.int32)
    wide = x.astype(float)
    cross = np.log(np.exp(wide).sum(1)) - wide[np.arange(8), classes]
    for reduction, reduce in (("mean", np.mean), ("sum", np.sum), ("none", lambda v: v)):
        close(ops.squared_error(bring(x), bring(y), reduction=reduction), reduce(square), 1e-5)
        close(ops.binary_cross_entropy(bring(p), bring(q), reduction=reduction), reduce(entropy), 1e-5)
        close(ops.cross_entropy(bring(x), bring(classes), reduction=reduction), reduce(cross), 1e-5)
    with pytest.raises(ValueError, match="reduction"):
        ops.squared_error(x, y, reduction="all")


def test_eight_bits(bring):
    x = given(500)
    scale, zero = ops.quantization(bring(x))
    assert zero == 0 and scale == pytest.approx(np.abs(x).max() / 127, rel=1e-6)
    q = ops.quantize(bring(x), scale)
    close(q, np.clip(np.rint(x / F32(scale)), -128, 127), 0, 0)
    close(ops.dequantize(q, scale), x, 0, scale * 0.51)
    scale, zero = ops.quantization(bring(x), "uint8", "affine")
    close(ops.dequantize(ops.quantize(bring(x), scale, zero, "uint8"), scale, zero), x, 0, scale * 0.51)
    with pytest.raises(ValueError):
        ops.quantization(np.array([1, np.nan], F32))


# ---- matrix products ----


def test_gemm_takes_sizes_as_m_n_k(bring):
    m, n, k = 5, 7, 3
    a, b = given(m, k), given(k, n)
    expected = a.astype(float) @ b
    close(ops.gemm(bring(a), bring(b)), expected, 1e-5)
    out = bring(np.zeros(m * n, F32))
    assert ops.gemm(bring(a.ravel()), bring(b.ravel()), out, m, n, k) is out
    close(out, expected.ravel(), 1e-5)
    close(ops.gemm(bring(a.ravel()), bring(b.T.copy().ravel()), m=m, n=n, k=k, transpose_b=True), expected, 1e-5)
    close(ops.gemm(bring(a.T.copy()), bring(b), transpose_a=True), expected, 1e-5)
    with pytest.raises(ValueError, match=r"a has shape \(15,\), expected \(7, 3\)"):
        ops.gemm(bring(a.ravel()), bring(b.ravel()), out, n, m, k)  # n, m, k: refused, sizes differ
    with pytest.raises(ValueError, match="all three or none"):
        ops.gemm(a, b, m=m)
    with pytest.raises(ValueError):
        ops.gemm(a, a)


def test_gemm_s_options(bring):
    a, b, bias = given(4, 6), given(6, 9), given(9)
    product = a.astype(float) @ b
    out = given(4, 9)
    made = bring(out.copy())
    ops.gemm(bring(a), bring(b), made, alpha=0.5, beta=2)
    close(made, 0.5 * product + 2.0 * out, 1e-5)
    close(ops.gemm(bring(a), bring(b), bias=bring(bias), activation="relu"), np.maximum(product + bias, 0), 1e-5)
    close(ops.gemm(bring(a), bring(b), method="own"), product, 1e-5)
    batch = given(3, 4, 6)
    close(ops.gemm(bring(batch), bring(b)), batch.astype(float) @ b, 1e-5)
    half = ops.gemm(bring(a.astype(np.float16)), bring(b.astype(np.float16)), dtype="float32")
    close(half, a.astype(np.float16).astype(float) @ b.astype(np.float16).astype(float), 1e-5)
    with pytest.raises(ValueError, match="beta"):
        ops.gemm(a, b, beta=1)
    with pytest.raises(ValueError, match="method"):
        ops.gemm(a, b, method="mine")
    with pytest.raises(ValueError, match="relu"):
        ops.gemm(a, b, activation="rleu")


def test_matvec(bring):
    a, x = given(8, 21), given(21)
    close(ops.matvec(bring(a), bring(x)), a.astype(float) @ x, 1e-5)
    close(ops.matvec(bring(a), bring(x[:8].copy()), transpose_a=True), a.T.astype(float) @ x[:8], 1e-5)
    y = given(8)
    close(ops.matvec(bring(a), bring(x), bring(y.copy()), beta=1), a.astype(float) @ x + y, 1e-5)


# ---- where results go ----


def test_out_is_written_and_returned(bring):
    a, b = given(4, 6), given(4, 6)
    out = bring(np.zeros((4, 6), F32))
    assert ops.add(bring(a), bring(b), out) is out
    close(out, a.astype(float) + b, 1e-7)
    row = bring(np.zeros((4, 6), F32))
    ops.add(bring(a), bring(b[0].copy()), out=row)
    close(row, a.astype(float) + b[0], 1e-7)


def test_in_place(bring):
    x = given(3, 50)
    for operation, expected in ((ops.relu, np.maximum(x, 0)), (lambda v, out: ops.add(v, v, out), 2.0 * x),
                                (lambda v, out: ops.softmax(v, -1, out), np.exp(x.astype(float)) / np.exp(x.astype(float)).sum(1, keepdims=True))):
        made = bring(x.copy())
        assert operation(made, out=made) is made
        close(made, expected, 1e-5)


def test_arrays_with_strides_both_ways(device):
    base = given(12, 20)
    x, place = base[::3, ::-2], np.zeros((10, 4), F32)
    close(ops.mul(x, 2), 2.0 * x, 0, 0)
    for out in (place.T, np.zeros((8, 10), F32)[::2], np.zeros((4, 10), F32)[:, ::-1]):
        assert ops.mul(x, 2, out) is out
        close(out, 2.0 * x, 0, 0)
    close(ops.reduce_sum(x, 0), x.astype(float).sum(0), 1e-5)
    buffer = moho.Buffer.from_numpy(base, device)
    close(ops.add(buffer[::3, 1::2], buffer.T[:10, :4].T), base[::3, 1::2].astype(float) + base.T[:10, :4].T, 1e-7)


def test_overlap_that_is_not_in_place_is_refused():
    x = given(100)
    with pytest.raises(ValueError, match="overlap"):
        ops.add(x[:-1], 1, out=x[1:], device="cpu")
    buffer = moho.Buffer.from_numpy(x, "cpu")
    with pytest.raises(ValueError, match="overlap"):
        ops.add(buffer[:-1], 1, out=buffer[1:])
    with pytest.raises(ValueError, match="overlap"):
        ops.add(np.asarray(buffer)[:-1], 1, out=buffer[1:])
    expected = 2.0 * x
    ops.add(np.asarray(buffer), buffer, out=moho.from_dlpack(buffer))  # three faces of one array
    close(buffer, expected, 0, 0)


def test_empty_arrays():
    assert ops.add(np.zeros((0, 3), F32), 1).shape == (0, 3)
    assert ops.reduce_sum(np.zeros(0, F32)) == 0
    with pytest.raises(ValueError):
        ops.reduce_max(np.zeros(0, F32))


@pytest.mark.parametrize("dtype", ["float16", "int32"])
def test_other_dtypes(dtype, bring):
    a, b = given(40, dtype=dtype, low=1, high=90), given(40, dtype=dtype, low=1, high=90)
    made = ops.add(bring(a), bring(b))
    close(made, (a.astype(float) + b).astype(dtype).astype(float), 0, 0)


# ---- refused ----


@pytest.mark.parametrize("wrong, error, words", [
    (lambda x: ops.add(x, x.astype(float)), TypeError, "add: b is float64"),
    (lambda x: ops.relu(x.astype(float)), TypeError, "relu: x is float64.*astype"),
    (lambda x: ops.add(x, x.astype(np.float16)), (ValueError, moho.NotAvailableError), "b is f16, expected f32"),
    (lambda x: ops.add(x, [1, 2]), TypeError, "add: b is a list"),
    (lambda x: ops.add(1, 2), TypeError, "two numbers"),
    (lambda x: ops.relu(None), (TypeError, ValueError), "relu"),
    (lambda x: ops.add(x, np.zeros((3, 5), F32)), ValueError, "do not go together"),
    (lambda x: ops.add(x, x, np.zeros((4, 5), F32)), ValueError, "add"),
    (lambda x: ops.add(x, x, out=[0]), TypeError, "out is a list"),
    (lambda x: ops.softmax(x, 2), ValueError, "axis 2"),
    (lambda x: ops.reduce_sum(x, -3), ValueError, "axis -3"),
    (lambda x: ops.reduce_sum(x, "a"), TypeError, ""),
    (lambda x: ops.sqrt(x.astype(np.int32)), (ValueError, moho.NotAvailableError), "sqrt"),
    (lambda x: ops.convert(x, "complex64"), TypeError, "complex64"),
    (lambda x: ops.convert(x, "float64"), TypeError, "float64"),
    (lambda x: ops.div(np.array([1, 2], np.int32), 0), ValueError, "divisor is 0"),
])
def test_what_is_wrong_is_said(wrong, error, words):
    with pytest.raises(error, match=words):
        wrong(given(4, 6))


def test_a_read_only_output_is_refused():
    out = np.zeros(3, F32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        ops.add(given(3), 1, out)


def test_buffers_of_two_devices_are_refused(device):
    other = moho.Device("cpu?threads=1")
    a, b = moho.Buffer.from_numpy(given(3), device), moho.Buffer.from_numpy(given(3), other)
    with pytest.raises(ValueError, match="b is on .*, expected"):
        ops.add(a, b)


# ---- much of it ----


def test_no_growth_by_operations(device, steady):
    x, y = given(100), given(10, 10)
    on_device = moho.Buffer.from_numpy(x, device)

    def once():
        ops.add(x, x)
        ops.softmax(on_device)
        ops.gemm(y, y)
        ops.relu(x, out=x)

    for _ in range(3 if "double" in device.name else 300):
        once()
    references = sys.getrefcount(x), sys.getrefcount(on_device)
    steady(once, 10000 if device.kind == "cpu" else 30 if SMALL else 1000)
    assert (sys.getrefcount(x), sys.getrefcount(on_device)) == references


def test_threads_compute_side_by_side(device):
    wrong = []

    def work(seed):
        own = np.random.default_rng(seed)
        with moho.Executor(device):
            for _ in range(5 if SMALL else 40):
                a, b = own.random((2, 30, 30)).astype(F32)
                if not np.allclose(ops.gemm(a, b), a.astype(float) @ b, 1e-5):
                    wrong.append(seed)
                if not np.allclose(ops.reduce_sum(moho.Buffer.from_numpy(a, device)).to_numpy(), a.sum(dtype=float), 1e-5):
                    wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(5)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert not wrong


def test_other_threads_run_meanwhile():
    """The GIL is released: a counter goes on while a long product is computed."""
    a = given(1000, 1000)
    count, done = [0], threading.Event()

    def tick():
        while not done.wait(0.001):
            count[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    for _ in range(3):
        ops.gemm(a, a, device="cpu")
    done.set(), thread.join()
    assert count[0] >= 3


def test_documented():
    for name in ops.__all__:
        assert getattr(ops, name).__doc__, name
    for thing in (moho.Device, moho.Buffer, moho.Executor, moho.Program, moho.from_dlpack, moho.devices, moho.Buffer.from_numpy):
        assert len(thing.__doc__) > 40

"""Operations on arrays, on any device.

Operands are numpy arrays, Buffers, or arrays that speak DLPack (CuPy, PyTorch, JAX); of two operands of the arithmetic one may be
a number. They run where the Buffers are; numpy arrays alone run on ``device``, else on the innermost Executor's, else on "auto".
A call is done when it returns. The result is ``out`` where it is given, a Buffer where an operand is one, else a numpy array.

dtypes are float32, float16, bfloat16 (computed in float32, rounded once) and int32; int8 and uint8 for copy, convert, fill and
quantize. All operands have one. Shapes broadcast as numpy's; axis=None is all elements. ``out`` may be the very operand of
elementwise operations, softmax and norms. What is not contiguous is fine.

Errors: TypeError (dtype, kind of argument), ValueError (shapes, overlap, an integer divided by zero), NotAvailableError (the
device cannot), MemoryError. docs/tensor.md tells each operation's meaning and accuracy.
"""

from ._moho import multiply as _multiply, operate as _operate, quantization as _quantization

_ARITHMETIC = {
    "add": "a + b; integers wrap.",
    "sub": "a - b; integers wrap.",
    "mul": "a b; integers wrap.",
    "div": "a / b; integers toward zero, ValueError where one is divided by 0 (the result is 0 there).",
    "min": "The lesser of a and b; a NaN loses.",
    "max": "The greater of a and b; a NaN loses.",
}
_UNARY = {
    "abs": "The absolute value.",
    "neg": "-x.",
    "sqrt": "The square root, correctly rounded.",
    "exp": "e to the x, within 1.1 units in the last place.",
    "log": "The natural logarithm, within 1.1 units in the last place.",
    "relu": "max(x, 0); a NaN stays.",
    "sigmoid": "1 / (1 + exp(-x)), within 2.5 units in the last place.",
    "tanh": "The hyperbolic tangent, within 1.5 units in the last place.",
    "silu": "x sigmoid(x).",
}
_BACKWARD = {
    "relu_backward": "relu'(x) dy.",
    "sigmoid_backward": "sigmoid'(x) dy.",
    "tanh_backward": "tanh'(x) dy.",
    "silu_backward": "silu'(x) dy.",
}
_REDUCTIONS = {
    "sum": "The sum; of nothing 0. The same bits on every device.",
    "mean": "The mean.",
    "prod": "The product; of nothing 1.",
    "reduce_min": "The least; a NaN is the result; ValueError of nothing.",
    "reduce_max": "The greatest; a NaN is the result; ValueError of nothing.",
    "argmax": "The place of the first greatest along the axis (or of all elements, counted through), int32.",
}


def _two(word, doc):
    def operation(a, b, out=None, *, device=None):
        return _operate(word, (a, b), out, device, ())

    return _named(operation, word, f"{word}(a, b, out=None, *, device=None): {doc}")


def _one(word, doc):
    def operation(x, out=None, *, device=None):
        return _operate(word, (x,), out, device, ())

    return _named(operation, word, f"{word}(x, out=None, *, device=None): {doc}")


def _gradient(word, doc):
    def operation(x, dy, out=None, *, device=None):
        return _operate(word, (x, dy), out, device, ())

    return _named(operation, word, f"{word}(x, dy, out=None, *, device=None): {doc}")


def _reduction(word, doc):
    def operation(x, axis=None, out=None, *, keepdims=False, device=None):
        return _operate(word, (x,), out, device, (), axis, None, "mean", keepdims)

    return _named(operation, word, f"{word}(x, axis=None, out=None, *, keepdims=False, device=None): {doc}")


def _named(operation, name, doc):
    operation.__name__ = operation.__qualname__ = name
    operation.__doc__ = doc
    return operation


add, sub, mul, div, minimum, maximum = (_two(word, doc) for word, doc in _ARITHMETIC.items())
abs, neg, sqrt, exp, log, relu, sigmoid, tanh, silu = (_one(word, doc) for word, doc in _UNARY.items())  # noqa: A001
relu_backward, sigmoid_backward, tanh_backward, silu_backward = (_gradient(word, doc) for word, doc in _BACKWARD.items())
reduce_sum, reduce_mean, reduce_prod, reduce_min, reduce_max, argmax = (
    _reduction(word, doc) for word, doc in _REDUCTIONS.items())

vector_add, vector_sub, vector_mul, vector_div = add, sub, mul, div


def fma(a, b, c, out=None, *, device=None):
    """a b + c, rounded once in float32."""
    return _operate("fma", (a, b, c), out, device, ())


def copy(x, out=None, *, device=None):
    """The elements of x, contiguous unless out is given."""
    return _operate("copy", (x,), out, device, ())


def convert(x, dtype, out=None, *, device=None):
    """x as another dtype: to integers toward zero, saturating, NaN to 0; to floats rounded once."""
    return _operate("convert", (x,), out, device, (), None, dtype)


def fill(out, value):
    """All elements of out := value."""
    return _operate("fill", (), out, None, (value,))


def clip(x, low, high, out=None, *, device=None):
    """min(max(x, low), high); a NaN stays."""
    return _operate("clip", (x,), out, device, (low, high))


def leaky_relu(x, slope=0.01, out=None, *, device=None):
    """x where x > 0, else slope x."""
    return _operate("leaky_relu", (x,), out, device, (slope,))


def leaky_relu_backward(x, dy, slope=0.01, out=None, *, device=None):
    """leaky_relu'(x) dy."""
    return _operate("leaky_relu_backward", (x, dy), out, device, (slope,))


def gelu(x, out=None, *, approximate="none", device=None):
    """x/2 (1 + erf(x / sqrt 2)); approximate="tanh": x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))."""
    return _operate(_gelu(approximate), (x,), out, device, ())


def gelu_backward(x, dy, out=None, *, approximate="none", device=None):
    """gelu'(x) dy."""
    return _operate(_gelu(approximate) + "_backward", (x, dy), out, device, ())


def _gelu(approximate):
    if approximate == "none":
        return "gelu_erf"
    if approximate == "tanh":
        return "gelu_tanh"
    raise ValueError(f'approximate: {approximate!r}, expected "none" or "tanh"')


def softmax(x, axis=-1, out=None, *, device=None):
    """exp(x - max) / sum along an axis; a row of -infinity gives 0."""
    return _operate("softmax", (x,), out, device, (), axis)


def log_softmax(x, axis=-1, out=None, *, device=None):
    """x - max - log sum exp(x - max) along an axis."""
    return _operate("log_softmax", (x,), out, device, (), axis)


def layer_norm(x, gamma=None, beta=None, axis=-1, epsilon=1e-5, out=None, *, device=None):
    """(x - mean) / sqrt(variance + epsilon) gamma + beta along an axis; gamma, beta: [axis] or None."""
    return _operate("layer_norm", (x, gamma, beta), out, device, (epsilon,), axis)


def rms_norm(x, gamma=None, axis=-1, epsilon=1e-6, out=None, *, device=None):
    """x / sqrt(mean of x^2 + epsilon) gamma along an axis; gamma: [axis] or None."""
    return _operate("rms_norm", (x, gamma), out, device, (epsilon,), axis)


def squared_error(x, y, out=None, *, reduction="mean", device=None):
    """(x - y)^2: its mean or sum, or with reduction="none" each."""
    return _operate("squared_error", (x, y), out, device, (), None, None, reduction)


def binary_cross_entropy(p, y, epsilon=1e-7, out=None, *, reduction="mean", device=None):
    """-(y log p + (1 - y) log(1 - p)), logarithms of at least epsilon: mean, sum or each."""
    return _operate("binary_cross_entropy", (p, y), out, device, (epsilon,), None, None, reduction)


def cross_entropy(x, classes, axis=-1, epsilon=1e-30, out=None, *, reduction="mean", device=None):
    """-log softmax(x)[class], at most -log epsilon; classes int32, of x's shape without the axis: mean, sum or each."""
    return _operate("cross_entropy", (x, classes), out, device, (epsilon,), axis, None, reduction)


def quantization(x, dtype="int8", kind="symmetric", *, device=None):
    """(scale, zero) that hold all of x in int8 or uint8: kind "symmetric" (zero 0) or "affine". ValueError where x has a NaN."""
    return _quantization(x, dtype, kind, device)


def quantize(x, scale, zero=0, dtype="int8", out=None, *, device=None):
    """clamp(round(x / scale) + zero), ties to even, as int8 or uint8."""
    return _operate("quantize", (x,), out, device, (scale, zero), None, dtype)


def dequantize(q, scale, zero=0, dtype="float32", out=None, *, device=None):
    """(q - zero) scale."""
    return _operate("dequantize", (q,), out, device, (scale, zero), None, dtype)


def gemm(a, b, out=None, m=None, n=None, k=None, *, alpha=1.0, beta=0.0, transpose_a=False, transpose_b=False, bias=None,
         activation="copy", scalars=(0.0, 0.0), dtype=None, method="auto", device=None):
    """out[m, n] = activation(alpha op(a)[m, k] op(b)[k, n] + beta out[m, n] + bias[n]).

    Args:
        a, b: [rows, columns] of float32, float16 or bfloat16, one dtype; [batch, rows, columns] are batches.
        out: [m, n] of that dtype or float32; needed where beta is not 0.
        m, n, k: in this order. Given, a, b and out may have any shape of as many elements and are taken as matrices of
            these sizes, last axis fastest; left out, the shapes say them.
        transpose_a, transpose_b: a is [k, m], b is [n, k].
        bias: [n]. activation: an operation of one operand, as "relu", "gelu_erf"; scalars are its numbers.
        dtype: of the result where out is not given: a's, or "float32".
        method: "auto" (a library where there is one), "library", or "own": kernels of our own.

    Returns:
        out, else a Buffer or numpy array.
    """
    if m is not None or n is not None or k is not None:
        a, b, shaped = _matrices(a, b, out, m, n, k, transpose_a, transpose_b)
    else:
        shaped = out
    made = _multiply("gemm", False, a, b, bias, shaped, device, alpha, beta, transpose_a, transpose_b, activation, scalars[0],
                     scalars[1], method, dtype)
    return made if out is None else out


def _matrices(a, b, out, m, n, k, transpose_a, transpose_b):
    if m is None or n is None or k is None:
        raise ValueError(f"gemm: m={m}, n={n}, k={k}, expected all three or none of them")
    return (_as_matrix("a", a, (k, m) if transpose_a else (m, k)), _as_matrix("b", b, (n, k) if transpose_b else (k, n)),
            None if out is None else _as_matrix("out", out, (m, n)))


def _as_matrix(name, array, shape):
    """A view, never a copy: what is written there is the caller's."""
    given = tuple(array.shape)
    if given == shape:
        return array
    size = 1
    for axis in given:
        size *= axis
    if size != shape[0] * shape[1]:
        raise ValueError(f"gemm: {name} has shape {given}, expected {shape} or as many elements")
    flags, together = getattr(array, "flags", None), getattr(array, "is_contiguous", None)
    if not getattr(flags, "c_contiguous", True) or (callable(together) and not together()):
        raise ValueError(f"gemm: {name} has shape {given} and is not contiguous, expected {shape}")
    return array.reshape(*shape)


def matvec(a, x, out=None, *, alpha=1.0, beta=0.0, transpose_a=False, activation="copy", scalars=(0.0, 0.0), dtype=None,
           method="auto", device=None):
    """out[m] = activation(alpha op(a)[m, k] x[k] + beta out[m])."""
    return _multiply("matvec", True, a, x, None, out, device, alpha, beta, transpose_a, False, activation, scalars[0], scalars[1],
                     method, dtype)


__all__ = [name for name in dir() if not name.startswith("_")]

#!/usr/bin/env python3
"""Arrays passed between moho and other libraries of one process: addresses, values, order, cost of a call. One table.

  PYTHONPATH=build/python python3 bench/python_interchange.py [--device cuda:0] [--with cupy,torch] [--output table.md]

With CuPy and PyTorch on the same GPU: DLPack both ways without a copy (addresses are equal), operations on their arrays against
theirs in float64, the order of streams, programs and products on their memory. On any device: what a call costs over the same
call in C (20 us at most), and that 10 000 of them leave memory as it was. Exit status 1: something did not hold.
"""

import argparse
import ctypes
import gc
import os
import statistics
import sys
import threading
import time

import numpy as np

for neighbour in ("torch", "cupy"):  # first: they may need newer versions of what moho brings along
    try:
        __import__(neighbour)
    except ImportError:
        pass

import moho  # noqa: E402
from moho import ops  # noqa: E402

ROWS = []
RANDOM = np.random.default_rng(1)
SAXPY = """program saxpy
scalar f32 a
buffer in f32 x
buffer inout f32 y
register u32 i, n
register f32 s, u, v
predicate inside
  get i, id.x
  length n, y
  compare.lt inside, i, n
  if inside
    param s, a
    load u, x[i]
    load v, y[i]
    fma v, s, u, v
    store y[i], v
  end
"""


def row(what, held, figure=""):
    ROWS.append((what, "yes" if held else "NO", figure))
    print(f"{'ok ' if held else 'BAD'}  {what}  {figure}", flush=True)


def attempt(what, function):
    """A row of its own where it fails: the others still run."""
    try:
        held, figure = function()
    except Exception as error:  # noqa: BLE001
        held, figure = False, f"{type(error).__name__}: {error}"
    row(what, held, figure)


# ---- other libraries, by one face ----


class CuPy:
    name = "CuPy"

    def __init__(self):
        import cupy

        self.lib, self.version = cupy, cupy.__version__

    def random(self, *shape, dtype="float32"):
        return self.lib.asarray((RANDOM.random(shape) * 4 - 2).astype(dtype))

    def address(self, x):
        return x.data.ptr

    def wide(self, x):
        return x.get().astype(float)

    def take(self, buffer):
        return self.lib.from_dlpack(buffer)

    def late(self, stream_work):
        """Work on a stream that is not the default one, handed over while it runs."""
        stream = self.lib.cuda.Stream(non_blocking=True)
        with stream:
            return stream_work(self.lib)

    def matmul_chain(self, lib, x):
        for _ in range(30):
            x = lib.tanh(x @ x)
        return x

    def half_types(self):
        return ["float16"]


class PyTorch(CuPy):
    name = "PyTorch"

    def __init__(self):
        import torch

        self.lib, self.version = torch, torch.__version__
        self.where = "cuda:0"

    def random(self, *shape, dtype="float32"):
        return self.lib.from_numpy(RANDOM.random(shape) * 4 - 2).to(self.where, getattr(self.lib, dtype))

    def address(self, x):
        return x.data_ptr()

    def wide(self, x):
        return x.double().cpu().numpy()

    def late(self, stream_work):
        stream = self.lib.cuda.Stream()
        stream.wait_stream(self.lib.cuda.current_stream())
        with self.lib.cuda.stream(stream):
            return stream_work(self.lib)

    def half_types(self):
        return ["float16", "bfloat16"]


def wide(made):
    return made.to_numpy().astype(float)


def worst(made, expected):
    return float(np.max(np.abs(made - expected) / (np.abs(expected) + 1e-3)))


def check_exchange(other, device):
    """Addresses both ways, for contiguous arrays and views, in every dtype that both have."""

    def there():
        x = other.random(300, 70)
        views = [x, x[10:200], x[::3, 5:60:2], x.T]
        buffers = [moho.from_dlpack(v) for v in views]
        same = all(b.address == other.address(v) and b.shape == tuple(v.shape) and b.device.uri == device.uri
                   for b, v in zip(buffers, views))
        equal = all(np.array_equal(wide(b), other.wide(v)) for b, v in zip(buffers, views))
        return same and equal, f"{len(views)} arrays and views, addresses equal, values equal"

    def back():
        b = ops.add(moho.from_dlpack(other.random(64, 33)), 1)
        x = other.take(b)
        before = np.array_equal(wide(b), other.wide(x))
        x += 1
        y = moho.from_dlpack(x)
        good = other.address(x) == b.address and before and np.array_equal(wide(y), wide(b))
        return good, "same address, writes of both are seen"

    def halves():
        good = []
        for dtype in [*other.half_types(), "int32", "float32"]:
            x = other.random(1000, dtype=dtype)
            b = moho.from_dlpack(x)
            doubled = ops.add(b, b)
            good.append(b.dtype == dtype and b.address == other.address(x) and
                        np.array_equal(other.wide(other.take(doubled)), 2 * other.wide(x)))
        return all(good), f"{', '.join([*other.half_types(), 'int32', 'float32'])}"

    def lifetime():
        x = other.random(1 << 20)
        expected = other.wide(x)
        b = moho.from_dlpack(x)
        del x
        gc.collect()
        [other.random(1 << 20) for _ in range(8)]  # would land in memory that was let go
        mine = ops.copy(b)
        y = other.take(mine)
        del mine
        gc.collect()
        [moho.Buffer.allocate(1 << 20, device=device) for _ in range(8)]
        return np.array_equal(wide(b), expected) and np.array_equal(other.wide(y), expected), "owners let go on either side"

    def streams():
        good = 0
        for _ in range(20):
            x = other.random(1024, 1024)
            box = {}

            def work(lib, x=x, box=box):
                y = other.matmul_chain(lib, x)
                box["sum"] = ops.add(y, 0.0)  # handed over on this stream, while it computes
                return y

            y = other.late(work)
            other.lib.cuda.synchronize() if other.name == "PyTorch" else other.lib.cuda.Device().synchronize()
            good += np.array_equal(wide(box["sum"]), other.wide(y))
        return good == 20, f"{good} of 20: what a stream still computed was waited for"

    def others_after():
        x = other.random(1 << 22)
        good = 0
        for k in range(20):
            made = ops.mul(x, float(k))
            good += np.array_equal(other.wide(other.take(made)), wide(made))
        return good == 20, "20 of 20: what moho returns may be used at once"

    attempt(f"{other.name} -> moho, no copy", there)
    attempt(f"moho -> {other.name}, no copy", back)
    attempt(f"{other.name}: dtypes", halves)
    attempt(f"{other.name}: lifetimes", lifetime)
    attempt(f"{other.name} on its own stream -> moho", streams)
    attempt(f"moho -> {other.name} at once", others_after)


def check_operations(other):
    """Their arrays as operands and as out, against float64."""

    def elementwise():
        x, y = other.random(200, 513), other.random(200, 513)
        a, b = other.wide(x), other.wide(y)
        sigmoid = 1 / (1 + np.exp(-a))
        cases = {"add": (ops.add(x, y), a + b), "mul": (ops.mul(x, y), a * b), "relu": (ops.relu(x), np.maximum(a, 0)),
                 "sigmoid": (ops.sigmoid(x), sigmoid), "silu": (ops.silu(x), a * sigmoid), "exp": (ops.exp(x), np.exp(a)),
                 "tanh": (ops.tanh(x), np.tanh(a)), "sum": (ops.reduce_sum(x, 1), a.sum(1)),
                 "softmax": (ops.softmax(x), np.exp(a) / np.exp(a).sum(1, keepdims=True))}
        errors = {name: worst(wide(made), expected) for name, (made, expected) in cases.items()}
        largest = max(errors, key=errors.get)
        return errors[largest] < 1e-4, f"{len(cases)} operations, largest relative error {errors[largest]:.1e} ({largest})"

    def products():
        a, b = other.random(300, 200), other.random(200, 250)
        out = other.random(300, 250)
        ops.gemm(a, b, out, 300, 250, 200)
        expected = other.wide(a) @ other.wide(b)
        error = float(np.abs(other.wide(out) - expected).max())
        return error < 2e-4, f"into their array; largest difference {error:.1e}"

    def in_place():
        x = other.random(5000)
        expected, address = np.maximum(other.wide(x), 0), other.address(x)
        same = ops.relu(x, out=x) is x
        return same and other.address(x) == address and np.array_equal(other.wide(x), expected), "relu(x, out=x)"

    def programs():
        x, y = other.random(10007), other.random(10007)
        expected = (3 * other.wide(x) + other.wide(y)).astype(np.float32)
        moho.Program(SAXPY).run(a=3, x=x, y=y)
        return np.allclose(other.wide(y), expected, 1e-6, 1e-6), "saxpy on their arrays"

    attempt(f"{other.name}: operations", elementwise)
    attempt(f"{other.name}: gemm(a, b, out, m, n, k)", products)
    attempt(f"{other.name}: in place", in_place)
    attempt(f"{other.name}: program", programs)


# ---- the same call in C ----


class Tensor(ctypes.Structure):
    _fields_ = [("buffer", ctypes.c_void_p), ("offset", ctypes.c_size_t), ("dtype", ctypes.c_int), ("rank", ctypes.c_int),
                ("shape", ctypes.c_size_t * 8), ("stride", ctypes.c_int64 * 8), ("owns", ctypes.c_int)]


class Call(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_int), ("inputs", ctypes.POINTER(Tensor) * 3), ("output", ctypes.POINTER(Tensor)),
                ("scalars", ctypes.c_double * 4), ("axis", ctypes.c_int), ("loss", ctypes.c_int)]


def call_in_c(uri, n):
    """moho_tensor_run(NULL, add of n floats) by ctypes, and what ctypes itself takes."""
    lib = ctypes.CDLL(moho._moho.__file__)  # finds what the module is linked with
    device = ctypes.c_void_p()
    assert lib.moho_device_open(uri.encode(), ctypes.byref(device)) == 0
    tensors = [Tensor() for _ in range(3)]
    for t in tensors:
        assert lib.moho_tensor_create(device, 0, 1, (ctypes.c_size_t * 1)(n), ctypes.byref(t)) == 0
        assert lib.moho_tensor_fill(None, ctypes.byref(t), ctypes.c_double(1)) == 0
    call = Call(operation=0, output=ctypes.pointer(tensors[2]))
    call.inputs[0], call.inputs[1] = ctypes.pointer(tensors[0]), ctypes.pointer(tensors[1])
    run, argument, nothing = lib.moho_tensor_run, ctypes.byref(call), lib.moho_tensor_is_contiguous
    assert run(None, argument) == 0
    first = ctypes.byref(tensors[0])

    def close():
        for t in tensors:
            lib.moho_tensor_destroy(ctypes.byref(t))
        lib.moho_device_close(ctypes.byref(device))

    return (lambda: run(None, argument)), (lambda: nothing(first)), close


def microseconds(function, repeats, rounds=7):
    """The median of rounds, each of repeats calls."""
    best = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(repeats):
            function()
        best.append((time.perf_counter() - began) / repeats * 1e6)
    return statistics.median(best)


def check_overhead(uri, others):
    n = 256
    in_c, nothing, close = call_in_c(uri, n)
    device = moho.Device(uri)
    repeats = 2000 if device.kind == "cpu" else 300
    x = np.ones(n, np.float32)
    a, b, out = (moho.Buffer.from_numpy(x, device) for _ in range(3))
    cases = {"Buffers, out given": lambda: ops.add(a, b, out), "Buffers": lambda: ops.add(a, b)}
    if device.unified_memory:
        made = np.empty_like(x)
        cases["numpy arrays, out given"] = lambda: ops.add(x, x, made, device=device)
        cases["numpy arrays"] = lambda: ops.add(x, x, device=device)
    for other in others if device.kind == "cuda" else []:
        p, q = other.random(n), other.random(n)
        cases[f"{other.name} arrays (3 exchanges)"] = lambda p=p, q=q: ops.add(p, q, p)
    for what, function in cases.items():
        function()
        # Turn by turn: what disturbs one disturbs both.
        pairs = [(microseconds(function, repeats, 1), microseconds(in_c, repeats, 1)) for _ in range(9)]
        empty = microseconds(nothing, repeats, 3)
        python, c = statistics.median(p for p, _ in pairs), statistics.median(c for _, c in pairs) - empty
        over = statistics.median(p - c for p, c in pairs) + empty
        is_exchange = "exchange" in what
        row(f"{device.kind}: add({n}), {what}", is_exchange or over <= 20,
            f"{python:.2f} us, C {c:.2f} us, over C {over:.2f} us, ratio {python / c:.2f}")
    close()


def check_growth(device, others):
    def many():
        def once():
            ops.add(x, 1)
            moho.Buffer.from_numpy(array, device).to_numpy()
            for other, theirs in zip(others, arrays):
                other.take(ops.add(theirs, theirs))

        array = np.ones(1000, np.float32)
        x = moho.Buffer.from_numpy(array, device)
        arrays = [other.random(1000) for other in others]
        for _ in range(1500):  # the runtime keeps the headers of the last 1024 objects
            once()
        gc.collect()
        before, objects = device.metrics()["pool"]["active_bytes"], len(gc.get_objects())
        resident = rss()
        for _ in range(10000):
            once()
        gc.collect()
        grown, more = rss() - resident, len(gc.get_objects()) - objects
        held = device.metrics()["pool"]["active_bytes"] - before
        return held == 0 and more < 100 and grown < 4 << 20, f"device +{held} B, process +{grown >> 10} KiB, objects +{more}"

    def threads():
        wrong = []

        def work(seed):
            own = np.random.default_rng(seed)
            for _ in range(100):
                x = own.random(own.integers(1, 100000)).astype(np.float32)
                if not np.array_equal(ops.add(moho.Buffer.from_numpy(x, device), x).to_numpy(), x + x):
                    wrong.append(seed)

        all_of_them = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        [t.start() for t in all_of_them], [t.join() for t in all_of_them]
        return not wrong, "8 threads, 100 calls each"

    attempt(f"{device.kind}: 10 000 calls of each kind", many)
    attempt(f"{device.kind}: threads", threads)


def rss():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--with", dest="libraries", default="cupy,torch", help="comma-separated; those that are missing are said")
    parser.add_argument("--output")
    given = parser.parse_args()
    device = moho.Device(given.device)
    title = f"moho {moho.__version__} on {device.name} ({device.uri}), Python {sys.version.split()[0]}, numpy {np.__version__}"
    others = []
    for name in filter(None, given.libraries.split(",")):
        try:
            others.append({"cupy": CuPy, "torch": PyTorch}[name]())
            title += f", {others[-1].name} {others[-1].version}"
        except ImportError as error:
            row(f"{name} is installed", device.kind != "cuda", f"{error}; left out")
    print(title)
    row("moho's module is the abi3 one", moho._moho.__file__.endswith(".abi3.so"), os.path.basename(moho._moho.__file__))
    with moho.Executor(device):
        if device.kind == "cuda":
            for other in others:
                check_exchange(other, device)
                check_operations(other)
        else:
            others = []
        attempt(f"{device.kind}: overhead", lambda: (check_overhead(device.uri, others), (True, "above"))[1])
        if device.kind != "cpu":
            attempt("cpu: overhead", lambda: (check_overhead("cpu", []), (True, "above"))[1])
        check_growth(device, others)
    table = [title, "", "| what | holds | |", "|---|---|---|"] + [f"| {what} | {held} | {figure} |" for what, held, figure in ROWS]
    if given.output:
        with open(given.output, "w") as f:
            f.write("\n".join(table) + "\n")
    print("\n".join(["", *table]))
    return 1 if any(held == "NO" for _, held, _ in ROWS) else 0


if __name__ == "__main__":
    sys.exit(main())

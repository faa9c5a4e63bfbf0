"""Portable programs from Python: text, bytes, files; bound to arrays and Buffers; faults told."""

import os
import pathlib
import threading

import numpy as np
import pytest

import moho

EXAMPLES = pathlib.Path(os.environ.get("MOHO_TEST_SOURCE", ".")) / "examples" / "program"
rng = np.random.default_rng(3)

TABLE = """program table
buffer in {0} x
buffer out {0} y
register u32 i, n
register {0} v
predicate inside
  get i, id.x
  length n, y
  compare.lt inside, i, n
  if inside
    load v, x[i]
    add v, v, v
    store y[i], v
  end
"""
TYPES = {"i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64", "u8": "uint8", "u16": "uint16", "u32": "uint32",
         "u64": "uint64", "f16": "float16", "f32": "float32", "f64": "float64"}

DIVIDE = """program divide
buffer in i32 x
buffer inout i32 y
register u32 i
register i32 a, b
  get i, id.x
  load a, y[i]
  load b, x[i]
  div a, a, b
  store y[i], a
"""


@pytest.fixture(scope="module")
def saxpy():
    return moho.Program.load(EXAMPLES / "saxpy.mp")


@pytest.fixture(params=["device", "reference"])
def where(request, device):
    return device if request.param == "device" else "reference"


def test_what_a_program_says_of_itself(saxpy):
    assert saxpy.name == "saxpy" and saxpy.scalars == (("a", "float32"),)
    assert saxpy.buffers == (("x", "float32", "in"), ("y", "float32", "inout"))
    assert saxpy.report()["instructions"] == 10 and len(saxpy.hash) == 64
    assert repr(saxpy) == "<moho.Program saxpy: x, y, a>"


def test_text_bytes_and_files_are_one_program(saxpy, tmp_path):
    file = tmp_path / "saxpy.bin"
    saxpy.save(file)
    for same in (moho.Program(saxpy.text), moho.Program.from_bytes(saxpy.to_bytes()), moho.Program.load(file),
                 moho.Program.from_bytes(file.read_bytes())):
        assert same.hash == saxpy.hash and same.text == saxpy.text


def test_saxpy(saxpy, where):
    x, y = rng.random(1001).astype(np.float32), rng.random(1001).astype(np.float32)
    expected = (2.5 * x.astype(float) + y).astype(np.float32)
    assert saxpy.run(a=2.5, x=x, y=y, device=where) is None
    np.testing.assert_array_equal(y, expected)  # fma: rounded once


def test_buffers_arrays_and_places(saxpy, device):
    x, y = rng.random(256).astype(np.float32), rng.random(256).astype(np.float32)
    expected = y + 2 * x
    on_device = moho.Buffer.from_numpy(y, device)
    saxpy.run({"a": 2, "x": moho.Buffer.from_numpy(x, device)}, y=on_device)
    np.testing.assert_allclose(on_device.to_numpy(), expected, 1e-6)
    np.testing.assert_array_equal(on_device.to_numpy() == y, expected == y)
    mixed = moho.Buffer.from_numpy(y, device)
    saxpy.run(a=2, x=x, y=mixed)  # an array beside a Buffer
    np.testing.assert_allclose(mixed.to_numpy(), expected, 1e-6)
    raw = np.zeros((256, 3), np.float32)
    raw[:, 1] = y
    saxpy.run(a=2, x=x, y=raw[:, 1], device=device)  # strided: there and back
    np.testing.assert_allclose(raw[:, 1], expected, 1e-6)
    assert not raw[:, ::2].any()


def test_arrays_are_used_in_place_on_the_cpu(saxpy):
    with moho.Executor("cpu") as executor:
        x, y = np.ones(4096, np.float32), np.ones(4096, np.float32)
        before = executor.metrics()["bytes_to_device"]
        saxpy.run(a=2, x=x, y=y)
        assert executor.metrics()["bytes_to_device"] == before and (y == 3).all()


@pytest.mark.parametrize("word", ["i8", "u64", "f16", "f32", "f64"] if os.environ.get("MOHO_TEST_SMALL") else TYPES)
def test_every_type(word, where, device):
    x = rng.integers(0, 50, 77).astype(TYPES[word])
    y = np.zeros_like(x)
    program = moho.Program(TABLE.format(word))
    if word in ("f64",) and where != "reference" and not device.has_double:
        with pytest.raises(moho.NotAvailableError, match="f64"):
            program.run(x=x, y=y, device=where)
        return
    program.run(x=x, y=y, device=where)
    np.testing.assert_array_equal(y, x + x)


def test_bfloat16_goes_as_its_bits(where):
    x = np.array([1.0, -2.5, 96.0], np.float32)
    bits, out = (x.view(np.uint32) >> 16).astype(np.uint16), np.zeros(3, np.uint16)
    moho.Program(TABLE.format("bf16")).run(x=bits, y=out, device=where)
    np.testing.assert_array_equal(out, ((2 * x).view(np.uint32) >> 16).astype(np.uint16))


def test_groups_and_lanes(where):
    text = """program ids
buffer out u32 y
register u32 i, g
  get i, id
  get g, group
  store y[i], g
"""
    program = moho.Program(text)
    for groups, lanes in ((3, 4), ((3, 2), (2, 2)), ((2, 2, 2), (4, 1, 2))):
        group_count, lane_count = int(np.prod(groups)), int(np.prod(lanes))
        y = np.full(group_count * lane_count, 99, np.uint32)
        program.run(y=y, groups=groups, lanes=lanes, device=where)
        assert sorted(y) == sorted(np.repeat(np.arange(group_count), lane_count))
    for wrong in (dict(groups=0), dict(groups=(1, 2, 3, 4)), dict(groups=1, lanes=1 << 33)):
        with pytest.raises(ValueError, match="groups|lanes"):
            program.run(y=np.zeros(64, np.uint32), **wrong)
    with pytest.raises(ValueError):
        program.run(y=np.zeros(64, np.uint32), groups=1, lanes=4096, device=where)


# ---- faults ----


def test_a_fault_is_raised_after_the_end(where):
    x, y = np.array([2, 0, 5, 0], np.int32), np.array([8, 8, 10, 7], np.int32)
    program = moho.Program(DIVIDE)
    with pytest.raises(moho.ProgramFault, match=r"divide: instruction 3, line 9 \(div a, a, b\) faulted in lane 1") as caught:
        program.run(x=x, y=y, groups=1, lanes=4, device=where)
    fault = caught.value
    assert (fault.instruction, fault.line, fault.lane, fault.operation, fault.text) == (3, 9, 1, "div", "div a, a, b")
    assert isinstance(fault, moho.Error)
    np.testing.assert_array_equal(y, [4, 0, 2, 0])  # what it wrote is there
    y[:] = 8
    returned = program.run(x=x, y=y, groups=1, lanes=4, device=where, on_fault="return")
    assert isinstance(returned, moho.ProgramFault) and returned.lane == 1
    x[:] = 2
    assert program.run(x=x, y=y, groups=1, lanes=4, device=where, on_fault="return") is None


def test_an_index_out_of_range_is_a_fault(where):
    with pytest.raises(moho.ProgramFault, match="lane 3.*|load") as caught:
        moho.Program(DIVIDE).run(x=np.ones(3, np.int32), y=np.ones(4, np.int32), groups=1, lanes=4, device=where)
    assert caught.value.lane == 3 and caught.value.operation in ("load", "div")


# ---- refused ----


@pytest.mark.parametrize("text, words", [
    ("program p\nregister f32 a\n  ad a, a, a\n", 'add'), ("program p\n  barier\n", "barrier"), ("", "program"),
    ("program p\nregister f32 a, b\n  add a, a, b\n", "a"), ("program p\nregister f33 a\n", "f3")])
def test_a_wrong_text_says_where(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        moho.Program(text, "mine.mp")
    if text:
        assert caught.value.line and caught.value.column and "mine.mp" in str(caught.value)


def test_changed_bytes_and_missing_files(saxpy, tmp_path):
    data = bytearray(saxpy.to_bytes())
    data[30] ^= 1
    with pytest.raises(moho.FileFormatError):
        moho.Program.from_bytes(bytes(data))
    with pytest.raises(TypeError):
        moho.Program.from_bytes("text")
    with pytest.raises((FileNotFoundError, OSError)):
        moho.Program.load(tmp_path / "none.mp")


@pytest.mark.parametrize("change, error, words", [
    (dict(a=None), TypeError, "a: None, expected a number"), (dict(a="2"), TypeError, "a: '2'"),
    (dict(x=np.zeros(8)), TypeError, "x: float64, expected float32"), (dict(x=[1.0]), TypeError, "x: a list"),
    (dict(z=1), TypeError, "saxpy: has no 'z'; it has x, y, a"), (dict(on_fault="ignore"), ValueError, "on_fault"),
    (dict(device="cpuu"), ValueError, '"cpu"')])
def test_wrong_bindings_are_named(saxpy, change, error, words):
    bindings = dict(a=1, x=np.zeros(8, np.float32), y=np.zeros(8, np.float32), device="cpu")
    with pytest.raises(error, match=words):
        saxpy.run(**{**bindings, **change})


def test_missing_read_only_and_shared_ones_are_named(saxpy):
    x, y = np.zeros(8, np.float32), np.zeros(8, np.float32)
    with pytest.raises(TypeError, match="saxpy: buffer y is missing; it has x, y, a"):
        saxpy.run(a=1, x=x)
    with pytest.raises(TypeError, match="scalar a is missing"):
        saxpy.run(x=x, y=y)
    y.flags.writeable = False
    with pytest.raises(ValueError, match="y: a read-only array, and the program writes it"):
        saxpy.run(a=1, x=x, y=y, device="cpu")
    both = np.zeros(16, np.float32)
    for device in ("cpu", "reference"):
        with pytest.raises(ValueError, match="y: the program writes it, and it shares memory with x"):
            saxpy.run(a=1, x=both[:8], y=both[4:12], device=device)


@pytest.mark.parametrize("word, number, fits", [("i8", 128, False), ("u16", -1, False), ("i64", 1 << 63, False), ("u64", (1 << 64) - 1, True),
                                                ("i8", -128, True), ("i32", 1.5, False)])
def test_scalars_fit_or_are_refused(word, number, fits, where):
    program = moho.Program(f"program s\nscalar {word} a\nbuffer out {word} y\nregister {word} v\n  param v, a\n  store y[0], v\n")
    y = np.zeros(1, TYPES[word])
    if fits:
        program.run(a=number, y=y, groups=1, lanes=1, device=where)
        assert int(y[0]) == number
    else:
        with pytest.raises((ValueError, TypeError), match="a"):
            program.run(a=number, y=y, groups=1, lanes=1, device=where)


# ---- much of it ----


def test_no_growth_by_runs(saxpy, device, steady):
    x, y = np.ones(64, np.float32), np.ones(64, np.float32)
    for _ in range(1100 if device.kind == "cpu" else 0):
        saxpy.run(a=0, x=x, y=y, device=device)
    steady(lambda: saxpy.run(a=0, x=x, y=y, device=device), 10000 if device.kind == "cpu" else 50 if "double" in device.name else 1000)


def test_threads_run_one_program(saxpy, device):
    wrong = []

    def work(factor):
        for _ in range(30):
            x, y = np.arange(500, dtype=np.float32), np.ones(500, np.float32)
            saxpy.run(a=factor, x=x, y=y, device=device)
            if not np.array_equal(y, factor * x + 1):
                wrong.append(factor)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(5)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert not wrong


@pytest.mark.parametrize("name", ["softmax.mp", "histogram.mp", "mandelbrot.mp"])
def test_the_examples_assemble(name):
    program = moho.Program.load(EXAMPLES / name)
    assert moho.Program(program.text).hash == program.hash

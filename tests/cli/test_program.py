"""moho program: texts checked, assembled, disassembled and run, with the words of each mistake."""

import array
import math
import os

from moho_command import CommandTest, main

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "program")

SAXPY = """program saxpy
scalar f32 a
buffer in f32 x
buffer inout f32 y
register u32 i, n
register f32 factor, xi, yi
predicate inside
  get i, id.x
  length n, y
  param factor, a
  compare.lt inside, i, n
  if inside
    load xi, x[i]
    load yi, y[i]
    fma yi, factor, xi, yi
    store y[i], yi
  end
"""

COUNT = """program count   # each lane its place, in three dimensions
buffer out u32 y
register u32 i
register u32 v
get i, id
get v, id.z
store y[i], v
"""

DIVIDE = """program divide
buffer in i16 x
buffer out i16 y
register u32 i
register i16 v, hundred
get i, id
load v, x[i]
set hundred, 100
div v, hundred, v
store y[i], v
"""


class Run(CommandTest):
    def test_on_reference_and_cpu(self):
        self.write("saxpy.mp", SAXPY)
        for device in ["reference", "cpu", "cpu?simd=scalar&threads=1"]:
            with self.subTest(device):
                result = self.good("program", "run", "saxpy.mp", "a=2", "x=1,2.5,-3", "y=10,20,30", "--device", device)
                self.assertEqual(result.out, "y = 12 25 24\n")

    def test_json(self):
        self.write("saxpy.mp", SAXPY)
        result = self.good("program", "run", "saxpy.mp", "a=0.5", "x=0..999", "y=999*1,inf", "--json", "--device", "cpu").json()
        self.assertEqual(result["program"], "saxpy")
        self.assertTrue(result["device"].startswith("cpu"))
        self.assertEqual(result["groups"], [16, 1, 1])  # 64 lanes each, for the longest buffer
        self.assertIsNone(result["fault"])
        self.assertEqual(result["buffers"]["y"], [1 + i / 2 for i in range(999)] + ["inf"])

    def test_sizes_in_three_dimensions(self):
        self.write("count.mp", COUNT)
        arguments = ["program", "run", "count.mp", "y=48*9", "--groups", "2,1,3", "--lanes", "2,2,2", "--json", "--device"]
        expected = [z for z in range(6) for _ in range(8)]
        for device in ["reference", "cpu"]:
            self.assertEqual(self.good(*arguments, device).json()["buffers"]["y"], expected)

    def test_raw_elements(self):
        self.write("saxpy.mp", SAXPY)
        values = array.array("f", [math.sin(k) for k in range(100)])
        with open(self.path("x.bin"), "wb") as file:
            values.tofile(file)
        result = self.good("program", "run", "saxpy.mp", "a=1", "x=@x.bin", "y=100*0", "--json", "--device", "reference").json()
        for got, expected in zip(result["buffers"]["y"], values):
            self.assertEqual(array.array("f", [got])[0], expected)
        with open(self.path("x.bin"), "ab") as file:
            file.write(b"?")
        self.fails(1, "x.bin: its length is not a whole number of elements", "program", "run", "saxpy.mp", "a=1", "x=@x.bin", "y=1")
        self.fails(1, "none.bin: No such file", "program", "run", "saxpy.mp", "a=1", "x=@none.bin", "y=1")

    def test_raw_results(self):
        self.write("saxpy.mp", SAXPY)
        values = array.array("f", [math.sin(k) for k in range(1000)])
        with open(self.path("x.f32"), "wb") as file:
            values.tofile(file)
        run = ["program", "run", "saxpy.mp", "a=2", "x=@x.f32"]

        def floats_of(name):
            got = array.array("f")
            with open(self.path(name), "rb") as file:
                got.frombytes(file.read())
            return got

        self.assertEqual(self.good(*run, "y=1000*0@y.f32", "--device", "cpu").out, "y: 1000 elements (f32) in y.f32\n")
        self.assertEqual(floats_of("y.f32"), array.array("f", [2 * v for v in values]))
        # From a file to another one, and JSON says where the buffer is.
        result = self.good(*run, "y=@y.f32@z 2.f32", "--json", "--device", "reference").json()
        self.assertEqual(result["buffers"], {})
        self.assertEqual(result["files"], {"y": {"file": "z 2.f32", "type": "f32", "elements": 1000}})
        self.assertEqual(floats_of("z 2.f32"), array.array("f", [4 * v for v in values]))

    def test_raw_results_in_place(self):
        self.write("saxpy.mp", SAXPY)
        self.good("program", "run", "saxpy.mp", "a=1", "x=1,2,3", "y=10,20,30@y.f32", "--device", "cpu")
        self.good("program", "run", "saxpy.mp", "a=1", "x=1,2,3", "y=@y.f32@y.f32", "--device", "cpu")  # the same file again
        with open(self.path("y.f32"), "rb") as file:
            self.assertEqual(array.array("f", file.read()), array.array("f", [12, 24, 36]))

    def test_raw_results_refused(self):
        self.write("saxpy.mp", SAXPY)
        run = ["program", "run", "saxpy.mp", "a=1", "--device", "cpu"]
        self.fails(2, 'x is only read, so that nothing goes to "x.f32"', *run, "x=1,2@x.f32", "y=1,2")
        self.fails(2, "y: the name of a file is missing after @", *run, "x=1", "y=1@")
        self.fails(1, "none/y.f32", *run, "x=1", "y=1@none/y.f32")
        self.fails(1, "none.f32: No such file", *run, "x=1", "y=@none.f32@y.f32")
        self.assertFalse(os.path.exists(self.path("y.f32")))

    def test_fault(self):
        self.write("divide.mp", DIVIDE)
        for device in ["reference", "cpu"]:
            result = self.run_moho("program", "run", "divide.mp", "x=5,0,-7,0", "y=4*1", "--lanes", "4", "--device", device)
            self.assertEqual((result.code, result.out), (1, "y = 20 0 -14 0\n"))
            self.assertIn("lane 1, instruction 3 (div v, hundred, v): an integer was divided by zero", result.err)
            self.assertIn("divide.mp, line 9", result.err)
            result = self.run_moho("program", "run", "divide.mp", "x=5,0,-7,0", "y=4*1", "--lanes", "4", "--json", "--device", device)
            self.assertEqual(result.json()["fault"], {"id": 1, "instruction": 3, "text": "div v, hundred, v", "line": 9})

    def test_usage(self):
        self.write("saxpy.mp", SAXPY)
        run = ["program", "run", "saxpy.mp"]
        self.fails(2, ["y (f32) is not given", "y=1,2,3"], *run, "a=2", "x=1")
        self.fails(2, "a (f32) is not given", *run, "y=2", "x=1")
        self.fails(2, ['no buffer or scalar "xx"', 'did you mean "x"?'], *run, "xx=1")
        self.fails(2, "x is given twice", *run, "x=1", "x=2")
        self.fails(2, 'x: "one" is no f32', *run, "x=one")
        self.fails(2, 'x: "3..1" is no f32', *run, "x=3..1")
        self.fails(2, "1e+39 is too large for f32", *run, "a=1e39")
        self.fails(2, 'expected NAME=VALUE', *run, "x")
        self.fails(2, "--groups is \"0\"", *run, "a=1", "x=1", "y=1", "--groups", "0")
        self.fails(2, "--lanes is \"1,1,1,1\"", *run, "a=1", "x=1", "y=1", "--lanes", "1,1,1,1")
        self.fails(1, "2000 x 1 x 1 lanes in a group", *run, "a=1", "x=1", "y=1", "--lanes", "2000", "--device", "reference")
        self.fails(2, "program: what?", "program")
        self.fails(2, ['unknown work "rum"', 'did you mean "run"?'], "program", "rum", "saxpy.mp")
        self.fails(2, "which file?", "program", "check")
        self.fails(2, "too much", "program", "check", "saxpy.mp", "x=1")
        self.fails(2, "--output FILE names the binary form", "program", "assemble", "saxpy.mp")

    def test_integers_out_of_range(self):
        self.write("divide.mp", DIVIDE)
        self.fails(2, "32768 is no i16, expected -32768 to 32767", "program", "run", "divide.mp", "x=32768", "y=0")
        self.write("count.mp", COUNT)
        self.fails(2, 'y: "-1" is no u32', "program", "run", "count.mp", "y=-1")


class Forms(CommandTest):
    def test_check(self):
        self.write("saxpy.mp", SAXPY)
        text = self.good("program", "check", "saxpy.mp").out
        for words in ["program saxpy: good", "buffer in f32 x", "buffer inout f32 y", "scalar f32 a", "10 instructions"]:
            self.assertIn(words, text)
        report = self.good("program", "check", "saxpy.mp", "--json", "--device", "cpu").json()
        self.assertEqual((report["instructions"], report["buffers"], report["uses_group"]), (10, 2, False))

    def test_mistakes_have_their_place(self):
        self.write("bad.mp", SAXPY.replace("fma yi, factor", "fma yi, faktor"))
        self.fails(1, ['"faktor" is not declared, expected a register', "bad.mp, line 15, column 13", "did you mean factor?"],
                   "program", "check", "bad.mp")
        self.write("bad.mp", SAXPY.replace("fma yi, factor, xi, yi", "fma yi, factor, xi, i"))
        self.fails(1, ["instruction 7 (fma yi, factor, xi, i): i is u32, expected f32 as yi has", "bad.mp, line 15"], "program", "run",
                   "bad.mp", "a=1")

    def test_round_trip(self):
        self.write("saxpy.mp", SAXPY)
        self.good("program", "assemble", "saxpy.mp", "--output", "saxpy.mpb")
        text = self.good("program", "disassemble", "saxpy.mpb").out
        self.assertEqual(text.split(), SAXPY.split())
        self.good("program", "disassemble", "saxpy.mpb", "--output", "again.mp")
        self.good("program", "assemble", "again.mp", "--output", "again.mpb")
        with open(self.path("saxpy.mpb"), "rb") as one, open(self.path("again.mpb"), "rb") as two:
            data = one.read()
            self.assertEqual(data, two.read())
        self.assertEqual(self.good("program", "run", "saxpy.mpb", "a=3", "x=1", "y=1", "--device", "reference").out, "y = 4\n")
        for at in range(0, len(data), 7):
            with open(self.path("hurt.mpb"), "wb") as file:
                file.write(data[:at] + bytes([data[at] ^ 4]) + data[at + 1:])
            self.assertEqual(self.run_moho("program", "check", "hurt.mpb").code, 1)


class Examples(CommandTest):
    def example(self, name, *arguments):
        for device in ["reference", "cpu"]:
            yield self.good("program", "run", os.path.join(EXAMPLES, name), *arguments, "--json", "--device", device).json()["buffers"]

    def test_saxpy(self):
        for buffers in self.example("saxpy.mp", "a=2", "x=1,2,3", "y=10,20,30"):
            self.assertEqual(buffers["y"], [12, 24, 36])

    def test_histogram(self):
        values = [(k * k + 3 * k) % 23 - 4 for k in range(500)]
        expected = [sum(1 for v in values if min(max(v, 0), 15) == b) for b in range(16)]
        for buffers in self.example("histogram.mp", "x=" + ",".join(map(str, values)), "counts=16*0", "--lanes", "64", "--groups", "1"):
            self.assertEqual(buffers["counts"], expected)

    def test_softmax(self):
        rows = [[math.sin(r * 37 + k) * 5 for k in range(48)] for r in range(3)]
        flat = ",".join(repr(v) for row in rows for v in row)
        for buffers in self.example("softmax.mp", "x=" + flat, "y=144*0", "--lanes", "48", "--groups", "3"):
            for r, row in enumerate(rows):
                total = sum(math.exp(v) for v in row)
                for k, v in enumerate(row):
                    self.assertAlmostEqual(buffers["y"][r * 48 + k], math.exp(v) / total, delta=2e-7)

    def test_mandelbrot(self):
        def times(cx, cy):
            x = y = 0.0
            n = 0
            while n < 100 and x * x + y * y <= 4:
                x, y, n = x * x - y * y + cx, 2 * x * y + cy, n + 1
            return n
        expected = [times(-2 + i * 0.125, -1 + j * 0.125) for j in range(16) for i in range(24)]
        for buffers in self.example("mandelbrot.mp", "left=-2", "top=-1", "step=0.125", "times=384*0", "--groups", "3,2", "--lanes", "8,8"):
            self.assertEqual(buffers["times"], expected)


if __name__ == "__main__":
    main()

"""kernel_lint.py finds what it is for, and only that: every rule broken once, and the good text beside it."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel_lint  # noqa: E402

HEAD = '#include "kern.h"\n'
PARAMETERS = "typedef struct some_parameters {\n  unsigned int n;\n  float factor;\n} some_parameters;\n"
KERNEL = "KERNEL_GROUP(some, 64, IN(0, float, x), INOUT(1, float, y), PARAM(2, some_parameters, p)) {\n%s\n}\n"


class Lint(unittest.TestCase):
    def complaints(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "some.k")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return [complaint.split("some.k:")[1] for complaint in kernel_lint.lint(path)]

    def body(self, body, before=""):
        return self.complaints(HEAD + PARAMETERS + before + KERNEL % body)

    def good(self, body, before=""):
        self.assertEqual(self.body(body, before), [])

    def bad(self, words, body, before=""):
        """One complaint or more, one with these words."""
        found = self.body(body, before)
        self.assertTrue(any(words in complaint for complaint in found), f"{words!r} not in {found}")

    def test_lines_are_those_of_the_file(self):
        self.assertEqual([c.split(":")[0] for c in self.complaints("/* a\n b */\n#define A \\\n  1\n" + HEAD + PARAMETERS + KERNEL % "  y[0] = 1.0;")],
                         ["11"])

    def test_numbers(self):
        self.good("y[0] = 1.0f + 1e-3f + 3.f + 0x1p-3f + (float)(0xffu + 7u + 1f0x) ;".replace(" + 1f0x", ""))
        for number in ["1.0", "1.", ".5", "1e3", "1e-3", "0x1p3", "2.5h"]:
            self.bad(f"{number}: without an f", f"y[0] = {number};")
        for number in ["1l", "1ul", "1ull", "0x1L", "1f"]:
            self.bad(f"{number}: integers have 32 bits", f"y[0] = (float){number};")
        self.good("y[0] = third(1.0f);", "#define R(x) x##f\n#define REAL float\nPHYSICS_FUNCTION REAL third(REAL x) { return x * R(-0.5) + R(1e-3); }\n")

    def test_defines_are_read_too(self):
        self.bad("2.0: without an f", "y[0] = TWO;", "#define TWO 2.0\n")
        self.bad("'double'", "y[0] = (float)(WIDE)x[0];", "#define WIDE double\n")

    def test_comments_and_strings_are_not(self):
        self.good("y[0] = 1.0f; /* a double, 1.0 */ // 2.0 of double")

    def test_words(self):
        for word in ["double", "long", "size_t", "bool", "float3", "char", "auto", "goto", "static", "union", "volatile", "half", "threadgroup", "kernel",
                     "restrict", "template", "class", "threadIdx", "extern", "uint64_t"]:
            self.bad(f"'{word}'", f"{word} a; y[0] = 1.0f;")

    def test_names_of_mathematics(self):
        for name in ["sqrt", "sqrtf", "floorf", "fabs", "min", "powf", "__expf", "rint", "fminf", "clamp"]:
            self.bad(f"'{name}': mathematics", f"y[0] = {name}(x[0]);")
        self.good("float step = 1.0f, floor = 2.0f; y[0] = SQRT(x[0]) + step * floor;")
        self.bad("function mix: Metal's library has one", "y[0] = mix(x[0]);", "DEVICE_FUNCTION float mix(float a) { return a; }\n")

    def test_pointers_name_their_space(self):
        self.good("const GLOBAL float *a = x; LOCAL uint *b = GROUP_MEMORY(uint); y[0] = a[0] * (float)b[0];")
        self.bad("'float *'", "const float *a = x; y[0] = a[0];")
        self.bad("'uint *'", "y[0] = (float)((uint *)x)[0];")
        self.bad("'some_parameters *'", "y[0] = 1.0f;", "DEVICE_FUNCTION float f(const some_parameters *p) { return p->factor; }\n")
        self.bad("parameter a[]", "y[0] = 1.0f;", "DEVICE_FUNCTION float f(float a[3]) { return a[0]; }\n")

    def test_file_scope(self):
        self.bad("no variables at file scope", "y[0] = table[0];", "const float table[2] = {1.0f, 2.0f};\n")
        self.bad("no variables at file scope", "y[0] = 1.0f;", "uint counter;\n")
        self.bad("begin with DEVICE_FUNCTION", "y[0] = f();", "float f(void) { return 1.0f; }\n")
        self.good("y[0] = (float)FOUR;", "enum { FOUR = 4 };\n")
        self.bad("out of a GPU's reach", "y[0] = 1.0f;", "#include <math.h>\n")
        self.bad("neither beside this file", "y[0] = 1.0f;", '#include "nowhere.h"\n')
        self.bad("not all compilers know it", "y[0] = 1.0f;", "#pragma unroll\n")
        self.bad("'ushort' in a struct", "y[0] = 1.0f;", "typedef struct odd {\n  ushort a;\n} odd;\n")

    def test_initialisers(self):
        self.bad("designated initialisers", "some_parameters a = {.n = 1u}; y[0] = a.factor;")
        self.bad("compound literal", "y[0] = f((some_parameters){1u, 2.0f});")
        self.good("float2 a = FLOAT2(1.0f, 2.0f); y[0] = a.x + a.y;")

    def test_arguments(self):
        text = HEAD + PARAMETERS + "KERNEL(some, 64, %s) {\n  y[0] = 1.0f;\n}\n"
        for arguments, words in [("IN(0, float, x), INOUT(2, float, y)", "INOUT(2, ...), expected number 1"),
                                 ("PARAM(0, some_parameters, p), INOUT(1, float, y)", "before PARAM"),
                                 (", ".join(f"INOUT({i}, float, y{i})" for i in range(32)), "places for 31")]:
            found = self.complaints(text % arguments)
            self.assertTrue(any(words in complaint for complaint in found), found)

    def test_recursion(self):
        self.bad("function f calls itself", "y[0] = f(x[0]);", "DEVICE_FUNCTION float f(float a) { return a > 1.0f ? f(a - 1.0f) : a; }\n")
        self.bad("function g calls itself", "y[0] = f(x[0]);", "DEVICE_FUNCTION float f(float a);\nDEVICE_FUNCTION float g(float a) { return f(a); }\n"
                 "DEVICE_FUNCTION float f(float a) { return g(a); }\n")

    # ---- what all lanes must reach ----

    def unreached(self, what, body, before=""):
        self.bad(f"{what} is not reached by all lanes", body, before)

    def test_barriers_under_conditions(self):
        self.good("if (p->n > 3u) BARRIER();\n for (uint i = 0u; i < p->n; i++) BARRIER(); y[0] = x[0];")
        self.unreached("BARRIER", "if (LANE < 3u) BARRIER();")
        self.unreached("BARRIER", "if (p->n) y[0] = x[0]; else if (LANE < 3u) { y[0] = 1.0f; } else { BARRIER(); }")
        self.unreached("BARRIER", "uint i = GROUP_X * LANES + LANE; while (i < p->n) { BARRIER(); i += LANES; }")
        self.unreached("BARRIER", "float v = x[LANE]; if (v > 1.0f) BARRIER();")
        self.unreached("BARRIER_GLOBAL", "uint n = p->n; if (LANE == 0u) n = 1u; for (uint i = 0u; i < n; i++) BARRIER_GLOBAL();")
        self.unreached("BARRIER", "if (SIMD_GROUP == 0u) BARRIER();")
        self.unreached("BARRIER", "if (SIMD_ANY(x[LANE] > 0.0f)) BARRIER();")

    def test_shared_memory_holds_one_value_for_all(self):
        self.good("LOCAL uint *words = GROUP_MEMORY(uint); if (LANE == 0u) words[0] = ATOMIC_ADD(y, 1u); BARRIER(); uint item = words[0];\n"
                  "if (item > 3u) BARRIER();")
        self.unreached("BARRIER", "LOCAL uint *words = GROUP_MEMORY(uint); uint item = words[LANE]; if (item > 3u) BARRIER();")
        self.unreached("BARRIER", "uint own[4]; own[0] = LANE; if (own[0] > 3u) BARRIER();")

    def test_lanes_that_have_gone(self):
        self.good("if (p->n == 0u) return; BARRIER(); if (LANE == 0u) return; y[0] = x[0];")
        self.unreached("BARRIER", "if (LANE >= p->n) return; BARRIER();")
        self.unreached("BARRIER", "for (uint i = 0u; i < p->n; i++) { if (x[LANE] > 1.0f) continue; BARRIER(); }")
        self.unreached("BARRIER", "for (uint i = 0u; i < p->n; i++) { BARRIER(); if (x[LANE] > 1.0f) break; }")
        self.good("for (uint i = 0u; i < p->n; i++) if (x[LANE] > 1.0f) break;\n BARRIER();")

    def test_simd_operations(self):
        self.good("if (SIMD_GROUP == 0u) y[LANE] = SIMD_SUM(x[LANE]);")
        self.good("uint bits = SIMD_BALLOT(x[LANE] > 0.0f); for (; bits; bits &= bits - 1u) y[LANE] += SIMD_SUM(x[LANE]);")
        self.unreached("SIMD_SUM", "if (SIMD_LANE < 4u) y[LANE] = SIMD_SUM(x[LANE]);")
        self.unreached("SIMD_ANY", "if (x[LANE] > 1.0f && SIMD_ANY(x[LANE] > 2.0f)) y[LANE] = 1.0f;")
        self.unreached("SIMD_MAX", "y[LANE] = LANE > 3u ? SIMD_MAX(x[LANE]) : 1.0f;")
        self.unreached("SIMD_BARRIER", "if (LANE >= p->n) return; SIMD_BARRIER();")

    def test_through_functions(self):
        meeting = "DEVICE_FUNCTION float meet(float a HERE_PARAMETER) { BARRIER(); return a; }\n"
        self.good("y[LANE] = meet(x[LANE] HERE);", meeting)
        self.unreached("meet", "if (LANE == 0u) y[0] = meet(x[0] HERE);", meeting)
        mine = "DEVICE_FUNCTION uint mine(HERE_PARAMETER_FIRST) { return LANE + 1u; }\n"
        self.unreached("BARRIER", "uint n = mine(1u); for (uint i = 0u; i < n; i++) BARRIER();", mine)


if __name__ == "__main__":
    unittest.main(verbosity=2)

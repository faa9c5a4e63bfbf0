"""moho selftest and moho bench: what they compare, measure and say."""

import json
import os
import unittest

from moho_command import BRIEF, MOHO, CommandTest, main


class Selftest(CommandTest):
    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_selftest(self):
        result = self.good("selftest", "--device", "cpu", "--json").json()
        self.assertEqual(result["failed"], 0)
        self.assertEqual(result["run"], len(result["cases"]) + len(result["runtime"]))
        names = {case["case"] for case in result["cases"]}
        for name in ["linear", "triangle antialias", "half storage", "lateral velocity", "delays and mutes", "deep", "line: 2.5D weights, rho 2d"]:
            self.assertIn(name, names)
        self.assertEqual({case["kernel"] for case in result["cases"]}, {"native", "baseline", "v1", "v2", "v3"})
        for case in result["cases"]:
            self.assertTrue(case["passed"] and case["fold_differs"] == 0 and 0 < case["relative_l2"] <= case["tolerance"], case)
            if case["kernel"] != "v3" and "half" not in case["case"]:  # docs/physics.md "What must hold" 10
                samples = 751 if "deep" in case["case"] else 251
                self.assertEqual(case["tolerance"], 1e-4 if "triangle" in case["case"] else 2e-8 * samples, case)
        # Halves cost something, and v3 interpolates in long records: these are not the same kernels under other names.
        errors = {(case["case"], case["kernel"]): case["relative_l2"] for case in result["cases"]}
        self.assertGreater(errors["half storage", "v2"], 10 * errors["linear", "v2"])
        self.assertNotEqual(errors["deep", "v3"], errors["deep", "v2"])
        self.assertGreaterEqual({row["case"] for row in result["runtime"]},
                                {"runtime: vector add", "runtime: group memory", "runtime: arithmetic", "runtime: copies", "runtime: streaming"})
        self.assertTrue(all(row["passed"] for row in result["runtime"]))
        self.assertEqual(result["left_out"], 3 + 2 * 21)  # storage as halves through the baseline; what baseline and v1 do not do

    def test_nothing_compared_is_a_failure(self):
        double = os.path.join(os.path.dirname(MOHO), "libmoho_metal_double.so")
        if not os.path.exists(double):
            self.skipTest("the Metal double is not built")
        result = self.run_moho("selftest", "--device", "metal", "--kernel", "native", "--quick", MOHO_METAL_LIBRARY=double)
        self.assertEqual(result.code, 1, result.err)
        self.assertIn("no kernel was compared", result.err)

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_selftest_of_one_device(self):
        text = self.good("selftest", "--device", "cpu?simd=scalar", "--quick").out
        self.assertIn("0 failed", text)
        self.assertNotIn("avx", text)
        for kernel in ["native", "baseline", "v1", "v2", "v3"]:
            self.assertRegex(text, rf"{kernel} +linear +\S+ <= +\S+  good\n")
        self.assertRegex(text, r"\n\d+ comparisons with what is known, 0 failed(, \d+ left out)?\n$")
        one = self.good("selftest", "--quick", "--kernel", "v2", MOHO_DEVICE="cpu?threads=1").out
        self.assertIn("cpu?threads=1", one)
        self.assertNotIn("baseline", one)
        self.fails(1, "not available", "selftest", "--device", "cuda:99")
        self.fails(1, "cpu", "selftest", "--device", "cpuu")
        self.fails(2, ["--kernel", "baseline|v1"], "selftest", "--kernel", "v9")


class Bench(CommandTest):
    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_bench(self):
        result = self.good("bench", "migrate", "--dataset", "tiny", "--runs", "2", "--weight", "none,obliquity", "--columns", "4", "--json")
        cases = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([case["options"]["weight"] for case in cases], ["none", "obliquity"])
        for case in cases:
            self.assertEqual((case["traces"], case["samples"], case["grid"], case["threads"]), (1764, 501, [21, 21, 501], 1))
            self.assertEqual((case["options"]["max_m"], case["options"]["max_dip_deg"], case["options"]["taper"]), (1500, 45, 0.1))
            self.assertTrue(0 < case["seconds"]["min"] <= case["seconds"]["median"] <= case["seconds"]["max"])
            self.assertAlmostEqual(case["contributions_per_s"] * case["seconds"]["median"] / case["contributions"], 1, places=6)
            self.assertEqual(case["contributions"], cases[0]["contributions"])

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_bench_of_programs(self):
        cases = [json.loads(line) for line in self.good("bench", "program", "--runs", "1", "--json").out.splitlines()]
        self.assertEqual(["chain_1", "chain_8", "chain_8_exp", "arithmetic", "arithmetic_exp"], [case["case"] for case in cases])
        for case in cases:
            self.assertTrue(case["passed"], case)
            self.assertGreater(case["lane_instructions_per_s"], 0)
            self.assertLessEqual(case["seconds"]["min"], case["seconds"]["median"])

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_crossovers_of_devices(self):
        both = ["--device", "cpu?threads=1,cpu?threads=2"]
        cache = os.path.join(self.directory, "cache")
        found = self.good("bench", "tensor", "--dispatch", *both, "--json", XDG_CACHE_HOME=cache, MOHO_CACHE="").json()
        self.assertEqual(len(os.listdir(os.path.join(cache, "moho"))), 2)  # kept, a file a device
        self.assertEqual([device["uri"].split("&")[0] for device in found["devices"]], ["cpu?threads=1", "cpu?threads=2"])
        groups = ["elementwise", "activation", "reduction", "rows", "matmul", "ternary"]
        for device in found["devices"]:
            self.assertEqual(list(device["groups"]), groups)
            for points in [*device["groups"].values(), device["to_device"], device["to_host"]]:
                self.assertGreaterEqual(len(points), 3)
                self.assertEqual(sorted(points), points)
        self.assertEqual([c["group"] for c in found["crossovers"]], [group for group in groups for _ in range(2)])
        self.fails(2, "--dispatch is of moho bench tensor", "bench", "memory", "--dispatch")
        words = self.good("bench", "tensor", "--dispatch", "--device", "cpu?threads=1", MOHO_CACHE="off").out
        for group in groups:
            self.assertIn(f"\n{group}\n", words)

    def test_bench_says_when_it_is_slower(self):
        case = json.loads(self.good("bench", "migrate", "--dataset", "tiny", "--runs", "1", "--no-check", "--json").out)
        case["contributions_per_s"] *= 1000
        os.makedirs(self.path("bench", "results"))
        self.write("bench/results/here.json", json.dumps({"cases": [case]}))
        self.assertIn("slower than in bench/results/here.json", self.good("bench", "migrate", "--dataset", "tiny", "--runs", "1", "--no-check").err)
        case["device"]["name"] += ", another one"
        self.write("bench/results/here.json", json.dumps([case]))
        self.assertNotIn("slower", self.good("bench", "migrate", "--dataset", "tiny", "--runs", "1", "--no-check").err)
        case["device"]["name"] = case["device"]["name"].removesuffix(", another one")
        case["contributions_per_s"] = 1
        self.write("bench/results/here.json", json.dumps([case]))
        self.assertNotIn("slower", self.good("bench", "migrate", "--dataset", "tiny", "--runs", "1", "--no-check").err)

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_bench_of_the_ladder(self):
        result = self.good("bench", "migrate", "--device", "cpu", "--dataset", "tiny", "--runs", "1", "--kernel", "auto,native,v3",
                           "--json", "--report", "ladder.md")
        cases = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([(case["kernel"], case["kernel_used"]) for case in cases], [("auto", "native"), ("native", "native"), ("v3", "v3")])
        for case in cases:
            self.assertEqual(case["contributions"], case["contributions_counted"])
            self.assertTrue(case["check"]["passed"])
            self.assertEqual((case["check"]["columns"], case["check"]["fold_differs"]), (441, 0))
            self.assertGreaterEqual(case["wall_seconds"], case["allocation_seconds"])
        with open(self.path("ladder.md"), encoding="utf-8") as file:
            table = file.read()
        self.assertEqual(table.count("| tiny |"), 3)
        self.assertIn("fold identical, 441 columns", table)

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_bench_compares_with_a_kept_baseline(self):
        case = json.loads(self.good("bench", "migrate", "--dataset", "tiny", "--runs", "1", "--no-check", "--json").out)
        self.assertIsNone(case["check"])
        self.assertNotIn("speedup_over_baseline", case)
        os.makedirs(self.path("bench", "results"))
        kept = dict(case, kernel="baseline", wall_seconds=1000.0, seconds={"min": 1000, "median": 1000, "max": 1000}, contributions_per_s=1.0)
        self.write("bench/results/here.json", json.dumps({"cases": [kept]}))
        result = self.good("bench", "migrate", "--dataset", "tiny", "--runs", "1", "--no-check", "--json", "--report", "a.html")
        speedup = json.loads(result.out)["speedup_over_baseline"]
        self.assertGreater(speedup["kernel"], 10)
        self.assertEqual(speedup["from"], "bench/results/here.json")
        with open(self.path("a.html"), encoding="utf-8") as file:
            page = file.read()
        self.assertIn("<td>tiny</td>", page)
        self.assertIn("not compared", page)

    def test_bench_stops_after_seconds_and_samples_columns(self):
        line = self.good("bench", "migrate", "--dataset", "tiny", "--runs", "9", "--seconds", "0.000001", "--columns", "16", "--json").out
        case = json.loads(line)
        self.assertEqual((case["runs"], case["check"]["columns"], case["check"]["passed"]), (1, 16, True))
        self.fails(2, "--columns is 10, expected a square number", "bench", "migrate", "--columns", "10")
        self.fails(2, "--seconds is 0", "bench", "migrate", "--seconds", "0")

    def test_bench_leaves_out_what_a_kernel_cannot_do(self):
        result = self.fails(1, ["left out: tiny, baseline", "kernel baseline does not do"], "bench", "migrate", "--dataset", "tiny", "--runs",
                            "1", "--kernel", "baseline", "--storage", "half")
        self.assertEqual(result.out, "")

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_bench_memory(self):
        result = self.good("bench", "memory", "--device", "cpu", "--json", "--report", "memory.md").json()
        figures = {figure["name"]: figure for figure in result["figures"]}
        with open(self.path("memory.md"), encoding="utf-8") as file:
            table = file.read()
        for name in ["allocate_small", "allocate_large", "pool_get", "upload", "download", "upload_pageable", "download_pageable", "device_copy",
                     "wrap", "launch", "launches_1000", "tiles_1000", "velocity_shared", "velocity_own"]:
            self.assertIn(name, figures)
            self.assertIn(f"| {name} |", table)
        self.assertTrue(all(figures[name]["bytes_per_s"] > 0 for name in ["upload", "download", "device_copy"]))
        self.fails(1, "did you mean", "bench", "memory", "--device", "cpuu")

    def test_bench_mistakes(self):
        self.fails(2, ["--dataset", "smalll", 'did you mean "small"?'], "bench", "migrate", "--dataset", "smalll")
        self.fails(2, "--runs is 0", "bench", "migrate", "--runs", "0")
        self.fails(2, "--weight", "bench", "migrate", "--weight", "heavy")
        self.fails(2, "--kernel", "bench", "migrate", "--kernel", "v4")
        self.fails(2, "takes one --kernel a call", "bench", "migrate", "--dataset", "large", "--kernel", "v2,v3")
        self.fails(2, "ends in .md or .html", "bench", "migrate", "--report", "figures.txt")
        self.fails(1, "constants", "bench", "migrate", "--dataset", "tiny", "--kernel", "v2", "--device", "cpu", "--constants", "chunks=x")


if __name__ == "__main__":
    main()

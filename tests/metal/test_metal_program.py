"""The whole program on the test double of Metal: moho migrate with every kernel and several schedules, selftest, and whatever can go wrong.

    test_metal_program.py MOHO DOUBLE
"""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
DOUBLE = os.path.abspath(sys.argv.pop(2))
from moho_command import BRIEF, JOB, MOHO, SURVEY, CommandTest, environment, has_module, main  # noqa: E402

KERNELS = ["baseline", "v1", "v2", "v3"]
SAMPLES = 301
# Threads as they come; lanes and groups backwards; shuffled, on one thread.
SCHEDULES = [{}, {"MOHO_METAL_DOUBLE_SCHEDULE": 1}, {"MOHO_METAL_DOUBLE_SCHEDULE": 7, "MOHO_METAL_DOUBLE_THREADS": 1}]
WATCHED = {"MOHO_METAL_DOUBLE_SCHEDULE": 3, "MOHO_METAL_DOUBLE_WATCH": 1}
# All parts of the kernels: taper, weights, triangle, cubic, stretch mute, velocity that varies.
RICH = ["migration.aperture.taper=0.3", "migration.weight=spreading_obliquity", "migration.antialias=triangle", "migration.interpolation=cubic",
        "migration.stretch_mute=0.5", "velocity={type: rms, linear_t0: {v0_mps: 2300, slope_mps_per_s: 400}}"]


class OnTheDouble(CommandTest):
    def setUp(self):
        super().setUp()
        self.survey()
        self.job()

    def run_moho(self, *arguments, **env):
        return super().run_moho(*arguments, **{"MOHO_METAL_LIBRARY": DOUBLE, **env})

    def migrate(self, directory, device, kernel, *arguments, **env):
        result = self.good("migrate", "job.yaml", f"execution.device={device}", f"execution.kernel={kernel}", f"output.directory={directory}",
                           *arguments, **env)
        with open(self.path(directory, "report.json"), encoding="utf-8") as file:
            return result, json.load(file)

    def stack(self, directory):
        with open(self.path(directory, "stack.sgy"), "rb") as file:
            data = file.read()
        size = 240 + 4 * SAMPLES
        return [x for at in range(3600, len(data), size) for x in struct.unpack(f">{SAMPLES}f", data[at + 240:at + size])]

    def fold(self, directory):
        import xarray
        return xarray.open_zarr(self.path(directory, "image.zarr"))["fold"].values.tobytes()

    def assert_agrees(self, directory, expected, bound):
        ours, theirs = self.stack(directory), self.stack(expected)
        norm = sum(x * x for x in theirs)
        self.assertGreater(norm, 0)
        self.assertLessEqual((sum((a - b) ** 2 for a, b in zip(ours, theirs, strict=True)) / norm) ** 0.5, bound, directory)
        if has_module("xarray"):
            self.assertEqual(self.fold(directory), self.fold(expected), directory)


class Migrate(OnTheDouble):
    def compare(self, bound, schedules, *arguments):
        """Every kernel and schedule against the cpu's native loops, and bit by bit among themselves."""
        _, native = self.migrate("cpu", "cpu", "native", *arguments)
        for kernel in KERNELS:
            for number, schedule in enumerate(schedules[kernel] if isinstance(schedules, dict) else schedules):
                name = f"{kernel}-{number}"
                result, report = self.migrate(name, "metal", kernel, *arguments, **schedule)
                self.assertIn("Metal test double", result.out)
                self.assertEqual((report["device"]["name"], report["kernel"]["used"]), ("Metal test double", kernel))
                self.assertIn("test double", report["device"]["driver"])
                self.assertEqual(report["contributions"], native["contributions"])
                self.assertGreater(report["seconds"]["kernel"], 0)
                if number:
                    self.assertEqual(self.stack(name), self.stack(f"{kernel}-0"), f"{kernel}: the schedule {schedule} changes bits")
                else:
                    self.assert_agrees(name, "cpu", max(bound, 1e-3) if kernel == "v3" else bound)

    @unittest.skipIf(BRIEF, "the test below has more")
    def test_every_kernel_and_schedule(self):
        self.compare(2e-8 * SAMPLES, SCHEDULES)

    def test_every_part_of_the_kernels_watched(self):
        watched = [] if BRIEF else [WATCHED]  # no sanitizer sees more of kernels than the watch does
        self.compare(1e-4, {"baseline": [{}, *watched], "v1": [{}], "v2": [{}, *watched], "v3": [{}, *watched]}, *RICH)

    @unittest.skipIf(BRIEF, "other parts of the same code")
    def test_halves(self):
        self.migrate("cpu", "cpu", "native")
        _, report = self.migrate("halves", "metal", "v3", "execution.storage=half")
        self.assertGreater(report["contributions"], 0)
        self.assert_agrees("halves", "cpu", 1e-3)

    def gathers(self, directory):
        """All samples of gathers.sgy, and which of its traces are dead."""
        with open(self.path(directory, "gathers.sgy"), "rb") as file:
            data = file.read()
        size = 240 + 4 * SAMPLES
        starts = range(3600, len(data), size)
        dead = [struct.unpack(">h", data[at + 28:at + 30])[0] == 2 for at in starts]
        return [x for at in starts for x in struct.unpack(f">{SAMPLES}f", data[at + 240:at + size])], dead

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_gathers(self):
        """Traces are sorted by bin; an empty bin, and traces outside all bins."""
        self.good("synth", *SURVEY, "offset_first_m=100", "offset_last_m=400", "offset_step_m=100", "--output", "survey.sgy")
        keys = ["gathers.kind=offset", "gathers.edges_m=[50, 150, 250, 251, 350]"]
        _, native = self.migrate("cpu", "cpu", "native", *keys)
        self.assertEqual([bin["traces"] for bin in native["gathers"]["bins"]], [63, 63, 0, 63])
        expected, dead = self.gathers("cpu")
        self.assertEqual(dead[2::4], [True] * 63)
        for kernel in KERNELS:
            _, report = self.migrate(kernel, "metal", kernel, *keys)
            self.assertEqual((report["contributions"], report["traces"]), (native["contributions"], native["traces"]))
            self.assert_agrees(kernel, "cpu", 1e-3 if kernel == "v3" else 2e-8 * SAMPLES)
            ours, ours_dead = self.gathers(kernel)
            self.assertEqual(ours_dead, dead)
            norm = sum(x * x for x in expected)
            self.assertLess((sum((a - b) ** 2 for a, b in zip(ours, expected, strict=True)) / norm) ** 0.5, 1e-3 if kernel == "v3" else 1e-5)

    @unittest.skipIf(BRIEF, "other parts of the same code")
    def test_the_check_mode_sees_nothing(self):
        self.migrate("plain", "metal", "v3")
        self.migrate("checked", "metal?check=1", "v3")
        self.assertEqual(self.stack("checked"), self.stack("plain"))

    def test_auto_says_what_it_took(self):
        result, report = self.migrate("out", "auto", "auto")
        self.assertIn("Metal test double", result.out)
        self.assertIn(report["kernel"]["used"], KERNELS)
        result, report = self.migrate("none", "auto", "auto", MOHO_METAL_DOUBLE_FAULT="no_device")
        self.assertEqual((report["device"]["kind"], report["kernel"]["used"]), ("cpu", "native"))
        self.assertIn("Metal finds no GPU here", result.out)


@unittest.skipIf(BRIEF, "other parts of the same code")
class Printed(OnTheDouble):
    def test_a_double_is_called_so_wherever_it_is_printed(self):
        self.assertIn("Metal test double", self.good("devices").out)
        self.assertIn("Metal test double", self.good("devices", "--json").out)
        self.assertIn("Metal test double", self.good("explain", "job.yaml", "execution.device=metal").out)
        self.assertIn("Metal test double", self.good("migrate", "job.yaml", "execution.device=metal").out)
        self.assertIn("Metal test double", self.good("selftest", "--device", "metal", "--quick", "--kernel", "v1").out)


@unittest.skipIf(BRIEF, "takes minutes under sanitizers")
class Selftest(OnTheDouble):
    def test_all_is_good(self):
        for quick, schedule in [(["--quick"], {"MOHO_METAL_DOUBLE_SCHEDULE": 7}), ([], {})]:
            result = self.good("selftest", "--device", "metal", *quick, "--json", **schedule).json()
            self.assertEqual(result["failed"], 0)
            self.assertEqual({case["kernel"] for case in result["cases"]}, set(KERNELS))
            self.assertTrue(all(case["passed"] and case["fold_differs"] == 0 for case in result["cases"]))
            self.assertTrue(all(row["passed"] for row in result["runtime"]))

    def test_a_wrong_device_does_not_pass(self):
        """Every command buffer from some moment on, or one alone, fails: never 0."""
        for fault in ["command_failed:2", "command_failed:40", "command_timeout:5+", "compile_error", "few_lanes"]:
            result = self.run_moho("selftest", "--device", "metal", "--quick", MOHO_METAL_DOUBLE_FAULT=fault)
            self.assertEqual(result.code, 1, f"{fault}:\n{result.out}\n{result.err}")


# What goes wrong, and what is said of it.
FAULTS = [
    ("no_device", ["device metal is not available", "Metal finds no GPU here", "moho devices"]),
    ("simd_width_16", ["SIMD groups of 16 lanes", "execution.device"]),
    ("nil_queue", ["gave no queue"]),
    ("nil_event", ["gave no event"]),
    ("compile_error", ["kernel of Moho's own", "compile error on request"]),
    ("compile_error:2", ["kernel migrate_", "compile error on request"]),
    ("nil_function:5", ["no kernel named migrate_"]),
    ("nil_pipeline:5", ["makes no pipeline", "refused on request"]),
    ("few_lanes", ["lanes a group, at most 64 on metal"]),
    ("nil_buffer", ["refused a buffer"]),
    ("nil_buffer:3+", ["the device refused a buffer", "free"]),
    ("nil_buffer:9+", ["the device refused a buffer", "free"]),
    ("nil_command_buffer:3", ["gave no command buffer"]),
    ("nil_encoder:4", ["gave no", "encoder"]),
    ("command_failed", ["MTLCommandBufferErrorDomain 1"]),
    ("command_failed:3,fails_but_signals", ["MTLCommandBufferErrorDomain 1"]),
    ("command_timeout:2", ["MTLCommandBufferErrorDomain 2", "make launches of at most"]),
    ("page_fault:2", ["MTLCommandBufferErrorDomain 3", "?check=1"]),
    ("access_revoked:2", ["MTLCommandBufferErrorDomain 4", "start the program anew"]),
    ("out_of_memory:2", ["MTLCommandBufferErrorDomain 8", "smaller pieces"]),
    ("device_removed:2", ["MTLCommandBufferErrorDomain 11", "was removed"]),
]


class Faults(OnTheDouble):
    def fault(self, fault, words, *arguments):
        result = self.fails(1, words, "migrate", "job.yaml", "execution.device=metal", "execution.kernel=v3", *arguments, MOHO_METAL_DOUBLE_FAULT=fault)
        self.assertEqual(result.out, "", "a failure has no result to tell")

    def test_every_fault_is_told_and_leaves_nothing(self):
        for fault, words in FAULTS[:: 6 if BRIEF else 1]:
            with self.subTest(fault):
                self.fault(fault, words)
                self.assertEqual(self.entries(), ["job.yaml", "survey.sgy"])

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_earlier_results_stay(self):
        _, before = self.migrate("out", "metal", "v3")
        stack = self.stack("out")
        for fault in ["no_device", "command_failed:2", "access_revoked:2", "nil_buffer:9+"]:
            self.fault(fault, [], "output.directory=out", "--overwrite")
            with open(self.path("out", "report.json"), encoding="utf-8") as file:
                self.assertEqual(json.load(file), before)
            self.assertEqual(self.stack("out"), stack)

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_no_command_buffer_fails_unnoticed(self):
        """One after another until none is left to fail: then, and only then, the image is there and right."""
        for kernel in ["v1", "v3"]:
            self.migrate("good", "metal", kernel)
            failed = 0
            for number in range(1, 100):
                result = self.run_moho("migrate", "job.yaml", "execution.device=metal", f"execution.kernel={kernel}", "output.directory=out",
                                       MOHO_METAL_DOUBLE_FAULT=f"command_failed:{number}")
                if result.code == 0:
                    break
                self.assertEqual(result.code, 1, result.err)
                self.assertIn("MTLCommandBufferErrorDomain 1", result.err)
                self.assertNotIn("out", self.entries())
                failed += 1
            self.assertGreaterEqual(failed, 3)
            self.assertEqual(self.stack("out"), self.stack("good"))
            subprocess.run(["rm", "-r", self.path("out"), self.path("good")], check=True)

    @unittest.skipIf(BRIEF, "takes minutes under sanitizers")
    def test_what_can_be_mended_is_mended(self):
        """A buffer refused once, events that are never signalled, memory that cannot be shared, a GPU of an older family: the same bits."""
        self.migrate("good", "metal", "v3")
        for number, fault in enumerate(["nil_buffer:5", "never_signals", "never_signals:3", "no_copy_nil", "no_copy_zero", "old_family"]):
            self.migrate(f"mended{number}", "metal", "v3", MOHO_METAL_DOUBLE_FAULT=fault)
            self.assertEqual(self.stack(f"mended{number}"), self.stack("good"), fault)

    def test_a_gpu_that_never_answers_can_be_left(self):
        """The first signal waits for the GPU, which may still write to our memory; the second one does not."""
        env = environment(MOHO_METAL_LIBRARY=DOUBLE, MOHO_METAL_DOUBLE_FAULT="never_ends:2")
        with subprocess.Popen([MOHO, "migrate", "job.yaml", "execution.device=metal", "execution.kernel=v3"], cwd=self.directory, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(2)
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGINT)
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)
            self.assertNotEqual(process.returncode, 0)
        self.migrate("out", "metal", "v3")  # and what it left is swept away
        self.assertFalse([name for name in self.entries("out") if "partial" in name])


class Interrupted(OnTheDouble):
    def test_nothing_is_left(self):
        self.good("synth", "--preset", "tiny", "--output", "long.sgy")
        self.write("long.yaml", JOB.replace("survey.sgy", "long.sgy").replace("max_m: 300", "max_m: 2000"))
        env = environment(MOHO_METAL_LIBRARY=DOUBLE)
        with subprocess.Popen([MOHO, "migrate", "long.yaml", "execution.device=metal", "execution.kernel=v1", "--progress", "json"], cwd=self.directory,
                              env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            seen = ""
            for line in process.stderr:
                seen += line
                if '"stage": "migrating"' in line:
                    break
            self.assertIsNone(process.poll(), seen)
            process.send_signal(signal.SIGTERM)
            _, rest = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 75, seen + rest)
        self.assertIn("interrupted", rest)
        self.assertEqual(self.entries(), ["job.yaml", "long.sgy", "long.yaml", "survey.sgy"])


# Blocks of 1024 columns: memory for one of them, and no more.
BLOCKS_JOB = """input: {traces: survey.sgy}
velocity: {constant_mps: 2500}
grid: {origin_m: [30, 40], inline_azimuth_deg: 0, inline: {n: 160, spacing_m: 0.9}, crossline: {n: 224, spacing_m: 1.25},
  time: {first_s: 0.3, step_s: 0.002, n: 100}}
migration: {aperture: {max_m: 12, max_dip_deg: 45}, rho_filter: none}
output: {directory: out, formats: [zarr, segy], png: false}
execution: {device: metal, kernel: v3, checkpoint_s: none, memory_gb: MEMORY}
"""


@unittest.skipIf(BRIEF, "sanitizers need memory of their own")
class LostOnTheWay(OnTheDouble):
    def tree(self, directory):
        found = {}
        for folder, _, names in os.walk(self.path(directory)):
            for name in names:
                if not name.startswith("report."):
                    with open(os.path.join(folder, name), "rb") as file:
                        found[os.path.relpath(os.path.join(folder, name), self.path(directory))] = file.read()
        return found

    def test_a_run_of_blocks_goes_on_when_the_device_is_back(self):
        self.job(BLOCKS_JOB.replace("MEMORY", "0.001"))
        words = self.fails(1, ["even block by block"], "migrate", "job.yaml").err.split("the run needs ")[1].split()
        self.job(BLOCKS_JOB.replace("MEMORY", f"{float(words[0]) * 2.0**20 / 1e9 * 1.02:.6f}"))
        self.good("migrate", "job.yaml")
        whole = self.tree("out")
        os.rename(self.path("out"), self.path("whole"))
        said = self.fails(1, "was removed", "migrate", "job.yaml", MOHO_METAL_DOUBLE_FAULT="device_removed:45").err
        with open(self.path("out", ".moho", "journal"), encoding="utf-8") as file:
            saved = file.read().count('"event":"done"')
        self.assertGreater(saved, 0, said)
        self.assertFalse(os.path.exists(self.path("out", "report.json")))
        self.good("migrate", "job.yaml")
        self.assertEqual(sorted(self.tree("out")), sorted(whole))
        self.assertEqual([name for name, data in self.tree("out").items() if data != whole[name]], [])


if __name__ == "__main__":
    main()

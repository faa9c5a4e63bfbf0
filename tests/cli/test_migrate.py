"""moho migrate and explain: what is written, what replaces what, what an interruption leaves."""

import json
import os
import signal
import subprocess
import time
import unittest

from moho_command import JOB, MOHO, SURVEY, CommandTest, environment, has_module, main

RESULTS = ["fold.png", "image.zarr", "report.json", "stack.png", "stack.sgy"]


class Migrate(CommandTest):
    def setUp(self):
        super().setUp()
        self.survey()
        self.job()

    def report(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return json.load(file)

    def test_results(self):
        text = self.good("migrate", "job.yaml").out
        self.assertIn("63 used of 63", text)
        self.assertEqual(self.entries("out"), RESULTS)
        report = self.report("out", "report.json")
        self.assertEqual(report["traces"], {"total": 63, "used": 63, "outside": 0, "outside_bins": 0, "dead": 0, "not_seismic": 0, "no_position": 0, "muted": 0, "bad": 0})
        self.assertGreater(report["contributions"], 63 * 301)
        self.assertEqual(sorted(report["outputs"]), RESULTS)
        self.assertEqual(report["grid"]["corners"], [[0, 0], [0, 200], [150, 200], [150, 0]])
        self.assertEqual(report["settled"]["weight"], "spreading_obliquity")
        self.assertEqual(report["settled"]["rho_filter"], "none")
        self.assertEqual(len(report["input"]["hash"]), 64)
        seconds = report["seconds"]
        self.assertTrue(0 < seconds["kernel"] <= seconds["migrate"] <= seconds["total"])
        self.assertGreater(report["memory"]["peak_bytes"], report["memory"]["migration_bytes"] / 10)
        self.assertTrue(report["job"]["velocity"]["constant_mps"]["given"])
        self.assertEqual((report["kernel"]["asked"], report["kernel"]["used"]), ("auto", "native"))
        self.assertEqual(report["device"]["kind"], "cpu")

    def test_every_kernel_makes_the_same_image(self):
        import struct
        images = {}
        for kernel in ["native", "baseline", "v1", "v2", "v3"]:
            text = self.good("migrate", "job.yaml", "execution.device=cpu", f"execution.kernel={kernel}", f"output.directory={kernel}").out
            self.assertIn(f"kernel {kernel}", text)
            report = self.report(kernel, "report.json")
            self.assertEqual((report["kernel"]["asked"], report["kernel"]["used"]), (kernel, kernel))
            self.assertTrue(report["seconds"]["transfer"] >= 0 and report["seconds"]["allocation"] >= 0)
            with open(self.path(kernel, "stack.sgy"), "rb") as file:
                data = file.read()
            traces = [struct.unpack(">301f", data[at + 240:at + 240 + 4 * 301]) for at in range(3600, len(data), 240 + 4 * 301)]
            images[kernel] = [x for trace in traces for x in trace]
            self.assertEqual(report["contributions"], self.report("native", "report.json")["contributions"])
        norm = sum(x * x for x in images["native"])
        for kernel, image in images.items():
            difference = sum((x - y) ** 2 for x, y in zip(image, images["native"]))
            self.assertLess((difference / norm) ** 0.5, 1e-3 if kernel == "v3" else 1e-5, kernel)

    def test_explain_names_device_and_kernel(self):
        explained = self.good("explain", "job.yaml", "execution.device=cpu", "execution.kernel=v2", "--json").json()
        self.assertEqual((explained["plan"]["kernel"], explained["device"]["kind"]), ("v2", "cpu"))
        self.assertIn("kernel        native", self.good("explain", "job.yaml").out)

    def test_auto_without_a_gpu_runs_on_the_cpu_and_says_so(self):
        """On the screen, in explain and in the report: what was chosen, and why each other backend was not."""
        none = {"MOHO_CUDA_LIBRARY": "/nowhere/libcuda.so.1", "MOHO_METAL_LIBRARY": "/nowhere/libmetal.so"}
        text = self.good("migrate", "job.yaml", **none).out
        report = self.report("out", "report.json")
        explained = self.good("explain", "job.yaml", "--json", **none).json()
        words = self.good("explain", "job.yaml", **none).out
        self.assertEqual((report["device"]["kind"], report["kernel"]["used"]), ("cpu", "native"))
        self.assertFalse(report["job"]["execution"]["device"]["given"])
        for said in [text, report["device"]["reason"], explained["device"]["reason"], words]:
            self.assertRegex(said, r"chosen by auto: metal: .*/nowhere/libmetal\.so.*, cuda: /nowhere/libcuda\.so\.1 not found")
        self.assertIn("native: this device has native functions", text)

    def test_a_named_device_is_never_replaced(self):
        none = {"MOHO_CUDA_LIBRARY": "/nowhere/libcuda.so.1", "MOHO_METAL_LIBRARY": "/nowhere/libmetal.so"}
        for device in ["cuda", "cuda:0", "metal"]:
            self.fails(1, [f"device {device[:4]}", "is not available", "/nowhere/"], "migrate", "job.yaml", f"execution.device={device}", **none)
        self.fails(1, "device cuda is not available", "migrate", "job.yaml", MOHO_DEVICE="cuda", **none)
        self.assertEqual(self.entries(), ["job.yaml", "survey.sgy"])
        report = self.good("migrate", "job.yaml", "--json", MOHO_DEVICE="cpu?threads=1").json()
        self.assertEqual((report["device"]["reason"], report["device"]["threads"]), ("named by MOHO_DEVICE", 1))
        self.assertEqual(self.good("migrate", "job.yaml", "--json", "--overwrite", "execution.device=cpu").json()["device"]["reason"], "")

    def test_every_word_is_reported_as_it_is(self):
        for key, words in [("weight", ["none", "spreading", "obliquity", "spreading_obliquity", "true_amplitude"]),
                           ("traveltime", ["straight", "curved_linear", "curved_rms", "curved_ray", "vti", "vti_rational"]),
                           ("antialias", ["none", "triangle", "filter_bank"])]:
            for word in words:
                arguments = [f"migration.{key}={word}", "migration.rho_filter=auto", "output.formats=[segy]", "output.png=false", "--overwrite"]
                if word == "curved_linear":
                    arguments.append("velocity={linear_z: {v0_mps: 2500, gradient_per_s: 0.1}}")
                if word.startswith("vti"):
                    arguments.append("eta={type: effective, constant: 0.1}")
                report = self.good("migrate", "job.yaml", *arguments, "--json").json()
                self.assertEqual(report["job"]["migration"][key]["value"], word)
                if key == "weight":
                    self.assertEqual(report["settled"]["weight"], word)
                with open(self.path("out", "stack.sgy"), "rb") as file:
                    self.assertIn(word, file.read(3200).decode("cp037"))

    def test_kernels_and_storage_that_cannot_be(self):
        self.fails(2, ['execution.kernel is "v9"', "baseline"], "migrate", "job.yaml", "execution.kernel=v9")
        self.fails(1, ["kernel baseline does not do storage half", "v1, v2, v3"], "migrate", "job.yaml", "execution.device=cpu",
                   "execution.kernel=baseline", "execution.storage=half")
        self.fails(1, "storage half with migration.antialias", "migrate", "job.yaml", "execution.device=cpu", "execution.kernel=v2",
                   "execution.storage=half", "migration.antialias=triangle")
        report = self.good("migrate", "job.yaml", "--json", "execution.device=cpu", "execution.kernel=v1", "execution.storage=half").json()
        self.assertEqual(report["kernel"]["storage"], "half")

    def test_what_looks_wrong_is_said_when_it_runs(self):
        result = self.good("migrate", "job.yaml", "migration.aperture.max_dip_deg=80")
        self.assertIn("warning: the grid aliases: dips of 80 degrees", result.out)
        explained = self.good("explain", "job.yaml", "migration.aperture.max_dip_deg=80", "--json").json()
        self.assertEqual(self.report("out", "report.json")["warnings"], explained["warnings"])

    @unittest.skipUnless(has_module("xarray") and has_module("zarr"), "xarray or zarr is not there")
    def test_the_diffractor_lies_where_it_was_put(self):
        import numpy
        import xarray
        self.good("migrate", "job.yaml")
        image = xarray.open_zarr(self.path("out", "image.zarr"))
        self.assertEqual(image["stack"].dims, ("inline", "crossline", "time"))
        self.assertEqual(image["fold"].dtype, numpy.int32)
        stack = image["stack"].values
        i, j, k = numpy.unravel_index(numpy.argmax(stack), stack.shape)
        # x 75, y 100, depth 400: t0 = 2*400/2500; docs/physics.md "What must hold" 2: within a bin and a sample.
        self.assertEqual((int(image["inline"][i]), int(image["crossline"][j])), (104, 11))
        self.assertLessEqual(abs(float(image["time"][k]) - 0.32), 0.002 + 1e-9)
        report = self.report("out", "report.json")
        self.assertEqual(int(image["fold"].values.astype("int64").sum()), report["contributions"])

    @unittest.skipUnless(has_module("xarray") and has_module("segyio"), "xarray or segyio is not there")
    def test_segy_and_zarr_agree(self):
        import numpy
        import segyio
        import xarray
        self.good("migrate", "job.yaml")
        stack = xarray.open_zarr(self.path("out", "image.zarr"))["stack"].values
        with segyio.open(self.path("out", "stack.sgy"), iline=189, xline=193) as file:
            self.assertEqual((list(file.ilines), list(file.xlines)), (list(range(101, 108)), list(range(7, 16))))
            numpy.testing.assert_array_equal(segyio.tools.cube(file), stack)
            text = segyio.tools.wrap(file.text[0])
        self.assertIn("MOHO", text)
        self.assertIn("constant 2500", text)

    def test_json_output_and_overrides(self):
        report = self.good("migrate", "job.yaml", "migration.aperture.max_m=150", "output.directory=narrow", "--json").json()
        self.assertEqual(report["job"]["migration"]["aperture"]["max_m"]["value"], 150)
        self.assertEqual(report, self.report("narrow", "report.json"))
        self.good("migrate", "job.yaml", "--output", "summary.txt")
        with open(self.path("summary.txt"), encoding="utf-8") as file:
            self.assertIn("63 used of 63", file.read())

    def test_formats(self):
        self.good("migrate", "job.yaml", "output.formats=[segy]", "output.png=false")
        self.assertEqual(self.entries("out"), ["report.json", "stack.sgy"])

    def test_threads_tiles_and_batches_change_no_bit(self):
        images = []
        for number, settings in enumerate([["execution.threads=1"], ["execution.threads=2"], ["execution.tile=2", "execution.threads=3"]]):
            self.good("migrate", "job.yaml", f"output.directory=o{number}", "output.formats=[segy]", *settings)
            with open(self.path(f"o{number}", "stack.sgy"), "rb") as file:
                images.append(file.read()[3600:])
        self.assertEqual(images[0], images[1])
        self.assertEqual(images[0], images[2])

    def test_grid_forms_give_the_same_image(self):
        origin = JOB.replace(JOB.splitlines()[2], "grid: {origin_m: [0, 0], inline_azimuth_deg: 0, inline: {first: 101, n: 7, spacing_m: 25}, "
                             "crossline: {first: 7, n: 9, spacing_m: 25}, time: {first_s: 0, step_s: 0.002, n: 301}}")
        self.write("origin.yaml", origin)
        self.good("migrate", "job.yaml", "output.formats=[segy]")
        self.good("migrate", "origin.yaml", "output.formats=[segy]", "output.directory=origin")
        with open(self.path("out", "stack.sgy"), "rb") as a, open(self.path("origin", "stack.sgy"), "rb") as b:
            self.assertEqual(a.read()[3600:], b.read()[3600:])

    def test_automatic_grid_with_its_time_changed(self):
        report = self.good("migrate", "job.yaml", "grid=auto", "grid.time.step_s=0.004", "--json").json()
        self.assertEqual(report["grid"]["time"], {"first_s": 0, "step_s": 0.004, "n": 151})
        self.assertEqual(report["grid"]["inline"]["n"] * report["grid"]["crossline"]["n"], 63)

    def test_a_line_is_migrated_in_2d(self):
        self.good("synth", *SURVEY, "extent_inline_m=0", "diffractors=0:100:400:1", "--output", "line.sgy")
        by_corners = self.good("migrate", "job.yaml", "input.traces=line.sgy", "grid={corners: [[0, 0], [0, 200]], crossline: {spacing_m: 25}}",
                               "migration.rho_filter=auto", "--json").json()
        self.assertEqual((by_corners["settled"]["rho_filter"], by_corners["grid"]["is_line"]), ("2d", True))
        self.assertEqual((by_corners["grid"]["inline"]["n"], by_corners["grid"]["crossline"]["n"]), (1, 9))
        automatic = self.good("migrate", "job.yaml", "input.traces=line.sgy", "grid=auto", "migration.rho_filter=auto", "output.directory=auto",
                              "--json").json()
        self.assertEqual(automatic["contributions"], by_corners["contributions"])
        self.assertEqual(self.entries("auto"), RESULTS)

    def test_velocity_forms(self):
        self.write("v.txt", "0 0 0 2500\n0 0 600 2500\n150 200 0 2500\n150 200 600 2500\n")
        reference = self.good("migrate", "job.yaml", "--json").json()["contributions"]
        for number, velocity in enumerate(["{type: rms, linear_t0: {v0_mps: 2500, slope_mps_per_s: 0}}", "{linear_z: {v0_mps: 2500, gradient_per_s: 0}}",
                                           "{type: rms, table: v.txt, columns: \"x,y,time_ms,velocity\"}"]):
            with self.subTest(velocity):
                report = self.good("migrate", "job.yaml", f"velocity={velocity}", f"output.directory=v{number}", "--json").json()
                self.assertEqual(report["contributions"], reference)

    def test_dead_muted_and_non_seismic_traces_are_counted(self):
        from moho_command import patch, trace_offset
        survey = self.path("survey.sgy")
        patch(survey, trace_offset(3) + 28, ">h", 2)    # dead
        patch(survey, trace_offset(4) + 28, ">h", 4)    # time break
        patch(survey, trace_offset(5) + 112, ">h", 100)  # mute ends at 100 ms
        report = self.good("migrate", "job.yaml", "--json").json()
        counts = report["traces"]
        self.assertEqual((counts["used"], counts["dead"], counts["not_seismic"], counts["muted"]), (61, 1, 1, 1))

    # ---- what is there already ----

    def test_an_existing_directory_is_not_overwritten(self):
        self.good("migrate", "job.yaml")
        self.fails(1, ["out is not empty", "--overwrite"], "migrate", "job.yaml")
        os.makedirs(self.path("mine"))
        self.write("mine/notes.txt", "mine")
        self.fails(1, ["mine is not empty", "notes.txt"], "migrate", "job.yaml", "output.directory=mine")
        self.assertEqual(self.entries("mine"), ["notes.txt"])

    def test_overwrite_replaces_only_own_files(self):
        self.good("migrate", "job.yaml")
        self.write("out/notes.txt", "mine")
        before = self.report("out", "report.json")
        self.good("migrate", "job.yaml", "--overwrite", "migration.aperture.max_m=100")
        self.assertEqual(self.entries("out"), sorted(RESULTS + ["notes.txt"]))
        after = self.report("out", "report.json")
        self.assertLess(after["contributions"], before["contributions"])
        with open(self.path("out", "notes.txt"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")

    def test_an_empty_directory_is_good(self):
        os.makedirs(self.path("out"))
        self.good("migrate", "job.yaml")

    def test_leftovers_of_a_killed_run_are_swept(self):
        os.makedirs(self.path("out", ".moho", "results", "image.zarr"))
        os.makedirs(self.path("out", "image.partial.zarr.partial-123"))
        self.write("out/.moho/lock", "123\n")  # a lock file that no process holds locks nothing
        self.good("migrate", "job.yaml")
        self.assertEqual(self.entries("out"), RESULTS)

    def test_directory_that_cannot_be_made(self):
        self.fails(1, ["survey.sgy is a file", "output.directory"], "migrate", "job.yaml", "output.directory=survey.sgy")
        self.fails(1, "survey.sgy/out", "migrate", "job.yaml", "output.directory=survey.sgy/out")
        if os.path.isdir("/proc"):
            self.fails(1, "/proc/moho", "migrate", "job.yaml", "output.directory=/proc/moho")

    # ---- faults and interruptions ----

    def test_disk_full_at_any_time_leaves_nothing(self):
        for fault in ["ENOSPC:0", "ENOSPC:3000", "ENOSPC:40000", "ENOSPC:100000", "EIO:60000"]:
            with self.subTest(fault):
                words = "No space left on device" if fault.startswith("ENOSPC") else "Input/output error"
                self.fails(1, words, "migrate", "job.yaml", MOHO_TEST_WRITE_FAULT=fault)
                self.assertEqual(self.entries(), ["job.yaml", "survey.sgy"])

    def test_disk_full_keeps_earlier_results(self):
        self.good("migrate", "job.yaml")
        before = self.report("out", "report.json")
        self.fails(1, "No space left", "migrate", "job.yaml", "--overwrite", MOHO_TEST_WRITE_FAULT="ENOSPC:40000")
        self.assertEqual(self.entries("out"), RESULTS)
        self.assertEqual(self.report("out", "report.json"), before)
        self.good("info", "out/image.zarr")

    def interrupt(self, number, *arguments):
        """Runs a long job, sends the signal once it migrates; gives exit code and stderr."""
        process = subprocess.Popen([MOHO, "migrate", "long.yaml", "--progress", "json", *arguments], cwd=self.directory, env=environment(), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        seen = ""
        for line in process.stderr:
            seen += line
            if '"stage": "migrating"' in line:
                break
        self.assertIsNone(process.poll(), seen)
        process.send_signal(number)
        begin = time.monotonic()
        _, rest = process.communicate(timeout=120)
        self.assertLess(time.monotonic() - begin, 60)
        return process.returncode, seen + rest

    def long_job(self):
        self.good("synth", "--preset", "tiny", "--output", "long.sgy")
        self.write("long.yaml", JOB.replace("survey.sgy", "long.sgy").replace(
            JOB.splitlines()[2], "grid: {corners: [[0, 0], [0, 500], [500, 500]], inline: {spacing_m: 2.5}, crossline: {spacing_m: 2.5}}").replace(
                "max_m: 300", "max_m: 2000") + "execution: {tile: 8}\n")

    def test_interrupted_runs_leave_nothing(self):
        self.long_job()
        for number in [signal.SIGINT, signal.SIGTERM]:
            code, words = self.interrupt(number)
            self.assertEqual(code, 75, words)
            self.assertIn("interrupted", words)
            self.assertIn("nothing was written", words)
            self.assertEqual(self.entries(), ["job.yaml", "long.sgy", "long.yaml", "survey.sgy"])

    def test_interrupted_runs_keep_earlier_results(self):
        self.long_job()
        self.good("migrate", "job.yaml")
        before = self.report("out", "report.json")
        code, words = self.interrupt(signal.SIGINT, "--overwrite")
        self.assertEqual(code, 75, words)
        self.assertEqual(self.entries("out"), RESULTS)
        self.assertEqual(self.report("out", "report.json"), before)

    def test_progress_as_json_lines(self):
        lines = [json.loads(line) for line in self.good("migrate", "job.yaml", "--progress", "json").err.splitlines()]
        stages = [line["stage"] for line in lines]
        self.assertIn("migrating", stages)
        self.assertEqual(stages[-1], "writing")
        for line in lines:
            self.assertEqual(sorted(line), ["done", "seconds", "stage", "total", "unit"])


class Explain(CommandTest):
    def setUp(self):
        super().setUp()
        self.survey()
        self.job()

    def test_text(self):
        text = self.good("explain", "job.yaml", "migration.aperture.taper=0.2").out
        self.assertRegex(text, r"migration\.aperture\.max_m +300 m +given\n")
        self.assertRegex(text, r"migration\.aperture\.min_m +0 m +default\n")
        self.assertRegex(text, r"migration\.aperture\.taper +0\.2 fraction +given on the command line\n")
        for words in ["inline azimuth", "x 150.00 m, y 200.00 m", "time expected", "memory", "contributions"]:
            self.assertIn(words, text)
        self.assertEqual(self.entries(), ["job.yaml", "survey.sgy"])

    def test_json_and_the_estimate(self):
        plan = self.good("explain", "job.yaml", "--json").json()
        report = self.good("migrate", "job.yaml", "--json").json()
        self.assertEqual(plan["grid"], report["grid"])
        self.assertEqual(plan["job"], report["job"])
        self.assertLess(abs(plan["plan"]["contributions"] / report["contributions"] - 1), 0.25)

    def test_warnings(self):
        coarse = self.good("explain", "job.yaml", "grid.inline.spacing_m=150", "grid.crossline.spacing_m=100", "--json").json()
        self.assertTrue(any("the grid aliases" in warning for warning in coarse["warnings"]), coarse["warnings"])
        aside = self.good("explain", "job.yaml", "migration.aperture.max_m=50", "grid.corners=[[0, 0], [0, 200], [25, 200]]", "--json").json()
        self.assertTrue(any("lie farther than the aperture" in warning for warning in aside["warnings"]), aside["warnings"])
        large = self.good("explain", "job.yaml", "execution.memory_gb=0.001", "grid.inline.spacing_m=1", "--json").json()
        self.assertTrue(any("migrate will refuse this job" in warning for warning in large["warnings"]), large["warnings"])
        fine = self.good("explain", "job.yaml", "migration.aperture.max_dip_deg=10", "--json").json()
        self.assertFalse(any("the grid aliases" in warning for warning in fine["warnings"]), fine["warnings"])


if __name__ == "__main__":
    main()

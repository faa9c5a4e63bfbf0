"""Bad input: a clear error naming place and remedy, the right exit code, and nothing left behind."""

import os

from moho_command import BINARY, HEADER, JOB, CommandTest, main, patch, trace_offset


class BadInput(CommandTest):
    def setUp(self):
        super().setUp()
        self.survey()
        self.job()

    def refused(self, words, *arguments, code=1):
        """migrate refuses, and neither an output directory nor anything else is left."""
        before = self.entries()
        result = self.fails(code, words, "migrate", "job.yaml", *arguments)
        self.assertIn("hint:", result.err)
        self.assertEqual(self.entries(), before)
        return result

    def file_of(self, data):
        with open(self.path("survey.sgy"), "wb") as file:
            file.write(data)

    def content(self):
        with open(self.path("survey.sgy"), "rb") as file:
            return file.read()

    # ---- places ----

    def test_a_place_of_stores_that_cannot_be(self):
        """Also where all fits in memory, and no store is needed."""
        with open(self.path("letter"), "w", encoding="utf-8") as file:
            file.write("no directory")
        self.refused(["letter: Not a directory", "key execution.store"], "execution.store=letter")
        self.refused(["letter/stores cannot be made: letter: Not a directory"], "execution.store=letter/stores")
        if not os.access("/", os.W_OK):  # else: the superuser, who may write everywhere
            self.refused(["cannot be made: /: Permission denied"], "execution.store=/stores/of/mine")
        self.fails(1, "key execution.store", "explain", "job.yaml", "execution.store=letter")
        self.good("explain", "job.yaml", "execution.store=not/yet/there")
        self.assertNotIn("not", self.entries())

    # ---- trace files ----

    def test_no_file(self):
        self.refused("none.sgy", "input.traces=none.sgy")

    def test_empty_file(self):
        self.file_of(b"")
        self.refused("survey.sgy")

    def test_not_segy(self):
        self.file_of(b"This is a letter, not a survey.\n" * 400)
        self.refused("survey.sgy")

    def test_cut_in_a_header(self):
        whole = self.content()
        for length in [100, 3300, HEADER + 100, trace_offset(5) + 100]:
            with self.subTest(length):
                self.file_of(whole[:length])
                self.refused("survey.sgy")

    def test_cut_in_a_trace(self):
        self.file_of(self.content()[:trace_offset(5) + 600])
        self.refused("survey.sgy")

    def test_absurd_samples_and_interval(self):
        patch(self.path("survey.sgy"), BINARY + 20, ">h", 0)
        for trace in range(63):
            patch(self.path("survey.sgy"), trace_offset(trace) + 114, ">h", 0)
        self.refused("sample")
        self.survey()
        patch(self.path("survey.sgy"), BINARY + 16, ">h", 0)
        for trace in range(63):
            patch(self.path("survey.sgy"), trace_offset(trace) + 116, ">h", 0)
        self.refused("interval")

    def test_unknown_format(self):
        patch(self.path("survey.sgy"), BINARY + 24, ">h", 77)
        self.refused("77")

    def test_nan_and_infinite_samples(self):
        patch(self.path("survey.sgy"), trace_offset(6) + 240 + 4 * 9, ">f", float("nan"))
        patch(self.path("survey.sgy"), trace_offset(8) + 240, ">f", float("inf"))
        result = self.refused("input.traces")
        self.assertRegex(result.err, r"trace 7\b")
        report = self.good("migrate", "job.yaml", "input.bad_samples=zero", "--json").json()
        self.assertEqual(report["traces"]["bad"], 2)

    def test_samples_beyond_reason(self):
        """Float samples read in a wrong format: sums would overflow, and the image be NaN throughout."""
        patch(self.path("survey.sgy"), trace_offset(6) + 240 + 4 * 9, ">f", -1e38)
        self.refused(["trace 7, sample 10 is -1e+38", "sample format"])
        report = self.good("migrate", "job.yaml", "input.bad_samples=zero", "--json").json()
        self.assertEqual(report["traces"]["bad"], 1)

    def test_no_coordinates(self):
        for trace in range(63):
            patch(self.path("survey.sgy"), trace_offset(trace) + 72, ">4i", 0, 0, 0, 0)
            patch(self.path("survey.sgy"), trace_offset(trace) + 180, ">2i", 0, 0)
            patch(self.path("survey.sgy"), trace_offset(trace) + 36, ">i", 0)
        self.refused("coordinates")

    def test_mixed_scalars_are_scaled_each(self):
        import struct
        plain = self.good("info", "survey.sgy", "--json").json()
        with open(self.path("survey.sgy"), "rb") as file:
            file.seek(trace_offset(4) + 70)
            scalar = struct.unpack(">h", file.read(2))[0]
            file.seek(trace_offset(4) + 72)
            numbers = struct.unpack(">4i", file.read(16))
        factor = -scalar if scalar < 0 else 1
        self.assertTrue(all(number % factor == 0 for number in numbers))
        patch(self.path("survey.sgy"), trace_offset(4) + 70, ">h", 1)
        patch(self.path("survey.sgy"), trace_offset(4) + 72, ">4i", *(number // factor for number in numbers))
        patch(self.path("survey.sgy"), trace_offset(4) + 180, ">2i", 0, 0)
        mixed = self.good("info", "survey.sgy", "--json").json()
        self.assertEqual(plain["geometry"]["source_y_m"], mixed["geometry"]["source_y_m"])
        self.assertEqual(plain["geometry"]["midpoint_x_m"], mixed["geometry"]["midpoint_x_m"])
        self.assertGreater(len(mixed["anomalies"]), len(plain["anomalies"]))

    # ---- grid and velocity ----

    def test_every_trace_outside_the_grid(self):
        self.refused(["every trace is outside the grid", "midpoints x 0.0..150.0", "grid"],
                     "grid.corners=[[90000, 90000], [90000, 90200], [90150, 90200]]")

    def test_traces_that_reach_no_sample_say_why(self):
        """Midpoints within the grid and yet no image: what is wrong is not the place."""
        self.refused(["no trace reaches the image", "records hold 100..100.6 s", "grid.time"], "input.first_sample_s=100",
                     "grid.time.n=301", "grid.time.first_s=0", "grid.time.step_s=0.002")
        for trace in range(63):
            patch(self.path("survey.sgy"), trace_offset(trace) + 240, ">301f", *[0.0] * 301)
        self.refused(["all samples of all 63 live traces are zero", "input.traces"])

    def test_velocity_of_a_wrong_unit(self):
        self.refused(["velocity.constant_mps", "2.5 km/s is 2500"], "velocity.constant_mps=2.5")
        self.refused("expected 500 to 9000", "velocity.constant_mps=0")
        self.refused("velocity.constant_mps", "velocity.constant_mps=-2500", code=2)
        self.write("v.txt", "0 0 0 1.8\n0 0 1000 2.5\n")
        self.refused(["v.txt", "km/s"], 'velocity={type: rms, table: v.txt, columns: "x,y,time_ms,velocity"}')

    def test_velocity_that_leaves_its_range_within_the_image(self):
        self.refused("m/s", "velocity={type: rms, linear_t0: {v0_mps: 8000, slope_mps_per_s: 5000}}")

    def test_table_without_the_needed_columns(self):
        self.write("v.txt", "0 1800\n1000 2500\n")
        self.refused("velocity", 'velocity={type: rms, table: v.txt, columns: "x,y,time_ms"}')
        self.refused("v.txt", 'velocity={type: rms, table: v.txt, columns: "x,y,time_ms,velocity"}')
        self.refused("none.txt", "velocity={type: rms, table: none.txt}")

    def test_grid_too_large_for_memory(self):
        wide = ["grid.inline.spacing_m=0.05", "grid.crossline.spacing_m=0.05"]
        self.refused(["GiB", "execution.memory_gb", "migration.levels"], "migration.levels=[2, 1]", *wide)
        self.refused(["even block by block", "are allowed", "MiB"], "execution.memory_gb=0.002", "grid.inline.spacing_m=1")

    def test_grid_of_too_many_columns(self):
        self.refused(["10000000000 columns", "key grid", "wider spacing"],
                     "grid={origin_m: [0, 0], inline: {n: 100000, spacing_m: 1}, crossline: {n: 100000, spacing_m: 1}}")

    def test_side_that_is_no_whole_number_of_bins(self):
        self.refused("grid.corners", "grid.inline.spacing_m=40")

    def test_times_after_the_record(self):
        self.refused("the traces end at 0.6 s", "grid.time.first_s=3")

    # ---- the job ----

    def test_mistakes_in_the_job_name_line_and_remedy(self):
        self.job(JOB.replace("aperture:", "aperature:"))
        self.refused(['unknown key "migration.aperature"', "job.yaml:4:13", 'did you mean "migration.aperture"?'])
        self.job(JOB.replace("max_m: 300", "max_m: 3 km"))
        self.refused(['"3 km"', "line 4", "write 3000"])
        self.job(JOB + "execution: {resume: yes}\n")
        self.refused(["execution.resume", "expected auto or never", "line 6"])
        self.job(JOB + "input: {}\n")
        self.refused(["given twice", "first in line 1"])
        self.job("input: [")
        self.refused("not YAML")

    def test_mistakes_on_the_command_line_are_usage(self):
        self.refused(['unknown key "migration.aperature.max_m"', "migration.aperture.max_m"], "migration.aperature.max_m=3", code=2)
        self.refused(['"3 km"', "write 3000"], "migration.aperture.max_m=3 km", code=2)
        self.fails(2, "not key=value", "migrate", "job.yaml", "fast")
        self.refused(["expected auto, native, baseline, v1, v2 or v3", "did you mean"], "execution.kernel=v9", code=2)
        self.refused(["where: key execution.device", "moho devices"], "execution.device=cuda:99")
        self.refused(['did you mean "cuda"?', "where: key execution.device"], "execution.device=cudaa:0")
        self.refused(["where: key execution.kernel", "baseline"], "execution.kernel=baseline", "execution.storage=half")
        self.refused(["eta.constant cannot be combined with migration.traveltime", "vti"], "eta.constant=0.1")
        self.refused("eta.constant is 2", "eta.constant=2", "migration.traveltime=vti", code=2)
        self.refused("is an empty list", "output.formats=[]", code=2)

    def test_no_job(self):
        self.fails(1, ["none.yaml", "no such file"], "migrate", "none.yaml")
        self.fails(1, "is a directory", "migrate", ".")

    def test_unknown_device(self):
        self.refused("cpuu", "execution.device=cpuu")
        self.refused("simd", "execution.device=cpu?simd=mmx")

    def test_synth_with_a_full_disk(self):
        before = self.entries()
        self.fails(1, "No space left", "synth", "--preset", "tiny", "--output", "b.sgy", MOHO_TEST_WRITE_FAULT="ENOSPC:100000")
        self.fails(1, "No space left", "synth", "--preset", "tiny", "--output", "b.zarr", MOHO_TEST_WRITE_FAULT="ENOSPC:100000")
        self.assertEqual(self.entries(), before)
        with open(self.path("survey.sgy"), "rb") as file:
            old = file.read()
        self.fails(1, "No space left", "synth", "--preset", "tiny", "--output", "survey.sgy", MOHO_TEST_WRITE_FAULT="ENOSPC:100000")
        with open(self.path("survey.sgy"), "rb") as file:
            self.assertEqual(file.read(), old)

    def test_input_is_never_written(self):
        before = os.stat(self.path("survey.sgy"))
        self.good("migrate", "job.yaml")
        after = os.stat(self.path("survey.sgy"))
        self.assertEqual((before.st_mtime_ns, before.st_size), (after.st_mtime_ns, after.st_size))


if __name__ == "__main__":
    main()

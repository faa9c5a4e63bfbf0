"""moho demigrate and least-squares migration as people meet them: files written, dot products by numpy, reports, mistakes."""

import json
import os
import unittest

from moho_command import CommandTest, has_module, main

SURVEY = ["--preset", "tiny", "extent_inline_m=150", "extent_crossline_m=200", "offset_first_m=0", "offset_last_m=200", "offset_step_m=100",
          "n_samples=201", "diffractors=75:100:250:1", "noise=0.1"]
JOB = """input: {traces: survey.sgy}
velocity: {constant_mps: 2500}
grid: {corners: [[0, 0], [0, 200], [150, 200]], inline: {spacing_m: 25}, crossline: {spacing_m: 25}}
migration: {aperture: {max_m: 200, max_dip_deg: 45}}
output: {directory: out, report: false}
"""
NUMPY = has_module("numpy") and has_module("zarr") and has_module("segyio")


class Demigrate(CommandTest):
    def setUp(self):
        super().setUp()
        self.good("synth", *SURVEY, "--output", "survey.sgy")
        self.job(JOB)

    def report(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return json.load(file)

    def traces(self, name):
        import segyio
        with segyio.open(self.path(name), ignore_geometry=True) as file:
            return file.trace.raw[:].astype(float)

    def headers(self, name):
        import segyio
        with segyio.open(self.path(name), ignore_geometry=True) as file:
            return [[header[byte] for byte in (segyio.su.sx, segyio.su.sy, segyio.su.gx, segyio.su.gy)] for header in file.header]

    def image(self, directory):
        import numpy
        import zarr
        return numpy.array(zarr.open(self.path(directory, "image.zarr"), "r")["stack"]).astype(float)

    @unittest.skipUnless(NUMPY, "numpy, zarr or segyio is not there")
    def test_traces_are_the_adjoint_of_the_image(self):
        """<L I, d> = <I, L* d> = |I|^2, for I = L* d."""
        import numpy
        for options in [[], ["migration.antialias=triangle", "migration.interpolation=cubic", "migration.weight=none"],
                        ["execution.kernel=v3"]]:
            self.good("migrate", "job.yaml", "--overwrite", *options)
            self.good("demigrate", "job.yaml", *options, "--output", "modelled.sgy")
            image, modelled, recorded = self.image("out"), self.traces("modelled.sgy"), self.traces("survey.sgy")
            self.assertEqual(modelled.shape, recorded.shape)
            error = abs((modelled * recorded).sum() - (image * image).sum())
            self.assertGreater(numpy.linalg.norm(modelled), 0)
            self.assertLess(error, 1e-6 * numpy.linalg.norm(modelled) * numpy.linalg.norm(recorded))
        self.assertEqual(self.headers("modelled.sgy"), self.headers("survey.sgy"))

    @unittest.skipUnless(NUMPY, "numpy, zarr or segyio is not there")
    def test_less_work_is_honoured_or_refused(self):
        """An adaptive image, nothing outside its mask, is modelled by the adjoint of what made it; levels are beside the image."""
        import numpy
        recorded = self.traces("survey.sgy")
        for directory, key in (("adaptive", "migration.adaptive.energy=0.8"), ("levels", "migration.levels=[2, 1]")):
            self.good("migrate", "job.yaml", key, f"output.directory={directory}")
            self.good("demigrate", "job.yaml", key, f"output.directory={directory}", "--output", f"{directory}.sgy")
            image, modelled = self.image(directory), self.traces(f"{directory}.sgy")
            self.assertEqual("mask.sgy" in self.entries(directory), directory == "adaptive")
            error = abs((modelled * recorded).sum() - (image * image).sum())
            self.assertLess(error, 1e-6 * numpy.linalg.norm(modelled) * numpy.linalg.norm(recorded))
        for key in ("migration.time_sampling=auto", "migration.time_sampling.f_max_hz=[[0, 50]]"):
            self.fails(1, "demigrate does not do migration.time_sampling", "demigrate", "job.yaml", key, "--output", "never.sgy")

    def test_files_and_report(self):
        self.good("migrate", "job.yaml")
        text = self.good("demigrate", "job.yaml", "--output", "modelled.su").out
        self.assertIn("traces 378, 378 live, 378 reached", text)
        report = json.loads(self.good("demigrate", "job.yaml", "--output", "modelled.zarr", "--json", "--image", "out/image.zarr",
                                      "--mutes", "headers").out)
        self.assertEqual(report["traces"], {"total": 378, "live": 378, "reached": 378})
        self.assertEqual((report["mutes"], report["output"]), ("headers", "modelled.zarr"))
        self.assertEqual(report["contributions"], self.report("out", "report.json")["contributions"])
        self.assertIn("378", self.good("info", "modelled.zarr").out)

    def test_an_image_knows_its_own_grid(self):
        self.good("migrate", "job.yaml", "grid.crossline.spacing_m=12.5")
        self.fails(1, "7 x 9", "demigrate", "job.yaml", "--output", "modelled.sgy")
        self.good("demigrate", "job.yaml", "grid=auto", "--output", "modelled.sgy")

    def test_mistakes(self):
        self.fails(2, "--output", "demigrate", "job.yaml")
        self.fails(1, "out/image.zarr", "demigrate", "job.yaml", "--output", "modelled.sgy")
        self.fails(2, "data", "demigrate", "job.yaml", "--output", "modelled.sgy", "--mutes", "some")
        self.good("migrate", "job.yaml")
        for words, option in [("kernel v1 does not demigrate", "execution.kernel=v1"),
                              ("gathers.kind", "gathers={kind: offset, edges_m: [0, 300]}")]:
            self.fails(1, words, "demigrate", "job.yaml", "--output", "modelled.sgy", option)
        self.fails(1, "nowhere.zarr", "demigrate", "job.yaml", "--output", "modelled.sgy", "--image", "nowhere.zarr")
        self.assertFalse(os.path.exists(self.path("modelled.sgy")))

    def test_iterations(self):
        self.good("migrate", "job.yaml", "migration.iterations=4", "migration.damping=0.01")
        solved = self.report("out", "report.json")["least_squares"]
        residuals = [step["residual"] for step in solved["history"]]
        self.assertEqual((solved["iterations"], len(residuals), residuals[0]), (4, 5, 1))
        self.assertEqual(residuals, sorted(residuals, reverse=True))
        self.assertLess(residuals[-1], 0.8)
        self.assertEqual(solved["traces"], "kept in memory")

    @unittest.skipUnless(NUMPY, "numpy, zarr or segyio is not there")
    def test_iterations_read_from_disk_make_the_same_image(self):
        self.good("migrate", "job.yaml", "migration.iterations=2")
        kept = self.image("out")
        plan = self.report("out", "report.json")["memory"]
        # Room for everything but the traces.
        text = self.good("migrate", "job.yaml", "migration.iterations=2", "output.directory=read", f"execution.memory_gb={self.least_memory(plan)}")
        self.assertIn("written", text.out)
        self.assertEqual(self.report("read", "report.json")["least_squares"]["traces"], "read again each iteration")
        self.assertTrue((kept == self.image("read")).all())

    def test_the_input_is_not_written_over(self):
        before = os.stat(self.path("survey.sgy"))
        os.symlink("survey.sgy", self.path("alias.sgy"))
        for name in ["survey.sgy", "./survey.sgy", "alias.sgy"]:
            self.fails(1, ["own input.traces", "name another file"], "demigrate", "job.yaml", "--output", name)
        self.assertEqual(os.stat(self.path("survey.sgy")).st_mtime_ns, before.st_mtime_ns)

    def test_an_image_larger_than_memory_gives_the_same_bits(self):
        self.job(JOB.replace("grid: {corners: [[0, 0], [0, 200], [150, 200]], inline: {spacing_m: 25}, crossline: {spacing_m: 25}}",
                             "grid: {origin_m: [0, 0], inline_azimuth_deg: 20, inline: {n: 121, spacing_m: 1.25}, "
                             "crossline: {n: 321, spacing_m: 0.5}}").replace("max_dip_deg: 45}", "max_dip_deg: 45}, normalise: fold"))
        self.good("migrate", "job.yaml", "migration.aperture.max_m=30", "output.formats=[zarr]", "output.png=false")
        command = ["demigrate", "job.yaml", "migration.aperture.max_m=30", "--json", "--output"]
        self.assertFalse(self.good(*command, "whole.sgy").json()["image_by_pieces"])
        report = self.good(*command, "pieces.sgy", "execution.memory_gb=0.06").json()
        self.assertTrue(report["image_by_pieces"])
        self.assertLess(report["memory"]["demigration_bytes"], 0.02e9)
        with open(self.path("whole.sgy"), "rb") as one, open(self.path("pieces.sgy"), "rb") as other:
            self.assertTrue(one.read() == other.read())
        self.fails(1, ["execution.memory_gb", "piece by piece too the demigration needs"], *command, "no.sgy", "execution.memory_gb=0.005")
        self.fails(1, ["execution.device to cpu", "is held twice"], *command, "no.sgy", "execution.memory_gb=0.06", "execution.kernel=v3")
        self.assertFalse(os.path.exists(self.path("no.sgy")))

    def least_memory(self, plan):
        cells = 7 * 9 * 201
        return (plan["planned_bytes"] + plan["migration_bytes"] + 24 * cells + 1000) * 1e-9

    def test_iterations_that_cannot_be(self):
        for key, value, word in [("migration.normalise", "fold", "normalise"), ("gathers", "{kind: offset, edges_m: [0, 300]}", "gathers"),
                                 ("migration.levels", "[2, 1]", "levels"), ("execution.kernel", "v1", "kernel v1 does not demigrate")]:
            self.fails(1, word, "migrate", "job.yaml", "migration.iterations=2", f"{key}={value}")
        self.fails(1, "migration.iterations", "migrate", "job.yaml", "migration.damping=0.1")


if __name__ == "__main__":
    main()

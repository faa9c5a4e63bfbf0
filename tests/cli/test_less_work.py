"""migration.levels, migration.time_sampling and migration.adaptive: what is written, how it agrees with plain runs, what is saved."""

import json
import os
import unittest

from moho_command import JOB, CommandTest, has_module, main

if has_module("numpy"):
    import numpy as np

# Half the survey's samples are quiet; frequencies are far below what 2 ms hold.
SMALL = ["--preset", "tiny", "extent_inline_m=300", "extent_crossline_m=400", "offset_last_m=400", "azimuths_deg=0", "n_samples=501",
         "peak_hz=20", "noise=0", "response=diffractor", "diffractors=100:100:300:1,200:300:700:1"]
# 33 x 33 midpoints at 25 m over three diffractors.
SPARSE = ["--preset", "tiny", "extent_inline_m=800", "extent_crossline_m=800", "offset_last_m=200", "azimuths_deg=0", "n_samples=801",
          "peak_hz=35", "noise=0", "response=element", "diffractors=100:700:500:1,400:400:600:1,650:120:450:1"]
GRID = "grid: {corners: [[0, 0], [0, 400], [300, 400]], inline: {spacing_m: 25, first: 11}, crossline: {spacing_m: 25, first: 3}}\n"


@unittest.skipUnless(has_module("numpy"), "no numpy")
class LessWork(CommandTest):
    def setUp(self):
        super().setUp()
        self.good("synth", *SMALL, "--output", "survey.sgy")
        self.write("job.yaml", "\n".join(line for line in JOB.splitlines() if not line.startswith("grid")) + "\n" + GRID)

    def stack(self, *names):
        with open(self.path(*names), "rb") as file:
            data = file.read()
        n = int.from_bytes(data[3220:3222], "big")
        rows = np.frombuffer(data[3600:], np.uint8).reshape(-1, 240 + 4 * n)
        return rows[:, 240:].copy().view(">f4").astype(float), rows[:, :240]

    def report(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return json.load(file)

    def test_levels_are_what_runs_of_their_own_give(self):
        self.good("migrate", "job.yaml", "migration.levels=[4, 2, 1]", "output.directory=levels", "--progress", "json")
        self.good("migrate", "job.yaml", "output.directory=plain")
        self.assertTrue(np.array_equal(self.stack("levels", "stack.sgy")[0], self.stack("plain", "stack.sgy")[0]))
        report = self.report("levels", "report.json")
        self.assertEqual([level["level"] for level in report["levels"]], [4, 2])
        for level, corner in ((4, (300, 400)), (2, (300, 400))):
            spacing, step = 25 * level, 0.002 * level
            own = f"grid: {{corners: [[0, 0], [0, {corner[1]}], [{corner[0]}, {corner[1]}]], inline: {{spacing_m: {spacing}, first: 11, " \
                  f"step: {level}}}, crossline: {{spacing_m: {spacing}, first: 3, step: {level}}}, time: {{step_s: {step}}}}}\n"
            self.write("own.yaml", "\n".join(line for line in JOB.splitlines() if not line.startswith("grid")) + "\n" + own)
            self.good("migrate", "own.yaml", f"migration.high_cut_hz={0.5 / step}", f"output.directory=own{level}")
            there, headers = self.stack("levels", f"stack_x{level}.sgy")
            own_stack, own_headers = self.stack(f"own{level}", "stack.sgy")
            self.assertTrue(np.array_equal(there, own_stack), level)
            self.assertTrue(np.array_equal(headers[:, 180:200], own_headers[:, 180:200]), level)  # positions and numbers
        self.assertLess(report["levels"][0]["contributions"], report["contributions"] / 30)
        self.assertLess(report["levels"][1]["contributions"], report["contributions"] / 5)
        self.assertEqual(sorted(report["outputs"]), self.entries("levels"))
        self.assertEqual(self.entries("levels"), ["fold.png", "image.zarr", "image_x2.zarr", "image_x4.zarr", "report.json", "stack.png",
                                                  "stack.sgy", "stack_x2.png", "stack_x2.sgy", "stack_x4.png", "stack_x4.sgy"])

    def test_a_level_is_told_when_it_is_there(self):
        events = [json.loads(line) for line in self.good("migrate", "job.yaml", "migration.levels=[4, 1]", "--progress", "json").err.splitlines()]
        stages = [event["stage"] for event in events if "stage" in event]
        self.assertIn("level x4 is ready", stages)
        self.assertLess(stages.index("level x4 is ready"), len(stages) - 1 - stages[::-1].index("migrating"))

    def test_time_sampling_by_the_datas_spectrum(self):
        plain = self.compare("migration.time_sampling=auto")
        self.assertEqual(plain["zones"][0]["step_s"], 0.004)

    def test_time_sampling_by_a_table(self):
        table = self.compare("migration.time_sampling.f_max_hz=[[0, 130], [0.3, 130], [0.32, 60], [0.6, 60], [0.7, 50]]")
        self.assertEqual([zone["step_s"] for zone in table["zones"]], [0.002, 0.004, 0.008])

    def test_gathers_go_through_the_zones_too(self):
        """Each bin as on the uniform axis, folds that add up to the stack's, and bins to the stack."""
        self.good("migrate", "job.yaml", "migration.time_sampling.f_max_hz=[[0, 130], [0.3, 130], [0.32, 60]]", "output.directory=zones", *self.OFFSETS)
        self.good("migrate", "job.yaml", "output.directory=plain", *self.OFFSETS)
        (zones, headers), (plain, plain_headers) = self.stack("zones", "gathers.sgy"), self.stack("plain", "gathers.sgy")
        self.assertTrue(np.array_equal(headers, plain_headers))
        self.assertLess(np.linalg.norm(zones - plain) / np.linalg.norm(plain), 2e-3)
        stack = self.stack("zones", "stack.sgy")[0]
        bins = zones.reshape(len(stack), -1, stack.shape[1])
        self.assertGreater(bins.shape[1], 1)
        self.assertLess(np.linalg.norm(bins.sum(axis=1) - stack) / np.linalg.norm(stack), 1e-5)
        if has_module("xarray"):
            import xarray
            image = xarray.open_zarr(self.path("zones", "image.zarr"))
            self.assertTrue(np.array_equal(image["gathers_fold"].values.sum(axis=2), image["fold"].values))

    def compare(self, key):
        """The image to 1e-3 of the one on the uniform axis, the same fold where nothing was skipped, and less work."""
        self.good("migrate", "job.yaml", key, "output.directory=zones")
        self.good("migrate", "job.yaml", "output.directory=plain")
        zones, plain = self.stack("zones", "stack.sgy")[0], self.stack("plain", "stack.sgy")[0]
        error = np.linalg.norm(zones - plain) / np.linalg.norm(plain)
        report = self.report("zones", "report.json")
        work = report["contributions"] / self.report("plain", "report.json")["contributions"]
        print(f"time sampling {key}: error {error:.2g}, work {work:.2f}, zones {report['time_sampling']['zones']}")
        self.assertLess(error, 2e-3)
        self.assertLess(work, 0.75)
        self.assertAlmostEqual(report["time_sampling"]["work"], work, delta=0.1)
        return report["time_sampling"]

    def adaptive(self, *keys):
        """Correlation with the whole image, work against it, and the report's own account."""
        self.good("migrate", "job.yaml", "migration.adaptive=on", "output.directory=adaptive", *keys)
        self.good("migrate", "job.yaml", "output.directory=plain", *keys)
        part, whole = self.stack("adaptive", "stack.sgy")[0].ravel(), self.stack("plain", "stack.sgy")[0].ravel()
        report = self.report("adaptive", "report.json")
        done = report["adaptive"]["coarse_contributions"] + report["adaptive"]["fine_contributions"]
        work = done / self.report("plain", "report.json")["contributions"]
        correlation = part @ whole / np.linalg.norm(part) / np.linalg.norm(whole)
        self.assertEqual(sorted(report["outputs"]), self.entries("adaptive"))
        print(f"adaptive: correlation {correlation:.5f}, work {work:.3f}, {report['adaptive']}")
        return correlation, work, report["adaptive"]

    def test_adaptive_migration_of_sparse_data(self):
        """A few diffractors in much of nothing: two to five times less work, and nearly the same image."""
        self.good("synth", *SPARSE, "--output", "survey.sgy")
        self.write("job.yaml", JOB.replace("[0, 200], [150, 200]", "[0, 800], [800, 800]"))
        correlation, work, report = self.adaptive("migration.rho_filter=auto")
        self.assertGreater(correlation, 0.99)
        self.assertTrue(0.2 < work < 0.5, work)
        self.assertTrue(report["mask_used"])
        self.assertAlmostEqual(report["work"], work, delta=0.1 * work)
        mask, image = self.stack("adaptive", "mask.sgy")[0], self.stack("adaptive", "stack.sgy")[0]
        self.assertAlmostEqual(mask.mean(), report["mask_share"], places=6)
        self.assertFalse(np.any(image[mask == 0]))
        self.assertEqual(set(np.unique(mask)), {0, 1})

    def test_adaptive_migration_by_a_kernel(self):
        """Kernel v3, here as C on the processor, gives the image of the processor's own loops."""
        self.good("migrate", "job.yaml", "migration.adaptive=on", "output.directory=native")
        self.good("migrate", "job.yaml", "migration.adaptive=on", "execution.kernel=v3", "output.directory=v3")
        native, v3 = self.stack("native", "stack.sgy")[0], self.stack("v3", "stack.sgy")[0]
        self.assertLess(np.linalg.norm(v3 - native) / np.linalg.norm(native), 1e-3)
        ours, theirs = (self.report(name, "report.json") for name in ("v3", "native"))
        self.assertTrue(ours["adaptive"]["mask_used"])
        self.assertEqual(ours["kernel"]["used"], "v3")
        self.assertAlmostEqual(ours["adaptive"]["mask_share"], theirs["adaptive"]["mask_share"], delta=0.01)
        self.assertAlmostEqual(ours["adaptive"]["fine_contributions"], theirs["adaptive"]["fine_contributions"],
                               delta=0.02 * theirs["adaptive"]["fine_contributions"])
        self.assertFalse(np.any(v3[self.stack("v3", "mask.sgy")[0] == 0]))

    def test_adaptive_migration_of_dense_data_gains_nothing(self):
        """Noise is everywhere: the whole image is computed, and the report says that the coarse pass came on top."""
        with open(self.path("survey.sgy"), "r+b") as file:
            data = bytearray(file.read())
            rows = np.frombuffer(data, np.uint8, offset=3600).reshape(-1, 240 + 4 * 501)
            rows[:, 240:] = np.random.default_rng(1).normal(size=(len(rows), 501)).astype(">f4").view(np.uint8)
            file.seek(0)
            file.write(data)
        correlation, work, report = self.adaptive()
        self.assertEqual(report["mask_used"], False)
        self.assertGreater(correlation, 0.9999999)
        self.assertGreater(work, 1)

    OFFSETS = ["gathers.kind=offset", "gathers.edges_m=[0, 150, 300, 450]"]

    def gathers(self, *names):
        with open(self.path(*names), "rb") as file:
            data = file.read()
        n = int.from_bytes(data[3220:3222], "big")
        return np.frombuffer(data[3600:], np.uint8).reshape(-1, 240 + 4 * n)[:, 240:].copy().view(">f4").astype(float)

    def test_gathers_beside_levels(self):
        """The image and its gathers as without levels; levels are stacks."""
        self.good("migrate", "job.yaml", "migration.levels=[4, 1]", "output.directory=levels", *self.OFFSETS)
        self.good("migrate", "job.yaml", "output.directory=plain", *self.OFFSETS)
        self.assertTrue(np.array_equal(self.gathers("levels", "gathers.sgy"), self.gathers("plain", "gathers.sgy")))
        self.assertTrue(np.array_equal(self.stack("levels", "stack.sgy")[0], self.stack("plain", "stack.sgy")[0]))
        self.good("migrate", "job.yaml", "migration.levels=[4, 1]", "output.directory=stack")
        x4, of_all = self.stack("levels", "stack_x4.sgy")[0], self.stack("stack", "stack_x4.sgy")[0]
        self.assertLess(np.linalg.norm(x4 - of_all), 1e-5 * np.linalg.norm(of_all))
        self.assertFalse([name for name in self.entries(os.path.join("levels", "image_x4.zarr")) if name.startswith("gathers")])

    def test_gathers_of_an_adaptive_image(self):
        """Inside the mask the gathers of the whole image, outside nothing; kernel v3 by angle likewise."""
        angles = ["gathers.kind=angle", "gathers.edges_deg=[0, 20, 40, 180]", "execution.kernel=v3"]
        for keys in (self.OFFSETS, angles):
            self.good("migrate", "job.yaml", "migration.adaptive=on", "output.directory=adaptive", "--overwrite", *keys)
            self.good("migrate", "job.yaml", "output.directory=plain", "--overwrite", *keys[:2])
            part, whole = self.gathers("adaptive", "gathers.sgy"), self.gathers("plain", "gathers.sgy")
            mask = np.repeat(self.stack("adaptive", "mask.sgy")[0], 3, axis=0)
            self.assertTrue(self.report("adaptive", "report.json")["adaptive"]["mask_used"])
            self.assertTrue(0 < mask.mean() < 0.9)
            self.assertFalse(np.any(part[mask == 0]))
            self.assertLess(np.linalg.norm((part - whole)[mask == 1]), 1e-4 * np.linalg.norm(whole))
            self.assertGreater(np.linalg.norm(part), 0.9 * np.linalg.norm(whole))

    def test_explain_plans_every_pass(self):
        def plan(*keys):
            return json.loads(self.good("explain", "job.yaml", "--json", *keys).out)["plan"]
        one = plan()
        self.assertEqual([p["name"] for p in one["passes"]], ["image"])
        levels = plan("migration.levels=[4, 2, 1]")
        self.assertEqual([p["name"] for p in levels["passes"]], ["level x4", "level x2", "image"])
        self.good("migrate", "job.yaml", "migration.levels=[4, 2, 1]")
        report = self.report("out", "report.json")
        told = [level["contributions"] for level in report["levels"]] + [report["contributions"]]
        for planned, done in zip(levels["passes"], told):
            self.assertAlmostEqual(planned["contributions"] / done, 1, delta=0.15)
        self.assertAlmostEqual(levels["contributions"], sum(p["contributions"] for p in levels["passes"]), delta=1)
        zones = plan("migration.time_sampling.f_max_hz=[[0, 130], [0.3, 130], [0.32, 60]]")
        self.assertEqual(len(zones["passes"]), 2)
        self.assertLess(zones["contributions"], 0.9 * one["contributions"])
        adaptive = plan("migration.adaptive=on")
        self.assertEqual([(p["name"], p["is_upper_bound"]) for p in adaptive["passes"]], [("coarse", False), ("fine, at most", True)])
        self.assertGreater(adaptive["contributions"], one["contributions"])
        rounds = plan("migration.iterations=3")
        self.assertAlmostEqual(rounds["contributions"], 7 * one["contributions"], delta=1)
        self.assertIn("level x2", self.good("explain", "job.yaml", "migration.levels=[2, 1]").out)
        self.fails(1, "mask of samples", "explain", "job.yaml", "migration.adaptive=on", "execution.kernel=v1")

    def test_what_cannot_be_together_is_refused(self):
        for keys, words in ((["migration.levels=[4, 1]", "migration.time_sampling=auto"], "cannot be combined"),
                            (["migration.levels=[4, 2]"], "without 1"),
                            (["migration.iterations=2", *self.OFFSETS], "cannot be combined"),
                            (["migration.levels=[4, 1]", "migration.adaptive=on"], "cannot be combined"),
                            (["migration.time_sampling=auto", "migration.adaptive.energy=0.9"], "cannot be combined"),
                            (["migration.adaptive=on", "execution.kernel=v1"], "mask of samples"),
                            (["migration.time_sampling.f_max_hz=[[0.5, 60], [0.2, 40]]"], "times that grow")):
            self.fails(1, words, "migrate", "job.yaml", *keys)
        self.assertFalse(self.entries().count("out"))


if __name__ == "__main__":
    main()

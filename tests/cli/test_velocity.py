"""moho velocity: files of velocities into each other."""

import json
import math
import os
import unittest

from moho_command import BRIEF, CommandTest, main

PICKS = """# CDP-X CDP-Y Time(ms) Vrms
5000 7000 500 2000
5000 7000 1000 2319.4827
5000 7000 2000 2910.3265
5100 7000 300 1800
5100 7000 1500 2600
"""


class Convert(CommandTest):
    def convert(self, *arguments):
        return self.good("velocity", "convert", *arguments, "--json").json()

    def test_layers_by_dix_and_back(self):
        self.write("v.txt", PICKS)
        report = self.convert("v.txt", "int.txt", "--to", "interval")
        self.assertEqual([report["functions"], report["knots_read"], report["knots_written"]], [2, 5, 8])
        self.assertLess(report["difference_of_v_rms_mps"]["at_knots"], 1e-3)
        with open(self.path("int.txt"), encoding="utf-8") as file:
            rows = [list(map(float, line.split())) for line in file if not line.startswith("#")]
        for row, (time, velocity) in zip(rows, [(500, 2000), (500.0001, 2600), (1000, 2600), (1000.0001, 3400), (2000, 3400)]):
            self.assertAlmostEqual(row[2], time, 6)
            self.assertAlmostEqual(row[3], velocity, 2)
        self.convert("int.txt", "back.txt", "--from", "interval", "--to", "rms")
        with open(self.path("back.txt"), encoding="utf-8") as file:
            back = [list(map(float, line.split())) for line in file if not line.startswith("#")]
        given = [list(map(float, line.split())) for line in PICKS.splitlines() if not line.startswith("#")]
        self.assertEqual(len(back), len(given))
        for a, b in zip(back, given):
            for x, y in zip(a, b):
                self.assertAlmostEqual(x, y, 3)

    def test_cubes_and_back(self):
        self.write("v.txt", PICKS)
        for name in ["v.sgy", "v.zarr"]:
            report = self.convert("v.txt", name, "--time-step", "0.05")
            self.assertLess(report["difference_of_v_rms_mps"]["at_knots"], 1e-3)
            self.assertLess(self.convert(name, name + ".txt")["difference_of_v_rms_mps"]["between"], 1e-3)
        self.fails(1, ["one time axis", "--time-step"], "velocity", "convert", "v.txt", "v.sgy")

    def test_impossible_picks_are_named(self):
        self.write("v.txt", PICKS + "5100 7000 3000 1500\n")
        self.fails(1, ["v.txt:7", "negative", "1500 m/s at 3 s"], "velocity", "convert", "v.txt", "o.txt", "--to", "interval")
        self.assertEqual(self.entries(), ["v.txt"])

    def test_usage(self):
        self.write("v.txt", PICKS)
        self.fails(2, "moho velocity convert", "velocity")
        self.fails(2, ["unknown work", "convert"], "velocity", "convrt", "v.txt", "o.txt")
        self.fails(2, "--to", "velocity", "convert", "v.txt", "o.txt", "--to", "rsm")
        self.fails(2, "--grid", "velocity", "convert", "v.txt", "o.txt", "--on-grid")
        self.fails(2, "seconds above 0", "velocity", "convert", "v.txt", "o.sgy", "--time-step", "-1")
        self.fails(1, "did you mean segy", "velocity", "convert", "v.txt", "o.txt", "--format", "sgy")
        self.fails(1, "none.txt", "velocity", "convert", "none.txt", "o.txt")


# A line over v(z) = 1800 + 0.6 z: four flat reflectors and one that dips by 10 degrees.
LINE = ["extent_inline_m=0", "extent_crossline_m=1500", "midpoint_spacing_m=25", "offset_first_m=100", "offset_last_m=2000", "offset_step_m=100",
        "azimuths_deg=0", "dt_s=0.004", "n_samples=501", "v0_mps=1800", "gradient_per_s=0.6", "peak_hz=25", "noise=0.02", "diffractors=none",
        "reflectors=0:0:350,0:0:700,0:0:1050,0:750:1350:10:0,0:0:1700"]

LINE_JOB = """input: {traces: line.sgy}
velocity: {linear_z: {v0_mps: 1656, gradient_per_s: 0.6}}   # 0.92 of the true velocity at every time
grid: auto
migration: {aperture: {max_m: 1000, max_dip_deg: 40}, antialias: triangle}
gathers: {kind: offset, edges_m: {first: 50, last: 2050, step: 100}}
output: {directory: out, report: false, formats: [zarr], png: false}
"""


def true_rms(t, v0=1800.0, k=0.6):
    return v0 * math.sqrt(math.expm1(k * t) / (k * t))


class Scan(CommandTest):
    def signed_errors(self, name):
        """v/v_true - 1 of all knots from 0.2 to 1.6 s."""
        with open(self.path(name), encoding="utf-8") as file:
            rows = [list(map(float, line.split())) for line in file if not line.startswith("#")]
        return [row[-1] / true_rms(row[-2] / 1000) - 1 for row in rows if 200 <= row[-2] <= 1600]

    def errors(self, name):
        return [abs(error) for error in self.signed_errors(name)]

    def mean_error(self, name):
        return sum(self.signed_errors(name)) / len(self.signed_errors(name))

    @unittest.skipIf(BRIEF, "brief")
    def test_two_rounds_bring_8_per_cent_within_1(self):
        self.good("synth", *LINE, "--output", "line.sgy")
        self.write("job.yaml", LINE_JOB)
        self.good("migrate", "job.yaml")
        # What the gathers were migrated with is in the image.
        first = self.good("velocity", "scan", "out/image.zarr", "every_crossline=6", "--output", "v1.txt", "--pictures", "pictures", "--at",
                          "1:30,1:1", "--report", "report.json", "--json").json()
        self.good("migrate", "job.yaml", "velocity={type: rms, table: v1.txt}", "output.directory=out2")
        second = self.good("velocity", "scan", "out2/image.zarr", "every_crossline=6", "--output", "v2.txt", "--json").json()
        self.assertGreater(len(self.errors("v1.txt")), 500)
        self.assertLess(max(self.errors("v2.txt")), 0.01)
        self.assertGreater(first["factor"]["median"], 1.07)
        self.assertAlmostEqual(second["factor"]["median"], 1, 2)
        # The gathers are flat after a round: alike with the velocity that they were migrated with.
        self.assertLess(first["semblance"]["before"], 0.4)
        self.assertGreater(second["semblance"]["before"], 0.6)
        self.assertEqual(len([name for name in self.entries("pictures") if name.endswith(".png")]), 6)
        with open(self.path("report.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file), first)
        self.assertEqual(first["options"]["window_s"], {"value": 0.06, "unit": "s"})
        # A curved law bends as the data do in v(z): what the straight one made of that is gone.
        law = "migration.traveltime=curved_rms"
        self.good("migrate", "job.yaml", law, "velocity={type: rms, table: v1.txt}", "output.directory=out3")
        report = self.good("velocity", "scan", "out3/image.zarr", "every_crossline=6", "--output", "v3.txt", "--json").json()
        self.assertEqual(report["traveltime"], "curved_rms")
        self.assertLess(max(self.errors("v3.txt")), 0.006)
        self.assertLess(abs(self.mean_error("v3.txt")), 0.6 * abs(self.mean_error("v2.txt")))
        # Every format, and the same velocity in all.
        for name in ["v2.sgy", "v2.zarr", "v2.par"]:
            self.good("velocity", "scan", "out2/image.zarr", "every_crossline=6", "--output", name)
            self.good("velocity", "convert", name, "again.txt", "--grid", "out2/image.zarr")
            self.assertLess(max(self.errors("again.txt")), 0.01)
            self.assertEqual(len(self.errors("again.txt")), len(self.errors("v2.txt")))

    def test_threads_change_nothing(self):
        self.good("synth", *LINE, "extent_crossline_m=400", "n_samples=251", "--output", "line.sgy")
        self.write("job.yaml", LINE_JOB)
        self.good("migrate", "job.yaml")
        found = []
        for threads in [1, 3]:
            report = self.good("velocity", "scan", "out/image.zarr", "--output", "v.txt", "--json", OMP_NUM_THREADS=threads).out
            with open(self.path("v.txt"), encoding="utf-8") as file:
                found.append((report, file.read()))
        self.assertEqual(found[0], found[1])

    def test_usage(self):
        self.good("synth", *LINE, "extent_crossline_m=200", "n_samples=151", "--output", "line.sgy")
        self.write("job.yaml", LINE_JOB)
        self.good("migrate", "job.yaml")
        scan = ["velocity", "scan", "out/image.zarr"]
        self.fails(2, "--output v.txt", *scan)
        self.fails(2, "which image", "velocity", "scan", "--output", "v.txt")
        self.fails(2, ["windw_s", "did you mean window_s"], *scan, "windw_s=0.1", "--output", "v.txt")
        self.fails(2, "key=value", *scan, "window", "--output", "v.txt")
        self.fails(2, "--pictures", *scan, "--at", "1:2", "--output", "v.txt")
        self.fails(1, "velocity.type", *scan, "velocity.table=v1.txt", "--output", "v.txt")
        self.fails(1, "nothing.zarr", "velocity", "scan", "nothing.zarr", "--output", "v.txt")
        self.assertIn("least_semblance", self.good("velocity", "scan", "keys").out)
        self.good("migrate", "job.yaml", "gathers={}", "output.directory=stack")
        self.fails(1, ["has no gathers", "gathers: {kind: offset"], "velocity", "scan", "stack/image.zarr", "--output", "v.txt")
        self.good("migrate", "job.yaml", "gathers.inverse_nmo=true", "output.directory=nmo")
        self.fails(1, ["inverse NMO", "gathers.inverse_nmo=false"], "velocity", "scan", "nmo/image.zarr", "--output", "v.txt")
        self.assertFalse(os.path.exists(self.path("v.txt")))


if __name__ == "__main__":
    main()

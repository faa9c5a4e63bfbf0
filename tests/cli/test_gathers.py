"""Image gathers as they are written: Zarr as xarray reads it, SEG-Y as segyio reads it, pictures, what explain and info tell; bins and
their traces against a few lines of numpy."""

import json
import os
import re
import unittest

from moho_command import CommandTest, has_module, main

# 7 x 9 midpoints of 25 m, offsets 0, 100 ... 500 m in two azimuths: 756 traces.
SURVEY = ["--preset", "tiny", "extent_inline_m=150", "extent_crossline_m=200", "offset_first_m=0", "offset_last_m=500", "offset_step_m=100",
          "azimuths_deg=0,90", "n_samples=201", "diffractors=75:100:300:1", "noise=0", "response=diffractor"]
JOB = """input: {traces: survey.sgy}
velocity: {constant_mps: 2500}
grid: {corners: [[0, 0], [0, 200], [150, 200]], inline: {spacing_m: 25, first: 101}, crossline: {spacing_m: 25, first: 7}}
migration: {aperture: {max_m: 300, max_dip_deg: 45}, rho_filter: none}
gathers: {kind: offset, edges_m: [0, 100, 300, 500]}
output: {directory: out, report: false}
"""
TILES = ["gathers.kind=ovt", "gathers.edges_m=", "gathers.edges_inline_m=[-50, 50, 250, 550]", "gathers.edges_crossline_m=[-50, 150, 600]"]
NUMPY = has_module("numpy") and has_module("xarray") and has_module("zarr") and has_module("segyio")


class Gathers(CommandTest):
    def setUp(self):
        super().setUp()
        self.good("synth", *SURVEY, "--output", "survey.sgy")
        self.job(JOB)

    def report(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return json.load(file)

    def image(self, directory="out"):
        import xarray
        return xarray.open_zarr(self.path(directory, "image.zarr")).load()

    def traces(self):
        """Offset vectors of the input: along an inline (north) and across (east), metres."""
        import numpy
        import segyio
        with segyio.open(self.path("survey.sgy"), ignore_geometry=True) as file:
            at = lambda byte: file.attributes(byte)[:].astype(float)
            scalar = -1 / file.attributes(71)[:].astype(float)
            sx, sy, gx, gy = (at(byte) * numpy.where(scalar > 0, scalar, 1) for byte in (73, 77, 81, 85))
        return gy - sy, gx - sx

    def test_results_and_report(self):
        text = self.good("migrate", "job.yaml").out
        self.assertIn("used of 756", text)
        self.assertEqual(self.entries("out"), ["fold.png", "gathers.png", "gathers.sgy", "image.zarr", "report.json", "stack.png", "stack.sgy"])
        report = self.report("out", "report.json")
        self.assertEqual(sorted(report["outputs"]), self.entries("out"))
        self.assertEqual([bin["traces"] for bin in report["gathers"]["bins"]], [126, 252, 252])
        self.assertEqual(report["gathers"]["traces_outside_bins"], 126)  # those of 500 m: [lo, hi)
        self.assertEqual(report["traces"]["outside_bins"], 126)
        self.assertEqual(report["gathers"]["bytes"], 3 * 63 * 201 * 8)
        self.assertTrue(any("outside the bins" in warning for warning in report["warnings"]))

    @unittest.skipUnless(NUMPY, "numpy, xarray, zarr or segyio is not there")
    def test_xarray_reads_gathers_that_sum_to_the_stack(self):
        import numpy
        self.good("migrate", "job.yaml")
        image = self.image()
        self.assertEqual(image["gathers"].dims, ("inline", "crossline", "offset", "time"))
        self.assertEqual(image["gathers"].shape, (7, 9, 3, 201))
        self.assertEqual(image["gathers_fold"].dtype, numpy.int32)
        self.assertEqual(image["offset"].values.tolist(), [50, 200, 400])
        self.assertEqual((image["offset_low"].values.tolist(), image["offset_high"].values.tolist()), ([0, 100, 300], [100, 300, 500]))
        self.assertEqual(image["offset_mean"].values.tolist(), [0, (0.5 * (100**2 + 200**2))**0.5, (0.5 * (300**2 + 400**2))**0.5])
        numpy.testing.assert_array_equal(image["gathers_fold"].sum("offset"), image["fold"])
        scale = numpy.abs(image["stack"]).max()
        numpy.testing.assert_allclose(image["gathers"].sum("offset"), image["stack"], atol=1e-6 * float(scale))
        self.assertGreater(float(scale), 0)
        self.assertTrue((image["gathers_fold"].max(("inline", "crossline", "time")) > 0).all())
        # Chunks hold whole gathers.
        with open(self.path("out", "image.zarr", "gathers", ".zarray"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["chunks"][2:], [3, 201])

    @unittest.skipUnless(NUMPY, "numpy, xarray, zarr or segyio is not there")
    def test_bins_hold_the_traces_that_numpy_counts(self):
        import numpy
        along, across = self.traces()
        offset = numpy.hypot(along, across)
        edges = numpy.array([0, 150, 250, 251, 600.0])  # the third bin is empty
        explained = self.good("explain", "job.yaml", "gathers.edges_m=[0, 150, 250, 251, 600]", "--json").json()
        counts = [int(((offset >= a) & (offset < b)).sum()) for a, b in zip(edges, edges[1:])]
        self.assertEqual([bin["traces"] for bin in explained["gathers"]["bins"]], counts)
        self.assertEqual(counts[2], 0)
        signed = numpy.where(along < -1e-6, -offset, offset)
        explained = self.good("explain", "job.yaml", "gathers.signed=true", "gathers.edges_m=[-600, -100, 0, 100, 600]", "--json").json()
        self.assertEqual([bin["traces"] for bin in explained["gathers"]["bins"]],
                         [int(((signed >= a) & (signed < b)).sum()) for a, b in ((-600, -100), (-100, 0), (0, 100), (100, 600))])
        self.job(JOB.replace("{kind: offset, edges_m: [0, 100, 300, 500]}",
                             "{kind: ovt, edges_inline_m: [-50, 50, 250, 550], edges_crossline_m: [-50, 150, 600]}"))
        explained = self.good("explain", "job.yaml", "--json").json()
        tiles = [int(((along >= a) & (along < b) & (across >= c) & (across < d)).sum())
                 for a, b in ((-50, 50), (50, 250), (250, 550)) for c, d in ((-50, 150), (150, 600))]
        self.assertEqual([bin["traces"] for bin in explained["gathers"]["bins"]], tiles)
        self.good("migrate", "job.yaml")
        image = self.image()
        self.assertEqual(image["gathers"].dims[2], "tile")
        self.assertEqual(image["tile_inline"].values.tolist(), [0, 0, 150, 150, 400, 400])
        self.assertEqual(image["tile_crossline"].values.tolist(), [50, 375] * 3)
        numpy.testing.assert_array_equal(image["gathers_fold"].sum("tile"), image["fold"])
        reached = image["gathers_fold"].max(("inline", "crossline", "time")).values > 0
        self.assertEqual(reached.tolist(), [count > 0 for count in tiles])

    @unittest.skipUnless(NUMPY, "numpy, xarray, zarr or segyio is not there")
    def test_segyio_reads_them_sorted(self):
        import numpy
        import segyio
        self.good("migrate", "job.yaml")
        image = self.image()
        with segyio.open(self.path("out", "gathers.sgy"), iline=189, xline=193) as file:
            self.assertEqual(file.offsets.tolist(), [50, 200, 400])
            self.assertEqual(file.ilines.tolist(), list(range(101, 108)))
            self.assertEqual(file.xlines.tolist(), list(range(7, 16)))
            self.assertEqual(file.bin[segyio.BinField.Traces], 3)
            self.assertEqual(file.bin[segyio.BinField.SortingCode], 2)
            for offset in range(3):
                numpy.testing.assert_array_equal(file.gather[104, 11, :][offset], image["gathers"].values[3, 4, offset])
            numpy.testing.assert_array_equal(file.trace.raw[:].reshape(7, 9, 3, 201), image["gathers"].values)
            self.assertEqual(file.attributes(25)[:6].tolist(), [1, 2, 3, 1, 2, 3])
            text = segyio.tools.wrap(file.text[0])
        self.assertIn("IMAGE GATHERS BY OFFSET, 3 BINS", text)
        info = self.good("info", "out/gathers.sgy", "--json").json()  # source and receiver are the bin's middle apart
        self.assertEqual((info["offset_m"]["least"], info["offset_m"]["most"]) if "offset_m" in info else (50, 400), (50, 400))

    def test_view_and_info(self):
        self.good("migrate", "job.yaml")
        self.good("view", "out/image.zarr", "--inline", "104", "--crossline", "11", "--output", "gather.png")
        self.good("view", "out/image.zarr", "--inline", "104", "--crossline", "11", "--fold", "--output", "fold.png")
        for name in ["gather.png", "fold.png"]:
            with open(self.path(name), "rb") as file:
                self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")
        self.fails(2, "there is no crossline 99", "view", "out/image.zarr", "--inline", "104", "--crossline", "99", "--output", "no.png")
        self.assertIn("gathers    3 bins of offset from 0 to 500 m", self.good("info", "out/image.zarr").out)
        self.assertEqual(self.good("info", "out/image.zarr", "--json").json()["gathers"]["middles"], [50, 200, 400])
        words = self.good("explain", "job.yaml").out
        self.assertIn("by offset, 3 bins", words)
        self.assertIn("bin 2    [100, 300) m: 252 traces", words)
        self.job(JOB.replace("gathers: {kind: offset, edges_m: [0, 100, 300, 500]}\n", ""))
        self.good("migrate", "job.yaml", "output.directory=plain")
        self.fails(1, "holds no gathers", "view", "plain/image.zarr", "--inline", "104", "--crossline", "11", "--output", "no.png")
        self.assertNotIn("gathers", self.good("info", "plain/image.zarr").out)

    @unittest.skipUnless(NUMPY, "numpy, xarray, zarr or segyio is not there")
    def test_move_out_put_back_and_muted(self):
        import numpy
        self.good("migrate", "job.yaml")
        self.good("migrate", "job.yaml", "gathers.inverse_nmo=true", "output.directory=nmo")
        flat, bent = self.image(), self.image("nmo")
        numpy.testing.assert_array_equal(flat["stack"], bent["stack"])
        column = (3, 4)  # over the diffractor, at t0 = 0.24 s
        for bin, offset in enumerate([50, 200, 400]):
            before = int(numpy.abs(flat["gathers"].values[column][bin]).argmax()) * 0.002
            after = int(numpy.abs(bent["gathers"].values[column][bin]).argmax()) * 0.002
            self.assertLess(abs(after - (before**2 + (offset / 2500)**2)**0.5), 0.003)
            self.assertTrue((bent["gathers"].values[..., bin, :][..., flat["time"].values < offset / 2500 - 1e-6] == 0).all())
        self.good("migrate", "job.yaml", "gathers.inverse_nmo=true", "gathers.outer_mute=[0, 0.1, 400, 0.3]", "output.directory=muted")
        muted = self.image("muted")
        for bin, until in enumerate([0.125, 0.2, 0.3]):
            early = flat["time"].values < until - 1e-6
            late = flat["time"].values > until + 8 * 0.002
            self.assertTrue((muted["gathers"].values[..., bin, early] == 0).all() and (muted["gathers_fold"].values[..., bin, early] == 0).all())
            numpy.testing.assert_array_equal(muted["gathers"].values[..., bin, late], bent["gathers"].values[..., bin, late])

    def test_edges_in_steps(self):
        self.job(JOB.replace("[0, 100, 300, 500]", "{first: 0, last: 500, step: 125}"))
        explained = self.good("explain", "job.yaml", "--json").json()
        self.assertEqual([(bin["low"], bin["high"]) for bin in explained["gathers"]["bins"]], [(0, 125), (125, 250), (250, 375), (375, 500)])
        self.assertEqual(explained["job"]["gathers"]["edges_m"]["value"], [0, 125, 250, 375, 500])

    def test_jobs_of_the_docs(self):
        """Each job of docs/gathers.md can be explained as it stands there."""
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "docs", "gathers.md"), encoding="utf-8") as file:
            jobs = re.findall(r"```yaml\n(.*?)```", file.read(), re.DOTALL)
        self.assertEqual(len(jobs), 4)
        kinds = []
        for job in jobs:
            self.job(job)
            kinds.append(self.good("explain", "job.yaml", "--json").json()["gathers"]["kind"])
        self.assertEqual(kinds, ["offset", "ovt", "angle", "offset"])

    def test_the_example(self):
        example = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "gathers.yaml")
        explained = self.good("explain", example, "input.traces=survey.sgy", "output.directory=out", "--json").json()
        self.assertEqual((explained["gathers"]["kind"], explained["gathers"]["n_bins"]), ("ovt", 36))
        self.assertEqual(sum(bin["traces"] for bin in explained["gathers"]["bins"]), 756)

    def test_bad_keys(self):
        for override, words in [
            ("gathers.edges_m=[0, 300, 200]", "200 after 300"),
            ("gathers.edges_m=[0]", "1 edges"),
            ("gathers.edges_m=[-100, 0, 100]", "gathers.signed"),
            ("gathers.kind=none", "cannot be combined"),
            ("gathers.kind=ovt", "cannot be combined"),
            ("gathers.outer_mute=[0, 0.1, 300]", "pairs"),
            ("gathers.outer_mute=[300, 0.1, 200, 0.2]", "ascending offsets"),
            ("gathers.edges_inline_m=[0, 100]", "cannot be combined"),
        ]:
            with self.subTest(override):
                self.fails(1, words, "migrate", "job.yaml", override)
        for override, words in [
            ("gathers.edges_m=[0, far]", "gathers.edges_m"),
            ("gathers.edges_m={first: 0, last: 100, step: 30}", "whole number of steps"),
            ("gathers.edges_m={first: 0, step: 30}", "{first: 0, last: 3000, step: 100}"),
            ("gathers.edges_m=[[0, 100]]", "plain numbers"),
            ("gathers.edges_m=500", "[0, 500, 1000]"),
        ]:
            with self.subTest(override):
                self.fails(2, words, "migrate", "job.yaml", override)
        self.job(JOB.replace(", edges_m: [0, 100, 300, 500]", ""))
        self.fails(1, ["gathers.edges_m is missing"], "migrate", "job.yaml")

    def test_too_large_says_the_sizes(self):
        error = self.fails(1, ["even block by block", "every bin of the gathers", "are allowed"], "migrate", "job.yaml", "execution.memory_gb=0.002").err
        self.assertIn("fewer", error)


if __name__ == "__main__":
    main()

"""input.select takes exactly the traces that a line of numpy takes: the image of the selection is, bit for bit, the image of a file
that holds only those traces. Every trace is noise of its own, so that no other set of traces makes the same image."""

import os
import re

import numpy as np

import segy_numpy
from moho_command import CommandTest, main

JOB = """input: {traces: all.sgy}
velocity: {constant_mps: 2500}
grid: {corners: [[900, 900], [900, 1100], [1050, 1100]], inline: {spacing_m: 50}, crossline: {spacing_m: 50}, time: {step_s: 0.008}}
migration: {aperture: {max_m: 500, max_dip_deg: 45}, rho_filter: none}
output: {directory: out, report: false, formats: [segy], png: false}
execution: {device: "cpu?threads=1"}
"""
EDGE_M, EDGE_DEG = 1e-6, 1e-7  # what counts as on the edge, as docs/selection.md says


def survey():
    """Split spreads with negative offsets, azimuths in steps of 5 and 7.5 degrees and all multiples of 45, coincident positions."""
    rng = np.random.default_rng(7)
    azimuths = np.concatenate([np.arange(0, 360, 7.5), np.arange(0, 360, 45), [359.999, 0.001, 179.999, 180.001]])
    lengths = np.concatenate([np.arange(0, 700, 50), [100, 500]])
    azimuth, length = (a.ravel() for a in np.meshgrid(azimuths, lengths))
    order = rng.permutation(len(azimuth))
    azimuth, length = np.radians(azimuth[order]), length[order]
    n = len(azimuth)
    mx, my = 900 + rng.integers(0, 150, n), 900 + rng.integers(0, 200, n)
    dx, dy = length * np.sin(azimuth), length * np.cos(azimuth)
    h = segy_numpy.headers(n, scalco=-100, fldr=rng.integers(-3, 400, n), cdp=rng.integers(1, 900, n), ep=rng.integers(0, 9, n),
                           sx=np.rint(100 * (mx - dx / 2)), sy=np.rint(100 * (my - dy / 2)), gx=np.rint(100 * (mx + dx / 2)),
                           gy=np.rint(100 * (my + dy / 2)), iline=rng.integers(1, 40, n), xline=rng.integers(1, 40, n))
    h["offset"] = np.rint(length * np.where(np.sin(azimuth) < 0, -1, 1))
    return h, rng.standard_normal((n, 101)).astype(np.float32)


class Selection(CommandTest):
    def setUp(self):
        super().setUp()
        self.head, self.samples = survey()
        h = self.head
        self.n = len(h)
        segy_numpy.write(self.path("all.sgy"), h, self.samples)
        self.job(JOB)
        sx, sy, gx, gy = (h[k].astype(float) / 100 for k in ["sx", "sy", "gx", "gy"])
        self.dx, self.dy = gx - sx, gy - sy
        self.offset = np.hypot(self.dx, self.dy)
        self.azimuth = np.degrees(np.arctan2(self.dx, self.dy)) % 360
        self.azimuth[self.offset == 0] = np.nan
        self.mx = (sx + gx) / 2
        self.field = {k: h[k].astype(np.int64) for k in h.dtype.names}

    def image(self, *arguments):
        report = self.good("migrate", "job.yaml", *arguments, "--overwrite", "--json").json()
        return report, segy_numpy.read(self.path("out", "stack.sgy"))[1]

    def takes(self, taken, *select):
        """The selection is that of the file of these traces alone."""
        self.assertTrue(0 < taken.sum() < self.n, f"{select} takes {taken.sum()} of {self.n}: a test of nothing")
        segy_numpy.write(self.path("some.sgy"), self.head[taken], self.samples[taken])
        report, image = self.image(*select)
        _, expected = self.image("input.traces=some.sgy")
        self.assertEqual(report["input"]["selection"]["selected"], taken.sum(), select)
        self.assertEqual(report["input"]["selection"]["total"], self.n)
        self.assertEqual(report["traces"]["total"], taken.sum())
        self.assertTrue(np.abs(expected).max() > 0)
        self.assertEqual(image.tobytes(), expected.tobytes(), select)
        return report["input"]["selection"]

    def test_offsets(self):
        for low, high in [(0, 100), (100, 100), (99.999, 350.5), (500, 700)]:
            self.takes((self.offset >= low - EDGE_M) & (self.offset <= high + EDGE_M), f"input.select.offset_m=[{low}, {high}]")

    def sectors(self, sectors, turn):
        a = self.azimuth % turn
        taken = np.zeros(self.n, bool)
        for low, high in sectors:
            width = (high - low) % turn if high != low + turn else turn
            beyond = (a - low + EDGE_DEG) % turn
            taken |= beyond <= width + 2 * EDGE_DEG
        return taken

    def test_azimuths(self):
        for sectors in [[[80, 100]], [[45, 45]], [[350, 10]], [[0, 0]], [[315, 45], [90, 135]], [[359.5, 360]], [[180, 270]], [[0, 360]]]:
            self.takes(self.sectors(sectors, 360), f"input.select.azimuth_deg={sectors}")

    def test_azimuths_folded(self):
        for sectors in [[[80, 100]], [[170, 10]], [[0, 0]], [[180, 180]], [[45, 90], [135, 140]]]:
            self.takes(self.sectors(sectors, 180), f"input.select.azimuth_deg={sectors}", "input.select.azimuth_folded=true")

    def tile(self, azimuth_deg, along, across, folded, flip=False):
        a = np.radians(azimuth_deg)
        u = self.dx * np.sin(a) + self.dy * np.cos(a)
        w = (self.dx * np.cos(a) - self.dy * np.sin(a)) * (-1 if flip else 1)

        def within(s):
            return ((s * u >= along[0] - EDGE_M) & (s * u <= along[1] + EDGE_M) & (s * w >= across[0] - EDGE_M)
                    & (s * w <= across[1] + EDGE_M))

        return within(1) | within(-1) if folded else within(1)

    def test_offset_vector_tiles(self):
        for along, across, folded in [((0, 200), (-100, 100), False), ((-350, -100), (50, 400), False), ((0, 200), (50, 400), True)]:
            tile = [f"input.select.ovt.inline_m=[{along[0]}, {along[1]}]", f"input.select.ovt.crossline_m=[{across[0]}, {across[1]}]",
                    f"input.select.ovt.folded={str(folded).lower()}"]
            self.takes(self.tile(0, along, across, folded), *tile)  # the grid's inlines run north
            self.takes(self.tile(30, along, across, folded), *tile, "input.select.ovt.inline_azimuth_deg=30")

    def test_a_tile_follows_a_turned_and_flipped_grid(self):
        self.job(JOB.replace("corners: [[900, 900], [900, 1100], [1050, 1100]], inline: {spacing_m: 50}, crossline: {spacing_m: 50}",
                             "origin_m: [1000, 900], inline_azimuth_deg: 40, flip: true, inline: {n: 4, spacing_m: 50}, "
                             "crossline: {n: 5, spacing_m: 50}"))
        self.takes(self.tile(40, (0, 300), (-200, -20), False, flip=True), "input.select.ovt={inline_m: [0, 300], crossline_m: [-200, -20]}")

    def test_conditions(self):
        f, h = self.field, self.head
        cases = [
            ("offset > 200 and cdp % 2 == 0", (f["offset"] > 200) & (f["cdp"] % 2 == 0)),
            ("offset < 0", f["offset"] < 0),
            ("abs(offset) <= 300 and not (ep == 3 or fldr % 7 == 1)",
             (abs(f["offset"]) <= 300) & ~((f["ep"] == 3) | (f["fldr"] % 7 == 1))),
            ("fldr in [10..99, 150, 300..320]",
             ((f["fldr"] >= 10) & (f["fldr"] <= 99)) | (f["fldr"] == 150) | ((f["fldr"] >= 300) & (f["fldr"] <= 320))),
            ("fldr not in 0..200", (f["fldr"] < 0) | (f["fldr"] > 200)),
            ("10 <= iline < 20 && xline != 5", (f["iline"] >= 10) & (f["iline"] < 20) & (f["xline"] != 5)),
            ("inline * 1000 + crossline > cdp * 20", f["iline"] * 1000 + f["xline"] > f["cdp"] * 20),
            ("source_x > 95000", f["sx"] > 95000),
            ("source_x_m > 950", f["sx"] / 100 > 950),
            ("SX + GX >= 2 * 97500", f["sx"] + f["gx"] >= 195000),
            ("midpoint_x_m > 1000.25 or offset_m < 100", (self.mx > 1000.25) | (self.offset < 100)),
            ("ep != 0 and cdp / ep > 100.5", (f["ep"] != 0) & (f["cdp"] > 100.5 * f["ep"])),
            ("fldr % -5 == -1", f["fldr"] % -5 == -1),
            ("(cdp - 450) / 4 * 4 == cdp - 450 and -fldr < -20", -f["fldr"] < -20),
            ("trace in 11..200 or tracl == 400", ((h["tracl"] >= 11) & (h["tracl"] <= 200)) | (h["tracl"] == 400)),
        ]
        for text, taken in cases:
            self.takes(np.asarray(taken), f"input.select.where={text}")

    def test_all_must_hold(self):
        near, north, even = self.offset <= 300 + EDGE_M, self.sectors([[300, 60]], 360), self.field["cdp"] % 2 == 0
        tile = self.tile(0, (-200, 400), (-1e6, 1e6), False)
        counts = self.takes(near & north & even & tile, "input.select={offset_m: [0, 300], azimuth_deg: [[300, 60]], "
                            "ovt: {inline_m: [-200, 400]}, where: cdp % 2 == 0}")
        self.assertEqual(counts, {"total": self.n, "selected": (near & north & even & tile).sum(), "offset_m": near.sum(),
                                  "azimuth_deg": north.sum(), "ovt": tile.sum(), "where": even.sum()})

    def test_headers_from_other_bytes(self):
        """A condition reads headers where the job says they are: cdp in the bytes of the field record."""
        self.takes(self.field["fldr"] > 150, "input.headers={cdp: 9}", "input.select.where=cdp > 150")

    def test_zarr(self):
        """From a Zarr file the same traces are taken, by what it keeps."""
        self.good("synth", "--preset", "tiny", "offset_last_m=600", "--output", "all.zarr")
        self.good("synth", "--preset", "tiny", "offset_last_m=600", "--output", "same.sgy")
        select = "input.select={offset_m: [300, 500], where: cdp % 3 == 1 and source_x_m < receiver_x_m}"
        plain = ["grid={corners: [[0, 0], [0, 500], [500, 500]], inline: {spacing_m: 100}, crossline: {spacing_m: 100}}"]
        one, a = self.image("input.traces=all.zarr", select, *plain)
        two, b = self.image("input.traces=same.sgy", select, *plain)
        self.assertEqual(one["input"]["selection"], two["input"]["selection"])
        self.assertLess(one["input"]["selection"]["selected"], one["input"]["selection"]["total"] / 2)
        self.assertTrue(np.abs(a).max() > 0)
        self.assertEqual(a.tobytes(), b.tobytes())
        self.fails(1, "keeps no trace header fldr", "explain", "job.yaml", "input.traces=all.zarr", "input.select.where=fldr > 3")

    def test_a_grid_is_estimated_from_what_is_selected(self):
        self.good("synth", "--preset", "tiny", "--output", "same.sgy")
        job = ["input.traces=same.sgy", "grid=auto", "input.select.where=inline in 5..9 and crossline > 10"]
        grid = self.good("explain", "job.yaml", *job, "--json").json()["grid"]
        self.assertEqual((grid["inline"]["n"], grid["inline"]["first"], grid["crossline"]["n"], grid["crossline"]["first"]), (5, 5, 11, 11))

    def test_names_of_the_docs(self):
        """Every name in the tables of docs/selection.md is known."""
        docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "selection.md")
        with open(docs, encoding="utf-8") as file:
            rows = [line for line in file.read().split("Names are those")[1].splitlines() if line.startswith("| `")]
        names = re.findall(r"`(\w+)`", " ".join(row.rsplit("|", 2)[0] if "_m`" in row else row for row in rows))
        keys = re.findall(r"\((\w+)\)", " ".join(rows))
        self.assertGreater(len(names) + len(keys), 90)
        job = ["explain", "job.yaml", "input.headers={azimuth: 225, time_scalar: 215}"]
        for first in range(0, len(names + keys), 25):
            each = [f"{name} == {name}" for name in (names + keys)[first:first + 25]]
            self.good(*job, "input.select.where=trace > 1 and (" + " or ".join(each) + ")")

    def test_told(self):
        select = ["input.select.offset_m=[0, 300]", "input.select.where=cdp % 2 == 0"]
        near, even = self.offset <= 300 + EDGE_M, self.field["cdp"] % 2 == 0
        words = f"offset_m holds for {near.sum()}, where holds for {even.sum()}; together {(near & even).sum()} of the file's {self.n} traces"
        self.assertIn(words, self.good("explain", "job.yaml", *select).out)
        result = self.good("migrate", "job.yaml", *select, "--progress", "json")
        self.assertIn(f"selected {(near & even).sum()} of the file's {self.n} traces: offset_m holds for {near.sum()}", result.out)
        self.assertIn(f'"select where", "unit": "traces", "done": {even.sum()}', result.err)
        self.assertIn(f'"selected", "unit": "traces", "done": {(near & even).sum()}, "total": {self.n}', result.err)

    def test_info_of_a_selection(self):
        taken = (self.field["cdp"] < 100) & (self.offset > 300)
        info = self.good("info", "all.sgy", "--where", "cdp < 100 and offset_m > 300", "--json").json()
        self.assertEqual((info["n_traces"], info["n_traces_in_file"]), (taken.sum(), self.n))
        self.assertAlmostEqual(info["geometry"]["offset_m"][0], self.offset[taken].min(), 6)
        self.assertEqual(info["geometry"]["cdp"], [self.field["cdp"][taken].min(), self.field["cdp"][taken].max()])
        self.assertIn(f"chosen of the file's {self.n}", self.good("info", "all.sgy", "--where", "cdp < 100").out)
        self.fails(1, "did you mean cdp", "info", "all.sgy", "--where", "cdpp < 100")

    def test_bad_samples_are_named_by_their_place_in_the_file(self):
        self.samples[400, 7] = np.nan
        segy_numpy.write(self.path("all.sgy"), self.head, self.samples)
        self.fails(1, "trace 401, sample 8 is NaN", "migrate", "job.yaml", "input.select.where=trace > 390")
        self.good("migrate", "job.yaml", "input.select.where=trace != 401")

    def test_mistakes(self):
        for code, words, *select in [
            (1, ["column 13", 'unknown trace header "ofset"', "did you mean offset?"], "where=cdp > 2 and ofset > 3"),
            (1, ["column 8", "equality is written =="], "where=offset = 3"),
            (1, ["no trace is selected", "offset_m takes 0", "offsets are 0 to 650"], "offset_m=[2000, 3000]"),
            (1, ["begins at -300 m, expected 0 or more", "offset < 0"], "offset_m=[-300, 300]"),
            (2, ["[300, 100], which holds nothing"], "offset_m=[300, 100]"),
            (2, ["expected a range [least, most]"], "offset_m=300"),
            (2, ["expected a number in m", "a large one"], "offset_m=[300, .inf]"),
            (1, ["header azimuth has no place in this file", "input.headers"], "where=azimuth > 3"),
            (2, ["write 3000"], "offset_m=[0, 3 km]"),
            (1, ["holds -10, expected 0 to 360", "-10 is 350"], "azimuth_deg=[[-10, 10]]"),
            (1, ["expected 0 to 180", "190 is 10"], "azimuth_deg=[[190, 200]]", "azimuth_folded=true"),
            (1, ["input.select.azimuth_deg is missing"], "azimuth_folded=true"),
            (1, ["ovt.inline_m is missing"], "ovt.folded=true"),
            (1, ["trace ", "column 5: % divides by zero", "guard it"], "where=cdp % ep == 1"),
            (1, ["the result may be larger than a whole number of 64 bits"], "where=cdp * cdp * cdp > 3"),
            (2, ["unknown key", "azimuth_deg"], "azimut_deg=[[1, 2]]"),
        ]:
            with self.subTest(select):
                result = self.fails(code, words, "explain", "job.yaml", *["input.select." + s for s in select])
                self.assertIn("hint:", result.err)
        self.fails(1, ["inline_azimuth_deg is missing", "grid is automatic"], "explain", "job.yaml", "grid=auto",
                   "input.select.ovt.inline_m=[0, 100]")

    def test_a_mistake_in_the_file_has_its_line(self):
        self.job(JOB.replace("{traces: all.sgy}", "\n  traces: all.sgy\n  select:\n    where: offset > 3 andd cdp > 2"))
        self.fails(1, ["job.yaml", "line 4", "column 12", "did you mean and?"], "explain", "job.yaml")


if __name__ == "__main__":
    main()

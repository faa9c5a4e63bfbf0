"""Land: elevations and statics from headers. A flat reflector under an undulating surface images flat once its traces are shifted to a
datum; what is left unapplied is warned of; wrong input is refused. The data are made here, with numpy, from exact times."""

import numpy as np

import segy_numpy
from moho_command import CommandTest, main

V, DEPTH, DATUM = 2000.0, 900.0, 100.0  # m/s; of the reflector below the datum; the datum's elevation
JOB = """input: {traces: land.sgy}
velocity: {constant_mps: 2000}
grid: {corners: [[400, 0], [1600, 0]], crossline: {spacing_m: 20}, time: {step_s: 0.002, n: 651}}
migration: {aperture: {max_m: 500, max_dip_deg: 40}, antialias: triangle}
output: {directory: out, report: false, formats: [segy], png: false}
"""


def surface(x):
    """Elevation of the ground, 60 m of relief over a kilometre."""
    return DATUM + 70 + 30 * np.sin(2 * np.pi * x / 500)


def line(scale=1.0):
    """A 2D line of split spreads; the source is 6 m deep. Velocity is V everywhere, so that the exact way is straight."""
    shots, offsets = np.arange(0, 2001, 20.0), np.arange(-300, 301, 40.0)
    sx, offset = (a.ravel() for a in np.meshgrid(shots, offsets, indexing="ij"))
    gx = sx + offset
    source, receiver = np.rint(10 * surface(sx)) / 10, np.rint(10 * surface(gx)) / 10
    below = (source - 6 - DATUM) + DEPTH + (receiver - DATUM) + DEPTH  # down and up again, by the mirror image of the source
    time = np.hypot(offset, below) / V
    t = np.arange(0, 751) * 0.002
    a = (np.pi * 25 * (t[None, :] - time[:, None])) ** 2
    samples = (1 - 2 * a) * np.exp(-a)
    head = segy_numpy.headers(len(sx), sx=sx * 10, gx=gx * 10, sy=0, gy=0, scalco=-10, offset=offset, cdp=np.rint((sx + gx) / 20) + 1,
                              fldr=np.rint(sx / 20) + 1, selev=np.rint(source * 10 * scale), gelev=np.rint(receiver * 10 * scale),
                              sdepth=60 * scale, scalel=-10)
    return head, samples.astype(np.float32)


class Land(CommandTest):
    def setUp(self):
        super().setUp()
        self.head, self.samples = line()
        self.save()
        self.job(JOB)

    def save(self, **changes):
        head = self.head.copy()
        for name, value in changes.items():
            head[name] = value
        segy_numpy.write(self.path("land.sgy"), head, self.samples, dt_us=2000)

    SURFACE = "input.statics={elevation: surface, datum_m: 100, replacement_mps: 2000}"

    def peaks(self, *arguments):
        """Two-way time of the image's peak in every column, by a parabola through three samples."""
        report = self.good("migrate", "job.yaml", *arguments, "--overwrite", "--json").json()
        stack = segy_numpy.read(self.path("out", "stack.sgy"))[1].astype(float)
        top = 250 + np.argmax(stack[:, 250:], axis=1)
        rows = np.arange(len(stack))
        a, b, c = stack[rows, top - 1], stack[rows, top], stack[rows, top + 1]
        return report, 0.002 * (top + 0.5 * (a - c) / (a - 2 * b + c)), b

    def test_a_flat_reflector_under_an_undulating_surface_is_flat(self):
        expected = 2 * DEPTH / V
        _, rough, low = self.peaks()
        self.assertGreater(rough.max() - rough.min(), 0.020, "without statics the reflector must undulate: else this is no test")
        report, flat, high = self.peaks(self.SURFACE)
        inside = slice(5, -5)
        self.assertLess(np.abs(flat[inside] - expected).max(), 0.001)  # half a sample
        self.assertGreater(np.median(high), 1.1 * np.median(low))
        shifts = {s["name"]: s for s in report["input"]["statics"]["shifts"]}
        self.assertEqual(sorted(shifts), ["receiver elevation", "source elevation"])
        for name, key, depth in [("source elevation", "selev", 6), ("receiver elevation", "gelev", 0)]:
            exact = -(self.head[key] / 10 - depth - 100) / 2000
            for which, value in [("least_s", exact.min()), ("most_s", exact.max()), ("median_s", np.sort(exact)[(len(exact) - 1) // 2])]:
                self.assertAlmostEqual(shifts[name][which], value, 12)

    def test_the_image_tells_what_was_done_to_the_traces(self):
        self.peaks(self.SURFACE, "input.select.offset_m=[0, 200]", "migration.traveltime=vti", "eta={type: effective, constant: 0}")
        with open(self.path("out", "stack.sgy"), "rb") as file:
            text = file.read(3200).decode("cp037")
        self.assertIn(f"SELECTED {(abs(self.head['offset']) <= 200).sum()} OF {len(self.head)} TRACES BY OFFSET", text)
        self.assertRegex(text, r"TRACES SHIFTED TO DATUM BY -\d\d\.\d{3} TO -\d\d\.\d{3} MS")
        self.assertIn("TRAVEL TIME vti ", text)

    def test_the_same_by_statics_of_the_headers(self):
        """Whole milliseconds in the headers: within their rounding."""
        source, receiver = self.head["selev"] / 10 - 6 - 100, self.head["gelev"] / 10 - 100
        self.save(sstat=np.rint(-source / 2), gstat=np.rint(-receiver / 2))
        _, flat, _ = self.peaks("input.statics.header=source_receiver")
        self.assertLess(np.abs(flat[5:-5] - 0.9).max(), 0.0015)
        self.save(tstat=np.rint(-source / 2) + np.rint(-receiver / 2))
        _, again, _ = self.peaks("input.statics.header=total")
        np.testing.assert_array_equal(again, flat)

    def test_tenths_of_milliseconds_by_the_time_scalar(self):
        shift = -(self.head["selev"] / 10 - 6 - 100) / 2 - (self.head["gelev"] / 10 - 100) / 2
        self.save(tstat=np.rint(shift * 10), timescal=-10)
        _, flat, _ = self.peaks("input.statics.header=total")
        self.assertLess(np.abs(flat[5:-5] - 0.9).max(), 0.001)

    def test_feet(self):
        """Lengths of the file in feet; the datum of the job stays in metres."""
        _, metres, _ = self.peaks(self.SURFACE)
        head = self.head.copy()
        for key in ["selev", "gelev", "sdepth", "sx", "gx"]:
            head[key] = np.rint(head[key] / 0.3048)
        segy_numpy.write(self.path("land.sgy"), head, self.samples, dt_us=2000, feet=True)
        _, feet, _ = self.peaks(self.SURFACE)
        self.assertLess(np.abs(feet - metres).max(), 1e-4)

    def test_floating_datum_and_final_datum_follow_one_another(self):
        """Surface to final datum at once, or data at a floating datum on to the final one: the same shifts."""
        floating = np.rint(10 * (DATUM + 70 + 10 * np.sin(2 * np.pi * (self.head["sx"] + self.head["gx"]) / 40000)))
        self.save(sdel=floating, gdel=floating)
        _, flat, _ = self.peaks(self.SURFACE)
        one = self.good("explain", "job.yaml", "input.statics={elevation: surface, datum_m: header, replacement_mps: 2000}", "--json").json()
        # as another program would leave them: the shift to the floating datum in the delay, elevations those of the datum
        shift = -(self.head["selev"] - 60 - floating) / 10 / 2000 - (self.head["gelev"] - floating) / 10 / 2000
        self.save(sdel=floating, gdel=floating, delrt=np.rint(shift * 10000), timescal=-10)
        _, again, _ = self.peaks("input.statics={elevation: floating_datum, datum_m: 100, replacement_mps: 2000}")
        self.assertLess(np.abs(again - flat)[5:-5].max(), 2e-4)
        self.assertAlmostEqual(one["input"]["statics"]["sum"]["least_s"], shift.min(), 12)
        self.assertAlmostEqual(one["input"]["statics"]["sum"]["most_s"], shift.max(), 12)

    def test_lags(self):
        _, before, _ = self.peaks(self.SURFACE)
        self.save(laga=20, lagb=-6)
        _, after, _ = self.peaks("input.statics={elevation: surface, datum_m: 100, replacement_mps: 2000, lag: apply}")
        self.assertLess(np.abs(after - (before - 0.014))[5:-5].max(), 3e-4)

    def test_without_statics_it_is_said_what_was_not_done(self):
        elevations = "elevations differ (sources 140.1 to 199.9 m, receivers 140.1 to 199.9 m), at 2000 m/s by 59.8 ms"
        self.assertIn(elevations, self.good("explain", "job.yaml").out)
        self.assertIn("warning: " + elevations, self.good("migrate", "job.yaml").out)
        self.assertNotIn("elevations differ", self.good("explain", "job.yaml", "input.statics.elevation=none").out)
        self.save(sstat=-30, gstat=np.arange(len(self.head)) % 9)
        self.assertIn("statics that are not applied (sources -30 to -30 ms, receivers 0 to 8 ms",
                      self.good("explain", "job.yaml").out)
        self.save(sstat=-30, gstat=-9, tstat=-39)  # the headers say that it has been done
        self.assertNotIn("not applied", self.good("explain", "job.yaml").out)
        self.save(laga=12)
        self.assertIn("lag times that are not applied (A 12 to 12 ms", self.good("explain", "job.yaml").out)
        self.save(selev=0, gelev=0, sdepth=0)
        self.assertNotIn("elevations", self.good("explain", "job.yaml").out)

    def test_what_vertical_shifts_do_not_do_is_said(self):
        out = self.good("explain", "job.yaml", self.SURFACE).out
        self.assertIn("source elevation   -46.950 .. -17.050 ms", out)
        self.assertIn("not at the topography", out)
        self.assertRegex(out, r"here up to 13\.0 ms")  # (46.95 + 49.95) (1 - cos 30)
        self.assertNotIn("not at the topography", self.good("explain", "job.yaml", "input.statics.shift_s=0.05").out)

    def test_info_shows_what_the_headers_hold(self):
        self.save(sstat=-30, tstat=np.where(self.head["fldr"] > 50, -41, 0), swevel=1800)
        out = self.good("info", "land.sgy").out
        for words in ["source_elevation       140.1 .. 199.9 m", "source_depth           6 .. 6 m", "source_static          -30 .. -30 ms",
                      "subweathering_velocity 1800 .. 1800 m/s"]:
            self.assertIn(words, out)
        self.assertRegex(out, r"total_static +-41 \.\. 0 ms   not zero in \d+ traces")
        self.assertNotIn("uphole", out)
        land = self.good("info", "land.sgy", "--json").json()["land"]
        self.assertEqual((land["source_static_s"], land["receiver_elevation_m"]), ([-0.03, -0.03], [140.1, 199.9]))

    def test_mistakes(self):
        for code, words, *statics in [
            (1, ["needs input.statics.datum_m", "datum_m: 0"], "elevation=surface"),
            (1, ["needs input.statics.replacement_mps"], "elevation=surface", "datum_m=100"),
            (1, ["is no way"], "elevation=floating_datum", "datum_m=header", "replacement_mps=2000"),
            (1, ["belongs to elevation: surface"], "elevation=floating_datum", "datum_m=0", "replacement_mps=2000", "source_depth=uphole"),
            (1, ["no elevation is corrected"], "datum_m=100"),
            (1, ["no elevation is corrected"], "replacement_mps=2000"),
            (2, ["expected none, surface or floating_datum", 'mean "surface"'], "elevation=surfac"),
            (2, ["expected none, source_receiver, total or undo_total"], "header=yes"),
            (2, ["expected 100 to 9000"], "elevation=surface", "replacement_mps=2"),
            (2, ["write 2000"], "replacement_mps=2 km/s"),
            (2, ["unknown key", "input.statics"], "datum=100"),
            (1, ["trace 1: no replacement velocity in its header"], "elevation=surface", "datum_m=100", "replacement_mps=header"),
        ]:
            with self.subTest(statics):
                result = self.fails(code, words, "explain", "job.yaml", *["input.statics." + s for s in statics])
                self.assertIn("hint:", result.err)
        self.save(selev=0, gelev=0)
        self.fails(1, ["zero in all traces", "source_elevation: 45"], "explain", "job.yaml", self.SURFACE)
        self.good("synth", "--preset", "tiny", "--output", "land.zarr")
        zarr = ["grid=auto", "input.traces=land.zarr"]
        self.fails(1, ["Zarr file", "keeps no elevations"], "explain", "job.yaml", self.SURFACE, *zarr)
        self.good("explain", "job.yaml", "input.statics.shift_s=-0.01", *zarr)


if __name__ == "__main__":
    main()

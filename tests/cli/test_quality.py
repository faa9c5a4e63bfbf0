"""What moho info says of the quality of data: counts against numpy's own, every warning provoked, and none on data that are in order."""

import base64
import csv
import html.parser
import json
import math
import os
import re
import zlib

import numpy as np

import segy_numpy
from moho_command import JOB, CommandTest, main

NI, NX, SPACING = 16, 48, 12.5  # inlines, crosslines; midpoints lie that far apart, in metres
OFFSETS = np.array([100.0, 300.0, 500.0])
DT, NS = 0.004, 250
AXES = ["--mean-mps", "3000", "--dip-deg", "30", "--aperture-m", "800"]  # with which the clean survey is in order


GRID_JOB = """input: {traces: survey.sgy}
velocity: {constant_mps: 2500}
grid: {origin_m: [500000, 6000000], inline_azimuth_deg: 90, inline: {n: 16, spacing_m: 12.5},
       crossline: {n: %d, spacing_m: 12.5}, time: {step_s: 0.02, n: 10}}
migration: {aperture: {max_m: 30}}
output: {directory: out, formats: [zarr], png: false, report: false}
"""


def geometry(offsets=OFFSETS, azimuths=(90.0, 30.0)):
    """Centimetres of sources and receivers, and the bin of each trace: offsets in turn, azimuths alternate with the inline."""
    i, j, k = (a.ravel() for a in np.meshgrid(np.arange(NI), np.arange(NX), np.arange(len(offsets)), indexing="ij"))
    azimuth = np.deg2rad(np.asarray(azimuths)[i % len(azimuths)])
    dx, dy = offsets[k] / 2 * np.sin(azimuth), offsets[k] / 2 * np.cos(azimuth)
    x, y = 500000 + j * SPACING, 6000000 - i * SPACING
    source, receiver = np.rint(100 * np.array([x - dx, y - dy])), np.rint(100 * np.array([x + dx, y + dy]))
    return source, receiver, i, j, offsets[k]


def traces(source, receiver, i, j, offset):
    time = np.hypot(0.4, offset / 2500)
    t = DT * np.arange(NS)
    a = (np.pi * 30 * (t[None, :] - time[:, None])) ** 2
    samples = (1 - 2 * a) * np.exp(-a) + 1e-4 * np.random.default_rng(3).standard_normal((len(time), NS))
    head = segy_numpy.headers(len(time), scalco=-100, sx=source[0], sy=source[1], gx=receiver[0], gy=receiver[1],
                              offset=np.rint(offset), iline=i + 1, xline=j + 1, cdp=i * NX + j + 1, fldr=i + 1)
    return head, samples.astype(np.float32)


class Quality(CommandTest):
    def setUp(self):
        super().setUp()
        self.where = geometry()
        self.head, self.samples = traces(*self.where)

    def save(self, keep=slice(None), name="survey.sgy", **write):
        segy_numpy.write(self.path(name), self.head[keep], self.samples[keep], dt_us=4000, **write)

    def quality(self, *arguments, name="survey.sgy"):
        return self.good("info", name, "--json", "--samples", "all", *(arguments or AXES)).json()["quality"]

    def names(self, quality):
        return [finding["name"] for finding in quality["findings"]]

    def finding(self, name, *arguments):
        """The only warning there is."""
        quality = self.quality(*arguments)
        self.assertEqual(self.names(quality), [name], quality["findings"])
        found = quality["findings"][0]
        self.assertGreater(len(found["text"]), 20)
        self.assertGreater(len(found["advice"]), 20)
        return quality, found


class Survey(Quality):
    def test_data_in_order_raise_no_warning(self):
        self.save()
        quality = self.quality()
        self.assertEqual(quality["findings"], [])
        self.assertEqual(quality["n_live"], len(self.head))
        self.assertEqual(quality["samples"]["traces_read"], len(self.head))
        self.assertIn("Warnings: none", self.good("info", "survey.sgy", *AXES).out)

    def test_counts_are_those_of_numpy(self):
        keep = np.random.default_rng(5).random(len(self.head)) < 0.8
        self.save(keep)
        quality = self.quality(*AXES, "--pictures", "maps")
        source, receiver, i, j, _ = (a[..., keep] for a in self.where)
        fold = np.zeros((NI, NX), int)
        np.add.at(fold, (i, j), 1)
        vector = (receiver - source) / 100
        offset = np.hypot(*vector)
        self.assertEqual(quality["fold"]["filled"], (fold > 0).sum())
        self.assertEqual(quality["fold_histogram"]["count"], np.bincount(fold.ravel()).tolist())
        histogram = quality["offset_histogram"]
        edges = histogram["step"] * np.arange(len(histogram["count"]) + 1)
        self.assertEqual(histogram["count"], np.histogram(offset, edges)[0].tolist())
        self.assertEqual(sum(histogram["count"]), keep.sum())
        azimuth = np.rad2deg(np.arctan2(*vector)) % 360
        self.assertEqual(quality["azimuth_histogram"]["count"], np.bincount(((azimuth + 5) // 10).astype(int) % 36, minlength=36).tolist())
        with open(self.path("maps", "bins.csv"), encoding="utf-8") as file:
            rows = {(int(r["inline"]), int(r["crossline"])): r for r in csv.DictReader(file)}
        self.assertEqual(len(rows), (fold > 0).sum())
        for (a, b), row in rows.items():
            here = (i == a - 1) & (j == b - 1)
            self.assertEqual(int(row["fold"]), here.sum())
            self.assertAlmostEqual(float(row["offset_least_m"]), offset[here].min(), 2)
            self.assertAlmostEqual(float(row["offset_most_m"]), offset[here].max(), 2)
            self.assertAlmostEqual(float(row["azimuth_deg"]), [90, 30][(a - 1) % 2], delta=0.05)
        self.assertEqual(self.entries("maps"), ["azimuth.png", "azimuth_histogram.png", "bins.csv", "fold.png", "fold_histogram.png",
                                                "offset_histogram.png", "offset_least.png", "offset_most.png", "spectrum.png"])
        for name in self.entries("maps"):
            if name.endswith(".png"):
                with open(self.path("maps", name), "rb") as file:
                    self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")

    def test_a_line_has_a_stacking_chart(self):
        self.save(self.where[2] == 0)
        quality = self.quality(*AXES, "--pictures", "maps")
        self.assertEqual(quality["fold"]["median"], 3)
        self.assertIn("stacking_chart.png", self.entries("maps"))
        self.assertNotIn("azimuth.png", self.entries("maps"))

    def test_the_band_is_that_of_the_wavelet(self):
        self.save()
        spectrum = self.quality()["samples"]["spectrum"]
        f = np.linspace(0, 125, 20001)
        ricker = (f / 30) ** 2 * np.exp(1 - (f / 30) ** 2)
        low, high = f[ricker > 0.1][[0, -1]]
        self.assertAlmostEqual(spectrum["peak_hz"], 30, delta=1.5)
        self.assertAlmostEqual(spectrum["low_hz"], low, delta=1.5)
        self.assertAlmostEqual(spectrum["high_hz"], high, delta=1.5)

    def test_spatial_aliasing(self):
        self.save()
        quality, found = self.finding("spatial_aliasing", "--mean-mps", "1500", "--dip-deg", "50", "--aperture-m", "800")
        f = quality["samples"]["spectrum"]["high_hz"]
        self.assertAlmostEqual(found["limit"], 1500 / (4 * f * np.sin(np.deg2rad(50))), 4)
        self.assertAlmostEqual(found["value"], SPACING, 3)

    def test_dips_out_of_reach(self):
        self.save()
        _, found = self.finding("dip_out_of_reach", "--mean-mps", "3000", "--dip-deg", "30", "--aperture-m", "300")
        self.assertAlmostEqual(found["value"], 2 * 300 / (3000 * np.tan(np.deg2rad(30))), 5)
        self.assertIn("aperture reaches 300 m", found["text"])
        _, found = self.finding("dip_out_of_reach", "--mean-mps", "4000", "--dip-deg", "65", "--aperture-m", "50000")
        self.assertAlmostEqual(found["value"], (NS - 1) * DT * np.cos(np.deg2rad(65)), 5)
        self.assertIn("record ends", found["text"])

    def test_duplicates(self):
        self.save(np.r_[np.arange(len(self.head)), 7, 100, 100])
        quality, found = self.finding("duplicates")
        self.assertEqual(quality["duplicates"]["traces"]["first"], [len(self.head) + k for k in (1, 2, 3)])
        self.assertEqual((found["value"], quality["duplicates"]["same_samples"]), (3, 3))
        self.assertIn("leave them out", found["advice"])
        self.assertIn("that of 8)", found["text"])
        self.head, self.samples = self.head[np.r_[:len(self.head), 7]], np.r_[self.samples, -self.samples[7:8]]
        self.save()
        quality, found = self.finding("duplicates")
        self.assertEqual(quality["duplicates"]["same_samples"], 0)
        self.assertIn("repeated shots", found["advice"])

    def odd(self, name, kind, trace, change):
        before = self.samples.copy()
        change(self.samples[trace])
        self.save()
        quality, found = self.finding(name)
        self.assertEqual(quality["samples"][kind], {"count": 1, "first": [trace + 1]})
        self.assertIn(str(trace + 1), found["text"])
        self.samples = before

    def test_odd_traces(self):
        self.odd("dead_traces", "dead", 700, lambda t: t.fill(0))
        self.odd("dead_traces", "dead", 3, lambda t: t.fill(0.25))
        self.odd("spiky_traces", "spiky", 401, lambda t: t.__setitem__(180, 3.0))
        self.odd("strong_traces", "strong", 402, lambda t: t.__imul__(8))
        self.odd("weak_traces", "weak", 0, lambda t: t.__imul__(0.1))
        self.odd("bad_samples", "bad", 55, lambda t: t.__setitem__(9, np.nan))

    def test_traces_known_as_dead_are_no_news(self):
        self.head["trid"][10:13] = 2
        self.samples[10:13] = 0
        self.save()
        quality = self.quality()
        self.assertEqual((quality["findings"], quality["n_live"]), ([], len(self.head) - 3))

    def test_amplitudes_that_change_between_gathers_are_in_order(self):
        order = np.argsort(self.where[2] * 1000 + self.where[4], kind="stable")  # a step of 30 between gathers
        self.samples *= np.where(self.where[4] > 400, 1 / 30, 1)[:, None].astype(np.float32)
        self.save(order)
        self.assertEqual(self.quality()["findings"], [])

    def test_holes_and_uneven_fold(self):
        _, _, i, j, _ = self.where
        hole = (i >= 5) & (i < 9) & (j >= 20) & (j < 30)
        self.save(~hole)
        quality, found = self.finding("fold_holes")
        self.assertEqual(quality["fold"]["holes"], 40)
        self.assertAlmostEqual(found["value"], 40 / (NI * NX), 6)
        self.save(~((i < 4) & (j < 5)))  # a corner that was never shot is none
        self.assertEqual(self.names(self.quality()), [])
        self.head, self.samples = traces(*geometry(np.arange(100.0, 500, 50)))
        i, j, k = (a.ravel() for a in np.meshgrid(np.arange(NI), np.arange(NX), np.arange(8), indexing="ij"))
        thin = (i > 2) & (i < 10) & (j > 10) & (j < 25) & (k > 1)
        self.save(~thin)
        quality, found = self.finding("uneven_fold")
        self.assertEqual(quality["fold"]["thin"], 7 * 14)

    def test_zero_offset(self):
        self.head, self.samples = traces(*geometry(np.array([0.0])))
        self.save()
        self.finding("zero_offset")

    def test_white_noise_reaches_nyquist(self):
        self.samples = np.random.default_rng(1).standard_normal(self.samples.shape).astype(np.float32)
        self.save()
        self.assertIn("nyquist", self.names(self.quality()))

    def test_feet_by_the_text_header(self):
        self.save()
        with open(self.path("survey.sgy"), "r+b") as file:
            file.write(b"C 1 COORDINATES IN US SURVEY FEET".ljust(80).ljust(3200))
        self.assertIn("text header", self.finding("looks_like_feet")[1]["text"])
        with open(self.path("survey.sgy"), "r+b") as file:
            file.write(b"C 1 AFTER LIFT AND SHIFT, CRAFT FT4".ljust(80).ljust(3200))
        self.assertEqual(self.quality()["findings"], [])

    def test_feet_by_the_first_arrivals(self):
        offset = self.where[4]
        arrival = np.hypot(offset, 80) / 2000 + 0.04
        far = traces(*self.where)[0]
        for scale, expected in [(1, []), (10, ["looks_like_feet"])]:  # lengths ten times too large: 20 km/s
            t = DT * np.arange(NS)
            a = (np.pi * 30 * (t[None, :] - (arrival + 0.1)[:, None])) ** 2
            self.samples = ((1 - 2 * a) * np.exp(-a)).astype(np.float32)
            self.head = far.copy()
            middle = (far["sx"] + far["gx"]) / 2, (far["sy"] + far["gy"]) / 2
            for name, m in [("sx", middle[0]), ("gx", middle[0]), ("sy", middle[1]), ("gy", middle[1])]:
                self.head[name] = np.rint(m + scale * (far[name] - m))
            self.save()
            self.assertEqual(self.names(self.quality()), expected)

    def test_feet_by_the_bins(self):
        source, receiver, i, j, offset = self.where
        middle = (source + receiver) / 2
        wide = np.array([50000000 + j * 5500, 600000000 - i * 5500])  # bins of 55
        self.head, self.samples = traces(source - middle + wide, receiver - middle + wide, i, j, offset)
        self.save()
        self.finding("looks_like_feet", "--mean-mps", "8000", "--dip-deg", "20", "--aperture-m", "1500")
        self.save(feet=True)  # they are known to be
        self.assertEqual(self.names(self.quality("--mean-mps", "8000", "--dip-deg", "20", "--aperture-m", "1500")), [])

    def test_wrong_coordinates_are_named(self):
        self.head["iline"], self.head["xline"], self.head["cdp"] = 0, 0, 0
        self.head["sx"][5] = self.head["gx"][5] = 1000
        self.save()
        quality = self.quality()
        self.assertEqual(quality["stray"], {"count": 1, "first": [6]})
        self.assertIn("stray_positions", self.names(quality))
        self.assertNotIn("spatial_aliasing", self.names(quality))  # of a spacing that the stray trace makes

    def test_a_huge_grid(self):
        self.save()
        self.write("job.yaml", GRID_JOB % 40)
        self.good("migrate", "job.yaml")
        for name in [".zattrs", ".zmetadata"]:
            with open(self.path("out", "image.zarr", name), encoding="utf-8") as file:
                content = json.load(file)
            grid = (content if name == ".zattrs" else content["metadata"][".zattrs"])["grid"]
            grid["n_inline"] = grid["n_crossline"] = 9000
            self.write(self.path("out", "image.zarr", name), json.dumps(content))
        quality, found = self.finding("huge_grid", *AXES, "--grid", "out/image.zarr", "--pictures", "maps")
        self.assertEqual((found["value"], found["limit"]), (9000**2, 2**26))
        self.assertIn("maps and fold are left out", found["text"])
        self.assertEqual(self.entries("maps"), ["azimuth_histogram.png", "offset_histogram.png", "spectrum.png"])

    def test_dead_traces_alone_have_no_grid(self):
        self.head["trid"] = 2
        self.save()
        quality, found = self.finding("no_grid")
        self.assertIn("no grid could be suggested: the grid cannot be estimated: none of", found["text"])
        self.assertEqual(quality["n_live"], 0)

    def test_traces_outside_a_given_grid(self):
        self.save()
        self.write("job.yaml", GRID_JOB % 40)
        self.good("migrate", "job.yaml")
        quality, found = self.finding("outside_grid", *AXES, "--grid", "out/image.zarr")
        self.assertEqual(found["value"], 16 * 8 * 3)

    def test_samples_can_be_left_alone(self):
        self.save()
        quality = self.good("info", "survey.sgy", "--json", "--samples", "none").json()["quality"]
        self.assertEqual(quality["samples"]["traces_read"], 0)
        quality = self.good("info", "survey.sgy", "--json", "--samples", "320").json()["quality"]
        self.assertEqual(quality["samples"]["traces_read"], 320)
        self.fails(2, "--samples", "info", "survey.sgy", "--samples", "some")


class Velocity(Quality):
    PLACES = [(x, y) for x in (0, 500, 1000) for y in (0, 500, 1000)]
    PICKS = [(0, 1800), (500, 1900), (1000, 2050), (2000, 2400)]

    def table(self, change=None, places=PLACES):
        lines = []
        for p, (x, y) in enumerate(places):
            for t, v in self.PICKS:
                t, v = change(p, x, t, v) if change else (t, v)
                lines.append(f"{x} {y} {t} {v:.3f}")
        self.write("v.txt", "\n".join(lines) + "\n")

    def velocity(self, *arguments):
        return self.good("info", "v.txt", "--columns", "x,y,time_ms,velocity", "--json", *arguments).json()["quality"]

    def only(self, name, *arguments):
        quality = self.velocity(*arguments)
        self.assertEqual(self.names(quality), [name], quality["findings"])
        return quality, quality["findings"][0]

    def test_velocities_in_order_raise_no_warning(self):
        self.table(lambda p, x, t, v: (t, v + x / 100))
        quality = self.velocity()
        self.assertEqual(quality["findings"], [])
        self.assertEqual((quality["functions"], quality["knots"]), (9, 36))
        self.assertEqual(quality["velocity_mps"], [1800, 2410])
        layers = [math.sqrt((b * w * w - a * v * v) / (b - a)) for (a, v), (b, w) in zip(self.PICKS, self.PICKS[1:])]
        self.assertAlmostEqual(quality["interval"]["velocity_mps"][0], 1800, 6)
        self.assertAlmostEqual(quality["interval"]["velocity_mps"][1], max(math.sqrt((2 * 2410**2 - 2060**2)), max(layers)), 3)
        self.good("info", "v.txt", "--columns", "x,y,time_ms,velocity", "--pictures", "maps")
        self.assertEqual(self.entries("maps"), ["functions.png", "velocity.png"])

    def test_impossible_layers(self):
        self.table(lambda p, x, t, v: (t, 1200 if p == 4 and t == 1000 else v), [(0, 0)] * 0 + self.PLACES)
        quality = self.velocity()
        self.assertEqual(quality["interval"]["negative"], 1)
        self.assertIn("negative_interval", self.names(quality))
        found = [f for f in quality["findings"] if f["name"] == "negative_interval"][0]
        self.assertIn("function 5 at 1 s", found["text"])

    def test_a_layer_faster_than_rock(self):
        self.PICKS = [(0, 1800), (1000, 2600), (1010, 2850), (2000, 3000)]
        self.table()
        _, found = self.only("fast_interval")
        self.assertAlmostEqual(found["value"], math.sqrt((1.01 * 2850**2 - 2600**2) / 0.01), 3)
        self.assertGreater(found["value"], 9000)

    def test_inversion(self):
        self.table(lambda p, x, t, v: (t, 1800 if t == 1000 else v))
        quality, found = self.only("inversion")
        self.assertEqual(quality["inversions"]["count"], 9)
        self.assertAlmostEqual(found["value"], 100)

    def test_jump(self):
        self.table(lambda p, x, t, v: (t, 1.3 * v if x == 1000 else v))
        quality, found = self.only("lateral_jump")
        self.assertEqual(quality["lateral_jumps"]["count"], 3)
        self.assertAlmostEqual(found["value"], 0.3, 6)

    def test_units(self):
        self.table(lambda p, x, t, v: (t, v / 0.3048))
        self.only("looks_like_feet")
        self.table(lambda p, x, t, v: (t, v / 1000))
        self.only("looks_like_km")
        self.assertIn("a job would refuse them", self.good("info", "v.txt", "--columns", "x,y,time_ms,velocity").out)

    def test_coverage(self):
        self.survey()
        self.job()
        self.good("migrate", "job.yaml")  # 150 m by 200 m, to 0.6 s
        self.table(places=[(x, y) for x in (0, 150) for y in (0, 200)])
        self.assertEqual(self.velocity("--grid", "out/image.zarr")["findings"], [])
        self.table(places=[(x, y) for x in (0, 150) for y in (0, 100)])
        quality, _ = self.only("outside_functions", "--grid", "out/image.zarr")
        self.assertEqual((quality["grid_columns"], quality["grid_columns_outside"]), (63, 21))
        self.table(lambda p, x, t, v: (t / 5, v), places=[(x, y) for x in (0, 150) for y in (0, 200)])
        self.only("short_functions", "--grid", "out/image.zarr")


class Image(Quality):
    """An image.zarr of a run whose samples are put in its place."""

    def setUp(self):
        super().setUp()
        self.survey("small.sgy")
        self.write("job.yaml", JOB.replace("survey.sgy", "small.sgy"))
        self.good("migrate", "job.yaml", "output.formats=[zarr]", "output.png=false")
        with open(self.path("out", "image.zarr", ".zmetadata"), encoding="utf-8") as file:
            self.metadata = json.load(file)
        self.shape = self.metadata["metadata"]["stack/.zarray"]["shape"]

    def only(self, samples, name, value, limit):
        array = self.metadata["metadata"]["stack/.zarray"]
        array["compressor"], array["chunks"] = None, self.shape
        for place, content in [((".zmetadata",), self.metadata), (("stack", ".zarray"), array)]:
            self.write(self.path("out", "image.zarr", *place), json.dumps(content))
        for chunk in self.entries("out", "image.zarr", "stack"):
            if not chunk.startswith("."):
                os.remove(self.path("out", "image.zarr", "stack", chunk))
        samples.astype("<f4").tofile(self.path("out", "image.zarr", "stack", array.get("dimension_separator", ".").join("000")))
        quality = self.good("info", "out/image.zarr", "--json").json()["quality"]
        self.assertEqual(self.names(quality), [name])
        found = quality["findings"][0]
        self.assertAlmostEqual(found["value"], value, 6)
        self.assertAlmostEqual(found["limit"], limit, 6)
        self.assertGreater(len(found["text"]), 20)
        self.assertGreater(len(found["advice"]), 20)
        return found

    def smooth(self):
        """Low frequencies in every column."""
        t = np.arange(self.shape[2])
        return np.sin(2 * np.pi * t / 24) * np.exp(-((t - t.mean()) / 40) ** 2) * np.ones(self.shape)

    def test_not_finite(self):
        samples = self.smooth()
        samples[2, 3, 40:45], samples[0, 0, 7] = np.nan, np.inf
        found = self.only(samples, "not_finite", 6, 0)
        self.assertIn("5 samples are NaN and 1 infinite", found["text"])

    def test_empty(self):
        self.only(np.zeros(self.shape), "empty", 0, 0)

    def test_empty_columns(self):
        samples = self.smooth()
        samples[:, :2] = 0
        self.only(samples, "empty_columns", 2 * self.shape[0], self.shape[0] * self.shape[1] / 20)

    def test_nyquist(self):
        samples = np.zeros(self.shape)
        samples[:, :, 150] = 1  # all frequencies alike
        found = self.only(samples, "nyquist", 1, 0.3)
        self.assertIn("0.0 dB", found["text"])


class Page(html.parser.HTMLParser):
    """Every element is closed, in order; nothing is fetched, nothing runs."""

    VOID = {"meta", "img", "br", "link", "hr"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.pictures, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        assert len(named) == len(attributes), attributes
        assert tag not in {"script", "link", "iframe", "object"}, tag
        assert not {"href", "onload", "srcset"} & set(named), named
        if tag == "img":
            assert named["alt"], "every picture is described"
            assert named["src"].startswith("data:image/png;base64,"), named["src"][:80]
            self.pictures.append(base64.b64decode(named["src"].split(",", 1)[1], validate=True))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def text(self):
        return " ".join(" ".join(self.words).split())


def is_whole_png(data):
    """All chunks have their checksums, up to the end."""
    at = 8
    while data[at + 4:at + 8] != b"IEND":
        n = int.from_bytes(data[at:at + 4], "big")
        if int.from_bytes(data[at + 8 + n:at + 12 + n], "big") != zlib.crc32(data[at + 4:at + 8 + n]):
            return False
        at += 12 + n
    return data[:8] == b"\x89PNG\r\n\x1a\n"


class Report(Quality):
    JOB = ("input: {traces: %s, resample: auto}\nvelocity: {constant_mps: 2500}\n"
           "migration: {aperture: {max_m: 300, max_dip_deg: 20}}\noutput: {directory: out}\n")

    def page(self, name="survey.sgy", *arguments):
        self.write("job.yaml", self.JOB % name)
        self.good("migrate", "job.yaml", "--overwrite", *arguments)
        with open(self.path("out", "report.html"), encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.startswith("<!DOCTYPE html>\n<html lang=\"en\">"))
        self.assertNotIn("http", text)
        with open(self.path("out", "report.json"), encoding="utf-8") as file:
            return Page(text), json.load(file)

    def test_a_page_for_people(self):
        self.save()
        page, report = self.page()
        words = page.text()
        quality = report["quality"]
        self.assertEqual(sorted(quality), ["image", "survey", "velocity"])
        found = [w if isinstance(w, str) else w["text"] for part in [report] + list(quality.values())
                 for w in part.get("warnings", part.get("findings", []))]
        self.assertEqual(found, [])
        self.assertIn("Good.", words)
        self.assertIn("Warnings None.", words)
        self.assertIn("survey.sgy", words)
        self.assertIn(f"of {len(self.head):,} traces used", words)
        self.assertIn("migration.aperture.max_m 300", words)
        self.assertNotIn("migration.aperture.min_m", words)
        self.assertGreaterEqual(len(page.pictures), 10)
        self.assertTrue(all(is_whole_png(p) for p in page.pictures))
        with open(self.path("out", "stack.png"), "rb") as file:
            self.assertIn(file.read(), page.pictures)
        self.assertIn("report.html", report["outputs"])
        self.assertEqual(self.entries("out"), ["fold.png", "image.zarr", "report.html", "report.json", "stack.png", "stack.sgy"])

    def test_focusing_is_that_of_numpy(self):
        self.save(self.where[2] < 4)
        _, report = self.page()
        stack = segy_numpy.read(self.path("out", "stack.sgy"))[1].astype(float)
        image, square = report["quality"]["image"], stack**2
        self.assertAlmostEqual(image["rms"] / math.sqrt(square.mean()), 1, 6)
        self.assertAlmostEqual(image["focusing"]["kurtosis"] / (square**2).mean() * square.mean()**2, 1, 6)
        column = (square**2).mean(axis=1) / square.mean(axis=1)**2
        self.assertAlmostEqual(image["focusing"]["varimax"] / column.mean(), 1, 6)
        p = square[square > 0] / square.sum()
        self.assertAlmostEqual(image["focusing"]["entropy"], -(p * np.log(p)).sum() / math.log(square.size), 6)
        info = self.good("info", "out/image.zarr", "--json", "--pictures", "maps").json()["quality"]
        self.assertEqual(info["focusing"], image["focusing"])
        self.assertEqual(self.entries("maps"), ["fold.png", "spectrum.png", "stack.png"])

    def test_names_are_escaped(self):
        name = "a<b>&c\".sgy"
        self.save(self.where[2] < 2, name=name)
        page, _ = self.page("'" + name + "'")
        self.assertIn(name, page.text())

    def test_warnings_reach_the_page(self):
        self.samples[300] = 0
        self.save(np.r_[np.arange(len(self.head)), 9])
        page, report = self.page()
        self.assertIn("with 2 points to look at", page.text())
        self.assertEqual(len(report["warnings"]), 1)
        self.assertIn(report["warnings"][0], page.text())
        self.assertIn("What to do: the same traces twice weigh twice", page.text())

    def test_an_image_of_less_than_half_of_the_traces_is_not_good(self):
        self.save()
        self.write("job.yaml", self.JOB % "survey.sgy" + "grid: {origin_m: [500000, 6000000], inline_azimuth_deg: 90, inline: {n: 4, "
                   "spacing_m: 12.5}, crossline: {n: 9, spacing_m: 12.5}, time: {step_s: 0.004, n: 200}}\n")
        self.good("migrate", "job.yaml", "migration.aperture.max_m=30")
        with open(self.path("out", "report.html"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn('<p class="verdict bad"><b>Not good.</b> Less than half of the live traces were used.', text)

    def test_it_can_be_left_out(self):
        self.save(self.where[2] < 2)
        self.write("job.yaml", self.JOB % "survey.sgy")
        self.good("migrate", "job.yaml", "output.report=false")
        self.assertNotIn("report.html", self.entries("out"))
        with open(self.path("out", "report.json"), encoding="utf-8") as file:
            self.assertNotIn("quality", json.load(file))
        page, _ = self.page("survey.sgy", "output.png=false", "output.formats=[segy]")
        self.assertGreaterEqual(len(page.pictures), 8)
        self.assertEqual(len(re.findall("middle section of the stack", page.text())), 1)


if __name__ == "__main__":
    main()

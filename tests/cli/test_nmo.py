"""Traces that come NMO-corrected: input.nmo.applied_with puts their move-out back, and data that look corrected are told.

Surveys are made and corrected by numpy; the command only reads them.
"""

import unittest

from moho_command import CommandTest, has_module, main

NUMPY = has_module("numpy") and has_module("xarray") and has_module("zarr")
if NUMPY:
    import numpy as np

    import segy_numpy

DT, NS = 0.004, 501
V0, GROWTH = 1800.0, 700.0  # v(t0) = V0 + GROWTH t0
JOB = """input: {traces: survey.sgy}
velocity: {linear_t0: {v0_mps: 1800, slope_mps_per_s: 700}}
grid: {corners: [[0, 0], [0, 1000]], crossline: {spacing_m: 12.5}}
migration: {aperture: {max_m: 1500, max_dip_deg: 50}, interpolation: sinc8}
output: {directory: out, report: false, png: false}
"""


def ricker(t, hz=25.0):
    a = (np.pi * hz * t) ** 2
    return (1 - 2 * a) * np.exp(-a)


def moved(t0, x, v0=V0, growth=GROWTH):
    return np.sqrt(t0 ** 2 + (x / (v0 + growth * t0)) ** 2)


EVENTS = np.array([0.25, 0.45, 0.7, 0.95, 1.25, 1.6])


def line(offsets, spacing=12.5, length=1000.0, dip=0.0):
    """Midpoints along north, every offset at each: midpoint and offset of each trace; events at EVENTS, dipping by s/km."""
    y, x = np.meshgrid(np.arange(0, length + 1, spacing), offsets, indexing="ij")
    return y.ravel(), x.ravel(), dip


def record(y, x, dip=0.0, noise=0.0, corrected=None, seed=1):
    """corrected: (v0, growth, stretch) that NMO was applied with, samples stretched by more are muted; None: as recorded."""
    t = np.arange(NS) * DT
    samples = np.zeros((len(x), NS))
    for k in range(len(x)):
        time = t if corrected is None else moved(t, x[k], *corrected[:2])
        if corrected is not None:
            dead = time > (1 + corrected[2]) * np.maximum(t, 1e-9)
        for i, t0 in enumerate(EVENTS):
            samples[k] += (-1) ** i * ricker(time - moved(t0 + dip * y[k] / 1000, x[k]))
        if corrected is not None:
            samples[k][dead] = 0
    samples += noise * np.random.default_rng(seed).normal(size=samples.shape)
    return samples.astype(np.float32)


def write(path, y, x, samples):
    head = segy_numpy.headers(len(x), sy=np.round(100 * (y - x / 2)), gy=np.round(100 * (y + x / 2)), offset=np.round(x), scalco=-100)
    segy_numpy.write(path, head, samples, dt_us=int(DT * 1e6))


@unittest.skipUnless(NUMPY, "numpy, xarray or zarr is not there")
class Corrected(CommandTest):
    def setUp(self):
        super().setUp()
        self.offsets = np.arange(100, 1601, 100)
        self.job(JOB)

    def moveout(self, *arguments):
        """What explain measured, and whether it warned."""
        told = self.good("explain", "job.yaml", "--json", *arguments).json()
        warned = [w for w in told["warnings"] if "NMO-corrected" in w]
        return told["input"]["moveout"], warned

    def image(self, directory):
        import xarray
        return xarray.open_zarr(self.path(directory, "image.zarr")).load()["stack"].values[0].astype(float)

    def test_corrected_data_are_told(self):
        for stretch, dip, noise in [(0.3, 0, 0), (1.0, 0.1, 0.1), (0.5, -0.2, 0.5)]:
            y, x, _ = line(self.offsets)
            write(self.path("survey.sgy"), y, x, record(y, x, dip, noise, (V0, GROWTH, stretch)))
            measured, warned = self.moveout()
            self.assertTrue(warned)

    def test_corrected_with_other_velocities(self):
        y, x, _ = line(self.offsets)
        for share in (0.93, 1.07):
            write(self.path("survey.sgy"), y, x, record(y, x, 0, 0.1, (V0 * share, GROWTH, 0.5)))
            self.assertTrue(self.moveout()[1])

    def test_ordinary_data_raise_no_alarm(self):
        y, x, _ = line(self.offsets)
        for dip, noise in [(0, 0), (0.2, 0.3), (-0.3, 1.0)]:
            write(self.path("survey.sgy"), y, x, record(y, x, dip, noise))
            for share in (0.5, 0.7, 0.85, 1, 1.2, 1.6, 2):
                self.assertFalse(self.moveout(f"velocity.linear_t0.v0_mps={V0 * share}", f"velocity.linear_t0.slope_mps_per_s={GROWTH * share}")[1])

    def test_noise_raises_no_alarm(self):
        y, x, _ = line(self.offsets)
        rng = np.random.default_rng(5)
        noise = rng.normal(size=(len(x), NS))
        t = np.arange(NS) * DT
        hum = np.sin(2 * np.pi * 50 * t[None, :] + rng.uniform(0, 7, (len(x), 1)))
        direct = np.array([ricker(t - abs(h) / 1500) for h in x])
        for name, samples in [("white", noise), ("hum", hum + 0.1 * noise), ("mean", noise * 0.1 + 5), ("direct", direct + 0.05 * noise), ("few", np.where(rng.random((len(x), 1)) < 0.02, noise, 0))]:
            write(self.path("survey.sgy"), y, x, samples.astype(np.float32))
            self.assertFalse(self.moveout()[1], name)

    def test_one_offset_says_nothing(self):
        y, x, _ = line([200.0])
        write(self.path("survey.sgy"), y, x, record(y, x))
        self.assertEqual(self.moveout()[0]["gathers"], 0)

    def test_presets_raise_no_alarm(self):
        for preset in (["small", "extent_inline_m=0", "offset_first_m=0", "offset_last_m=1500", "offset_step_m=50", "azimuths_deg=0"],
                       ["small", "extent_inline_m=0", "offset_first_m=0", "offset_last_m=2000", "offset_step_m=50", "azimuths_deg=0", "diffractors=none", "reflectors=0:500:600:20:0:1"],
                       ["tiny"]):
            self.good("synth", "--preset", *preset, "--output", "survey.sgy")
            measured, warned = self.moveout("grid=auto", "velocity.linear_t0.v0_mps=2500", "velocity.linear_t0.slope_mps_per_s=0")
            self.assertFalse(warned)

    def test_moveout_is_put_back(self):
        y, x, _ = line(self.offsets)
        write(self.path("survey.sgy"), y, x, record(y, x, 0.1))
        self.good("migrate", "job.yaml", "output.directory=plain", "migration.stretch_mute=0.3")
        write(self.path("survey.sgy"), y, x, record(y, x, 0.1, 0, (V0 * 1.05, GROWTH * 0.9, 1.0)))
        self.write("nmo.txt", "X Y Time(ms) Vrms\n" + "".join(f"0 0 {1000 * t:.0f} {V0 * 1.05 + GROWTH * 0.9 * t:.2f}\n" for t in (0, 1, 2)))
        self.good("migrate", "job.yaml", "output.directory=wrong", "migration.stretch_mute=0.3")
        measured, warned = self.moveout("input.nmo={applied_with: nmo.txt}")
        self.assertFalse(warned)
        self.good("migrate", "job.yaml", "output.directory=back", "migration.stretch_mute=0.3", "input.nmo={applied_with: nmo.txt}")
        plain, wrong, back = self.image("plain"), self.image("wrong"), self.image("back")
        inside = slice(50, 430)  # 0.2 to 1.7 s
        off = lambda image: np.linalg.norm(image[:, inside] - plain[:, inside]) / np.linalg.norm(plain[:, inside])
        self.assertLess(off(back), 0.02)
        self.assertGreater(off(wrong), 0.5)


if __name__ == "__main__":
    main()

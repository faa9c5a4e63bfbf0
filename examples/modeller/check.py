#!/usr/bin/env python3
"""Models a survey by finite differences, migrates it, and compares what the image shows with numbers from the model.

    check.py MOHO MODELLER FOLDER MODEL.txt

First the modeller itself: a wave in a homogeneous plane against its exact solution, and grids that must be refused. Then the image.
Reflectors: the peak of every column against the two-way time to the layer. The fault: where reflectors end, at half their amplitude.
Diffractors: the peak of the envelope (a body smaller than a wavelength turns the phase by 90 degrees) in both directions. All
expected numbers come from MODEL.txt alone, by the few lines here. Twice: with straight rays, and with curved ones, which must be
nearer in time and place and focus better. Leaves FOLDER/straight and FOLDER/curved_ray; exits 1 when anything is off."""
import math
import os
import subprocess
import sys

try:
    import numpy as np
except ImportError:
    print("skipped: no numpy")
    sys.exit(77)

MARGIN_M = 250  # at the ends of the line there is too little on one side


class Earth:
    """The modeller's text, read again."""

    def __init__(self, path):
        self.layers, self.faults, self.diffractors = [], [], []
        with open(path, encoding="utf-8") as file:
            for line in file:
                word, *numbers = line.split("#")[0].split() or [""]
                if not word or word == "direct":
                    continue
                values = [float(x) for x in numbers]
                if word in ("layer", "fault", "diffractor"):
                    getattr(self, word + "s").append(values)
                else:
                    setattr(self, word, values)

    def deeper(self, x, z):
        return sum(throw * (x > at + z / math.tan(math.radians(dip))) for at, dip, throw in self.faults)

    def layer_depth(self, layer, x):
        """Depths where the layer's top is met going down at x: one, near a fault it may be none."""
        plain = layer[0] + (layer[1] - layer[0]) * x / self.size[0]
        depths = {plain + self.deeper(x, plain + throw) for throw in [0] + [f[2] for f in self.faults]}
        return [z for z in depths if abs(plain + self.deeper(x, z) - z) < 1e-9]

    def time(self, x, depth):
        """Two-way time straight down to a depth."""
        z = (np.arange(int(depth * 4)) + 0.5) * depth / int(depth * 4)
        v = self.velocity[0] + self.velocity[1] * z
        for layer in self.layers:
            if len(layer) == 4:
                v = v + layer[3] * (z >= layer[0] + (layer[1] - layer[0]) * x / self.size[0] + self.deeper(x, z))
        return 2 * np.sum(depth / int(depth * 4) / v)

    def polarity(self, layer):
        """Of its reflection: whether rho*v grows downwards."""
        number = self.layers.index(layer)
        above = self.layers[number - 1][2] if number else self.density[0]
        steps = [sum(other[3] for other in self.layers[:k] if len(other) == 4) for k in (number, number + 1)]
        v = self.velocity[0] + self.velocity[1] * layer[0]
        return 1 if layer[2] * (v + steps[1]) > above * (v + steps[0]) else -1


class Image:
    def __init__(self, path, spacing):
        with open(path, "rb") as file:
            data = file.read()
        self.n = int.from_bytes(data[3220:3222], "big")
        self.dt = int.from_bytes(data[3216:3218], "big") * 1e-6
        rows = np.frombuffer(data[3600:], np.uint8).reshape(-1, 240 + 4 * self.n)
        self.stack = rows[:, 240:].copy().view(">f4").astype(float)
        self.spacing = spacing

    def column(self, x):
        return int(round(x / self.spacing))

    def envelope(self):
        spectrum = np.fft.fft(self.stack, 2 * self.n, axis=1)
        spectrum[:, self.n:] = 0
        spectrum[:, 1:self.n] *= 2
        return np.abs(np.fft.ifft(spectrum, axis=1)[:, :self.n])


def vertex(before, here, after):
    """Where the parabola through three values peaks, in steps from the middle one."""
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend else 0.0


def pick(trace, dt, expected, within):
    """Time and value of the largest sample near a time."""
    first, end = max(1, int((expected - within) / dt)), min(len(trace) - 1, int((expected + within) / dt) + 2)
    k = first + int(np.argmax(trace[first:end]))
    return (k + vertex(*trace[k - 1:k + 2])) * dt, trace[k]


class Check:
    def __init__(self, earth, image):
        self.earth, self.image, self.failed = earth, image, False

    def tell(self, what, value, unit, bound):
        bad = not abs(value) <= bound
        self.failed |= bad
        print(f"{'FAILED ' if bad else ''}{what}: {value:.3g} {unit} (at most {bound:g})")

    def near_fault(self, x, z, metres):
        return any(abs(x - at - z / math.tan(math.radians(dip))) < metres for at, dip, _ in self.earth.faults)

    def reflector(self, number, layer, bound_ms):
        off = []
        for x in np.arange(MARGIN_M, self.earth.size[0] - MARGIN_M, self.image.spacing):
            depths = self.earth.layer_depth(layer, x)
            if len(depths) != 1 or self.near_fault(x, depths[0], 120):
                continue
            expected = self.earth.time(x, depths[0])
            off.append(1000 * (pick(self.earth.polarity(layer) * self.image.stack[self.image.column(x)], self.image.dt, expected, 0.02)[0] - expected))
        self.tell(f"layer {number}: {len(off)} columns, mean {np.mean(off):+.2f} ms, worst", max(off, key=abs), "ms", bound_ms)

    def fault_ends(self, number, layer, bound_m):
        """Along the reflector of either side, amplitude falls to half where the fault cuts it."""
        for at, dip, _ in self.earth.faults:
            for side in (-1, 1):
                z = layer[0]
                for _ in range(20):  # where the side's own reflector meets the fault
                    x = at + z / math.tan(math.radians(dip))
                    z = layer[0] + (layer[1] - layer[0]) * x / self.earth.size[0] + self.earth.deeper(x + side, z)
                slope = (layer[1] - layer[0]) / self.earth.size[0]
                xs = x + side * np.arange(-120, 301, self.image.spacing)
                values = np.array([np.interp(self.earth.time(xx, z + slope * (xx - x)), np.arange(self.image.n) * self.image.dt,
                                             self.earth.polarity(layer) * self.image.stack[self.image.column(xx)]) for xx in xs])
                level = np.median(values[-15:])
                inside = np.nonzero(values < level / 2)[0][-1]  # last before it stays above half
                part = (level / 2 - values[inside]) / (values[inside + 1] - values[inside])
                found = xs[inside] + part * (xs[inside + 1] - xs[inside])
                self.tell(f"layer {number}, {'right' if side > 0 else 'left'} of the fault at {x:.0f} m: ends off by", found - x, "m",
                          bound_m)

    def diffractor(self, number, body, bound_m, bound_ms):
        x, z = body[:2]
        expected, spacing, dt = self.earth.time(x, z), self.image.spacing, self.image.dt
        envelope = self.image.envelope()
        first, k0 = self.image.column(x - 100), int((expected - 0.05) / dt)
        part = envelope[first:self.image.column(x + 100) + 1, k0:int((expected + 0.05) / dt)]
        c, k = np.unravel_index(np.argmax(part), part.shape)
        c, k = c + first, k + k0
        found_x = (c + vertex(*envelope[c - 1:c + 2, k])) * spacing
        found_t = (k + vertex(*envelope[c, k - 1:k + 2])) * dt
        half = envelope[c - 20:c + 21, k] >= envelope[c, k] / 2
        print(f"diffractor {number} at {x:g} m, {expected:.4f} s: envelope {envelope[c, k]:.4g}, width {half.sum() * spacing:g} m")
        self.tell(f"diffractor {number}: off by", found_x - x, "m", bound_m)
        self.tell(f"diffractor {number}: off by", 1000 * (found_t - expected), "ms", bound_ms)
        return envelope[c, k], abs(found_x - x), abs(1000 * (found_t - expected))

    def image_against_model(self, bound_ms):
        """Mean over diffractors: height of the peak, metres off, milliseconds off."""
        for number, layer in enumerate(self.earth.layers, 1):
            self.reflector(number, layer, bound_ms)
            self.fault_ends(number, layer, 15)
        bodies = [self.diffractor(number, body, self.image.spacing, bound_ms) for number, body in enumerate(self.earth.diffractors, 1)]
        return np.mean(bodies, axis=0)


def exact_wave(hz, r, v, times):
    """A line source of the half-derivative q of a Ricker wavelet: p(t) = 1/(2 pi) * integral of q(t - r/v cosh u) du, u > 0."""
    fine = np.arange(-0.15, times[-1], 2.5e-4)
    ds, q = 1e-3, np.zeros_like(fine)
    for s in np.arange(0, math.sqrt(times[-1] + 0.2), ds):  # 2/sqrt(pi) * integral of g'(t - s^2) ds
        a = math.pi * hz * (fine - s * s)
        q += (1 if s else 0.5) * math.pi * hz * (4 * a * a - 6) * a * np.exp(-a * a)
    q *= 2 / math.sqrt(math.pi) * ds
    u = np.arange(0, 4, 1e-3)
    weights = np.where(u > 0, 1, 0.5) * 1e-3 / (2 * math.pi)
    return np.array([np.sum(weights * np.interp(t - r / v * np.cosh(u), fine, q, left=0)) for t in times])


HOMOGENEOUS = """size 1600 200
velocity 2000 0
density 2000
shots 200 80 1
receivers 400 1200 800
record 0.004 180
wavelet 20
grid {grid}
direct keep
"""


def check_modeller(modeller, folder, check):
    def run(grid, **how):
        with open(os.path.join(folder, "plain.txt"), "w", encoding="utf-8") as file:
            file.write(HOMOGENEOUS.format(grid=grid))
        return subprocess.run([modeller, "plain.txt", "plain.sgy"], cwd=folder, stderr=subprocess.PIPE, text=True, check=False, **how)

    if run(8).returncode:
        raise SystemExit("the modeller failed on a homogeneous plane")
    recorded = Image(os.path.join(folder, "plain.sgy"), 800)
    for trace, r in zip(recorded.stack, (400, 1200)):
        exact = exact_wave(20, r, 2000, np.arange(recorded.n) * recorded.dt)
        check.tell(f"a wave after {r} m: differs from the exact one by", 100 * np.linalg.norm(trace - exact) / np.linalg.norm(exact), "%", 2)
    for grid, words in ((20, "too coarse"), (7, "must lie on the grid")):
        refused = run(grid)
        if refused.returncode != 1 or words not in refused.stderr:
            check.failed = True
            print(f"FAILED a grid of {grid} m was not refused with '{words}': {refused.stderr}")


def migrate(moho, folder, earth, spacing, traveltime):
    job = f"""input: {{traces: survey.sgy}}
velocity: {{type: rms, table: velocity.txt, columns: "x,y,time_ms,velocity"}}
grid: {{corners: [[0, 0], [{earth.size[0]:g}, 0]], crossline: {{spacing_m: {spacing:g}}}, time: {{first_s: 0, step_s: 0.002}}}}
migration: {{aperture: {{max_m: 3000, max_dip_deg: 60, taper: 0.2}}, stretch_mute: 0.7, traveltime: {traveltime}}}
output: {{directory: {traveltime}}}
"""
    with open(os.path.join(folder, "job.yaml"), "w", encoding="utf-8") as file:
        file.write(job)
    subprocess.run([moho, "migrate", "job.yaml", "--overwrite"], cwd=folder, check=True)
    return Image(os.path.join(folder, traveltime, "stack.sgy"), spacing)


def main():
    moho, modeller, folder, model = (os.path.abspath(argument) for argument in sys.argv[1:])
    os.makedirs(folder, exist_ok=True)
    earth, spacing, means, failed = Earth(model), 10, {}, False
    subprocess.run([modeller, model, "survey.sgy", "velocity.txt"], cwd=folder, check=True)
    for law, bound_ms in (("straight", 6), ("curved_ray", 2.5)):
        check = Check(earth, migrate(moho, folder, earth, spacing, law))
        if not means:
            check_modeller(modeller, folder, check)
        means[law] = check.image_against_model(bound_ms)
        failed |= check.failed
    for law, (height, metres, milliseconds) in means.items():
        print(f"{law}: diffractors {height:.3f} high, off by {metres:.2f} m and {milliseconds:.2f} ms in the mean")
    straight, curved = means.values()
    if not (curved[0] > straight[0] and curved[1] < straight[1] and curved[2] < straight[2]):
        failed = True
        print("FAILED curved rays must be nearer and focus better than straight ones")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""A migration in plain numpy and double precision, written from docs/physics.md and from nothing else: what the tests compare with.

It is as slow and as plain as the formula: for every trace and every column the contributions of all image times, decided sample by sample.
Grids are given by the places of their columns, so that nothing here knows how Moho lays out a grid.
"""

import numpy as np


def filter_length(n):
    """The next multiple of 4 without prime factors above 5 that is at least twice n."""
    length = -(-2 * n // 4) * 4
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 4


def rho_filter(traces, dt_s, kind):
    """"3d": -d/dt; "2d": the anticausal half-derivative; "none". In the frequency domain, rolled off from 0.8 of Nyquist."""
    if kind == "none":
        return np.array(traces, dtype=np.float64)
    n = traces.shape[1]
    length = filter_length(n)
    omega = 2 * np.pi * np.fft.rfftfreq(length, dt_s)
    part = np.clip((omega * dt_s / np.pi - 0.8) / 0.2, 0, 1)
    response = (-1j * omega if kind == "3d" else np.sqrt(omega) * np.exp(-0.25j * np.pi)) * 0.5 * (1 + np.cos(np.pi * part))
    return np.fft.irfft(np.fft.rfft(traces, length, axis=1) * response, length, axis=1)[:, :n]


def leg_straight(d, t1, v, **_):
    return np.sqrt(t1 ** 2 + (d / v) ** 2)


def leg_curved_linear(d, t1, v, v0, gradient, **_):
    """Circles of v = v0 + k z: cosh(k t) = 1 + (k^2 (d^2 + z^2))/(2 v0 v(z)), z = v0 (e^(k t1) - 1)/k (Slotnick 1959)."""
    z = v0 * np.expm1(gradient * t1) / gradient
    return np.arccosh(1 + gradient ** 2 * (d ** 2 + z ** 2) / (2 * v0 * (v0 + gradient * z))) / gradient


def leg_vti(d, t1, v, eta, **_):
    h = t1 ** 2 + d ** 2 / ((1 + 2 * eta) * v ** 2)
    under = h ** 2 + 16 * eta * (1 + eta) * t1 ** 2 * d ** 2 / ((1 + 2 * eta) * v ** 2)
    return np.sqrt((3 + 4 * eta) / (4 * (1 + eta)) * h + np.sqrt(under) / (4 * (1 + eta)))


def leg_vti_rational(d, t1, v, eta, **_):
    below = v ** 2 * (t1 ** 2 * v ** 2 + (1 + 2 * eta) * d ** 2)
    return np.sqrt(t1 ** 2 + (d / v) ** 2 - 2 * eta * d ** 4 / np.where(below > 0, below, 1))


LEGS = {"straight": leg_straight, "curved_linear": leg_curved_linear, "vti": leg_vti, "vti_rational": leg_vti_rational}


def taper(distance, radius, fraction):
    if fraction == 0:
        return np.ones_like(distance)
    argument = np.clip((distance - radius * (1 - fraction)) / (fraction * np.maximum(radius, 1e-30)), 0, 1)
    return 0.5 * (1 + np.cos(np.pi * argument))


def weight(name, t, t0, v, dt_s, two_d):
    """Weights without true amplitude; no time is less than a sample."""
    t = np.maximum(t, dt_s)
    spreading = 1 / np.sqrt(v * t) if two_d else 1 / (v * t)
    return {"none": np.ones_like(t), "spreading": spreading, "obliquity": t0 / t, "spreading_obliquity": spreading * t0 / t}[name]


def migrate(traces, source, receiver, dt_s, columns, t0_s, v_mps, *, max_m=3000.0, min_m=0.0, max_dip_deg=60.0, taper_fraction=0.1,
            weight_name="spreading_obliquity", rho="3d", two_d=False, law="straight", first_sample_s=0.0, law_numbers=None):
    """Image and fold [columns, time] of traces [n, ns]: source, receiver, columns [n, 2] in metres, v_mps a number, [time] or
    [columns, time]. Linear interpolation, no antialias, no mutes, aperture rule straight."""
    traces = rho_filter(np.asarray(traces, np.float64), dt_s, rho)
    source, receiver, columns = (np.asarray(a, np.float64) for a in (source, receiver, columns))
    t0_s = np.asarray(t0_s, np.float64)
    n, ns = traces.shape
    v_mps = np.broadcast_to(np.asarray(v_mps, np.float64), (len(columns), len(t0_s)))
    first = np.broadcast_to(np.asarray(first_sample_s, np.float64), (n,))
    padded = np.pad(traces, ((0, 0), (1, 2)))  # taps beyond the record read zero
    image = np.zeros((len(columns), len(t0_s)))
    fold = np.zeros(image.shape, np.int32)
    t1 = t0_s / 2
    band = 4e-6 * ns
    leg = LEGS[law]
    for c, place in enumerate(columns):
        v = v_mps[c]
        radius = np.maximum.accumulate(np.clip(v * t1 * np.tan(np.radians(max_dip_deg)), min_m, max_m))
        for k in range(n):
            distance = np.hypot(*(place - (source[k] + receiver[k]) / 2))
            if distance > radius[-1] * (1 + 4e-6) + 1e-3:
                continue
            legs = [leg(np.hypot(*(place - end)), t1, v, **(law_numbers or {})) for end in (source[k], receiver[k])]
            t = legs[0] + legs[1]
            u = (t - first[k]) / dt_s
            inside = (distance <= radius * (1 + 4e-6) + 1e-3) & (u >= -band) & (u <= ns - 1 + band)
            i = np.clip(np.floor(u), -1, ns - 1).astype(int)
            part = u - i
            value = (1 - part) * padded[k, i + 1] + part * padded[k, i + 2]
            add = weight(weight_name, t, t0_s, v, dt_s, two_d) * taper(np.full_like(radius, distance), radius, taper_fraction) * value
            image[c] += np.where(inside, add, 0)
            fold[c] += inside
    return image, fold


def relative(ours, theirs):
    """|ours - theirs| / |theirs|, by L2 norms."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    size = np.linalg.norm(theirs)
    assert size > 0, "there is nothing to compare with"
    return np.linalg.norm(ours - theirs) / size


def ricker(t, peak_hz):
    a = (np.pi * peak_hz * t) ** 2
    return (1 - 2 * a) * np.exp(-a)


def survey_3d(n=60, ns=251, dt_s=0.004, seed=3, extent_m=1000.0, offset_m=400.0, v_mps=2000.0, peak_hz=20.0):
    """Traces [n, ns] float32 of three diffractors with exact times in a constant medium, at random places: (traces, source, receiver). They
    fade before the record's end, so that nothing lies above 60 Hz: where the rho filter rolls off is no part of the comparison."""
    random = np.random.default_rng(seed)
    middle = random.uniform(0, extent_m, (n, 2))
    half = random.uniform(-offset_m / 2, offset_m / 2, (n, 2))
    source, receiver = middle - half, middle + half
    t = np.arange(ns) * dt_s
    traces = np.zeros((n, ns))
    for x, y, z, a in ((450.0, 500.0, 400.0, 1.0), (600.0, 400.0, 500.0, -0.7), (400.0, 600.0, 300.0, 0.5)):
        for k in range(n):
            length = sum(np.sqrt((x - p[0]) ** 2 + (y - p[1]) ** 2 + z ** 2) for p in (source[k], receiver[k]))
            traces[k] += a * ricker(t - length / v_mps, peak_hz)
    fade = np.clip((0.98 - np.arange(ns) / ns) / 0.4, 0, 1)
    return (traces * np.sin(np.pi / 2 * fade) ** 4).astype(np.float32), source, receiver

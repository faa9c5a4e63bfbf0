# %% [markdown]
# # A velocity scan
#
# A line is migrated with many constant velocities into gathers by offset. Where the velocity is right an event lies flat across the
# gather, and its semblance - the energy of the stack over the energy of the parts - is high. The picks along the ridge are the r.m.s.
# velocity. (`moho velocity scan` does this with one migration, residual move-outs, smooth picks over a whole line; docs/velocity.md.)

# %%
import os
import pathlib

import numpy as np

import moho

pictures = pathlib.Path(os.environ.get("MOHO_PICTURES", "pictures"))
pictures.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## A line over flat layers
#
# The velocity is v = 1800 + 0.6 z, so the true r.m.s. velocity is known: v_rms^2 = v0^2 (e^(k t) - 1)/(k t).

# %%
V0, K = 1800.0, 0.6
survey = moho.synth(extent_inline_m=0, extent_crossline_m=1500, midpoint_spacing_m=25, azimuths_deg=0, offset_first_m=50, offset_last_m=1650,
                    offset_step_m=100, n_samples=401, dt_s=0.004, v0_mps=V0, gradient_per_s=K, peak_hz=20, noise=0.05, diffractors="none",
                    reflectors="0:0:400,0:0:700,0:0:1050,0:0:1400")


def true_rms(t):
    return V0 * np.sqrt(np.expm1(K * t) / (K * t))


# %% [markdown]
# ## Scan
#
# One node in the middle of the line is enough. The grid is a line: three crosslines of a single inline.

# %%
N, DT = 376, survey.dt_s
grid = {"corners": [[0, 725], [0, 775]], "crossline": {"spacing_m": 25}, "time": {"first_s": 0.0, "step_s": DT, "n": N}}
velocities = np.arange(1700.0, 2801.0, 25.0)
gathers = np.stack([
    moho.migrate(survey.traces, survey.geometry, float(v), grid, dt_s=DT, aperture={"max_m": 400, "max_dip_deg": 30}, antialias="triangle",
                 stretch_mute=0.6, gathers={"kind": "offset", "edges_m": {"first": 0, "last": 1700, "step": 100}}).gathers[0, 1]
    for v in velocities
])  # [velocity, offset, time]


def smooth(x, n=9):
    """A running sum over time."""
    return np.apply_along_axis(np.convolve, -1, x, np.ones(n), "same")


live = (np.abs(gathers) > 0).sum(axis=1)
parts = smooth(live * (gathers.astype(np.float64) ** 2).sum(axis=1))
semblance = smooth(gathers.sum(axis=1, dtype=np.float64) ** 2) / (parts + 1e-4 * parts.max())  # what is next to nothing lines up with nothing

# %% [markdown]
# ## Pick
#
# The strongest semblance around each reflector.

# %%
t = np.arange(N) * DT
picks = []
for depth in (400.0, 700.0, 1050.0, 1400.0):
    t0 = 2 / K * np.log1p(K * depth / V0)
    near = np.abs(t - t0) < 0.03
    panel = np.where(near, semblance, 0)
    v, k = np.unravel_index(panel.argmax(), panel.shape)
    picks.append((velocities[v], t[k]))
    print(f"{t[k]:.3f} s: {velocities[v]:.0f} m/s, true {true_rms(t[k]):.0f}")

moho.write_png(pictures / "semblance.png", semblance, across=("velocity", "m/s", velocities[0], 25), down=("time", "s", 0, DT),
               title="Semblance, the picks and the true velocity", colours="sequential", symmetric=False, width=620, height=620,
               lines=[(true_rms(np.maximum(t, 1e-3)), t, (220, 60, 60)), (*np.transpose(picks), (20, 20, 20), True)])
for v, name in ((1700.0, "slow"), (velocities[np.argmin(np.abs(velocities - true_rms(1.0)))], "right"), (2500.0, "fast")):
    moho.write_png(pictures / f"gather_{name}.png", gathers[int(np.argmin(np.abs(velocities - v)))], across=("offset", "m", 50, 100),
                   down=("time", "s", 0, DT), title=f"The gather with {v:.0f} m/s", wiggles=True, width=420, height=560)

assert all(abs(v / true_rms(at) - 1) < 0.03 for v, at in picks)

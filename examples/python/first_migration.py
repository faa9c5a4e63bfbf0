# %% [markdown]
# # A first migration
#
# Traces of a small 3D survey are made, migrated with a wrong and with the right velocity, and drawn. Run it cell by cell in an editor
# that knows `# %%`, or whole: `python first_migration.py`. Pictures go to MOHO_PICTURES, else to the folder `pictures`.

# %%
import os
import pathlib

import numpy as np

import moho

pictures = pathlib.Path(os.environ.get("MOHO_PICTURES", "pictures"))
pictures.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## The survey
#
# 961 midpoints, four offsets. The velocity grows with depth, v = 1800 + 0.6 z. There are a flat reflector, one that dips by 20 degrees to
# the east, and a point that scatters.

# %%
survey = moho.synth(extent_inline_m=1000, extent_crossline_m=1000, midpoint_spacing_m=33.333333333333336, azimuths_deg=0, offset_first_m=100,
                    offset_last_m=700, offset_step_m=200, n_samples=301, dt_s=0.004, v0_mps=1800, gradient_per_s=0.6, peak_hz=20, noise=0.02,
                    diffractors="500:500:400:0.5", reflectors="500:500:900,500:500:650:20:90")
print(f"{survey.traces.shape[0]} traces of {survey.traces.shape[1]} samples, {survey.dt_s * 1000:g} ms apart")

moho.write_png(pictures / "records.png", survey.traces[:124], across=("trace", "", 1, 1), down=("time", "s", 0, survey.dt_s),
               title="The first records, as they were shot", width=760, height=480)

# %% [markdown]
# ## Migrate
#
# The grid of the image is said as in a job file: inlines are 50 m apart along x, crosslines along y. `linear_z` is the velocity v = v0 + k z;
# `curved_rms` bends the rays as they bend there.

# %%
grid = {"origin_m": [0, 0], "inline": {"n": 21, "spacing_m": 50}, "crossline": {"n": 21, "spacing_m": 50},
        "time": {"first_s": 0, "step_s": survey.dt_s, "n": 301}}
options = {"aperture": {"max_m": 700, "max_dip_deg": 45}, "weight": "true_amplitude"}


def migrate(velocity, **more):
    return moho.migrate(survey.traces, survey.geometry, velocity, grid, dt_s=survey.dt_s, **options, **more)


wrong = migrate(1700)
right = migrate({"linear_z": {"v0_mps": 1800, "gradient_per_s": 0.6}}, traveltime="curved_rms")
print(right, f"in {right.report['seconds']:.2f} s on {right.report['device']}")

for name, image in (("wrong", wrong), ("right", right)):
    moho.write_png(pictures / f"{name}.png", image.stack[:, 10], across=("x", "m", 0, 50), down=("time", "s", 0, survey.dt_s),
                   title=f"Crossline 11, migrated with the {name} velocity", colours="red_blue", width=620, height=520)
slice_at = round(2 / 0.6 * np.log1p(0.6 * 400 / 1800) / survey.dt_s)
moho.write_png(pictures / "time_slice.png", right.stack[:, :, slice_at], across=("x", "m", 0, 50), down=("y", "m", 0, 50),
               title=f"{slice_at * survey.dt_s:.2f} s: the point", colours="red_blue", width=560, height=520)

# %% [markdown]
# ## Is it where it should be?
#
# A reflector at depth z lies at t0 = 2/k ln(1 + k z/v0). The flat one is at 900 m.

# %%
expected = 2 / 0.6 * np.log1p(0.6 * 900 / 1800)
near = slice(round((expected - 0.06) / survey.dt_s), round((expected + 0.06) / survey.dt_s))


def time_of_peak(image):
    return (near.start + int(np.argmax(image.stack[6, 6, near]))) * survey.dt_s


print(f"the flat reflector is at {time_of_peak(right):.3f} s, expected {expected:.3f}; with the wrong velocity at {time_of_peak(wrong):.3f}")
assert abs(time_of_peak(right) - expected) <= survey.dt_s

# %% [markdown]
# ## A cube of xarray
#
# `right.to_xarray()` names the axes and gives them their values; `moho.open_image("image.zarr")` does the same with what `moho.run` wrote.

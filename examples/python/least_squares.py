# %% [markdown]
# # Least-squares migration with scipy
#
# A line of which nine in ten traces are missing is migrated as it lies, and then inverted: scipy's `lsqr` looks for the image m whose
# demigration explains the traces d best,
#
#     minimise |L S x - d|^2 + damp^2 |x|^2,    m = S x,
#
# with `moho.KirchhoffOperator` as L and S = 1/sqrt(fold), so that places with many and with few traces converge alike. `moho.migrate(...,
# iterations=10)` does the same within the library and faster; here every part of the problem is in your hands.

# %%
import os
import pathlib

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import aslinearoperator, lsqr

import moho

pictures = pathlib.Path(os.environ.get("MOHO_PICTURES", "pictures"))
pictures.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## A sparse line

# %%
survey = moho.synth(extent_inline_m=0, extent_crossline_m=3000, midpoint_spacing_m=12.5, azimuths_deg=0, offset_first_m=0, offset_last_m=800,
                    offset_step_m=200, n_samples=351, dt_s=0.004, v0_mps=2000, peak_hz=15, noise=0.02, diffractors="none",
                    reflectors="500:500:600,0:500:900:12:0")
number = np.arange(1, len(survey.traces) + 1)
kept = (number * number * 31 + number * 17) % 211 < 20
traces = survey.traces[kept]
geometry = {name: column[kept] for name, column in survey.geometry.items()}
print(f"{len(traces)} of {len(kept)} traces are left")

# %% [markdown]
# ## The operator
#
# Rows are samples of traces, columns are nodes of the image; the matrix is never built. It is an exact pair: the dot product test holds to
# the rounding of floats.

# %%
grid = {"corners": [[0, 0], [0, 3000]], "crossline": {"spacing_m": 20}, "time": {"first_s": 0, "step_s": 0.004, "n": 301}}
L = moho.KirchhoffOperator(geometry, 2000.0, grid, n_samples=traces.shape[1], dt_s=survey.dt_s, dtype=np.float64,
                           aperture={"max_m": 800, "max_dip_deg": 40})
print(f"{L.shape[0]} x {L.shape[1]}; image {L.dims}, traces {L.dimsd}")

random = np.random.default_rng(1)
m, d = random.normal(size=L.shape[1]), traces.ravel().astype(np.float64)
Lm = L @ m
print(f"dot product test: {abs(Lm @ d - m @ (L.H @ d)) / (np.linalg.norm(Lm) * np.linalg.norm(d)):.1e}")

# %% [markdown]
# ## Solve

# %%
migrated = L.H @ d
fold = L.fold().ravel()
S = aslinearoperator(scipy.sparse.diags(1 / np.sqrt(np.maximum(fold, 1.0))))
A = aslinearoperator(L) @ S
p = A.H @ d
damp = 0.1 * np.linalg.norm(A @ p) / np.linalg.norm(p)  # a tenth of what the operator does along its first direction
x, stop, steps, residual, *_ = lsqr(A, d, damp=damp, iter_lim=10)
solved = S @ x
print(f"after {steps} steps the image explains all but {residual / np.linalg.norm(d):.2f} of the traces")

# %% [markdown]
# ## Before and after
#
# As migrated the reflector's amplitude comes and goes with the traces, and every trace leaves its smile; the inversion takes most of that out.

# %%
for name, image, title in (("migrated", migrated, "As migrated"), ("solved", solved, f"After {steps} steps of lsqr")):
    moho.write_png(pictures / f"{name}.png", image.reshape(L.dims)[0], across=("x", "m", 0, 20), down=("time", "s", 0, 0.004), title=title,
                   width=760, height=460)


def variation(image):
    """Of the flat reflector's amplitude (600 m: 0.6 s) along the middle of the line."""
    peaks = np.abs(image.reshape(L.dims)[0, 40:110, 140:161]).max(axis=1)
    return peaks.std() / peaks.mean()


print(f"the amplitude along the reflector varies by {variation(migrated):.0%} as migrated, by {variation(solved):.0%} after the inversion")
assert variation(solved) < 0.6 * variation(migrated)

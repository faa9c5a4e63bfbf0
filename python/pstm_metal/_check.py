"""The arguments of migrate_tile: each refused by its name, with what was given and what was expected."""

import warnings

import numpy as np


class CopyWarning(UserWarning):
    """An array does not lie in memory as the library reads it: it was copied."""


def array(name, given, dtype, shape):
    """The array itself, of that dtype and shape (None: any length)."""
    if not isinstance(given, np.ndarray):
        raise TypeError(f"{name}: a {type(given).__name__}, expected a numpy array of {np.dtype(dtype)}")
    if given.dtype != dtype:
        raise TypeError(f"{name}: {given.dtype.newbyteorder('=')}{'' if given.dtype.isnative else ', bytes swapped'}, "
                        f"expected {np.dtype(dtype)}")
    if given.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, given.shape, strict=True)):
        expected = ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "")
        raise ValueError(f"{name}: shape {given.shape}, expected ({expected})")
    return given


def writable(name, given, dtype, shape):
    """An array that results are added to; it may lie in memory as it likes."""
    if not array(name, given, dtype, shape).flags.writeable:
        raise ValueError(f"{name}: read-only, expected an array that can be written")
    return given


def contiguous(arrays):
    """The arrays of a dict as they must lie; one warning names those that had to be copied."""
    scattered = [name for name, given in arrays.items() if not given.flags.c_contiguous]
    if scattered:
        warnings.warn(f"{', '.join(scattered)}: not C-contiguous, copied; numpy.ascontiguousarray() once saves it each call", CopyWarning,
                      stacklevel=6)
    return {name: np.ascontiguousarray(given) for name, given in arrays.items()}


def finite(name, given):
    """Refuse NaN and infinities, naming the first."""
    if given.size and not (np.isfinite(given.min()) and np.isfinite(given.max())):
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(given))[0])
        raise ValueError(f"{name}[{', '.join(map(str, at))}]: {given[at]}, expected finite numbers")
    return given


def numbers(name, given, shapes):
    """Real numbers as float64, of one of the shapes."""
    try:
        values = np.asarray(given)
        if values.dtype.kind not in "fiu":
            raise TypeError
        values = np.ascontiguousarray(values, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {getattr(given, 'dtype', type(given).__name__)}, expected real numbers") from None
    if values.shape not in shapes:
        raise ValueError(f"{name}: shape {values.shape}, expected {' or '.join(map(str, shapes))}")
    return finite(name, values)


def even_axis(name, given, n, unit, tolerance):
    """First value and step of an axis whose values lie evenly, to the tolerance; a step of 0 for one value."""
    values = numbers(name, given, [(n,)])
    if n == 1:
        return float(values[0]), 0.0
    first, step = float(values[0]), float((values[-1] - values[0]) / (n - 1))
    if step == 0:
        raise ValueError(f"{name}: all {first} {unit}, expected values that grow or fall")
    even = first + step * np.arange(n)
    off = np.abs(values - even)
    if off.max() > tolerance:
        i = int(off.argmax())
        raise ValueError(f"{name}[{i}]: {values[i]:.10g} {unit}, expected {even[i]:.10g}: values must be evenly spaced (here by {abs(step):.10g} "
                         f"{unit}); Moho's images lie on regular grids, interpolate an irregular one afterwards")
    return first, step

"""Images as xarray.Dataset; xarray is imported when it is asked for."""

import os

from ._errors import make

_ARRAYS = ("stack", "fold", "gathers", "gathers_fold")


def _xarray():
    try:
        import xarray
    except ImportError as error:
        raise ImportError("images as xarray.Dataset need xarray, and zarr to open files: Debian's packages python3-xarray and "
                          "python3-zarr; Image.stack and its axes need neither") from error
    return xarray


def dataset(image):
    """The xarray.Dataset of a moho.Image."""
    xarray = _xarray()
    axes = ("inline", "crossline", "time")
    data = {"stack": (axes, image.stack), "fold": (axes, image.fold)}
    coordinates = {"inline": image.inline, "crossline": image.crossline, "time": ("time", image.time_s, {"units": "s"}),
                   "cdp_x": (axes[:2], image.cdp_x, {"units": "m"}), "cdp_y": (axes[:2], image.cdp_y, {"units": "m"})}
    if image.gathers is not None:
        data["gathers"] = (("inline", "crossline", "offset", "time"), image.gathers)
        data["gathers_fold"] = (("inline", "crossline", "offset", "time"), image.gathers_fold)
        coordinates["offset"] = image.bins
    return xarray.Dataset(data, coordinates)


def open_image(path):
    """Open an image.zarr as an xarray.Dataset.

    ``stack`` and ``fold`` with dimensions inline, crossline, time, ``gathers`` and ``gathers_fold`` with inline, crossline,
    offset, time where there are any; coordinates inline, crossline (numbers), offset (m), time (s), cdp_x, cdp_y (m); attributes:
    the effective job, versions, grid. Samples are read when they are used. ``image["stack"]``, for ``image.stack`` is xarray's.

    Raises ImportError (xarray or zarr is not installed), FileNotFoundError, ValueError (no image of Moho's).
    """
    xarray = _xarray()
    path = os.fspath(path)
    if not os.path.exists(os.path.join(path, ".zgroup")):
        raise make(6, "MOHO_ERROR_NOT_FOUND", f"{path}: there is no image (a Zarr group)", "moho.run writes image.zarr into "
                   "output.directory", path, 0, -1, 0, 0, "")
    try:
        import zarr  # noqa: F401  pylint: disable=unused-import
    except ImportError as error:
        raise ImportError("moho.open_image needs zarr beside xarray: Debian's package python3-zarr") from error
    opened = xarray.open_zarr(path, chunks=None)
    if not any(name in opened for name in _ARRAYS):
        raise ValueError(f"{path}: holds none of the arrays {', '.join(_ARRAYS)}: it is no image of Moho's")
    return opened

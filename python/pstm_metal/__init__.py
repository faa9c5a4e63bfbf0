"""pstm_metal: Kirchhoff migration of traces into a tile of an image, by the signature that programs written for it call.

It is Moho's migration (``import moho``): on Apple's GPUs through Metal where there is one, else on CUDA or the processor. docs/python.md
"""

from ._tile import CopyWarning, get_device_info, is_available, migrate_tile, migrate_tile_async

__all__ = ["CopyWarning", "get_device_info", "is_available", "migrate_tile", "migrate_tile_async"]

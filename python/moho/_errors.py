"""Exceptions: what the library's status and error record become.

Every one is a ``moho.Error`` and one of Python's own: a caller's mistake is a ``ValueError``, a failing device a
``RuntimeError``, a file an ``OSError``, memory a ``MemoryError``. Wrong types of arguments are plain ``TypeError``.
"""

import builtins

__all__ = ["ArgumentError", "DeviceError", "Error", "FileError", "FileExists", "FileFormatError", "FileNotFound", "Interrupted",
           "InternalError", "MemoryLimitError", "NotAvailableError", "TimeoutError"]


class Error(Exception):
    """What the library refused or could not do.

    Attributes: ``code`` (the status, int) and ``name`` ("MOHO_ERROR_RANGE"); ``message``; ``hint``, how to mend it; and where:
    ``file``, ``trace`` (1-based), ``byte`` (0-based), ``line``, ``column``, ``key`` (of the job file, or the name of the
    argument). What does not apply is None.
    """

    code = 0
    name = "MOHO_OK"
    message = ""
    hint = file = key = trace = byte = line = column = None

    def __str__(self):
        if not self.message:
            return super().__str__()
        where = [f"{word} {value}" for word, value in (("line", self.line), ("column", self.column), ("trace", self.trace),
                                                       ("byte", self.byte)) if value is not None]
        if self.key and self.key not in self.message:
            where.append(f"key {self.key}")
        if self.file and self.file not in self.message:
            where.insert(0, self.file)
        text = self.message + (f" ({', '.join(where)})" if where else "")
        return text + (f"; {self.hint}" if self.hint else "")


class ArgumentError(Error, ValueError):
    """A wrong argument, key, shape or value: nothing was changed."""


class FileFormatError(ArgumentError):
    """A file, or a text, is not what it should be; file, trace, byte or line tell where."""


class DeviceError(Error, RuntimeError):
    """The device failed, is lost, or is not to be had here; the reason is in the message."""


class NotAvailableError(DeviceError, NotImplementedError):
    """Moho, or this machine, cannot do that (yet)."""


class FileError(Error, OSError):
    """Reading or writing failed."""


class FileNotFound(FileError, FileNotFoundError):
    """There is no such file."""


class FileExists(FileError, FileExistsError):
    """There is something already, and nothing says that it may be replaced."""


class MemoryLimitError(Error, MemoryError):
    """There is not enough memory, or not enough is allowed."""


class TimeoutError(Error, builtins.TimeoutError):
    """It was not done in the time given."""


class Interrupted(Error):
    """The work was stopped: the progress function returned False, or a Future was cancelled."""


class InternalError(Error, RuntimeError):
    """A fault of Moho's own: please report it."""


_CLASSES = {
    "MOHO_ERROR_FORMAT": FileFormatError,
    "MOHO_ERROR_COMPILE": FileFormatError,
    "MOHO_ERROR_EXISTS": FileExists,
    "MOHO_ERROR_NOT_AVAILABLE": NotAvailableError,
    "MOHO_ERROR_TOO_LARGE": MemoryLimitError,
    "MOHO_ERROR_MEMORY": MemoryLimitError,
    "MOHO_ERROR_TIMEOUT": TimeoutError,
    "MOHO_ERROR_IO": FileError,
    "MOHO_ERROR_DEVICE": DeviceError,
    "MOHO_ERROR_LOST": DeviceError,
    "MOHO_ERROR_INTERRUPTED": Interrupted,
    "MOHO_ERROR_INTERNAL": InternalError,
}


def make(code, name, message, hint, file, trace, byte, line, column, key):
    """The exception of an error record (moho/status.h); the extension module calls it."""
    kind = _CLASSES.get(name, ArgumentError)
    if name == "MOHO_ERROR_NOT_FOUND" and file:
        kind = FileNotFound
    error = kind(message)
    error.code, error.name, error.message = code, name, message
    error.hint, error.file, error.key = hint or None, file or None, key or None
    error.trace, error.byte = (trace if trace > 0 else None), (byte if byte >= 0 else None)
    error.line, error.column = (line if line > 0 else None), (column if column > 0 else None)
    if isinstance(error, OSError) and file:
        error.filename = file
    return error

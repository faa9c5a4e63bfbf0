"""Program: a portable program as Python writes and runs it."""

from . import _moho
from ._errors import Error

__all__ = ["Program", "ProgramFault"]


class ProgramFault(Error, RuntimeError):
    """A lane met what its program cannot mean: an integer division by zero, an index out of range, a while beyond its maximum.

    The program ran to its end all the same, and what it wrote is there: divisions and loads gave 0, stores did nothing.

    Attributes: ``instruction`` (number), ``text`` (of the instruction), ``line`` (of the program's text, or None), ``lane`` (the
    lowest id that faulted), ``operation`` ("div", "load", "store", "while").
    """

    def __init__(self, name, instruction, text, line, lane, operation):
        at = f", line {line}" if line else ""
        super().__init__(f"{name}: instruction {instruction}{at} ({text}) faulted in lane {lane}")
        self.instruction, self.text, self.line, self.lane, self.operation = instruction, text, line or None, lane, operation


class Program:
    """A portable program (docs/program.md): checked when it is made, the same results on every device.

    >>> saxpy = moho.Program('''program saxpy
    ...   scalar f32 a
    ...   buffer in f32 x
    ...   buffer inout f32 y
    ...   register u32 i
    ...   register f32 s, u, v
    ...   get i, id
    ...   param s, a
    ...   load u, x[i]
    ...   load v, y[i]
    ...   fma v, s, u, v
    ...   store y[i], v
    ... ''')
    >>> saxpy.run(a=2, x=x, y=y, groups=len(x) // 4, lanes=4)     # y := 2 x + y

    Args:
        text: the program's text.
        file: names it in errors.

    Raises:
        ValueError: what is wrong, with line and column; unknown names with the nearest one.
    """

    __slots__ = ("_program", "_buffers", "_scalars", "_name")

    def __init__(self, text, file=None):
        self._take(_moho.Program(text, file))

    def _take(self, program):
        self._program = program
        self._buffers, self._scalars = program.buffers, program.scalars
        self._name = program.report()["name"]

    @classmethod
    def _of(cls, program):
        made = cls.__new__(cls)
        made._take(program)
        return made

    @classmethod
    def from_bytes(cls, data):
        """Of the binary form; ValueError where any byte is changed."""
        return cls._of(_moho.Program.from_bytes(data))

    @classmethod
    def load(cls, path):
        """A file of either form."""
        return cls._of(_moho.Program.load(path))

    def save(self, path):
        """Write the binary form."""
        self._program.save(path)

    def to_bytes(self):
        """bytes: the binary form."""
        return self._program.to_bytes()

    @property
    def name(self):
        """str"""
        return self._name

    @property
    def text(self):
        """str: assembling it gives the same program, bit for bit."""
        return self._program.text()

    @property
    def hash(self):
        """str: SHA-256 of the binary form, hexadecimal."""
        return self._program.report()["hash"]

    @property
    def buffers(self):
        """tuple of (name, dtype, access): access is "in", "out" or "inout"."""
        return self._buffers

    @property
    def scalars(self):
        """tuple of (name, dtype)."""
        return self._scalars

    def report(self):
        """dict: name, hash, instructions, registers, bytes of group memory."""
        return self._program.report()

    def run(self, bindings=None, *, groups=None, lanes=None, device=None, on_fault="raise", **named):
        """Run it and wait.

        Args:
            bindings: dict of the program's names, for those that are words of this function too.
            named: each buffer by its name: a numpy array, a Buffer, or what speaks DLPack, of the buffer's dtype; each scalar: a
                number. Arrays are used in place where the device shares the host's memory, else copied there, and back
                where the program writes them; those it writes share memory with no other. bfloat16 is uint16 in numpy.
            groups: int or up to three: [enough for the longest buffer].
            lanes: of a group: int or up to three [64].
            device: a Device, a URI, "reference" (lane by lane on the host: slow, and what a program means), or None: that of the
                Buffers, else the innermost Executor's, else "auto".
            on_fault: "raise" or "return".

        Returns:
            None, or with on_fault="return" the ProgramFault that happened, if any.

        Raises:
            ProgramFault: after the program has ended; what it wrote is there.
            TypeError, ValueError: a binding is missing, unknown, or wrong; nothing ran.
            NotAvailableError: the device cannot run it (float64 on metal); names the instruction.
        """
        if on_fault not in ("raise", "return"):
            raise ValueError(f'on_fault: {on_fault!r}, expected "raise" or "return"')
        given = {**(bindings or {}), **named}
        arrays = tuple(self._pick(given, name, "buffer") for name, _, _ in self._buffers)
        numbers = tuple(self._pick(given, name, "scalar") for name, _ in self._scalars)
        if given:
            raise TypeError(f"{self._name}: has no {', '.join(map(repr, given))}; it has {self._names()}")
        lanes = _three(64 if lanes is None else lanes, "lanes")
        if groups is None:
            longest = max((_count(array) for array in arrays), default=1)
            groups = max(1, -(-longest // lanes[0]))
        fault = self._program.run(arrays, numbers, _three(groups, "groups"), lanes, self._place(arrays, device))
        if fault is None:
            return None
        number, lane, operation = fault
        error = ProgramFault(self._name, number, *self._program.instruction(number), lane, operation)
        if on_fault == "return":
            return error
        raise error

    def _names(self):
        return ", ".join([name for name, _, _ in self._buffers] + [name for name, _ in self._scalars]) or "none"

    def _pick(self, given, name, kind):
        try:
            return given.pop(name)
        except KeyError:
            raise TypeError(f"{self._name}: {kind} {name} is missing; it has {self._names()}") from None

    @staticmethod
    def _place(arrays, device):
        if device is None:
            for array in arrays:
                if isinstance(array, _moho.Buffer):
                    return array.device
        return device

    def __repr__(self):
        return f"<moho.Program {self._name}: {self._names()}>"


def _count(array):
    size = 1
    for axis in getattr(array, "shape", (len(array),)):
        size *= axis
    return size


def _three(size, name):
    given = (size,) if isinstance(size, int) or hasattr(size, "__index__") else tuple(size)
    if not 1 <= len(given) <= 3:
        raise ValueError(f"{name}: {len(given)} sizes, expected one to three")
    sizes = tuple(int(one) for one in given)
    if min(sizes) < 1 or max(sizes) > 0xFFFFFFFF:
        raise ValueError(f"{name}: {sizes}, expected numbers from 1 to 4294967295")
    return sizes + (1,) * (3 - len(sizes))

"""The argument ``progress`` of long calls."""

from ._future import Progress


def step_of(progress):
    """A function of a Progress for what a caller gave: None, True (a tqdm bar), tqdm.tqdm (or another class like it), or a
    function of a Progress that may return False to stop the work.
    """
    if progress is None or progress is False:
        return None
    if progress is True:
        try:
            from tqdm.auto import tqdm as progress
        except ImportError:
            raise ImportError("progress=True needs tqdm, which is not installed; a function of a moho.Progress does without") from None
    if isinstance(progress, type) and hasattr(progress, "update"):
        return _Bar(progress)
    if not callable(progress):
        raise TypeError(f"progress: a {type(progress).__name__}, expected a function of a moho.Progress, True, or tqdm.tqdm")
    return progress


def callback_of(progress):
    """The same as a function that the extension module calls."""
    step = step_of(progress)
    return step and (lambda *values: step(Progress(*values)))


class _Bar:
    """A tqdm bar a stage; the last one closes when its stage is done."""

    def __init__(self, make):
        self.make, self.bar, self.stage = make, None, None

    def __call__(self, p):
        if p.stage != self.stage:
            self.close()
            self.stage = p.stage
            self.bar = self.make(desc=p.stage, unit=f" {p.unit}", total=p.total or None, unit_scale=True)
        if self.bar is not None:
            self.bar.total = p.total or None
            self.bar.update(p.done - self.bar.n)
            if p.total and p.done >= p.total:
                self.close()

    def close(self):
        """Leave the bar as it stands."""
        if self.bar is not None:
            self.bar.close()
        self.bar = None

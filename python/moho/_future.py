"""Work in the background: a concurrent.futures.Future that tells its progress and can be stopped while it runs."""

import concurrent.futures
import threading
from typing import NamedTuple

from ._errors import Interrupted


class Progress(NamedTuple):
    """A step of long work: ``done`` of ``total`` ``unit``s (total 0: not known) of ``stage``, ``seconds`` since it began."""

    stage: str
    unit: str
    done: float
    total: float
    seconds: float


class Future(concurrent.futures.Future):
    """What ``moho.migrate_async`` and the like return.

    ``progress`` is the last ``Progress``, None before the first. ``cancel()`` also stops work that is running, within a fraction
    of a second: ``done()`` becomes true when it has really stopped and its arrays may be used again; then ``cancelled()`` is true
    and ``result()`` raises ``concurrent.futures.CancelledError``.
    """

    def __init__(self):
        super().__init__()
        self._stop = threading.Event()
        self.progress = None

    def cancel(self):
        """Ask the work to stop. False when it was done before."""
        if self.done():
            return self.cancelled()
        self._stop.set()
        return True

    def running(self):
        """True until the work is done or has stopped."""
        return not self.done()

    def _tell(self, step, progress):
        self.progress = step
        if self._stop.is_set():
            return False
        return progress(step) if progress else None

    def _run(self, work, progress):
        try:
            result = work(lambda step: self._tell(step, progress))
        except BaseException as error:  # belongs to who asks for the result
            if self._stop.is_set() and isinstance(error, Interrupted):
                super().cancel()
                self.set_running_or_notify_cancel()
            else:
                self.set_exception(error)
        else:
            self.set_result(result)


def start(work, progress=None):
    """Run ``work(step)`` on a thread of its own and return its Future; ``step`` takes a Progress and is False when the work is
    to stop. progress: the caller's own function of a Progress, or None.
    """
    future = Future()
    threading.Thread(target=future._run, args=(work, progress), name="moho", daemon=True).start()
    return future

"""Which keys of the job file an option may be: what would not be looked at is refused, not passed over."""

import functools
import json

_MIGRATION = ("migration.", "eta.", "gathers.", "input.amplitude", "input.resample", "execution.kernel", "execution.storage", "execution.tile",
              "execution.memory_gb")


def _given(section, path):
    for name, below in section.items():
        at = f"{path}{name}"
        if isinstance(below, dict) and below.get("given") is True and "value" in below:
            yield at, below["value"]
        elif isinstance(below, dict):
            yield from _given(below, at + ".")


@functools.lru_cache(maxsize=128)
def given(job):
    """The keys that a job gives, by their paths, and their values."""
    return dict(_given(json.loads(job.effective()), ""))


def check(job, name, but=()):
    """Refuse keys that are none of a migration's, and those in ``but``: (path, what to say)."""
    keys = given(job)
    for key in keys:
        if not key.startswith(_MIGRATION):
            raise ValueError(f"{name}: {key} is no key of a migration; docs/python.md names those that are")
    for key, words in but:
        if key in keys and keys[key] not in ("none", 0, "off"):
            raise ValueError(f"{name}: {key} {keys[key]} {words}")

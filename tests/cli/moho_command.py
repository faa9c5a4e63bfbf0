"""What the tests of the command share: running it, a small survey, a job, bytes changed in a SEG-Y file."""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

MOHO = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "moho"
HEADER, BINARY = 3600, 3200
BRIEF = bool(os.environ.get("MOHO_TEST_BRIEF"))  # under sanitizers: what takes minutes there is left out

JOB = """input: {traces: survey.sgy}
velocity: {constant_mps: 2500}
grid: {corners: [[0, 0], [0, 200], [150, 200]], inline: {spacing_m: 25, first: 101}, crossline: {spacing_m: 25, first: 7}}
migration: {aperture: {max_m: 300, max_dip_deg: 45}, rho_filter: none}
output: {directory: out, report: false}
"""

# 7 x 9 midpoints, one offset, one azimuth: 63 traces of 301 samples, a diffractor in the middle at t0 = 0.32 s.
SURVEY = ["--preset", "tiny", "extent_inline_m=150", "extent_crossline_m=200", "offset_last_m=200", "azimuths_deg=0", "n_samples=301",
          "diffractors=75:100:400:1", "noise=0", "response=diffractor"]


def environment(**changes):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MOHO_")}
    for name in ["ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"]:  # a sanitizer's finding is no "failed"
        env[name] = ":".join(filter(None, [env.get(name), "exitcode=99"]))
    env.update({k: str(v) for k, v in changes.items()})
    return env


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def json(self):
        return json.loads(self.out)


class CommandTest(unittest.TestCase):
    """Each test works in a fresh directory."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="moho-cli-")
        self.addCleanup(shutil.rmtree, self.directory, True)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def run_moho(self, *arguments, **env):
        done = subprocess.run([MOHO, *arguments], cwd=self.directory, env=environment(**env), capture_output=True, text=True, timeout=300,
                              check=False)
        self.assertGreaterEqual(done.returncode, 0, f"moho {arguments} was killed by a signal:\n{done.stderr}")
        return Result(done)

    def good(self, *arguments, **env):
        result = self.run_moho(*arguments, **env)
        self.assertEqual(result.code, 0, f"moho {arguments}:\n{result.out}\n{result.err}")
        return result

    def fails(self, code, words, *arguments, **env):
        """The command fails with this code, and says all these words on stderr and nothing on stdout."""
        result = self.run_moho(*arguments, **env)
        self.assertEqual(result.code, code, f"moho {arguments}:\n{result.out}\n{result.err}")
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, result.err)
        return result

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def survey(self, name="survey.sgy"):
        self.good("synth", *SURVEY, "--output", name)
        return self.path(name)

    def job(self, text=JOB):
        return self.write("job.yaml", text)

    def tree(self, directory):
        """All files below a directory: relative path -> content."""
        found = {}
        for folder, _, names in os.walk(self.path(directory)):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.path(directory))] = file.read()
        return found

    def entries(self, *names):
        return sorted(os.listdir(self.path(*names)))


def patch(path, offset, fmt, *values):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(struct.pack(fmt, *values))


def trace_offset(trace, samples=301):
    """Byte where the header of a trace (from 0) begins."""
    return HEADER + trace * (240 + 4 * samples)


def has_module(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False


def main():
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=2)

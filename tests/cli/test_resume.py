"""A run of blocks that is stopped in any way goes on with the same command, and its results are bit for bit those of a run that was
not: kills at random moments, faults at any call that writes, signals, a lost GPU. Never a job or input mixed with another.

MOHO_TEST_KILLS=200 makes more of the kills at random moments; MOHO_TEST_SEED=... takes others (the seed is printed).
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

from moho_command import BRIEF, MOHO, CommandTest, environment, has_module, main

SURVEY = ["--preset", "tiny", "extent_inline_m=150", "extent_crossline_m=200", "offset_last_m=200", "n_samples=301", "noise=0.1",
          "diffractors=75:100:400:1", "azimuths_deg=0"]
# 70 x 110 columns: 12 cells of 32 x 32, a block each where memory is just enough for one.
JOB = """input: {traces: survey.sgy}
velocity: {constant_mps: 2500}
grid: {origin_m: [30, 40], inline_azimuth_deg: 0, inline: {n: 70, spacing_m: 1.25}, crossline: {n: 110, spacing_m: 1.25}}
migration: {aperture: {max_m: 25, max_dip_deg: 45}, rho_filter: none}
output: {directory: out, formats: [zarr, segy]}
execution: {device: "cpu?threads=2", memory_gb: MEMORY}
"""
GATHERS = "gathers: {kind: offset, edges_m: [0, 120, 180, 260]}\n"
TIMES = {"seconds", "finished", "contributions_per_s", "memory", "sittings"}  # of a report: what may differ
SEED = int(os.environ.get("MOHO_TEST_SEED", 2222416829))
KILLS = int(os.environ.get("MOHO_TEST_KILLS", 3 if BRIEF else 20))


class ResumeTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.good("synth", *SURVEY, "--output", "survey.sgy")
        self.blocks_job()

    def blocks_job(self, more=""):
        """The job with the least memory that it can do with, which a run that asks for less is told."""
        self.job((JOB + more).replace("MEMORY", "0.001"))
        error = self.fails(1, ["even block by block", "are allowed"], "migrate", "job.yaml", "output.directory=no").err
        words = error.split("the run needs ")[1].split()
        least = float(words[0]) * {"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}[words[1].strip(",")] / 1e9 * 1.02
        self.job((JOB + more).replace("MEMORY", f"{least:.6f}"))

    def undisturbed(self):
        """The same job, in the same place, never stopped; kept as `whole`."""
        self.assertGreater(self.good("explain", "job.yaml", "--json").json()["plan"]["blocks"]["n"], 3)
        self.good("migrate", "job.yaml")
        os.rename(self.path("out"), self.path("whole"))
        return self.tree("whole")

    def comparable(self, text):
        def strip(value):
            if isinstance(value, dict):
                return {key: strip(below) for key, below in value.items() if key not in TIMES and not key.endswith("seconds")}
            return value
        return strip(json.loads(text))

    def assert_same(self, whole, directory="out"):
        ours = self.tree(directory)
        self.assertEqual(sorted(ours), sorted(whole))
        for name, data in whole.items():
            if name == "report.json":
                self.assertEqual(self.comparable(ours[name]), self.comparable(data))
            elif not name.endswith(".html"):
                self.assertEqual(ours[name] == data, True, name)

    def start(self, *arguments, **env):
        return subprocess.Popen([MOHO, "migrate", "job.yaml", *arguments], cwd=self.directory, env=environment(**env), text=True,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def is_finished(self):
        return os.path.exists(self.path("out", "report.json"))

    def assert_nothing_claims_to_be_whole(self):
        """A final name is there only when all that the report speaks of is."""
        if self.is_finished():
            with open(self.path("out", "report.json"), encoding="utf-8") as file:
                for name in json.load(file)["outputs"]:
                    self.assertTrue(os.path.exists(self.path("out", name)), name)

    def saved(self):
        """Blocks that the journal says are done."""
        try:
            with open(self.path("out", ".moho", "journal"), encoding="utf-8", errors="replace") as file:
                return sum('"event":"done"' in line for line in file)
        except FileNotFoundError:
            return 0

    def stop_after(self, blocks, number, *arguments):
        """A run that gets the signal once so many blocks are saved; exit code and words."""
        process = self.start(*arguments)
        while process.poll() is None and self.saved() < blocks:
            time.sleep(0.002)
        process.send_signal(number)
        _, words = process.communicate(timeout=120)
        return process.returncode, words


class Kills(ResumeTest):
    def waited(self, process, chance, saved, seconds):
        """A random time, or until some more blocks are saved and a moment more; did the run end meanwhile?"""
        if chance.random() < 0.5:
            try:
                process.communicate(timeout=chance.uniform(0, 0.5 * seconds))
            except subprocess.TimeoutExpired:
                return False
            return True
        wanted = saved + chance.randint(1, 3)
        while process.poll() is None and self.saved() < wanted:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.01))
        if process.poll() is not None:
            process.communicate()
        return process.poll() is not None

    def test_kills_at_random_moments(self):
        """kill -9 after a random time, again and again until the run has ended by itself."""
        print(f"\nMOHO_TEST_SEED={SEED} MOHO_TEST_KILLS={KILLS}", flush=True)
        chance = random.Random(SEED)
        begin = time.monotonic()
        whole = self.undisturbed()
        seconds = time.monotonic() - begin
        kills = moments = 0
        kept = set()
        stalled = 0  # kills in a row between which no block was saved: then a run may end
        while kills < KILLS:
            saved = self.saved()
            process = self.start()
            ended = self.waited(process, chance, saved, seconds) if stalled < 3 else process.communicate() is not None
            if not ended:
                process.kill()
                process.communicate()
                kills += 1
                kept.add(self.saved())
                stalled = stalled + 1 if self.saved() == saved else 0
            else:
                stalled = 0
            self.assert_nothing_claims_to_be_whole()
            if ended:
                self.assertEqual(process.returncode, 0)
            if ended or self.is_finished():
                if os.path.exists(self.path("out", ".moho", "commit")):  # killed while it ended: the next finishes its moves
                    self.good("migrate", "job.yaml")
                shutil.rmtree(self.path("out", ".moho"), ignore_errors=True)  # killed after all moves, before it was swept
                self.assert_same(whole)
                shutil.rmtree(self.path("out"))
                moments += 1
        if os.path.exists(self.path("out")):
            self.good("migrate", "job.yaml")
            self.assert_same(whole)
        print(f"{kills} kills, {moments} runs ended between them, blocks saved when killed: {sorted(kept)}", flush=True)
        if not BRIEF:
            self.assertGreater(len(kept), 2)

    def count_calls(self):
        """How many calls change the disk in a run: the last that a fault meets."""
        low, high = 1, 4096
        while low < high:
            middle = (low + high) // 2
            process = self.start(MOHO_TEST_WRITE_FAULT=f"EIO@{middle}")
            process.communicate()
            shutil.rmtree(self.path("out"), ignore_errors=True)
            shutil.rmtree(self.path(".moho-store"), ignore_errors=True)
            low, high = (middle + 1, high) if process.returncode else (low, middle)
        return low - 1

    def test_faults_at_calls_that_write(self):
        """Sampled over all of them: each kind of fault, at calls of its own."""
        self.blocks_job(GATHERS)
        calls = self.count_calls()
        self.assertGreater(calls, 100)
        chance = random.Random(SEED)
        print(f"\nMOHO_TEST_SEED={SEED}: {calls} calls change the disk", flush=True)
        whole = self.undisturbed()
        every = int(os.environ.get("MOHO_TEST_FAULTS", 1))
        for word in ["KILL", "TORN", "POWER", "EIO", "ENOSPC", "SHORT"]:
            for k in range(every):
                call = 1 + (k * calls + chance.randrange(calls)) // every
                with self.subTest(fault=f"{word}@{call}"):
                    shutil.rmtree(self.path(".moho-store"), ignore_errors=True)
                    process = self.start(MOHO_TEST_WRITE_FAULT=f"{word}@{call}")
                    _, said = process.communicate(timeout=120)
                    self.assert_nothing_claims_to_be_whole()
                    if process.returncode:
                        self.assertIn(process.returncode, (1, -signal.SIGKILL), said)
                        self.assertNotEqual(word, "SHORT", said)
                        result = self.run_moho("migrate", "job.yaml")
                        self.assertEqual(result.code, 0, result.err)
                    self.assert_same(whole)
                shutil.rmtree(self.path("out"), ignore_errors=True)


class Signals(ResumeTest):
    def test_a_signal_saves_and_tells_how_to_go_on(self):
        whole = self.undisturbed()
        for number in [signal.SIGTERM, signal.SIGINT]:
            code, words = self.stop_after(self.saved() + 2, number)
            self.assertEqual(code, 75, words)
            self.assertIn("interrupted", words)
            self.assertRegex(words, r"\d+ of \d+ blocks are saved")
            self.assertIn("the same command goes on", words)
            self.assertEqual(sorted(os.listdir(self.path("out"))), [".moho", "image.partial.zarr"])
        self.good("migrate", "job.yaml")
        self.assert_same(whole)

    def test_a_second_signal_ends_it_at_once(self):
        """Both lie in wait while the run is stopped, so that no step of it comes between them."""
        whole = self.undisturbed()
        for first, second in [(signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)]:
            process, before = self.start(), self.saved()
            while process.poll() is None and self.saved() < before + 2:
                time.sleep(0.002)
            for number in [signal.SIGSTOP, first, second, signal.SIGCONT]:
                process.send_signal(number)
            _, words = process.communicate(timeout=60)
            self.assertIn(process.returncode, (-first, -second), words)
            self.assertNotIn("interrupted", words)
            self.assertFalse(self.is_finished())
            self.assertGreaterEqual(self.saved(), before + 2)
        self.good("migrate", "job.yaml")
        self.assert_same(whole)

    def test_a_half_made_image_is_known_as_such(self):
        self.stop_after(3, signal.SIGKILL)
        half = self.path("out", "image.partial.zarr")
        self.assertIn("HALF-MADE", self.good("info", half).out)
        self.assertIs(json.loads(self.good("info", half, "--json").out)["complete"], False)
        self.fails(1, ["is half-made", "let the run end first"], "demigrate", "job.yaml", "--image", half, "--output", "traces.sgy")
        self.assertFalse(os.path.exists(self.path("traces.sgy")))
        self.good("migrate", "job.yaml")
        self.assertIs(json.loads(self.good("info", self.path("out", "image.zarr"), "--json").out)["complete"], True)

    def test_a_half_made_image_opens_in_xarray(self):
        if not has_module("xarray"):
            self.skipTest("no xarray")
        import numpy
        import xarray
        self.stop_after(3, signal.SIGKILL)
        image = xarray.open_zarr(self.path("out", "image.partial.zarr"), consolidated=True)
        self.assertFalse(image.attrs["complete"])
        self.assertEqual((image["stack"].dtype, image["fold"].dtype), (numpy.float32, numpy.int32))
        stack, fold = image["stack"].values, image["fold"].values
        there = ~numpy.isnan(stack)
        self.assertTrue(0.1 < there.mean() < 1)
        self.assertTrue((fold[~there] == 0).all())
        self.good("migrate", "job.yaml")
        image = xarray.open_zarr(self.path("out", "image.zarr"), consolidated=True)
        self.assertTrue(image.attrs["complete"])
        self.assertFalse(numpy.isnan(image["stack"].values).any())
        numpy.testing.assert_array_equal(image["stack"].values[there], stack[there])


class Refusals(ResumeTest):
    def test_a_changed_job_or_input(self):
        whole = self.undisturbed()
        self.stop_after(2, signal.SIGTERM)
        saved = self.saved()
        self.fails(1, ["migration.aperture.max_m was 25, is now 26", "execution.resume=never", f"{saved} of its"], "migrate", "job.yaml",
                   "migration.aperture.max_m=26")
        self.fails(1, ["velocity.constant_mps was 2500, is now 2600"], "migrate", "job.yaml", "velocity.constant_mps=2600", "--overwrite")
        shutil.copy2(self.path("survey.sgy"), self.path("kept.sgy"))
        with open(self.path("survey.sgy"), "r+b") as file:  # one sample of one trace
            file.seek(3600 + 240 + 400)
            file.write(b"\x3f")
        self.fails(1, ["input.traces was", "is now"], "migrate", "job.yaml")
        shutil.copy2(self.path("kept.sgy"), self.path("survey.sgy"))
        times = os.stat(self.path("survey.sgy"))
        with open(self.path("survey.sgy"), "r+b") as file:  # one of each trace, and the time of the file as it was
            for trace in range(times.st_size // (240 + 4 * 301)):
                file.seek(3600 + trace * (240 + 4 * 301) + 240 + 400)
                file.write(b"\x3f")
        os.utime(self.path("survey.sgy"), ns=(times.st_atime_ns, times.st_mtime_ns))
        error = self.fails(1, ["input.traces was", "is now"], "migrate", "job.yaml").err
        samples = re.findall("samples ([0-9a-f]{16})", error)
        self.assertEqual((len(samples), len(set(samples))), (2, 2), error)
        os.replace(self.path("kept.sgy"), self.path("survey.sgy"))
        self.assertEqual(self.saved(), saved)
        # What changes no bit may change: threads, memory, where results go is the same.
        self.good("migrate", "job.yaml", "execution.device=cpu?threads=1")
        for name, data in self.tree("out").items():
            if name.endswith(".sgy") or "/stack/" in name or "/fold/" in name:
                self.assertTrue(data == whole[name], name)

    def test_never_starts_over(self):
        self.stop_after(2, signal.SIGTERM)
        self.good("migrate", "job.yaml", "migration.aperture.max_m=26", "execution.resume=never")
        with open(self.path("out", "report.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["job"]["migration"]["aperture"]["max_m"]["value"], 26)
        self.assertFalse(os.path.exists(self.path("out", ".moho")))

    def test_two_runs_at_once(self):
        whole = self.undisturbed()
        first = self.start()
        while first.poll() is None and self.saved() < 1:
            time.sleep(0.002)
        second = self.fails(1, ["another run", str(first.pid)], "migrate", "job.yaml", "--overwrite")
        self.assertIn("output.directory", second.err)
        first.communicate()
        self.assertEqual(first.returncode, 0)
        self.assert_same(whole)

    def test_earlier_results_stay_until_the_end(self):
        self.good("migrate", "job.yaml", "migration.aperture.max_m=26")
        before = self.tree("out")
        self.fails(1, "out is not empty", "migrate", "job.yaml")
        self.stop_after(2, signal.SIGKILL, "--overwrite")
        now = self.tree("out")
        self.assertTrue(all(now[name] == data for name, data in before.items()))
        self.good("migrate", "job.yaml")  # that it may overwrite was said when it was begun
        self.assertNotEqual(self.tree("out")["stack.sgy"], before["stack.sgy"])
        self.assertFalse(os.path.exists(self.path("out", "image.partial.zarr")))

    def test_a_damaged_block_is_done_again(self):
        whole = self.undisturbed()
        self.stop_after(3, signal.SIGKILL)
        chunks = self.path("out", "image.partial.zarr", "stack")
        name = sorted(n for n in os.listdir(chunks) if not n.startswith(".") and "partial" not in n)[0]
        with open(os.path.join(chunks, name), "r+b") as file:
            file.seek(100)
            byte = file.read(1)
            file.seek(100)
            file.write(bytes([byte[0] ^ 1]))
        self.good("migrate", "job.yaml")
        self.assert_same(whole)

    def test_a_damaged_journal_is_refused(self):
        self.stop_after(3, signal.SIGKILL)
        journal = self.path("out", ".moho", "journal")
        with open(journal, "r+b") as file:
            file.seek(40)
            file.write(b"?")
        self.fails(1, ["the journal is damaged", "execution.resume=never"], "migrate", "job.yaml")
        self.good("migrate", "job.yaml", "execution.resume=never")


if __name__ == "__main__":
    main()

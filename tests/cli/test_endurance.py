"""Hours of blocks: a run's memory, open files and threads do not grow with the number of blocks that it has done.

A block lasts about execution.checkpoint_s, 60 s: eight hours are 480 of them. Here they are done with a tiny aperture, in a moment
each, 160 unless MOHO_TEST_BLOCKS says otherwise; what was recorded of 480 and more is in docs/large-surveys.md.
"""

import os
import subprocess
import time
import unittest

from moho_command import BRIEF, MOHO, CommandTest, environment, main

BLOCKS = int(os.environ.get("MOHO_TEST_BLOCKS", "160"))
SIDE = 32  # columns of the smallest block; one thread and 256 times make it what memory holds
# What a process may grow by between an early and a late quarter: the journal's figures of a block are kept, about 1 KB each.
SLACK, A_BLOCK = 1.5e6, 1500

JOB = """input: {{traces: survey.sgy, resample: none}}
velocity: {{constant_mps: 2500}}
grid: {{origin_m: [10, 10], inline_azimuth_deg: 0, inline: {{n: {across}, spacing_m: {dx}}}, crossline: {{n: {along}, spacing_m: {dy}}}, time: {{first_s: 0.05, step_s: 0.002, n: 256}}}}
migration: {{aperture: {{max_m: 12, max_dip_deg: 30}}, rho_filter: none}}
output: {{directory: out, formats: [zarr], png: false, report: false}}
execution: {{device: "{device}", checkpoint_s: none, memory_gb: {memory}}}
"""


def figures(pid):
    """Resident bytes of its own, open files, threads, mappings; None when it has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(line.split(":", 1) for line in file)
        with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
            mappings = sum(1 for _ in file)
        return 1024 * int(status["RssAnon"].split()[0]), len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"]), mappings
    except (OSError, KeyError):
        return None


@unittest.skipUnless(os.path.exists("/proc/self/status"), "there is no /proc here")
@unittest.skipIf(BRIEF, "sanitizers need memory of their own")
class Endurance(CommandTest):
    def run_of(self, blocks, device):
        self.good("synth", "--preset", "tiny", "extent_inline_m=300", "extent_crossline_m=300", "offset_last_m=200", "n_samples=301", "noise=0",
                  "--output", "survey.sgy")
        rows = max(int(blocks**0.5), 1)
        strips = (blocks + rows - 1) // rows
        sizes = {"across": SIDE * strips, "along": SIDE * rows, "dx": 280 / (SIDE * strips), "dy": 280 / (SIDE * rows), "device": device}
        self.write("job.yaml", JOB.format(memory=0.001, **sizes))
        words = self.fails(1, "even block by block", "migrate", "job.yaml").err.split("the run needs ")[1].split()
        least = float(words[0]) * {"KiB": 2.0**10, "MiB": 2.0**20}[words[1].strip(",")] * 1e-9
        self.write("job.yaml", JOB.format(memory=f"{least * 1.002:.6f}", **sizes))
        return self.good("explain", "job.yaml", "--json").json()["plan"]["blocks"]["n"]

    def done(self):
        try:
            with open(self.path("out", ".moho", "journal"), "rb") as file:
                return file.read().count(b'"event":"done"')
        except OSError:
            return 0

    def watch(self, blocks):
        """[(blocks done, figures)] about a hundred times, and seconds."""
        seen, begin = [], time.monotonic()
        with subprocess.Popen([MOHO, "migrate", "job.yaml", "--progress", "none"], cwd=self.directory, env=environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                done, now = self.done(), figures(process.pid)
                if now and 0 < done < blocks and (not seen or done >= seen[-1][0] + blocks // 100):
                    seen.append((done, now))
                time.sleep(0.01 if blocks < 2000 else 0.2)
            self.assertEqual(process.returncode, 0, process.stderr.read())
        return seen, time.monotonic() - begin

    def test_nothing_grows(self):
        for device in os.environ.get("MOHO_TEST_DEVICES", "cpu?threads=1").split(","):
            blocks = self.run_of(BLOCKS, device)
            self.assertGreaterEqual(blocks, 0.9 * BLOCKS)
            seen, seconds = self.watch(blocks)
            early = [f for done, f in seen if 0.1 * blocks <= done < 0.35 * blocks]
            late = [f for done, f in seen if done >= 0.75 * blocks]
            self.assertTrue(len(early) > 2 and len(late) > 2, seen)
            grown = [max(f[k] for f in late) - max(f[k] for f in early) for k in range(4)]
            grown[1] = min(f[1] for f in late) - min(f[1] for f in early)  # one more is open for moments, whenever a block is written
            print(f"\n{device}: {blocks} blocks in {seconds:.1f} s; at {early[0]} early and {late[-1]} late (bytes, files, threads, mappings), grown by {grown}",
                  flush=True)
            self.assertLessEqual(grown[0], SLACK + A_BLOCK * blocks, seen)
            self.assertLessEqual(grown[1], 0, seen)
            self.assertLessEqual(grown[2], 1, seen)
            self.assertLessEqual(grown[3], 8, seen)


if __name__ == "__main__":
    main()

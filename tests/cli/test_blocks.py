"""Surveys larger than memory: by blocks the image is bitwise the one in memory, and memory stays within execution.memory_gb."""

import json
import os
import resource
import subprocess
import unittest

from moho_command import BRIEF, MOHO, CommandTest, environment, main

# 121 x 161 columns over the small survey: blocks of 32 x 32 at least.
JOB = """input: {{traces: survey.sgy}}
velocity: {{linear_t0: {{v0_mps: 2000, slope_mps_per_s: 700}}}}
grid: {{origin_m: [{x}, {y}], inline_azimuth_deg: {azimuth}, inline: {{n: {ni}, spacing_m: 1.25}}, crossline: {{n: {nj}, spacing_m: {spacing}}}}}
migration: {{aperture: {{max_m: 25, max_dip_deg: 45}}, rho_filter: none, {migration}}}
{gathers}
output: {{directory: out, formats: [zarr, segy]}}
execution: {{device: "cpu?threads=2", checkpoint_s: none}}
"""
SURVEY = ["--preset", "tiny", "extent_inline_m=150", "extent_crossline_m=200", "offset_last_m=200", "n_samples=301", "noise=0.1",
          "diffractors=75:100:400:1", "azimuths_deg=0"]


class Blocks(CommandTest):
    def setUp(self):
        super().setUp()
        self.good("synth", *SURVEY, "--output", "survey.sgy")

    def blocks_job(self, migration="antialias: none", gathers="", azimuth=0, x=0, y=0, ni=121, nj=161, spacing=1.25):
        self.write("job.yaml", JOB.format(migration=migration, gathers=gathers, azimuth=azimuth, x=x, y=y, ni=ni, nj=nj, spacing=spacing))

    def least(self):
        """The least memory that a run by blocks can do with, from what refuses less, in GB."""
        error = self.fails(1, ["even block by block", "are allowed"], "migrate", "job.yaml", "execution.memory_gb=0.001", "output.directory=no").err
        words = error.split("the run needs ")[1].split()
        return float(words[0]) * {"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}[words[1].strip(",")] / 1e9 * 1.01

    def blocks_of(self, *arguments):
        plan = self.good("explain", "job.yaml", "--json", *arguments).json()["plan"]
        return plan["blocks"]["n"] if plan["blocks"] else 0

    def same(self, one, other):
        """Everything but the attributes, which hold the job; and what was counted."""
        a, b = self.tree(one), self.tree(other)
        self.assertEqual(set(a), set(b))
        attributes = {"report.json", "image.zarr/.zattrs", "image.zarr/.zmetadata"}
        differing = [name for name in a if name not in attributes and not name.endswith(".html") and a[name] != b[name]]
        self.assertEqual(differing, [])
        first, second = json.loads(a["report.json"]), json.loads(b["report.json"])
        self.assertEqual(first["contributions"], second["contributions"])
        self.assertEqual(first["traces"], second["traces"])
        self.assertGreater(first["contributions"], 0)
        self.same_figures([first, second], [json.loads(tree["image.zarr/.zattrs"]) for tree in (a, b)])

    def same_figures(self, reports, attributes):
        """Blocks are measured from their file: the figures of the image in memory, in the report and in the image itself."""
        images = [report["quality"]["image"] for report in reports]
        self.assertGreater(images[0]["focusing"]["kurtosis"], 1)
        self.assertGreater(images[0]["spectrum"]["traces"], 0)
        self.assertEqual(images[0], images[1])
        for image, held in zip(images, attributes):
            self.assertEqual(held["statistics"], {k: v for k, v in image.items() if k not in {"spectrum", "findings"}})

    def check(self, *shares):
        """By blocks in some parts of the memory that the whole would take."""
        self.good("migrate", "job.yaml", "output.directory=whole")
        with open(self.path("whole", "report.json"), encoding="utf-8") as file:
            needed = json.load(file)["memory"]["planned_bytes"] * 1e-9
        least, seen = self.least(), set()
        self.assertLess(least, needed)
        for share in shares:
            memory = f"execution.memory_gb={least + share * (needed - least):.6f}"
            blocks = self.blocks_of(memory)
            self.good("migrate", "job.yaml", f"output.directory=blocks{share}", memory)
            self.same("whole", f"blocks{share}")
            seen.add(blocks)
        self.assertTrue(max(seen) > 1, seen)

    @unittest.skipIf(BRIEF, "minutes under sanitizers")
    def test_stack_and_fold(self):
        self.blocks_job()
        self.check(0, 0.2)

    @unittest.skipIf(BRIEF, "minutes under sanitizers")
    def test_rotated_grid_antialias_and_fold(self):
        self.blocks_job("antialias: triangle, normalise: fold, stretch_mute: 0.8", azimuth=33, x=20, y=-10)
        self.check(0)

    def test_gathers(self):
        self.blocks_job(gathers="gathers: {kind: offset, edges_m: [0, 120, 180, 260], inverse_nmo: true}")
        self.check(0.1)

    @unittest.skipIf(BRIEF, "minutes under sanitizers")
    def test_line(self):
        self.blocks_job(azimuth=20, ni=1, nj=12000, x=20, y=-100, spacing=0.03)
        self.check(0)

    def test_blocks_for_what_is_saved(self):
        """Where all would fit into memory a long run goes by blocks too."""
        self.blocks_job()
        self.good("migrate", "job.yaml", "output.directory=whole")
        self.assertEqual(self.blocks_of(), 0)
        self.assertGreater(self.blocks_of("execution.checkpoint_s=0.001"), 1)
        self.good("migrate", "job.yaml", "output.directory=blocks", "execution.checkpoint_s=0.001")
        self.same("whole", "blocks")

    @unittest.skipIf(BRIEF, "minutes under sanitizers")
    def test_kernels_of_devices(self):
        """Their texts as C: the same fold, and contributions."""
        self.blocks_job(ni=61)
        for directory, checkpoint in [("whole", "none"), ("blocks", "0.001")]:
            self.good("migrate", "job.yaml", f"output.directory={directory}", f"execution.checkpoint_s={checkpoint}", "execution.kernel=v2")
        a, b = self.tree("whole"), self.tree("blocks")
        folds = [name for name in a if name.startswith("image.zarr/fold/")]
        self.assertTrue(len(folds) > 4 and all(a[name] == b[name] for name in folds))
        reports = [json.loads(tree["report.json"]) for tree in (a, b)]
        self.assertEqual(reports[0]["contributions"], reports[1]["contributions"])
        self.assertEqual(reports[0]["traces"], reports[1]["traces"])
        self.assertEqual(reports[1]["kernel"]["used"], "v2")

    def test_what_stays_whole_is_refused_by_name(self):
        self.blocks_job("levels: [2, 1]")
        self.fails(1, ["migration.levels", "stays in memory as a whole"], "migrate", "job.yaml", "execution.memory_gb=0.02")
        text = self.good("explain", "job.yaml", "execution.memory_gb=0.02").out
        self.assertIn("migrate will refuse this job", text)


class Forecast(CommandTest):
    """What moho explain says of a run, and what the run then does."""

    def plan_and_report(self, *arguments):
        plan = self.good("explain", "job.yaml", "--json", *arguments).json()["plan"]
        self.good("migrate", "job.yaml", "--overwrite", *arguments)
        with open(self.path("out", "report.json"), encoding="utf-8") as file:
            return plan, json.load(file)

    def test_contributions_exactly(self):
        self.good("synth", *SURVEY, "--output", "survey.sgy")
        for number, (migration, gathers, blocks) in enumerate([
                ("antialias: triangle, stretch_mute: 0.5", "", "none"), ("traveltime: curved_rms", "", "0.001"),
                ("normalise: fold", "gathers: {kind: offset, edges_m: [0, 180, 260]}", "none")]):
            self.write("job.yaml", JOB.format(migration=migration, gathers=gathers, azimuth=11 * number, x=0, y=0, ni=31, nj=41, spacing=5))
            plan, report = self.plan_and_report(f"execution.checkpoint_s={blocks}")
            self.assertTrue(plan["contributions_exact"])
            self.assertEqual(plan["contributions"], report["contributions"])
            self.assertGreater(report["contributions"], 1e5)

    @unittest.skipIf(BRIEF, "sanitizers change what takes time")
    def test_seconds(self):
        """Within 30 per cent, where nothing else takes the processor between explaining and running: so of some tries one counts,
        which a prediction that is wrong by itself does not survive."""
        self.good("synth", "--preset", "small", "noise=0", "azimuths_deg=0", "--output", "survey.sgy")
        self.write("job.yaml", """input: {traces: survey.sgy}
velocity: {constant_mps: 2500}
migration: {aperture: {max_m: 450}, antialias: triangle}
output: {directory: out, png: false}
execution: {device: "cpu?threads=1", checkpoint_s: none}
""")
        ratios = []
        for _ in range(6):
            plan, report = self.plan_and_report()
            self.assertTrue(plan["rate_measured"])
            ratios.append(plan["seconds_expected"] / report["seconds"]["total"])
            if abs(ratios[-1] - 1) <= 0.3:
                return
        self.fail(f"expected over taken: {ratios}")


class Cgroup:
    """A memory cgroup of our own below the root's or our own, where that may be made: all that its processes hold counts, their files
    in the cache too (which give way)."""

    def __init__(self, limit):
        self.folder = None
        for root, key in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]:
            if not os.path.exists(os.path.join(root, "cgroup.procs")):
                continue
            folder = os.path.join(root, f"moho-test-{os.getpid()}")
            try:
                os.mkdir(folder)
                with open(os.path.join(folder, key), "w", encoding="ascii") as file:
                    file.write(str(int(limit)))
                self.folder = folder
                return
            except OSError:
                if os.path.isdir(folder):
                    os.rmdir(folder)

    def enter(self):
        with open(os.path.join(self.folder, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(os.getpid()))

    def close(self):
        if self.folder:
            os.rmdir(self.folder)


@unittest.skipIf(BRIEF, "sanitizers need memory of their own")
class Limit(CommandTest):
    """Survey and image each more than four times what the process may hold: by a cgroup execution.memory_gb itself, where one can be
    made; else by RLIMIT_DATA that and what any process has."""

    ALLOWED = 84e6  # execution.memory_gb
    LIMIT = 104e6   # RLIMIT_DATA

    def limited(self):
        if self.cgroup.folder:
            self.cgroup.enter()
            return
        resource.setrlimit(resource.RLIMIT_DATA, (int(self.LIMIT), int(self.LIMIT)))
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))

    def migrate(self, *arguments):
        return subprocess.run([MOHO, "migrate", "job.yaml", *arguments], cwd=self.directory, env=environment(OMP_STACKSIZE="1M"),
                              preexec_fn=self.limited, capture_output=True, text=True, timeout=280, check=False)

    def test_memory_stays_bounded(self):
        self.good("synth", "--preset", "tiny", "extent_inline_m=2000", "extent_crossline_m=2400", "n_samples=1501", "midpoint_spacing_m=25",
                  "offset_first_m=100", "offset_last_m=900", "offset_step_m=100", "azimuths_deg=0", "noise=0", "--output", "survey.sgy")
        self.write("job.yaml", """input: {traces: survey.sgy, resample: none}
velocity: {constant_mps: 2500}
grid: {corners: [[0, 0], [0, 2400], [2000, 2400]], inline: {spacing_m: 10}, crossline: {spacing_m: 12.5}, time: {step_s: 0.002}}
migration: {aperture: {max_m: 30}, rho_filter: none}
output: {directory: out, formats: [zarr], png: false}
execution: {device: "cpu?threads=2", checkpoint_s: none, memory_gb: %g}
""" % (self.ALLOWED * 1e-9))
        self.assertGreater(os.path.getsize(self.path("survey.sgy")), 4 * self.LIMIT)
        self.assertGreater(201 * 193 * 1501 * 8, 4 * self.LIMIT)
        self.cgroup = Cgroup(self.ALLOWED)
        self.addCleanup(self.cgroup.close)
        print("\nlimited by", "a cgroup" if self.cgroup.folder else "RLIMIT_DATA: no cgroup can be made here", flush=True)
        done = self.migrate()
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("out", "report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(report["traces"]["used"], report["traces"]["total"])
        whole = self.migrate("output.directory=whole", "execution.memory_gb=2")  # the limit holds: in memory as a whole it does not go
        self.assertNotEqual(whole.returncode, 0)


if __name__ == "__main__":
    main()

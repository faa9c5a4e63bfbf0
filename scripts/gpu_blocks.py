#!/usr/bin/env python3
"""A survey several times larger than the memory a run may hold, from disk to image by blocks; killed and gone on with.

    scripts/gpu_blocks.py MOHO RESULTS [--device cuda:0] [--kernel v3] [--folder DIR] [--small]

1. A survey of 2.08 million traces is written (4.7 GB) and migrated onto 961 x 961 columns (3.7 GB of image and fold) with
   execution.memory_gb 1: from SEG-Y through the store to image.zarr. Told: wall over kernel seconds (asked: at most 1.3), host
   memory as the system saw it, the device's, blocks.
2. The same job in memory, into 96 x 96 columns of it alone: the same fold and, within the kernels' promise, the same image there.
3. A part of the grid by blocks of little device memory (execution.device_memory_gb), whole and killed (kill -9) when some blocks
   are saved, then gone on with: all files of both images are the same bits.

--small: a survey of 19 000 traces, for machines without a GPU (--device cpu), which can only check that the script is right.
The last lines are the figures; exit code 1 where anything differs, 3 where wall was more than 1.3 of kernel (not with --small).
"""

import argparse
import array
import ctypes
import glob
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

ASKED = 1.3
PROMISE = {"native": 1e-5, "v3": 1e-3}  # relative L2; others 1e-5
CHUNK = 32  # columns along a chunk's side
JOB = """input: {{traces: "{folder}/survey.sgy", resample: none}}
velocity: {{constant_mps: 2500}}
grid: {{origin_m: [{x}, {y}], inline_azimuth_deg: 0, inline: {{n: {n}, spacing_m: {spacing}}}, crossline: {{n: {n}, spacing_m: {spacing}}},
  time: {{first_s: 0, step_s: 0.004, n: {times}}}}}
migration: {{aperture: {{max_m: {aperture}, max_dip_deg: 60}}, antialias: triangle, rho_filter: none, weight: none}}
output: {{directory: "{folder}/{name}", formats: [zarr], png: false, report: false}}
execution: {{device: "{device}", kernel: {kernel}, checkpoint_s: none, store: "{folder}/store"{more}}}
"""


class Case:
    """Sizes of the survey and of the three images."""

    def __init__(self, small, unified, aperture):
        self.extent, self.spacing, self.times, self.aperture = (1000, 8, 151, 120) if small else (12000, 12.5, 501, aperture)
        self.columns = int(self.extent / self.spacing) + 1
        self.offsets = "offset_first_m=200 offset_last_m=1800 offset_step_m=200" if not small else "offset_first_m=50 offset_last_m=400 offset_step_m=50"
        self.window = 32 if small else 96
        self.part = 96 if small else 320
        self.memory = 0.045 if small else 1.0
        # Where a device shares the host's memory the small blocks of the third part follow from that.
        self.less = f", memory_gb: {0.035 if small else 0.5}" if unified else f", device_memory_gb: {0.012 if small else 0.15}"


# ---- running ----


class Watch(threading.Thread):
    """The largest of a process's kinds of memory, as /proc tells them."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most = pid, {}
        self.start()

    def run(self):
        while True:
            try:
                with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
                    lines = [line.split() for line in file if line.startswith(("RssAnon", "RssFile", "RssShmem", "VmHWM"))]
            except OSError:
                return
            if not lines:
                return
            for name, kilobytes, _ in lines:
                self.most[name.strip(":")] = max(self.most.get(name.strip(":"), 0), int(kilobytes) * 1024)
            time.sleep(0.05)


class Runner:
    def __init__(self, arguments, folder, case):
        self.moho, self.folder, self.case = os.path.abspath(arguments.moho), folder, case
        self.device, self.kernel = arguments.device, arguments.kernel

    def job(self, name, first, n, more):
        """Columns [first, first + n) along both axes of the whole grid."""
        path = os.path.join(self.folder, f"{name}.yaml")
        at = first * self.case.spacing
        with open(path, "w", encoding="utf-8") as file:
            file.write(JOB.format(folder=self.folder, name=name, device=self.device, kernel=self.kernel, x=at, y=at, n=n, spacing=self.case.spacing,
                                  times=self.case.times, aperture=self.case.aperture, more=more))
        return path

    def start(self, path):
        return subprocess.Popen([self.moho, "migrate", path, "--progress", "none", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def migrate(self, path):
        """Its report, wall seconds with the process, memory."""
        begin = time.monotonic()
        process = self.start(path)
        watch = Watch(process.pid)
        out, err = process.communicate()
        wall = time.monotonic() - begin
        if process.returncode:
            sys.exit(f"gpu_blocks: {path}: exit code {process.returncode}\n{err}")
        return json.loads(out), wall, watch.most

    def explain(self, path):
        return json.loads(subprocess.run([self.moho, "explain", path, "--json"], capture_output=True, text=True, check=True).stdout)["plan"]


# ---- images ----


def blosc_beside(moho):
    """The bundle's blosc; what it needs lies beside it, where only programs of the bundle look: loaded first, by name."""
    folder = os.path.join(os.path.dirname(os.path.abspath(moho)), "lib")
    for needed in ["libsnappy", "liblz4", "libzstd", "libz"]:
        for path in glob.glob(os.path.join(folder, needed + ".so*")):
            try:
                ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
            except OSError as error:
                print(f"gpu_blocks: {path}: {error}", file=sys.stderr)
    return ctypes.CDLL((glob.glob(os.path.join(folder, "libblosc.so*")) or ["libblosc.so.1"])[0])


class Zarr:
    """Chunks of an array of image.zarr, unpacked: blosc from the bundle's own library, zlib from Python's."""

    def __init__(self, folder, name, moho):
        self.folder = os.path.join(folder, "image.zarr", name)
        with open(os.path.join(self.folder, ".zarray"), encoding="utf-8") as file:
            self.meta = json.load(file)
        self.blosc = blosc_beside(moho) if self.meta["compressor"]["id"] == "blosc" else None

    def chunk(self, i, j):
        """All times of a chunk of columns, as an array of float or int32."""
        name = self.meta.get("dimension_separator", ".").join([str(i), str(j), "0"])
        with open(os.path.join(self.folder, name), "rb") as file:
            packed = file.read()
        kind = "f" if self.meta["dtype"] == "<f4" else "i"
        values = array.array(kind)
        n = math.prod(self.meta["chunks"])
        if self.blosc:
            room = ctypes.create_string_buffer(4 * n)
            if self.blosc.blosc_decompress_ctx(packed, room, ctypes.c_size_t(4 * n), 1) != 4 * n:
                sys.exit(f"gpu_blocks: {self.folder}/{name}: not a whole chunk")
            values.frombytes(room.raw)
        else:
            values.frombytes(zlib.decompress(packed))
        return values


def compare(whole, first, window, n, moho):
    """Chunks of `window` with those of `whole` that begin `first` chunks farther: relative L2 of the stack, samples whose fold differs."""
    difference = norm = 0.0
    folds = samples = 0
    for name in ["stack", "fold"]:
        ours, theirs = Zarr(whole, name, moho), Zarr(window, name, moho)
        for i in range(n):
            for j in range(n):
                a, b = ours.chunk(first + i, first + j), theirs.chunk(i, j)
                if name == "stack":
                    difference += math.fsum((x - y) * (x - y) for x, y in zip(a, b))
                    norm += math.fsum(y * y for y in b)
                else:
                    folds += sum(x != y for x, y in zip(a, b))
                    samples += len(a)
    return math.sqrt(difference / norm) if norm > 0 else math.inf, folds, samples


def files_of(folder):
    """What every file of an image holds, but for the attributes, which name the directory."""
    found = {}
    for place, _, names in os.walk(os.path.join(folder, "image.zarr")):
        for name in names:
            if name not in (".zattrs", ".zmetadata"):
                path = os.path.join(place, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = hash(file.read())
    return found


# ---- the three parts ----


def whole_survey(runner, arguments):
    case, verdict = runner.case, 0
    path = runner.job("whole", 0, case.columns, f", memory_gb: {case.memory}")
    plan = runner.explain(path)
    report, wall, memory = runner.migrate(path)
    seconds, used = report["seconds"], report["memory"]
    survey = report["traces"]["total"] * case.times * 4
    image = case.columns**2 * case.times * 8
    ratio = wall / seconds["kernel"]
    lines = [
        f"blocks: {report['traces']['total']} traces ({survey / 1e9:.2f} GB of samples), {case.columns} x {case.columns} x {case.times} samples "
        f"({image / 1e9:.2f} GB with fold), memory_gb {case.memory}: {plan['blocks']['n']} blocks, a trace read {plan['blocks']['trace_read_times']:.2f} times, "
        f"{report['contributions']:.4g} contributions",
        f"blocks: wall {wall:.1f} s = {ratio:.3f} x kernel {seconds['kernel']:.1f} s (asked {ASKED}); explained {plan['seconds_expected']:.1f} s; "
        + ", ".join(f"{name} {seconds[name]:.1f}" for name in ["open", "store", "create", "migrate", "prepare", "read", "transfer", "write", "compile"]),
        f"blocks: host memory, MB: resident at most {memory.get('VmHWM', 0) / 1e6:.0f}, of it anonymous {memory.get('RssAnon', 0) / 1e6:.0f}, "
        f"of files {memory.get('RssFile', 0) / 1e6:.0f}, shared {memory.get('RssShmem', 0) / 1e6:.0f}; planned {plan['memory_bytes'] / 1e6:.0f} of "
        f"{case.memory * 1e3:.0f}; device {used['device_peak_bytes'] / 1e6:.0f} (a block's {used['device_bytes'] / 1e6:.0f})",
    ]
    if ratio > ASKED and not arguments.small:
        verdict = 3
    return verdict, lines


def in_memory(runner):
    case = runner.case
    chunks = case.window // CHUNK
    first = (case.columns // CHUNK - chunks) // 2
    report, _, _ = runner.migrate(runner.job("window", first * CHUNK, case.window, ""))
    bound = PROMISE.get(report["kernel"]["used"], 1e-5)
    relative, folds, samples = compare(os.path.join(runner.folder, "whole"), first, os.path.join(runner.folder, "window"), chunks, runner.moho)
    good = relative <= bound and folds <= 1e-5 * samples
    return 0 if good else 1, [f"blocks: in memory, {case.window} x {case.window} columns: relative L2 {relative:.2e} (promised {bound:g}), fold differs in "
                              f"{folds} of {samples} samples: {'good' if good else 'FAILED'}"]


def saved_blocks(folder):
    try:
        with open(os.path.join(folder, ".moho", "journal"), encoding="utf-8") as file:
            return file.read().count('"event":"done"')
    except OSError:
        return 0


def killed(runner):
    case = runner.case
    first = (case.columns - case.part) // 2
    undisturbed = runner.job("undisturbed", first, case.part, case.less)
    n = runner.explain(undisturbed)["blocks"]["n"]
    _, seconds, _ = runner.migrate(undisturbed)
    path, out = runner.job("killed", first, case.part, case.less), os.path.join(runner.folder, "killed")
    process = runner.start(path)
    while process.poll() is None and saved_blocks(out) < max(n // 3, 1):
        time.sleep(0.002)
    saved = saved_blocks(out)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if process.returncode != -signal.SIGKILL or not 0 < saved < n:
        return 1, [f"blocks: the run of {n} blocks was not killed on its way ({saved} saved): FAILED"]
    _, rest, _ = runner.migrate(path)
    one, other = files_of(os.path.join(runner.folder, "undisturbed")), files_of(out)
    differing = [name for name in set(one) | set(other) if one.get(name) != other.get(name)]
    return 1 if differing else 0, [f"blocks: kill -9 with {saved} of {n} blocks saved, gone on with in {rest:.1f} s (undisturbed {seconds:.1f} s): {len(one)} files, "
                                   f"{len(differing)} differ: {'FAILED' if differing else 'good'}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("moho")
    parser.add_argument("results")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--kernel", default="v3")
    parser.add_argument("--folder", help="where 16 GB are free; default: the temporary one")
    parser.add_argument("--aperture", type=float, default=4000, help="m; kernel seconds grow with its square [%(default)g]")
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    case = Case(arguments.small, not arguments.device.startswith("cuda"), arguments.aperture)
    folder = tempfile.mkdtemp(prefix="moho-blocks-", dir=arguments.folder)
    code, lines = 0, []
    try:
        runner = Runner(arguments, folder, case)
        begin = time.monotonic()
        subprocess.run([runner.moho, "synth", "--preset", "large", f"extent_inline_m={case.extent}", f"extent_crossline_m={case.extent}", *case.offsets.split(),
                        "azimuths_deg=0", "dt_s=0.004", f"n_samples={case.times}", f"diffractors={case.extent / 2}:{case.extent / 2}:800:1", "peak_hz=20",
                        "--progress", "none", "--output", f"{folder}/survey.sgy"], check=True)
        print(f"blocks: survey of {os.path.getsize(f'{folder}/survey.sgy') / 1e9:.2f} GB written in {time.monotonic() - begin:.1f} s", flush=True)
        for part in [lambda: whole_survey(runner, arguments), lambda: in_memory(runner), lambda: killed(runner)]:
            verdict, told = part()
            print("\n".join(told), flush=True)
            code, lines = code or verdict, lines + told
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    with open(arguments.results, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())

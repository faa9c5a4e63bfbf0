#!/usr/bin/env python3
"""Migrates in a process in which PyTorch or CuPy holds memory of the same GPU and computes: both must get their own results.

    scripts/gpu_beside.py LIBRARY [--device cuda:0] [--kernel v3] [--neighbour auto|torch|cupy|numpy] [--preset small]

LIBRARY is libmoho.so.0, or a folder that holds it (build, or the one that scripts/gpu_bundle.sh made). The yardstick is the same
job in a process of its own. Then, beside the neighbour: after it came first and filled its memory; while a thread of it computes
without a pause; two migrations at once while it computes; after it gave its memory back. In the end the neighbour goes on without
Moho. Without a GPU: --device cpu, where NumPy stands in. The last line tells the verdict; exit code 0: all equal.
"""

import argparse
import ctypes
import glob
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

JOB = """input: {{traces: "{traces}"}}
velocity: {{constant_mps: 2500}}
grid: auto
migration: {{aperture: {{max_m: 1500, max_dip_deg: 45}}}}
output: {{directory: "{output}", formats: [segy], png: false}}
execution: {{device: "{device}", kernel: {kernel}}}
"""
SEGY_HEADERS = 3600  # text and binary header: they may tell the time of day, samples may not


# ---- Moho ----


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("message", ctypes.c_char * 600), ("hint", ctypes.c_char * 400)]


def find_compiler():
    """Where CUDA is only there as Python packages, Moho is told so."""
    if "MOHO_NVRTC" in os.environ or glob.glob("/usr/local/cuda/lib64/libnvrtc.so*"):
        return
    for packages in sys.path:
        if glob.glob(os.path.join(packages, "nvidia", "*", "lib", "libnvrtc.so*")):
            os.environ["MOHO_NVRTC"] = packages
            return


def find_library(path):
    for name in ["", "lib/libmoho.so.0", "libmoho.so.0", "libmoho.dylib"]:
        file = os.path.join(path, name) if name else path
        if os.path.isfile(file):
            return os.path.abspath(file)
    sys.exit(f"gpu_beside: {path}: no libmoho there")


class Moho:
    def __init__(self, path):
        self.library = ctypes.CDLL(find_library(path))
        self.library.moho_last_error.restype = ctypes.POINTER(Error)

    def check(self, status, what):
        if status:
            error = self.library.moho_last_error().contents
            raise RuntimeError(f"{what}: {error.message.decode()} ({error.hint.decode()})")

    def synthesise(self, preset, file):
        options = ctypes.create_string_buffer(1 << 16)  # more than the struct takes
        self.check(self.library.moho_synth_options_preset(preset.encode(), options), "preset")
        self.check(self.library.moho_synth_write(options, file.encode(), None, None), "survey")

    def migrate(self, folder, name, device, kernel):
        """The hash of the stack's traces, and the report."""
        output = os.path.join(folder, name)
        text = JOB.format(traces=os.path.join(folder, "survey.sgy"), output=output, device=device, kernel=kernel).encode()
        job, report = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.library.moho_job_parse(text, ctypes.c_size_t(len(text)), b"job", ctypes.byref(job)), "job")
        try:
            self.check(self.library.moho_job_run(job, None, ctypes.byref(report)), name)
            told = json.loads(ctypes.string_at(report))
            ctypes.CDLL(None).free(report)
        finally:
            self.library.moho_job_destroy(ctypes.byref(job))
        with open(os.path.join(output, "stack.sgy"), "rb") as file:
            return hashlib.sha256(file.read()[SEGY_HEADERS:]).hexdigest(), told


# ---- the neighbour ----


class Neighbour:
    """Holds numbers and computes with them; whole numbers, so that every result is exact. `numbers` is numpy, cupy or torch."""

    def __init__(self, name):
        self.name, self.rounds, self.wrong = name, 0, []
        self.module = __import__(name)
        self.version = self.module.__version__
        self.on_gpu = name == "cupy" or (name == "torch" and self.module.cuda.is_available())
        if name == "cupy":
            self.module.cuda.runtime.getDeviceCount()  # raises where there is none
        self.where = {"device": "cuda"} if name == "torch" and self.on_gpu else {}
        self.hold()
        self.square = self.range(65536).reshape(256, 256) % 4
        self.expected = self.compute()

    def range(self, n):
        return self.module.arange(n, dtype=self.module.int64, **self.where)

    def hold(self):
        count = (1 << 27) if self.on_gpu else (1 << 22)  # 1 GiB, 32 MiB
        self.held = self.range(count) * 3 + 7

    def finish(self):
        if self.name == "cupy":
            self.module.cuda.Stream.null.synchronize()
        elif self.on_gpu:
            self.module.cuda.synchronize()

    def compute(self):
        """Kernels, a library's product, an allocation, a transfer back."""
        numbers = self.held[: 1 << 20]
        product = self.to(self.square, self.module.float32)
        product = self.to(product @ product, self.module.int64)
        return int((numbers * 5 % 1000003).sum()), int(product.sum()), int(self.held.sum())

    def to(self, array, kind):
        return array.to(kind) if self.name == "torch" else array.astype(kind)

    def check(self, when):
        got = self.compute()
        self.rounds += 1
        if got != self.expected:
            self.wrong.append(f"{when}: {got}, expected {self.expected}")

    def compute_until(self, ended):
        while not ended.is_set():
            self.check("while migrating")

    def give_back(self):
        del self.held
        if self.name == "torch" and self.on_gpu:
            self.module.cuda.empty_cache()
        elif self.name == "cupy":
            self.module.get_default_memory_pool().free_all_blocks()


def names_of(arguments):
    if arguments.neighbour != "auto":
        return [arguments.neighbour]
    return ["numpy"] if arguments.device.startswith("cpu") else ["torch", "cupy"]


def load_modules(names):
    """Before Moho, whose folder may bring a C++ library older than theirs. None of them touches the GPU yet."""
    for name in names:
        try:
            __import__(name)
        except ImportError:
            pass  # find_neighbour() tells


def find_neighbour(names):
    reasons = []
    for name in names:
        try:
            return Neighbour(name)
        except Exception as error:  # each has its own ways to say that there is no GPU
            reasons.append(f"{name}: {error}")
    sys.exit("gpu_beside: no neighbour: " + "; ".join(reasons))


# ---- the meetings ----


def alone(arguments, folder):
    """In a process of its own, which no neighbour ever enters."""
    command = [sys.executable, os.path.abspath(__file__), arguments.library, "--alone", folder]
    command += ["--device", arguments.device, "--kernel", arguments.kernel, "--preset", arguments.preset]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"gpu_beside: the run alone failed: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def at_once(moho, arguments, folder, names):
    """Several migrations, each in a thread; their hashes by name."""
    results = {}

    def run(name):
        try:
            results[name] = moho.migrate(folder, name, arguments.device, arguments.kernel)[0]
        except RuntimeError as error:
            results[name] = str(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def meet(moho, neighbour, arguments, folder):
    """The hashes of all migrations beside the neighbour."""
    hashes = at_once(moho, arguments, folder, ["after it came first"])
    neighbour.check("after a migration")
    ended = threading.Event()
    working = threading.Thread(target=neighbour.compute_until, args=(ended,))
    working.start()
    try:
        hashes.update(at_once(moho, arguments, folder, ["while it computes"]))
        hashes.update(at_once(moho, arguments, folder, ["two at once, first", "two at once, second"]))
    finally:
        ended.set()
        working.join()
    neighbour.give_back()
    hashes.update(at_once(moho, arguments, folder, ["after it gave its memory back"]))
    neighbour.hold()
    neighbour.check("after the last migration")
    neighbour.finish()
    return hashes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--kernel", default="auto", help="a version by name gives the same bits; auto: v3, native on the cpu")
    parser.add_argument("--neighbour", default="auto", choices=["auto", "torch", "cupy", "numpy"])
    parser.add_argument("--preset", default="small")
    parser.add_argument("--alone", metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.kernel == "auto":
        arguments.kernel = "native" if arguments.device.startswith("cpu") else "v3"
    find_compiler()
    if not arguments.alone:
        load_modules(names_of(arguments))
    moho = Moho(arguments.library)
    if arguments.alone:
        result, report = moho.migrate(arguments.alone, "alone", arguments.device, arguments.kernel)
        print(json.dumps({"hash": result, "device": report["device"]["name"], "contributions": report["contributions"]}))
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        moho.synthesise(arguments.preset, os.path.join(folder, "survey.sgy"))
        expected = alone(arguments, folder)
        neighbour = find_neighbour(names_of(arguments))
        hashes = meet(moho, neighbour, arguments, folder)
    different = [f"{name}: {value}" for name, value in hashes.items() if value != expected["hash"]]
    for line in different + neighbour.wrong:
        print(line)
    good = not different and not neighbour.wrong and len(hashes) == 5
    same, right, rounds = len(hashes) - len(different), neighbour.rounds - len(neighbour.wrong), neighbour.rounds
    place = "" if neighbour.on_gpu else " (no GPU)"
    print(f"gpu_beside: {'good' if good else 'FAILED'}: {same} of {len(hashes)} migrations by {arguments.kernel} on "
          f"{expected['device']} equal the one alone ({expected['contributions']:.3g} contributions); {neighbour.name} "
          f"{neighbour.version}{place}: {right} of {rounds} rounds right; {time.monotonic() - began:.1f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""Every command: its help, its exit codes, its words and its JSON."""

import json
import os
import struct
import unittest

from moho_command import CommandTest, has_module, main, patch, trace_offset

COMMANDS = ["synth", "migrate", "explain", "info", "view", "devices", "selftest", "bench", "program"]
DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")


class Help(CommandTest):
    def test_help_lists_all_commands(self):
        text = self.good("help").out
        self.assertEqual(text, self.good("--help").out)
        for command in COMMANDS:
            self.assertIn(f"  {command} ", text)

    def test_every_command_teaches_with_an_example(self):
        for command in COMMANDS:
            with self.subTest(command):
                text = self.good(command, "--help").out
                self.assertTrue(text.startswith(f"usage: moho {command}"))
                self.assertIn(f"    moho {command}", text)
                for option in ["--json", "--output", "--progress", "--help"]:
                    self.assertIn(option, text)
                self.assertEqual(text, self.good("help", command).out)

    def test_version(self):
        self.assertRegex(self.good("--version").out, r"^moho \d+\.\d+\.\d+\n$")

    def test_docs_are_those_of_the_program(self):
        for option, name in [("--job-markdown", "job.md"), ("--man", os.path.join("man", "moho.1"))]:
            with open(os.path.join(DOCS, name), encoding="utf-8") as file:
                self.assertEqual(file.read(), self.good("help", option).out, f"docs/{name} is old: moho help {option} writes it")

    def test_keys_of_the_job(self):
        text = self.good("migrate", "--keys").out
        self.assertEqual(text, self.good("help", "job").out)
        self.assertIn("migration.aperture.max_m", text)


class Usage(CommandTest):
    def test_no_command(self):
        self.fails(2, "usage: moho COMMAND")

    def test_unknown_command_gets_the_nearest(self):
        self.fails(2, ['unknown command "migrat"', 'did you mean "migrate"?'], "migrat", "job.yaml")
        self.fails(2, "unknown command", "help", "xyzzyxyzzy")

    def test_unknown_option_gets_the_nearest(self):
        self.fails(2, ["--overwrit", 'did you mean "overwrite"?', "moho migrate --help"], "migrate", "job.yaml", "--overwrit")
        self.fails(2, '"many" is not a number', "bench", "migrate", "--runs", "many")

    def test_commands_of_later_work(self):
        for command in ["serve"]:
            self.fails(1, f"{command} is not yet available", command)

    def test_missing_and_superfluous_arguments(self):
        self.fails(2, "which job?", "migrate")
        self.fails(2, "which job?", "explain")
        self.fails(2, "which survey?", "synth")
        self.fails(2, "name one file", "info")
        self.fails(2, "name one image.zarr", "view")
        self.fails(2, "bench: what?", "bench")
        self.fails(2, 'unknown subject "migrat"', "bench", "migrat")
        self.fails(2, "too much", "devices", "all")
        self.fails(2, "too much", "selftest", "all")
        self.fails(2, ["--progress", "auto|bar|json|none"], "devices", "--progress", "loud")

    def test_standard_output_that_cannot_be_written(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        import subprocess
        from moho_command import MOHO, environment
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([MOHO, "devices"], stdout=full, stderr=subprocess.PIPE, env=environment(), text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)


class Devices(CommandTest):
    def test_text_and_json(self):
        self.assertIn("cpu", self.good("devices").out)
        devices = {d["kind"]: d for d in self.good("devices", "--json").json()}
        self.assertTrue(devices["cpu"]["available"])
        self.assertGreaterEqual(devices["cpu"]["threads"], 1)
        self.assertEqual((devices["cpu"]["simd_width"], devices["cpu"]["unified_memory"], devices["cpu"]["zero_copy"]), (32, True, True))
        self.assertGreater(devices["cpu"]["largest_buffer_bytes"], 1 << 20)
        self.assertTrue({"uri", "name", "architecture", "driver", "max_lanes", "group_memory_bytes", "working_set_bytes", "memory_free_bytes",
                         "wrap_alignment", "types", "reason"} <= set(devices["cpu"]))
        self.assertNotIn("rates", devices["cpu"])
        for kind in ["cuda", "metal"]:  # there or not: with a name or with the reason
            self.assertTrue(devices[kind]["name"] if devices[kind]["available"] else devices[kind]["reason"])

    def test_backends_that_are_not_there(self):
        none = {"MOHO_CUDA_LIBRARY": "/nowhere/libcuda.so.1", "MOHO_METAL_LIBRARY": "/nowhere/libmetal.so"}
        text = self.good("devices", **none).out
        self.assertIn("cuda     unavailable: /nowhere/libcuda.so.1 not found", text)
        self.assertRegex(text, "metal    unavailable: .*/nowhere/libmetal.so")
        devices = {d["kind"]: d for d in self.good("devices", "--measure", "--json", **none).json()}
        for kind in ["cuda", "metal"]:
            self.assertEqual((devices[kind]["available"], devices[kind]["uri"], devices[kind]["name"]), (False, kind, ""))
            self.assertIn("/nowhere/", devices[kind]["reason"])
            self.assertNotIn("rates", devices[kind])
        self.assertTrue(devices["cpu"]["available"])

    def test_measured_rates(self):
        devices = {d["kind"]: d for d in self.good("devices", "--measure", "--json").json()}
        self.assertTrue(all(rate > 0 for rate in devices["cpu"]["rates"].values()))
        self.assertEqual(set(devices["cpu"]["rates"]), {"copy_bytes_per_s", "upload_bytes_per_s", "download_bytes_per_s", "fma_per_s", "launch_s"})
        self.assertIn("measured", self.good("devices", "--measure").out)

    def test_output_names_a_file(self):
        self.assertEqual(self.good("devices", "--json", "--output", "d.json").out, "")
        with open(self.path("d.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)[0]["kind"], "cpu")
        self.fails(1, "d.json", "devices", "--output", "none/d.json")


class Synth(CommandTest):
    def test_formats(self):
        sizes = {}
        for name in ["a.sgy", "a.su", "a.zarr"]:
            self.survey(name)
            info = self.good("info", name, "--json").json()
            self.assertEqual((info["n_traces"], info["n_samples"], info["dt_s"]), (63, 301, 0.002), name)
            sizes[name] = {key: value for key, value in info["geometry"].items() if key.endswith(("_m", "_deg", "_s"))}
        self.assertEqual(sizes["a.sgy"], sizes["a.su"])
        self.assertEqual(sizes["a.sgy"], sizes["a.zarr"])
        self.assertEqual(os.path.getsize(self.path("a.sgy")), 3600 + 63 * (240 + 4 * 301))

    def test_default_name_and_json(self):
        result = self.good("synth", "--preset", "tiny", "--json").json()
        self.assertEqual(result, {"output": "tiny.sgy", "traces": 1764, "samples": 501, "dt_s": 0.002})
        self.assertEqual(self.entries(), ["tiny.sgy"])

    @unittest.skipUnless(has_module("segyio"), "segyio is not there")
    def test_segyio_reads_it(self):
        import numpy
        import segyio
        with segyio.open(self.survey(), ignore_geometry=True) as file:
            self.assertEqual(file.tracecount, 63)
            self.assertEqual(len(file.samples), 301)
            self.assertEqual(segyio.dt(file), 2000)
            middle = file.trace.raw[31]
        # h = 100 m, z = 400 m: both legs sqrt(400^2 + 100^2)/2500 s. docs/physics.md "What must hold" 2.
        self.assertEqual(int(numpy.argmax(middle)), round(2 * (400**2 + 100**2) ** 0.5 / 2500 / 0.002))

    def test_mistakes(self):
        self.fails(2, ['"tinny"', "tiny"], "synth", "--preset", "tinny")
        self.fails(2, "offset_last", "synth", "--preset", "tiny", "offset_last=3")
        self.fails(2, "not key=value", "synth", "--preset", "tiny", "offset_last_m")
        self.fails(2, "offset_last_m", "synth", "--preset", "tiny", "offset_last_m=far")
        self.fails(1, "a.xyz", "synth", "--preset", "tiny", "--output", "a.xyz")
        self.fails(1, "none/a.sgy", "synth", "--preset", "tiny", "--output", "none/a.sgy")
        self.assertEqual(self.entries(), [])

    def test_keys(self):
        self.assertIn("offset_last_m", self.good("synth", "keys").out)


class Info(CommandTest):
    def test_traces(self):
        self.survey()
        text = self.good("info", "survey.sgy").out
        for words in ["63 of 301 samples", "offset     200.00 .. 200.00 m", "Suggested grid", "SEG-Y", "midpoint   x 0.00 .. 150.00   y 0.00 .. 200.00 m"]:
            self.assertIn(words, text)
        info = self.good("info", "survey.sgy", "--json").json()
        self.assertEqual(info["kind"], "traces")
        self.assertEqual(info["geometry"]["midpoint_y_m"], [0, 200])
        self.assertEqual(info["traces"]["live"], 63)
        self.assertEqual(info["suggested_grid"]["crossline"]["spacing_m"] * info["suggested_grid"]["inline"]["spacing_m"], 625)
        self.assertEqual(info["suggested_grid"]["fold"]["most"], 1)

    def test_header_map_and_scalar(self):
        self.survey()
        info = self.good("info", "survey.sgy", "--headers", "source_x=81,receiver_x=73", "--json").json()
        plain = self.good("info", "survey.sgy", "--json").json()
        self.assertEqual(info["geometry"]["source_x_m"], plain["geometry"]["receiver_x_m"])
        halved = self.good("info", "survey.sgy", "--coordinate-scalar", "-10", "--json").json()
        self.assertNotEqual(halved["geometry"]["midpoint_y_m"], plain["geometry"]["midpoint_y_m"])
        self.fails(2, "--coordinate-scalar", "info", "survey.sgy", "--coordinate-scalar", "0")
        self.fails(2, "--units", "info", "survey.sgy", "--units", "miles")

    def test_velocity_table(self):
        self.write("v.txt", "0 0 0 1800\n0 0 1000 2200\n500 0 0 1900\n500 0 1000 2300\n")
        text = self.good("info", "v.txt", "--columns", "x,y,time_ms,velocity").out
        self.assertIn("2 rms functions", text)
        info = self.good("info", "v.txt", "--columns", "x,y,time_ms,velocity", "--json").json()
        self.assertEqual((info["kind"], info["uniform"]), ("velocity", False))

    def test_velocity_table_by_numbers_needs_no_image(self):
        self.write("su.txt", "cdp=2,80\ntnmo=0,1\nvnmo=1800,2200\ntnmo=0,1\nvnmo=1900,2300\n")
        self.write("lines.txt", "100 1000 0 1800\n100 1000 1 2200\n120 1000 0 1900\n120 1000 1 2300\n")
        self.assertIn("2 rms functions", self.good("info", "su.txt").out)
        self.assertIn("2 rms functions", self.good("info", "lines.txt", "--columns", "inline,crossline,time_s,velocity").out)

    def test_suggested_grid_keeps_steps_of_numbers(self):
        """Crosslines 2, 4, ...: the grid printed to be copied gives the same numbers."""
        path = self.survey()
        for trace in range(63):
            with open(path, "rb") as file:
                file.seek(trace_offset(trace) + 192)
                number = struct.unpack(">i", file.read(4))[0]
            patch(path, trace_offset(trace) + 192, ">i", 2 * number)
        text = self.good("info", "survey.sgy").out
        self.assertIn("crossline: {first: 2, step: 2, n: 9, spacing_m: 25}", text)
        grid = self.good("info", "survey.sgy", "--json").json()["suggested_grid"]
        self.assertEqual((grid["inline"]["step"], grid["crossline"]["step"]), (1, 2))
        self.job()
        copied = text[text.index("grid: {") + len("grid: "):text.index("}}") + 2]
        report = self.good("migrate", "job.yaml", "grid=" + copied, "--json").json()
        self.assertEqual(report["grid"]["crossline"], {"first": 2, "step": 2, "n": 9, "spacing_m": 25})

    def test_text_header_is_shown_whole(self):
        path = self.survey()
        header = "".join(f"C{k + 1:2d} LINE NUMBER {k + 1}".ljust(80) for k in range(40))
        patch(path, 0, "3200s", header.encode("cp037"))
        text = self.good("info", "survey.sgy").out
        for k in (1, 13, 40):
            self.assertIn(f"LINE NUMBER {k}\n", text)

    def test_nothing_there(self):
        self.fails(1, "none.sgy", "info", "none.sgy")


class Image(CommandTest):
    """info and view of an image."""

    def setUp(self):
        super().setUp()
        self.survey()
        self.job()
        self.good("migrate", "job.yaml")

    def test_info(self):
        text = self.good("info", "out/image.zarr").out
        for words in ["7 inlines x 9 crosslines x 301 times", "inline     101 .. 107", "crossline  7 .. 15", "constant 2500"]:
            self.assertIn(words, text)
        info = self.good("info", "out/image.zarr", "--json").json()
        self.assertEqual(info["kind"], "image")
        self.assertEqual((info["inline"]["n"], info["crossline"]["n"], info["time"]["n"]), (7, 9, 301))
        self.assertEqual(info["attributes"]["job"]["migration"]["aperture"]["max_m"]["value"], 300)

    def png_size(self, name):
        with open(self.path(name), "rb") as file:
            head = file.read(24)
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        return struct.unpack(">II", head[16:24])

    def test_view(self):
        for arguments in [["--inline", "104"], ["--crossline", "11", "--wiggles", "--clip", "98"], ["--time", "0.32", "--colours", "red_blue"],
                          ["--inline", "104", "--fold"], ["--inline", "104", "--clip-value", "2", "--title", "A title"]]:
            with self.subTest(arguments):
                self.good("view", "out/image.zarr", *arguments, "--output", "a.png")
                width, height = self.png_size("a.png")
                self.assertGreater(min(width, height), 200)
                os.remove(self.path("a.png"))
        self.good("view", "out/image.zarr", "--inline", "104", "--width", "640", "--height", "480", "--output", "b.png")
        self.assertEqual(self.png_size("b.png"), (640, 480))

    def test_view_mistakes(self):
        self.fails(2, "there is no inline 3: they are 101 to 107", "view", "out/image.zarr", "--inline", "3", "--output", "a.png")
        self.fails(2, "there is no time 9 s", "view", "out/image.zarr", "--time", "9", "--output", "a.png")
        self.fails(2, "give one of --inline", "view", "out/image.zarr", "--output", "a.png")
        self.fails(2, "give one of --inline", "view", "out/image.zarr", "--inline", "104", "--time", "0.1", "--output", "a.png")
        self.fails(2, "--output F.png", "view", "out/image.zarr", "--inline", "104")
        self.fails(2, "--colours", "view", "out/image.zarr", "--inline", "104", "--colours", "gray", "--output", "a.png")
        self.fails(2, "--clip", "view", "out/image.zarr", "--inline", "104", "--clip", "0", "--output", "a.png")
        self.fails(1, "none.zarr", "view", "none.zarr", "--inline", "104", "--output", "a.png")
        self.fails(1, "none/a.png", "view", "out/image.zarr", "--inline", "104", "--output", "none/a.png")
        self.fails(1, "No space left", "view", "out/image.zarr", "--inline", "104", "--output", "a.png", MOHO_TEST_WRITE_FAULT="ENOSPC:10")
        self.assertEqual(self.entries(), ["job.yaml", "out", "survey.sgy"])


if __name__ == "__main__":
    main()

"""moho velocity: files of velocities into each other."""

from moho_command import CommandTest, main

PICKS = """# CDP-X CDP-Y Time(ms) Vrms
5000 7000 500 2000
5000 7000 1000 2319.4827
5000 7000 2000 2910.3265
5100 7000 300 1800
5100 7000 1500 2600
"""


class Convert(CommandTest):
    def convert(self, *arguments):
        return self.good("velocity", "convert", *arguments, "--json").json()

    def test_layers_by_dix_and_back(self):
        self.write("v.txt", PICKS)
        report = self.convert("v.txt", "int.txt", "--to", "interval")
        self.assertEqual([report["functions"], report["knots_read"], report["knots_written"]], [2, 5, 8])
        self.assertLess(report["difference_of_v_rms_mps"]["at_knots"], 1e-3)
        with open(self.path("int.txt"), encoding="utf-8") as file:
            rows = [list(map(float, line.split())) for line in file if not line.startswith("#")]
        for row, (time, velocity) in zip(rows, [(500, 2000), (500.0001, 2600), (1000, 2600), (1000.0001, 3400), (2000, 3400)]):
            self.assertAlmostEqual(row[2], time, 6)
            self.assertAlmostEqual(row[3], velocity, 2)
        self.convert("int.txt", "back.txt", "--from", "interval", "--to", "rms")
        with open(self.path("back.txt"), encoding="utf-8") as file:
            back = [list(map(float, line.split())) for line in file if not line.startswith("#")]
        given = [list(map(float, line.split())) for line in PICKS.splitlines() if not line.startswith("#")]
        self.assertEqual(len(back), len(given))
        for a, b in zip(back, given):
            for x, y in zip(a, b):
                self.assertAlmostEqual(x, y, 3)

    def test_cubes_and_back(self):
        self.write("v.txt", PICKS)
        for name in ["v.sgy", "v.zarr"]:
            report = self.convert("v.txt", name, "--time-step", "0.05")
            self.assertLess(report["difference_of_v_rms_mps"]["at_knots"], 1e-3)
            self.assertLess(self.convert(name, name + ".txt")["difference_of_v_rms_mps"]["between"], 1e-3)
        self.fails(1, ["one time axis", "--time-step"], "velocity", "convert", "v.txt", "v.sgy")

    def test_impossible_picks_are_named(self):
        self.write("v.txt", PICKS + "5100 7000 3000 1500\n")
        self.fails(1, ["v.txt:7", "negative", "1500 m/s at 3 s"], "velocity", "convert", "v.txt", "o.txt", "--to", "interval")
        self.assertEqual(self.entries(), ["v.txt"])

    def test_usage(self):
        self.write("v.txt", PICKS)
        self.fails(2, "moho velocity convert", "velocity")
        self.fails(2, ["unknown work", "convert"], "velocity", "convrt", "v.txt", "o.txt")
        self.fails(2, "--to", "velocity", "convert", "v.txt", "o.txt", "--to", "rsm")
        self.fails(2, "--grid", "velocity", "convert", "v.txt", "o.txt", "--on-grid")
        self.fails(2, "seconds above 0", "velocity", "convert", "v.txt", "o.sgy", "--time-step", "-1")
        self.fails(1, "did you mean segy", "velocity", "convert", "v.txt", "o.txt", "--format", "sgy")
        self.fails(1, "none.txt", "velocity", "convert", "none.txt", "o.txt")


if __name__ == "__main__":
    main()

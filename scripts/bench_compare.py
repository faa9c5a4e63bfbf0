#!/usr/bin/env python3
"""Compares a run of `moho bench migrate --json` with the results kept.

    scripts/bench_compare.py RUN.json bench/results

Prints, for each case, the rate now and that of every kept result with the same case. Timings differ from machine to machine, so
nothing fails here; wrong is only a run that measured nothing.
"""
import pathlib
import sys

from bench_cases import option, read_cases


def name(case):
    words = [option(case, key, "none") for key in ("interpolation", "weight", "antialias")]
    return f"{case.get('dataset')}, {words[0]}, weight {words[1]}, antialias {words[2]}"


def spread(case):
    seconds = case.get("seconds", {})
    return (seconds["max"] - seconds["min"]) / seconds["median"] if seconds.get("median") else 0.0


def main():
    run, results = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    now = read_cases(run)
    if not now or any(case["contributions_per_s"] <= 0 for case in now):
        sys.exit(f"bench: {run} holds no measurement")
    kept = [(path.stem, case) for path in sorted(results.glob("*.json")) for case in read_cases(path)]
    for case in now:
        print(f"{name(case)}: {case['contributions_per_s'] / 1e9:.3g} G contributions/s on {case['device']['uri']}"
              f" (runs spread over {100 * spread(case):.0f} %)")
        for stem, old in kept:
            if name(old) == name(case) and bool(old["device"]["simd"]) == bool(case["device"]["simd"]):
                print(f"    {100 * (case['contributions_per_s'] / old['contributions_per_s'] - 1):+6.1f} % of {stem}")


if __name__ == "__main__":
    main()

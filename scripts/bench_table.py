#!/usr/bin/env python3
"""Makes the README's table of speeds from bench/results/*.json and bench/peers.json.

    scripts/bench_table.py          prints it
    scripts/bench_table.py --write  puts it between the marks in README.md
"""
import json
import pathlib
import re
import sys

from bench_cases import kind, read_cases

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = ("none", "weights", "triangle")


def figure(rate):
    return f"{rate / 1e9:.2g}" if rate else "–"


def own_rows():
    """A row for each instruction set, thread count and compiler; of repeated cases the fastest."""
    rows = {}
    for path in sorted((ROOT / "bench" / "results").glob("*.json")):
        for case in read_cases(path):
            if case.get("dataset") == "small" and kind(case):
                cores = "one core" if case["threads"] == 1 else f"{case['threads']} cores"
                rates = rows.setdefault((case["threads"], f"{case['device']['simd']}, {cores}, {case['compiler']}"), {})
                rates[kind(case)] = max(rates.get(kind(case), 0), case["contributions_per_s"])
    for (_, words), rates in sorted(rows.items(), key=lambda row: (row[0][0], -max(row[1].values()))):
        yield f"| **Moho**, {words} | " + " | ".join(f"**{figure(rates.get(k))}**" for k in KINDS) + " |"


def table():
    peers = json.loads((ROOT / "bench" / "peers.json").read_text(encoding="utf-8"))
    rows = ["Billions of contributions a second; peers on one core of the same machine, " + peers["hardware"].removesuffix(", one core") + ".",
            "", "| | no weights | spreading and obliquity | triangle antialias |", "|---|---|---|---|"]
    rows += own_rows()
    rows += [f"| {peer['name']} | " + " | ".join(figure(peer.get(k)) for k in KINDS) + " |" for peer in peers["peers"]]
    return "\n".join(rows)


def write(text):
    readme = ROOT / "README.md"
    old = readme.read_text(encoding="utf-8")
    marks = re.compile(r"(<!-- speed: made by [^\n]*-->\n).*?(<!-- speed: end -->)", re.S)
    if not marks.search(old):
        sys.exit("bench_table: README.md has no marks for the table of speeds")
    readme.write_text(marks.sub(lambda m: m.group(1) + text + "\n" + m.group(2), old), encoding="utf-8")


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        write(table())
    else:
        print(table())

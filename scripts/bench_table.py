#!/usr/bin/env python3
"""Makes the README's tables of speeds from bench/results/*.json and bench/peers.json: of processors, and of the kernel ladder.

    scripts/bench_table.py          prints them
    scripts/bench_table.py --write  puts them between the marks in README.md
"""
import json
import pathlib
import re
import sys

from bench_cases import kind, option, read_cases

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = ("none", "weights", "triangle")
KERNELS = {
    "native": "the processor's own loops: AVX-512, AVX2, NEON or scalar",
    "baseline": "a lane an image sample, a plain loop over the traces; a batch is allocated, uploaded, migrated and freed: the yardstick",
    "v1": "the same text; memory is kept, what does not change is uploaded once, the next batch is prepared while one runs",
    "v2": "traces staged a group and compacted to those that reach it, intervals instead of tests, several samples a lane, packed pairs",
    "v3": "v2 in one persistent launch that takes tiles from a queue; the sum of the leg times interpolated along time",
}


def figure(rate):
    return "–" if not rate else f"{rate / 1e9:.2g}" if rate < 1e11 else f"{rate / 1e9:.0f}"


def own_rows():
    """A row for each instruction set, thread count and compiler; of repeated cases the fastest."""
    rows = {}
    for path in sorted((ROOT / "bench" / "results").glob("*.json")):
        for case in read_cases(path):
            if case.get("dataset") == "small" and kind(case) and case["device"]["simd"]:
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


def ladder_rates():
    """{device: {kernel: {kind of case: contributions a second}}} of the GPUs on the medium survey, floats stored."""
    devices = {}
    for path in sorted((ROOT / "bench" / "results").glob("*.json")):
        for case in read_cases(path):
            if case.get("dataset") != "medium" or case["device"]["simd"] or not kind(case) or option(case, "storage", "float") != "float":
                continue
            rates = devices.setdefault(case["device"]["name"], {}).setdefault(case["kernel"], {})
            rates[kind(case)] = max(rates.get(kind(case), 0), case["contributions_per_s"])
    return devices


def ladder():
    """What each kernel does; with figures a column for each kind of case of each GPU."""
    devices = ladder_rates()
    heads = [f"{name}: {words}" for name in devices for words in ("no weights", "spreading and obliquity", "triangle antialias")]
    rows = ["Billions of contributions a second on the medium survey.", ""] if heads else []
    rows += ["| kernel | what it does | " + "".join(f"{head} | " for head in heads), "|---|---|" + "---|" * len(heads)]
    for kernel, words in KERNELS.items():
        figures = [figure(devices[name].get(kernel, {}).get(k)) for name in devices for k in KINDS]
        rows.append(f"| {kernel} | {words} | " + "".join(f"{rate} | " for rate in figures))
    return "\n".join(row.rstrip() for row in rows)


def write(texts):
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    for name, table_text in texts.items():
        marks = re.compile(rf"(<!-- {name}: made by [^\n]*-->\n).*?(<!-- {name}: end -->)", re.S)
        if not marks.search(text):
            sys.exit(f"bench_table: README.md has no marks for the table of {name}")
        text = marks.sub(lambda m, new=table_text: m.group(1) + new + "\n" + m.group(2), text)
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    tables = {"speed": table(), "ladder": ladder()}
    if "--write" in sys.argv[1:]:
        write(tables)
    else:
        print("\n\n".join(tables.values()))

"""Reads what `moho bench migrate --json` prints: one JSON object a case, one after the other or in a list."""
import json


def read_cases(path):
    """The cases of a file, as dictionaries."""
    text, cases, at = path.read_text(encoding="utf-8"), [], 0
    decoder = json.JSONDecoder()
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        cases.extend(value if isinstance(value, list) else value.get("cases", [value]))
    return cases


def option(case, name, fallback):
    return str(case.get("options", {}).get(name, fallback))


def kind(case):
    """Which of the table's columns a case belongs to: none, weights, triangle; None for others."""
    weight, antialias = option(case, "weight", "none"), option(case, "antialias", "none")
    if option(case, "interpolation", "linear") != "linear" or option(case, "traveltime", "straight") != "straight":
        return None
    if option(case, "velocity", "constant") != "constant":
        return None
    if antialias == "triangle":
        return "triangle" if weight == "none" else None
    if antialias != "none":
        return None
    return {"none": "none", "spreading_obliquity": "weights"}.get(weight)

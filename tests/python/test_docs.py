"""docs/python.md: every block of Python runs, from top to bottom, in one namespace and a scratch folder."""

import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.S)
NEEDS = {"scipy": r"scipy|KirchhoffOperator|\bL\b", "xarray": r"open_image|to_xarray", "tqdm": r"\btqdm\.tqdm"}


def test_every_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    names = {"__name__": "docs"}
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) >= 7
    for match in blocks:
        code = match[1]
        for module, words in NEEDS.items():
            if re.search(words, code):
                pytest.importorskip(module)
        line = text.count("\n", 0, match.start(1))
        exec(compile("\n" * line + code, str(PAGE), "exec"), names)  # errors name the page's lines


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / target).exists(), target

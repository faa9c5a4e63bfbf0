"""The examples in examples/python run to their ends, where each looks at its own result, and draw their pictures."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"
PICTURES = {
    "first_migration": ["records", "right", "time_slice", "wrong"],
    "least_squares": ["migrated", "solved"],
    "velocity_scan": ["gather_fast", "gather_right", "gather_slow", "semblance"],
}


@pytest.mark.parametrize("name", PICTURES)
def test_an_example_runs_and_draws(name, tmp_path):
    if name == "least_squares":
        pytest.importorskip("scipy")
    environment = {**os.environ, "MOHO_PICTURES": str(tmp_path / "pictures"), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    result = subprocess.run([sys.executable, str(EXAMPLES / f"{name}.py")], env=environment, cwd=tmp_path, capture_output=True, text=True,
                            timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert sorted(p.stem for p in (tmp_path / "pictures").glob("*.png")) == PICTURES[name]
    assert all(p.stat().st_size > 20000 for p in (tmp_path / "pictures").iterdir())


def test_every_example_is_tested_and_is_a_script_of_cells():
    assert sorted(p.stem for p in EXAMPLES.glob("*.py")) == sorted(PICTURES)
    for path in EXAMPLES.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# %% [markdown]\n# # ") and len(re.findall(r"^# %%$", text, re.M)) >= 4

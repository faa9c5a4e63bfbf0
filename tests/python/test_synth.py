"""moho.synth: times that follow from the places, the same survey in memory and in a file, mistakes named."""

import struct

import numpy as np
import pytest

import moho

KEYS = {"extent_inline_m": 0, "extent_crossline_m": 300, "midpoint_spacing_m": 100, "azimuths_deg": [0], "offset_first_m": 0, "offset_last_m": 400,
        "offset_step_m": 200, "n_samples": 301, "dt_s": 0.004, "v0_mps": 2000.0, "peak_hz": 20, "diffractors": "none", "reflectors": [(0, 0, 700)]}


def test_times_are_exact():
    survey = moho.synth(**KEYS)
    assert survey.traces.shape == (12, 301) and survey.traces.dtype == np.float32 and survey.dt_s == 0.004
    g = survey.geometry
    offset = np.hypot(g["source_x"] - g["receiver_x"], g["source_y"] - g["receiver_y"])
    assert sorted(set(offset.round(6))) == [0, 200, 400]
    expected = np.sqrt(4 * 700.0 ** 2 + offset ** 2) / 2000
    envelope = np.abs(survey.traces).argmax(axis=1) * 0.004
    assert np.abs(envelope - expected).max() <= 0.012  # the wavelet is a half-derivative of a Ricker: its peak lies beside its time
    assert "12 traces of 301 samples, 4 ms" in repr(survey)


def test_a_file_holds_the_same(tmp_path):
    survey = moho.synth(**KEYS)
    assert moho.synth(path=tmp_path / "line.sgy", **KEYS) is None
    data = (tmp_path / "line.sgy").read_bytes()
    assert len(data) == 3600 + 12 * (240 + 4 * 301)
    np.testing.assert_array_equal(np.array(struct.unpack(">301f", data[3600 + 240:3600 + 240 + 4 * 301]), np.float32), survey.traces[0])


def test_presets_and_lists():
    tiny = moho.synth("tiny", n_samples=51, diffractors=[(500, 500, 800, 1.0), (300, 400, 500, 0.5)])
    assert tiny.traces.shape[1] == 51 and np.isfinite(tiny.traces).all()
    text = moho.synth("tiny", n_samples=51, diffractors="500:500:800:1,300:400:500:0.5")
    np.testing.assert_array_equal(tiny.traces, text.traces)


@pytest.mark.parametrize("preset, keys, words", [
    ("tinny", {}, "tiny"), (None, {"offset_last": 3}, "offset_last_m"), (None, {"n_samples": "many"}, "n_samples"),
])
def test_mistakes_are_named(preset, keys, words):
    with pytest.raises(ValueError, match=words):
        moho.synth(preset, **keys)

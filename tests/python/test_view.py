"""moho.write_png: a picture as asked, its colours where the data are, mistakes refused by name."""

import struct
import zlib

import numpy as np
import pytest

import moho


def pixels(path):
    """The picture [row, column, 3] of an RGB PNG without interlace, by its definition."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", data[at + 8:at + 8 + length])
            assert (depth, colour, interlace) == (8, 2, 0)
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += length + 12
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 3 * width + 1)
    out = np.zeros((height, 3 * width), np.uint8)
    for i, (kind, *line) in enumerate(rows.tolist()):
        up = out[i - 1].tolist() if i else [0] * (3 * width)
        row = []
        for j, value in enumerate(line):
            left, above, corner = (row[j - 3] if j >= 3 else 0), up[j], (up[j - 3] if j >= 3 else 0)
            nearest = min((abs(above - corner), 0, left), (abs(left - corner), 1, above), (abs(left + above - 2 * corner), 2, corner))[2]
            row.append((value + (0, left, above, (left + above) // 2, nearest)[kind]) % 256)
        out[i] = row
    return out.reshape(height, width, 3)


def test_a_picture_shows_the_data(tmp_path):
    data = np.zeros((40, 30))
    data[:20], data[20:] = -1, 1
    moho.write_png(tmp_path / "a.png", data, across=("crossline", "", 1, 1), down=("time", "s", 0, 0.004), title="A title", colours="red_blue",
                   clip_value=1, width=500, height=400, lines=[([5, 35], [0.02, 0.1], (0, 200, 0))])
    picture = pixels(tmp_path / "a.png").astype(int)
    assert picture.shape == (400, 500, 3)
    middle = picture[150:250]
    red = (middle[..., 0] > middle[..., 2] + 60).sum(axis=0) > 50
    blue = (middle[..., 2] > middle[..., 0] + 60).sum(axis=0) > 50
    assert red.sum() > 80 and blue.sum() > 80  # one half each
    assert abs(np.flatnonzero(red)[:80].mean() - np.flatnonzero(blue)[:80].mean()) > 60
    assert ((picture == (0, 200, 0)).all(axis=2)).sum() > 50  # the line


@pytest.mark.parametrize("data, options, error, words", [
    (np.zeros(3), {}, ValueError, "data: 1 dimensions, expected 2"),
    (np.zeros((3, 3)), {"colours": "rainbow"}, ValueError, "'rainbow', expected grey, red_blue or sequential"),
    (np.zeros((3, 3)), {"down": ("time", "s", 0, 0)}, ValueError, "down: the step is 0"),
    (np.zeros((3, 3)), {"lines": [([1, 2], [1, 2, 3], (0, 0, 0))]}, ValueError, "lines: down"),
    (np.zeros((3, 3)), {"lines": [([1], [1], (0, 0, 0))] * 17}, ValueError, "lines: 17, expected at most 16"),
    (np.zeros((0, 3)), {}, ValueError, ""),
])
def test_mistakes_are_named(tmp_path, data, options, error, words):
    with pytest.raises(error, match=words):
        moho.write_png(tmp_path / "a.png", data, **options)
    assert not (tmp_path / "a.png").exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(OSError, match="none"):
        moho.write_png(tmp_path / "none" / "a.png", np.zeros((3, 3)))

"""SEG-Y files written and read with numpy alone, for tests whose truth must not come from Moho."""

import numpy as np

TRACE = np.dtype({
    "names": ["tracl", "fldr", "tracf", "ep", "cdp", "trid", "offset", "gelev", "selev", "sdepth", "gdel", "sdel", "scalel", "scalco", "sx",
              "sy", "gx", "gy", "counit", "wevel", "swevel", "sut", "gut", "sstat", "gstat", "tstat", "laga", "lagb", "delrt", "ns", "dt",
              "cdpx", "cdpy", "iline", "xline", "timescal"],
    "formats": [">i4"] * 5 + [">i2", ">i4"] + [">i4"] * 5 + [">i2"] * 2 + [">i4"] * 4 + [">i2"] * 11 + [">u2"] * 2 + [">i4"] * 4 + [">i2"],
    "offsets": [0, 8, 12, 16, 20, 28, 36, 40, 44, 48, 52, 56, 68, 70, 72, 76, 80, 84, 88, 90, 92, 94, 96, 98, 100, 102, 104, 106, 108, 114,
                116, 180, 184, 188, 192, 214],
    "itemsize": 240,
})


def headers(n, **values):
    """n trace headers, all zero but for what is given and what every file has."""
    h = np.zeros(n, TRACE)
    h["tracl"], h["trid"], h["scalco"], h["scalel"] = np.arange(1, n + 1), 1, 1, 1
    for name, value in values.items():
        h[name] = value
    return h


def write(path, head, samples, dt_us=4000, feet=False):
    """samples [trace, time] as 4-byte IEEE floats."""
    head = head.copy()
    head["ns"], head["dt"] = samples.shape[1], dt_us
    binary = bytearray(400)
    for byte, value in [(17, dt_us), (21, samples.shape[1]), (25, 5), (55, 2 if feet else 1), (301, 0x100), (303, 1)]:
        binary[byte - 1:byte + 1] = int(value).to_bytes(2, "big")
    rows = np.zeros(len(head), np.dtype([("head", TRACE), ("samples", ">f4", samples.shape[1])]))
    rows["head"], rows["samples"] = head, samples
    with open(path, "wb") as file:
        file.write(b"\x40" * 3200 + bytes(binary) + rows.tobytes())


def read(path):
    """Headers and samples [trace, time] of a file of IEEE floats."""
    with open(path, "rb") as file:
        data = file.read()
    ns = int.from_bytes(data[3220:3222], "big")
    rows = np.frombuffer(data, np.dtype([("head", TRACE), ("samples", ">f4", ns)]), offset=3600)
    return rows["head"], rows["samples"].astype(np.float32)

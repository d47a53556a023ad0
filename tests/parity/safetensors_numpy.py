#!/usr/bin/env python3
"""safetensors_numpy.py -- an independent reader and writer of safetensors files (NumPy only), for the tests.

    safetensors_numpy.py write DIR     the golden files of tests/checkpoint/data (golden.safetensors)
    safetensors_numpy.py check FILE    reads a file, ours or another's, strictly; prints its arrays; verifies taggan.crc32
"""
import json
import re
import sys
import zlib

import numpy as np

TYPES = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
         "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "u1"}


def write(path, arrays, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, (kind, values) in arrays.items():
        raw = np.ascontiguousarray(values).astype(TYPES[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()  # with blanks and \u escapes, which our own writer never makes
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def check(path):
    raw = open(path, "rb").read()
    n = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + n]), raw[8 + n:]
    metadata, end = header.pop("__metadata__", {}), 0
    if "taggan.crc32" in metadata:
        zeroed = re.sub(rb'("taggan.crc32":")[0-9a-f]{8}', rb"\g<1>00000000", raw[:8 + n], count=1)
        assert f"{zlib.crc32(zeroed + data):08x}" == metadata["taggan.crc32"], "checksum"
    for key in sorted(metadata):
        if key != "taggan.crc32":
            print("metadata", key, metadata[key])
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, "gap"
        end = stop
        values = np.frombuffer(data[begin:stop], TYPES[entry["dtype"]]).reshape(entry["shape"])
        print(name, entry["dtype"], entry["shape"], " ".join("%.9g" % v for v in values.ravel()[:8]))
    assert end == len(data), "size"


def main():
    if sys.argv[1:2] == ["write"]:
        ramp = np.arange(24, dtype=np.float32) / 8 - 1
        bf16 = (np.array([1.5, -2, 3.0e38, 0], np.float32).view(np.uint32) >> 16).astype(np.uint16)
        write(sys.argv[2] + "/golden.safetensors", {
            "G.model.1.weight": ("F32", ramp.reshape(2, 3, 2, 2)),
            "flags": ("U8", np.array([1, 2, 255], np.uint8)),  # three bytes: what follows is not aligned
            "half": ("F16", np.array([1, -0.5, 6.09755516e-5, 5.9604645e-8, 65504, np.inf], np.float32)),
            "brain": ("BF16", bf16),
            "wide": ("F64", np.array([0.1, -1e300])),
            "step": ("I64", np.array(1234567890123)),
            "läsion": ("F32", np.array([[np.nan]], np.float32)),
            "nothing": ("F32", np.zeros((0, 4), np.float32)),
        }, {"model": "taggan", "classes": '["nodule", "Ödem"]'})
    elif sys.argv[1:2] == ["check"]:
        check(sys.argv[2])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()

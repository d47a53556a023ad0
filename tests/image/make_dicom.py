#!/usr/bin/env python3
"""Writes tests/image/data/dicom_*.dcm: one picture of 24 x 20 pixels with 12 bits, stored in many ways.

    python3 tests/image/make_dicom.py        needs gdcmconv (Debian: libgdcm-tools) for the compressed ones

The stored value at (x, y) is (137 x + 53 y + (x y) mod 97) mod 4096; tests/image/test_dicom.c knows the same formula.
"""
import os
import struct
import subprocess
import zlib

WIDTH, HEIGHT = 24, 20
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
LONG = ("OB", "OW", "SQ", "UN")


def stored(x, y):
    return (137 * x + 53 * y + x * y % 97) % 4096


def element(group, number, vr, value, syntax=EXPLICIT):
    order = ">" if syntax == BIG else "<"
    if isinstance(value, str):
        value = value.encode()
        value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    elif isinstance(value, int):
        value = struct.pack(order + ("I" if vr == "UL" else "H"), value)
    head = struct.pack(order + "HH", group, number)
    if syntax == IMPLICIT:
        return head + struct.pack("<I", len(value)) + value
    if vr in LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(order + "I", len(value)) + value
    return head + vr.encode() + struct.pack(order + "H", len(value)) + value


def sequence(syntax):
    """A sequence and an item in it of undefined length, as many files have before their pixels."""
    order = ">" if syntax == BIG else "<"
    inner = element(0x0008, 0x0100, "SH", "A", syntax)
    head = struct.pack(order + "HH", 0x0008, 0x1111)
    head += struct.pack("<I", 0xFFFFFFFF) if syntax == IMPLICIT else b"SQ\0\0" + struct.pack(order + "I", 0xFFFFFFFF)
    return head + struct.pack(order + "HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner + \
        struct.pack(order + "HHI", 0xFFFE, 0xE00D, 0) + struct.pack(order + "HHI", 0xFFFE, 0xE0DD, 0)


def write(name, values, syntax=EXPLICIT, photometric="MONOCHROME1", allocated=16, bits=12, signed=0, channels=1, frames=None,
          more=(), pixels=True):
    order = ">" if syntax == BIG else "<"
    data = [element(0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.1", syntax),
            element(0x0008, 0x0018, "UI", "1.2.3.4.5", syntax), element(0x0008, 0x0060, "CS", "CR", syntax), sequence(syntax),
            element(0x0010, 0x0010, "PN", "Nobody", syntax), element(0x0028, 0x0002, "US", channels, syntax),
            element(0x0028, 0x0004, "CS", photometric, syntax)]
    if channels > 1:
        data.append(element(0x0028, 0x0006, "US", 0, syntax))
    if frames:
        data.append(element(0x0028, 0x0008, "IS", str(frames), syntax))
    data += [element(0x0028, 0x0010, "US", HEIGHT, syntax), element(0x0028, 0x0011, "US", WIDTH, syntax),
             element(0x0028, 0x0100, "US", allocated, syntax), element(0x0028, 0x0101, "US", bits, syntax),
             element(0x0028, 0x0102, "US", bits - 1, syntax), element(0x0028, 0x0103, "US", signed, syntax)]
    data += [element(0x0028, number, vr, value, syntax) for number, vr, value in more]
    if pixels:
        code = order + ("b" if signed else "B") if allocated == 8 else order + ("h" if signed else "H")
        raw = b"".join(struct.pack(code, v) for v in values) * channels * (frames or 1)
        data.append(element(0x7FE0, 0x0010, "OB" if allocated == 8 and syntax != IMPLICIT else "OW", raw, syntax))
    body = b"".join(data)
    if syntax == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = packer.compress(body) + packer.flush()
        body += b"\0" * (len(body) % 2)
    meta = element(0x0002, 0x0001, "OB", b"\0\1") + element(0x0002, 0x0002, "UI", "1.2.840.10008.5.1.4.1.1.1") + \
        element(0x0002, 0x0003, "UI", "1.2.3.4.5") + element(0x0002, 0x0010, "UI", syntax) + element(0x0002, 0x0012, "UI", "1.2.3")
    path = os.path.join(HERE, "dicom_%s.dcm" % name)
    with open(path, "wb") as file:
        file.write(b"\0" * 128 + b"DICM" + element(0x0002, 0x0000, "UL", len(meta)) + meta + body)
    return path


def write_jpeg(name, jpeg, width, height):
    """A baseline JPEG as it is, in two pieces, as RSNA's and SIIM's files have it in one."""
    with open(os.path.join(HERE, jpeg), "rb") as file:
        data = file.read()
    path = write(name, [], EXPLICIT, photometric="MONOCHROME2", allocated=8, bits=8, pixels=False)
    with open(path, "rb") as file:
        text = file.read().replace(element(0x0002, 0x0010, "UI", EXPLICIT),
                                   element(0x0002, 0x0010, "UI", "1.2.840.10008.1.2.4.50"))
    size = element(0x0002, 0x0000, "UL", 0)[:8]
    at = text.index(size) + len(size)
    text = text[:at] + struct.pack("<I", struct.unpack("<I", text[at:at + 4])[0] + 2) + text[at + 4:]
    text = text.replace(element(0x0028, 0x0010, "US", HEIGHT), element(0x0028, 0x0010, "US", height))
    text = text.replace(element(0x0028, 0x0011, "US", WIDTH), element(0x0028, 0x0011, "US", width))
    pieces = [b"", data[:200], data[200:] + b"\0" * (len(data) % 2)]
    with open(path, "wb") as file:
        file.write(text + struct.pack("<HH", 0x7FE0, 0x0010) + b"OB\0\0" + struct.pack("<I", 0xFFFFFFFF))
        for piece in pieces:
            file.write(struct.pack("<HHI", 0xFFFE, 0xE000, len(piece)) + piece)
        file.write(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))


def main():
    plain = [stored(x, y) for y in range(HEIGHT) for x in range(WIDTH)]
    window = [(0x1050, "DS", "1500"), (0x1051, "DS", "2000")]
    explicit = write("explicit", plain, more=window)
    write("implicit", plain, IMPLICIT, more=window)
    write("big_endian", plain, BIG, more=window)
    write("deflated", plain, DEFLATED, more=window)
    for name, option in ("rle", "--rle"), ("jpeg_lossless", "--jpeg"), ("jpeg_ls", "--jpegls"), ("jpeg2000", "--j2k"):
        subprocess.run(["gdcmconv", option, explicit, os.path.join(HERE, "dicom_%s.dcm" % name)], check=True)
    write("two_windows", plain, more=[(0x1050, "DS", "1500\\700"), (0x1051, "DS", "2000\\9")])
    write("exact_window", plain, more=window + [(0x1056, "CS", "LINEAR_EXACT")])
    write("sigmoid_window", plain, more=window + [(0x1056, "CS", "SIGMOID")])
    write("no_window", plain, photometric="MONOCHROME2")
    write("rescaled", [(v - 2048) for v in plain], photometric="MONOCHROME2", signed=1,
          more=window + [(0x1052, "DS", "1024"), (0x1053, "DS", "0.5")])
    write("high_bits", [v | (v % 16) << 12 for v in plain], more=window)
    write("eight_bits", [v >> 4 for v in plain], photometric="MONOCHROME2", allocated=8, bits=8)
    write("rgb", [v >> 4 for v in plain], photometric="RGB", allocated=8, bits=8, channels=3)
    write("two_frames", plain, frames=2, more=window)
    write("no_pixels", plain, pixels=False)
    write_jpeg("jpeg", "grey.jpg", 20, 14)
    write("few_pixels", plain[:100], more=window)


if __name__ == "__main__":
    main()

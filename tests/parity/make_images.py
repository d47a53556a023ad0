#!/usr/bin/env python3
"""Writes the small pictures of tests/image/data, and what Pillow makes of them. Run it in the top source folder.

Needs Pillow and numpy; written with Pillow 9.4. Every picture shows the same 20 x 14 pattern (or says otherwise), so one
reference serves all lossless ones; NAME.grey is what a loader must see, one byte a pixel.
"""
import io
import os
import struct
import zlib

import numpy as np
from PIL import Image

OUT = os.path.join("tests", "image", "data")
W, H = 20, 14


def pattern():
    y, x = np.mgrid[0:H, 0:W]
    return (x * 11 + y * 3 + (x * y) % 7).clip(0, 255).astype(np.uint8)


def path(name):
    return os.path.join(OUT, name)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, colour, interlace, body, extra=b""):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b"")


def write(name, data):
    with open(path(name), "wb") as f:
        f.write(data)


def adam7(g):
    """The seven passes of an interlaced 8-bit grey PNG, unfiltered."""
    out = b""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        part = g[y0::dy, x0::dx]
        if part.size:
            out += b"".join(b"\0" + bytes(row) for row in part)
    return out


def exif(orientation, order):
    e = "<" if order == b"II" else ">"
    entries = struct.pack(e + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0" + order + struct.pack(e + "HIH", 42, 8, 1) + entries + struct.pack(e + "I", 0)


def jpeg(image, name, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92, **options)
    write(name, buffer.getvalue())
    return buffer.getvalue()


def expect(name, array):
    write(name + ".grey", np.asarray(array, dtype=np.uint8).tobytes())


def main():
    os.makedirs(OUT, exist_ok=True)
    g = pattern()
    grey = Image.fromarray(g)
    rows16 = lambda a: b"".join(b"\0" + r.astype(">u2").tobytes() for r in a)
    rows8 = lambda a: b"".join(b"\0" + np.ascontiguousarray(r).tobytes() for r in a)

    expect("reference", g)
    grey.save(path("grey8.png"))
    write("grey16.png", png(W, H, 16, 0, 0, rows16(g.astype(np.uint16) * 257)))
    write("grey12in16.png", png(W, H, 16, 0, 0, rows16(np.round(g * (4095 / 255.0)).astype(np.uint16))))
    write("interlaced.png", png(W, H, 8, 0, 1, adam7(g)))
    palette = Image.fromarray(255 - g, "P")
    palette.putpalette([v for i in range(256) for v in (255 - i,) * 3])
    palette.save(path("palette.png"))
    Image.fromarray(np.where(g > 127, 255, 0).astype(np.uint8)).convert("1").save(path("onebit.png"))
    expect("onebit", np.where(g > 127, 255, 0))
    write("twobit.png", png(W, H, 2, 0, 0, b"".join(
        b"\0" + bytes((r[i] >> 6) << 6 | (r[i + 1] >> 6) << 4 | (r[i + 2] >> 6) << 2 | r[i + 3] >> 6 for i in range(0, W, 4))
        for r in g)))
    expect("twobit", (g >> 6) * 85)

    rgb = np.stack([g, g[:, ::-1], 255 - g], axis=2)
    Image.fromarray(rgb).save(path("rgb.png"))
    luma = (rgb[..., 0] * 299.0 + rgb[..., 1] * 587.0 + rgb[..., 2] * 114.0) / 1000
    expect("rgb", np.round(luma))
    write("rgb16.png", png(W, H, 16, 2, 0, rows16((rgb.astype(np.uint16) * 257).reshape(H, -1))))
    alpha = np.full((H, W), 255, np.uint8)
    alpha[:, :5] = 0
    Image.fromarray(np.dstack([g, g, g, alpha])).save(path("rgba_hole.png"))
    hole = g.copy()
    hole[:, :5] = 0
    expect("hole", hole)
    Image.fromarray(np.dstack([g, alpha]), "LA").save(path("grey_alpha.png"))
    write("trns.png", png(W, H, 8, 0, 0, rows8(g), chunk(b"tRNS", struct.pack(">H", int(g[0, 3])))))
    expect("trns", np.where(g == g[0, 3], 0, g))
    Image.fromarray(g[:1, 3:4]).save(path("one_pixel.png"))
    write("huge.png", png(100000, 100000, 8, 0, 0, b"\0" * 64))
    write("bomb.png", png(16384, 16384, 16, 6, 0, b"\0" * 64))
    whole = open(path("grey8.png"), "rb").read()
    write("truncated.png", whole[: len(whole) * 6 // 10])
    write("header_only.png", whole[:20])
    bad = bytearray(whole)
    bad[whole.index(b"IDAT") + 20] ^= 0x55
    write("corrupt.png", bytes(bad))
    write("empty.png", b"")
    write("text.png", b"this is no picture\n")
    write("webp_named.png", b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0")
    write("small.dcm", b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0\0\0\0\0")
    y, x = np.mgrid[0:H, 0:W]
    v = ((x - y) * 0.05).astype(np.float64)
    write("map.png", png(W, H, 16, 0, 0, rows16(np.clip(np.round(32768 + 32767 * v / 2), 0, 65535).astype(np.uint16))))

    whole = jpeg(grey, "grey.jpg")
    write("jpeg_named.png", whole)
    expect("jpeg", np.asarray(Image.open(path("grey.jpg"))))
    write("truncated.jpg", whole[: len(whole) * 85 // 100])
    jpeg(Image.fromarray(np.tile(g, (4, 4))), "progressive.jpg", progressive=True)
    expect("progressive", np.asarray(Image.open(path("progressive.jpg"))))
    whole = open(path("progressive.jpg"), "rb").read()
    write("truncated_progressive.jpg", whole[: len(whole) * 6 // 10])
    smooth = Image.fromarray(np.dstack([g, np.roll(g, 2, 0) // 2 + 60, 255 - g]))
    jpeg(smooth, "rgb.jpg", subsampling=0)
    a = np.asarray(Image.open(path("rgb.jpg"))).astype(np.float64)
    expect("rgb_jpeg", np.round((a[..., 0] * 299 + a[..., 1] * 587 + a[..., 2] * 114) / 1000))
    jpeg(smooth.convert("CMYK"), "cmyk.jpg")
    # By the formula in floats: Pillow's own conversion rounds each step down to bytes.
    ink = np.asarray(Image.open(path("cmyk.jpg"))).astype(np.float64)
    c = (255 - ink[..., :3]) * (255 - ink[..., 3:]) / 255
    expect("cmyk", np.round((c[..., 0] * 299 + c[..., 1] * 587 + c[..., 2] * 114) / 1000))
    # Stored turned so that, shown upright, each is the same picture.
    upright = Image.fromarray(np.repeat(np.repeat(g, 2, 0), 2, 1)[:24, :40])
    turns = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
             6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}
    for n, turn in turns.items():
        jpeg(upright.transpose(turn) if turn is not None else upright, "exif%d.jpg" % n,
             exif=exif(n, b"II" if n % 2 else b"MM"))
    expect("exif", np.asarray(upright))
    # Damaged EXIF blocks must not be followed: an offset outside, and a directory that is cut.
    block = exif(6, b"MM")
    jpeg(grey, "exif_offset.jpg", exif=block[:10] + struct.pack(">I", 0xFFFFFFF0) + block[14:])
    jpeg(grey, "exif_cut.jpg", exif=block[:18])
    whole = open(path("grey.jpg"), "rb").read()
    at = whole.index(b"\xff\xc0")
    write("huge.jpg", whole[: at + 5] + struct.pack(">HH", 60000, 60000) + whole[at + 9:])
    write("bomb.jpg", whole[: at + 5] + struct.pack(">HH", 16000, 16000) + whole[at + 9:])

    source = Image.fromarray((g / 127.5 - 1).astype(np.float32), "F")
    for w, h in ((7, 5), (31, 9), (20, 14), (1, 1), (13, 23), (20, 3)):
        write("resize_%dx%d.f32" % (w, h), np.asarray(source.resize((w, h), Image.BILINEAR)).astype("<f4").tobytes())


if __name__ == "__main__":
    main()

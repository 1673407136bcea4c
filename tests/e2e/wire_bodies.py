"""Bodies as clients frame them: chunks of given sizes, and compressed frames made by hand where the standard library and
the machine have no tool: LZ4 and zstd frames with stored blocks, which any decoder must take.
"""

import shutil
import struct
import subprocess
import threading

MASK = 0xFFFFFFFF


def chunked(body, sizes=(4096,)):
    """The body in chunks of these sizes, the last size again and again, and the end."""
    out, at, number = [], 0, 0
    while at < len(body):
        piece = body[at:at + sizes[min(number, len(sizes) - 1)]]
        out.append(b"%x\r\n%s\r\n" % (len(piece), piece))
        at, number = at + len(piece), number + 1
    return b"".join(out) + b"0\r\n\r\n"


def rotated(value, bits):
    return ((value << bits) | (value >> (32 - bits))) & MASK


def xxh32(data):
    """The checksum of LZ4 frames, seed 0."""
    p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
    at = 0
    if len(data) >= 16:
        lanes = [(p1 + p2) & MASK, p2, 0, -p1 & MASK]
        while at + 16 <= len(data):
            for lane, word in enumerate(struct.unpack_from("<4I", data, at)):
                lanes[lane] = rotated((lanes[lane] + word * p2) & MASK, 13) * p1 & MASK
            at += 16
        total = sum(rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18)))
    else:
        total = p5
    total = (total + len(data)) & MASK
    while at + 4 <= len(data):
        total = rotated((total + struct.unpack_from("<I", data, at)[0] * p3) & MASK, 17) * p4 & MASK
        at += 4
    for byte in data[at:]:
        total = rotated((total + byte * p5) & MASK, 11) * p1 & MASK
    total = (total ^ total >> 15) * p2 & MASK
    total = (total ^ total >> 13) * p3 & MASK
    return total ^ total >> 16


def lz4_stored(body, block=65536, with_checksum=True):
    """An LZ4 frame of stored blocks."""
    descriptor = bytes([0x64 if with_checksum else 0x60, 0x40])  # version 1, blocks on their own; up to 64 KiB each
    out = [b"\x04\x22\x4d\x18", descriptor, bytes([xxh32(descriptor) >> 8 & 255])]
    for at in range(0, len(body), block):
        piece = body[at:at + block]
        out.append(struct.pack("<I", len(piece) | 0x80000000) + piece)
    out.append(struct.pack("<I", 0))
    if with_checksum:
        out.append(struct.pack("<I", xxh32(body)))
    return b"".join(out)


def zstd_stored(body, block=65536):
    """A zstd frame of raw blocks."""
    out = [struct.pack("<I", 0xFD2FB528), b"\x00\x30"]  # no size, no checksum; a window of 64 KiB
    pieces = [body[at:at + block] for at in range(0, len(body), block)] or [b""]
    for number, piece in enumerate(pieces):
        head = len(piece) << 3 | (1 if number == len(pieces) - 1 else 0)
        out.append(struct.pack("<I", head)[:3] + piece)
    return b"".join(out)


def has_tool(name):
    return shutil.which(name) is not None


def through_tool(words, pieces):
    """Yields what a command makes of the pieces, as it comes."""
    tool = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def feed():
        try:
            for piece in pieces:
                tool.stdin.write(piece)
        except BrokenPipeError:
            pass
        tool.stdin.close()

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        while piece := tool.stdout.read(1 << 16):
            yield piece
    finally:
        tool.kill()
        tool.wait()

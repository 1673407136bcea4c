#!/usr/bin/env python3
"""Compressed bodies: the same rows as plain ones, the uncompressed size in LoadBytes, broken and hostile ones refused in
bounded memory, and all of it while they arrive.
"""

import bz2
import gzip
import json
import random
import struct
import sys
import threading
import time
import zlib

import penstock_e2e as e2e
from penstock_e2e import MIB, LoadStream, Server, expect, expect_equal
from wire_bodies import has_tool, lz4_stored, through_tool, zstd_stored

suite = e2e.Suite(__doc__, lambda parser: parser.add_argument(
    "--small", action="store_true", help="small bodies, as for a sanitized binary"))

RSS_MAX = 512 * MIB
SEED = 20264
ROWS = b"".join(b"%d\t%d\trow %d\n" % (k, k % 10, k) for k in range(3000))
WIDE = "k BIGINT NOT NULL, v INT NULL, s STRING NULL, x DOUBLE NULL, w VARCHAR(400) NULL"


def is_small():
    return suite.arguments.small or e2e.is_sanitized()


def write_rows(path, size):
    """A file of rows, the same one at every run, about this large; how many rows."""
    random.seed(SEED)
    words = [bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz      ", k=240)) for _ in range(1000)]
    rows = 0
    with open(path, "wb") as file:
        while file.tell() < size:
            file.write(b"".join(b"%d\t%d\ts%d\t%d.5\t%s\n" % (k, k * 7919 % 100_003, k * k, k % 1000, words[k % 1000])
                                for k in range(rows, rows + 1000)))
            rows += 1000
    return rows


def pieces_of(path, size=1 << 16):
    with open(path, "rb") as file:
        while piece := file.read(size):
            yield piece


def by_codec(codec, pieces):
    for piece in pieces:
        if out := codec.compress(piece):
            yield out
    yield codec.flush()


def whole_file(path):
    with open(path, "rb") as file:
        return file.read()


def ways(path):
    """(compress_type, by what, the compressed pieces)"""
    yield "gz", "zlib", by_codec(zlib.compressobj(1, zlib.DEFLATED, 31), pieces_of(path))
    yield "deflate", "zlib, with its header", by_codec(zlib.compressobj(1), pieces_of(path))
    yield "deflate", "zlib, raw", by_codec(zlib.compressobj(1, zlib.DEFLATED, -15), pieces_of(path))
    yield "bz2", "bz2", by_codec(bz2.BZ2Compressor(1), pieces_of(path))
    if has_tool("lz4"):
        yield "lz4", "the lz4 tool", through_tool(["lz4", "-1", "-c"], pieces_of(path))
    else:
        yield "lz4", "stored blocks by hand", iter([lz4_stored(whole_file(path))])
    if has_tool("zstd"):
        yield "zstd", "the zstd tool", through_tool(["zstd", "-1", "-q", "-c"], pieces_of(path))
    else:
        yield "zstd", "stored blocks by hand", iter([zstd_stored(whole_file(path))])


def load_pieces(server, pieces, table="t", **headers):
    """(reply, bytes sent)"""
    stream, sent = LoadStream(server, table, seconds=300, **headers), 0
    try:
        for piece in pieces:
            stream.send(piece)
            sent += len(piece)
        return stream.finish(), sent
    finally:
        stream.close()


@suite.test("one file plain and by every compression: the same rows, and LoadBytes says the uncompressed size")
def same_rows():
    said = []
    with Server() as server:
        path = server.folder + "/rows"
        rows = write_rows(path, (4 if is_small() else 100) * MIB)
        size = sum(len(piece) for piece in pieces_of(path))
        server.create("plain", WIDE)
        reply, _ = load_pieces(server, pieces_of(path), "plain")
        expect_equal((reply["Status"], reply["NumberLoadedRows"], reply["LoadBytes"]), ("Success", rows, size), f"plain: {reply}")
        wanted = server.digest("plain")
        expect_equal(wanted[0], rows, "rows of the plain load")
        for number, (name, tool, pieces) in enumerate(ways(path)):
            server.create(f"c{number}", WIDE)
            reply, sent = load_pieces(server, pieces, f"c{number}", compress_type=name)
            expect_equal((reply["Status"], reply["NumberLoadedRows"], reply["LoadBytes"]), ("Success", rows, size), f"{name}: {reply}")
            expect_equal(server.digest(f"c{number}"), wanted, f"rows and checksum of {name}")
            said.append(f"{name} ({tool}) {sent / size:.0%} in {reply['LoadTimeMs']} ms")
    return f"{size / MIB:.0f} MiB, {rows} rows: " + ", ".join(said)


@suite.test("every compression in chunks of 1, 7 and 1000 bytes; several members or frames one after the other, split in mid row")
def splits():
    with Server() as server:
        at = len(ROWS) // 2 + 3
        for number, (name, compress) in enumerate((
                ("gz", gzip.compress), ("bz2", bz2.compress), ("deflate", zlib.compress), ("lz4", lz4_stored), ("zstd", zstd_stored))):
            whole = compress(ROWS)
            parts = compress(ROWS[:at]) + compress(b"") + compress(ROWS[at:])
            for turn, (body, step) in enumerate(((whole, 7), (whole, 1000), (parts, 1000), (parts, 7))):
                if body is not whole and name == "deflate":
                    continue  # it has no members
                server.create(f"s{number}_{turn}")
                framed = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + step]), body[i:i + step]) for i in range(0, len(body), step))
                stream = LoadStream(server, f"s{number}_{turn}", compress_type=name)
                stream.connection.sendall(framed)
                reply = stream.finish()
                expect_equal((reply["Status"], reply["NumberLoadedRows"], reply["LoadBytes"]), ("Success", 3000, len(ROWS)),
                             f"{name}, {'one' if body is whole else 'three'}, chunks of {step}: {reply}")
                expect_equal(server.summary(f"s{number}_{turn}", "k")[:2], (3000, sum(range(3000))), "count, sum of k")
            server.create(f"s{number}")
            small = compress(b"1\t1\ta\n2\t2\tb")
            stream = LoadStream(server, f"s{number}", compress_type=name)
            stream.connection.sendall(b"".join(b"1\r\n%c\r\n" % byte for byte in small))
            expect_equal(stream.finish()["NumberLoadedRows"], 2, f"{name}, bytes one by one")


@suite.test("how a client says it: any case, gzip for gz, Content-Encoding alone, with compress_type, or without being true")
def spellings():
    packed = gzip.compress(ROWS)
    with Server() as server:
        server.create()
        for number, (how, body) in enumerate((
                (dict(compress_type="gz"), packed), (dict(compress_type="GZ"), packed), (dict(compress_type="gzip"), packed),
                (dict(compress_type="GZIP"), packed), (dict(Compress_type="gz", Content_Encoding="gzip"), packed),
                ({"Content-Encoding": "gzip"}, packed), ({"Content-Encoding": "gzip"}, ROWS), ({"content-encoding": "GZIP"}, packed),
                ({"compress_type": "gz", "Content-Encoding": "gzip"}, packed), ({"compress_type": "", "Content-Encoding": "gzip"}, packed),
                (dict(compress_type=""), ROWS), (dict(compress_type="BZ2"), bz2.compress(ROWS)), (dict(compress_type="LZ4"), lz4_stored(ROWS)),
                (dict(compress_type="LZ4", **{"Content-Encoding": "lz4"}), lz4_stored(ROWS)), (dict(compress_type="DEFLATE"), zlib.compress(ROWS)),
                (dict(compress_type="ZSTD"), zstd_stored(ROWS)))):
            reply, _ = load_pieces(server, [body], **how)
            expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", 3000), f"{how}: {reply}")
            expect_equal(server.count(), 3000 * (number + 1), f"count(*) after {how}")
        for name in ("lzo", "lzop", "lz4_block", "snappy_block", "nonsense", "gz,bz2"):
            reply, _ = load_pieces(server, [packed], compress_type=name)
            expect_equal(reply["Status"], "Fail", name)
            expect(name in reply["Message"], reply["Message"])
        body = json.dumps([{"k": k, "v": 1, "s": "x"} for k in range(100)]).encode()
        for how in (dict(compress_type="gz"), {"Content-Encoding": "gzip"}):
            reply, _ = load_pieces(server, [gzip.compress(body)], format="json", strip_outer_array="true", **how)
            expect_equal((reply["Status"], reply["NumberLoadedRows"], reply["LoadBytes"]), ("Success", 100, len(body)), f"JSON: {reply}")


@suite.test("no bytes at all under any compression are an empty load, and so is the compression of nothing")
def empty():
    with Server() as server:
        server.create()
        for name, nothing in (("gz", gzip.compress(b"")), ("bz2", bz2.compress(b"")), ("deflate", zlib.compress(b"")),
                              ("lz4", lz4_stored(b"")), ("zstd", zstd_stored(b""))):
            for body in (b"", nothing):
                reply, _ = load_pieces(server, [body] if body else [], compress_type=name)
                expect_equal((reply["Status"], reply["NumberTotalRows"], reply["LoadBytes"]), ("Success", 0, 0), f"{name}: {reply}")
            status, _, body = server.request("PUT", "/api/db/t/_stream_load", b"", {"compress_type": name, "Expect": "100-continue"})
            expect_equal((status, json.loads(body)["Status"]), (200, "Success"), f"{name}, Content-Length: 0")
        expect_equal(server.count(), 0, "count(*)")


@suite.test("cut off, changed and followed by something: Fail that says so, nothing visible, the label free; zeros behind gz as gzip does")
def broken():
    packed = {"gz": gzip.compress(ROWS), "bz2": bz2.compress(ROWS), "deflate": zlib.compress(ROWS), "lz4": lz4_stored(ROWS),
              "zstd": zstd_stored(ROWS)}
    with Server() as server:
        server.create()
        tried = 0
        for name, body in packed.items():
            cases = [("cut in half", body[:len(body) // 2]), ("without its last byte", body[:-1]), ("its first byte", body[:1]),
                     ("not packed at all", ROWS), ("plain behind it", body + b"9\t9\tlost\n")]
            if name != "zstd":  # this one has no checksum
                at = len(body) // 2
                cases.append(("a changed byte", body[:at] + bytes([body[at] ^ 0x10]) + body[at + 1:]))
            if name == "gz":
                cases += [("a cut member behind it", body + body[:100]), ("zeros and then a byte", body + bytes(600) + b"x"),
                          ("another size at its end", body[:-4] + struct.pack("<I", len(ROWS) + 1)),
                          ("its head only", body[:10]), ("without its trailer", body[:-8])]
            for what, bad in cases:
                reply, _ = load_pieces(server, [bad], compress_type=name, label=f"broken-{tried}")
                expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Fail", 0), f"{name}, {what}: {reply}")
                expect(reply["Message"].startswith("[INVALID_ARGUMENT]") and "body" in reply["Message"], f"{name}, {what}: {reply['Message']}")
                tried += 1
        server.expect_alive("after broken bodies")
        expect_equal(server.count(), 0, "count(*)")
        for number, padding in enumerate((1, 511, 100_000)):  # as on tapes
            reply, _ = load_pieces(server, [packed["gz"], bytes(padding)], compress_type="gz", label=f"broken-{number}")
            expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", 3000), f"{padding} zeros behind gz: {reply}")
        expect_equal(server.count(), 9000, "count(*)")
    return f"{tried} bodies"


@suite.test("a slow gz stream is decoded as it arrives: what is wrong with its rows is told while it still goes on")
def slow():
    with Server() as server:
        server.create()
        codec = zlib.compressobj(6, zlib.DEFLATED, 31)
        stream = LoadStream(server, compress_type="gz", seconds=30)
        for at in range(0, len(ROWS), len(ROWS) // 20):
            if piece := codec.compress(ROWS[at:at + len(ROWS) // 20]) + codec.flush(zlib.Z_SYNC_FLUSH):
                stream.send(piece)
            time.sleep(0.03)
        stream.send(codec.flush())
        expect_equal(stream.finish()["NumberLoadedRows"], 3000, "rows of a slow stream")
        # A row beyond the limit, in a stream whose end never comes: only who decodes as it arrives can know.
        codec = zlib.compressobj(6, zlib.DEFLATED, 31)
        stream = LoadStream(server, compress_type="gz", seconds=30)
        stream.send(codec.compress(b"7\t7\tgood\n8\t8\t" + b"x" * (20 * MIB)) + codec.flush(zlib.Z_SYNC_FLUSH))
        began = time.monotonic()
        reply = stream.reply()
        expect_equal(reply["Status"], "Fail", f"{reply}")
        expect("row_bytes_max 16777216" in reply["Message"], reply["Message"])
        took = time.monotonic() - began
        stream.close()
        broken_begin = gzip.compress(ROWS)
        stream = LoadStream(server, compress_type="gz", seconds=30)
        stream.send(broken_begin[:500] + bytes(500))
        expect_equal(stream.reply()["Status"], "Fail", "a stream that is broken in its middle, before its end")
        stream.close()
        expect_equal(server.count(), 3000, "count(*)")
        return f"told after {took:.2f} s"


def gz_bomb(first, letters, last=b""):
    """Pieces of a gz member: `first`, then so many MiB of one letter, then `last`."""
    codec = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = codec.compress(first) + codec.flush(zlib.Z_FULL_FLUSH)
    mib = b"a" * MIB
    again = codec.compress(mib) + codec.flush(zlib.Z_FULL_FLUSH)  # it refers to nothing before it
    crc = zlib.crc32(first)
    yield b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + head
    for _ in range(letters):
        crc = zlib.crc32(mib, crc)
        yield again
    codec = zlib.compressobj(9, zlib.DEFLATED, -15)
    yield codec.compress(last) + codec.flush()
    yield struct.pack("<II", zlib.crc32(last, crc), (len(first) + letters * MIB + len(last)) & 0xFFFFFFFF)


def zstd_bomb(first, letters, last=b""):
    """The same as a zstd frame of blocks that say: this byte, 128 KiB times."""
    yield struct.pack("<I", 0xFD2FB528) + b"\x00\x38" + struct.pack("<I", len(first) << 3)[:3] + first
    block = struct.pack("<I", (128 * 1024) << 3 | 2)[:3] + b"a"
    for _ in range(letters):
        yield block * 8
    yield struct.pack("<I", len(last) << 3 | 1)[:3] + last


@suite.test("bombs: a gigabyte of one letter out of a few bytes, as one field and as many bad rows: refused in bounded memory")
def bombs():
    size = 64 if is_small() else 1024
    said = []
    for name, bomb in (("gz", gz_bomb), ("zstd", zstd_bomb)):
        with Server() as server:
            server.create()
            for what, pieces, wanted in (
                    ("one field", bomb(b"1\t1\t", size, b"\n2\t2\tb\n"), ("Fail", )),
                    ("one field, Content-Length", [b"".join(bomb(b"1\t1\t", size, b"\n"))], ("Fail", )),
                    ("a field of a bad key", bomb(b"", size, b"\t1\tx\n"), ("Fail", ))):
                began = time.monotonic()
                reply, sent = send_bomb(server, pieces, name)
                expect(reply["Status"] in wanted, f"{name}, {what}: {reply}")
                expect_equal(reply["NumberLoadedRows"], 0, f"{name}, {what}")
                said.append(f"{name} {what}: {sent >> 10} KiB, {time.monotonic() - began:.1f} s")
            # Rows of 8 MiB each, none of them good: all are decoded, none is kept.
            rows = (piece for _ in range(size // 8) for piece in bomb(b"x\t1\t", 8, b"\n"))
            began = time.monotonic()
            reply, sent = send_bomb(server, rows, name, max_filter_ratio="1")
            expect_equal((reply["Status"], reply["NumberFilteredRows"], reply["NumberLoadedRows"]), ("Success", size // 8, 0), f"{name}: {reply}")
            expect(reply["LoadBytes"] > size * MIB, f"LoadBytes: {reply['LoadBytes']}")
            said.append(f"{name} bad rows: {sent >> 10} KiB, {time.monotonic() - began:.1f} s")
            server.load_ok(b"1\t1\ta\n", 1)
            expect_equal(server.count(), 1, "count(*)")
            peak = server.peak_rss()
            expect(e2e.is_sanitized() or peak < RSS_MAX, f"peak RSS is {peak / MIB:.0f} MiB after bombs of {name}")
            said.append(f"peak {peak / MIB:.0f} MiB")
    return f"{size} MiB: " + ", ".join(said)


def send_bomb(server, pieces, name, **headers):
    """As load_pieces(), but a server that has answered need not read on."""
    stream, sent = LoadStream(server, seconds=300, compress_type=name, **headers), 0
    try:
        try:
            for piece in pieces:
                stream.send(piece)
                sent += len(piece)
            stream.end()
        except e2e.Broken:
            pass
        return stream.reply(), sent
    finally:
        stream.close()


@suite.test("eight bombs at once beside a good load: the good one goes through, memory stays bounded")
def bombs_at_once():
    size = 32 if is_small() else 256
    with Server() as server:
        server.create()
        replies = []

        def one(number):
            bomb = gz_bomb if number % 2 else zstd_bomb
            name = "gz" if number % 2 else "zstd"
            rows = (piece for _ in range(size // 8) for piece in bomb(b"x\t1\t", 8, b"\n"))
            replies.append(send_bomb(server, rows, name, max_filter_ratio="1")[0])

        threads = [threading.Thread(target=one, args=(number, )) for number in range(8)]
        for thread in threads:
            thread.start()
        times = []
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            server.load_ok(ROWS, 3000)
            times.append(time.monotonic() - began)
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        expect_equal([(reply["Status"], reply["NumberFilteredRows"]) for reply in replies], [("Success", size // 8)] * 8, "bombs")
        expect_equal(server.count(), 3000 * len(times), "count(*)")
        peak = server.peak_rss()
        expect(e2e.is_sanitized() or peak < RSS_MAX, f"peak RSS is {peak / MIB:.0f} MiB")
        return f"{len(times)} good loads, longest {max(times):.2f} s; peak RSS {peak / MIB:.0f} MiB"


if __name__ == "__main__":
    sys.exit(suite.run())

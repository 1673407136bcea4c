#!/usr/bin/env python3
"""What penstock may cost: memory at rest, of silent loads, of idle connections, and while 20 streams load.

  test_bounds.py            20 streams load 1 GB together
  test_bounds.py --full     10 GB
"""

import random
import sys
import threading
import time

import penstock_e2e as e2e
from penstock_e2e import MIB, Server, Skipped, expect, expect_equal


def add_arguments(parser):
    parser.add_argument("--full", action="store_true", help="10 GB instead of 1 GB")


suite = e2e.Suite(__doc__, add_arguments)
KIB = 1024
REST_MAX_PER_SHARD = 64 * MIB
EACH_MAX = 16 * KIB
PEAK_MAX = 512 * MIB
SPARE_FILES = 200


def need_honest_memory():
    if e2e.is_sanitized():
        raise Skipped("AddressSanitizer's own memory is most of it")


@suite.test("at rest: less than 64 MiB a shard, on 1, 2 and 4 shards")
def at_rest():
    need_honest_memory()
    notes = []
    for shards in (1, 2, 4):
        with Server(shards=shards) as server:
            server.create()
            server.load_ok(b"1\t1\ta\n", 1)
            time.sleep(0.3)
            expect(server.rss() < shards * REST_MAX_PER_SHARD, f"{server.rss() / MIB:.1f} MiB on {shards} shards")
            notes.append(f"{server.rss() / MIB / shards:.1f} MiB a shard of {shards}")
    return ", ".join(notes)


def settled_rss(server):
    time.sleep(0.5)
    return server.rss()


@suite.test("1,000 open, silent loads: less than 16 KiB each; all of them end well; then their memory is there for others")
def silent_loads():
    need_honest_memory()
    e2e.raise_file_limit()
    with Server() as server:
        server.create()
        for _ in range(20):
            server.load_ok(b"1\t1\ta\n", 1)
        before = settled_rss(server)
        streams = [e2e.LoadStream(server, Expect="100-continue").wait_continue() for _ in range(1000)]
        cost = (settled_rss(server) - before) / len(streams)
        for stream in streams:
            stream.send(b"1\t1\ta\n")
        fed = (settled_rss(server) - before) / len(streams)
        for stream in streams:
            stream.end()
        for stream in streams:
            expect_equal(stream.reply()["Status"], "Success", "one of them")
            stream.close()
        expect_equal(server.count(), 1020, "rows")
        expect(cost < EACH_MAX, f"{cost / KIB:.1f} KiB each")
        return f"{cost / KIB:.1f} KiB each before their first row, {fed / KIB:.1f} KiB with one row in hand"


@suite.test("10,000 idle connections: less than 16 KiB each; the server serves beside them")
def idle_connections():
    need_honest_memory()
    wanted, limit = 10_000, e2e.raise_file_limit()
    number = min(wanted, limit - SPARE_FILES)
    with Server() as server:
        server.create()
        for _ in range(20):
            server.load_ok(b"1\t1\ta\n", 1)
        before = settled_rss(server)
        connections = [e2e.connect(server.port) for _ in range(number)]
        untouched = (settled_rss(server) - before) / number
        for connection in connections:  # a keep-alive connection after a request holds more than one that never spoke
            connection.sendall(b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n")
            expect_equal(e2e.Replies(connection).next().status, 200, "health")
        used = (settled_rss(server) - before) / number
        server.load_ok(b"1\t1\ta\n", 1)
        expect_equal(server.count(), 21, "rows")
        for connection in connections:
            connection.close()
        expect(max(untouched, used) < EACH_MAX, f"{untouched / KIB:.1f} and {used / KIB:.1f} KiB each")
        scaled = "" if number == wanted else f"; ONLY {number:,} of {wanted:,}: this process may open {limit:,} files"
        return f"{untouched / KIB:.1f} KiB each untouched, {used / KIB:.1f} KiB each after a request{scaled}"


@suite.test("20 streams load together: peak RSS below 512 MiB, and flat in the load's size")
def twenty_streams():
    need_honest_memory()
    total = 10_000_000_000 if suite.arguments.full else 1_000_000_000
    rows_per_piece = 6_000
    pads = random.Random(1)
    piece = b"".join(b"%d\t%d\t%s\n" % (k, k % 1000, pads.randbytes(75).hex().encode())
                     for k in range(1_000_000, 1_000_000 + rows_per_piece))
    pieces = total // 20 // len(piece)
    with Server() as server:
        server.create()
        replies, failures = [], []

        def run_stream():
            try:
                stream = e2e.LoadStream(server, seconds=600)
                for _ in range(pieces):
                    stream.send(piece)
                replies.append(stream.finish())
                stream.close()
            except Exception as error:  # told below
                failures.append(error)

        threads = [threading.Thread(target=run_stream) for _ in range(20)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        samples = []
        while any(thread.is_alive() for thread in threads):
            server.expect_alive("under 20 streams")
            samples.append(server.rss())
            time.sleep(0.05)
        took = time.monotonic() - began
        expect(not failures, f"streams failed: {failures[:3]}")
        expect_equal([(reply["Status"], reply["NumberLoadedRows"]) for reply in replies],
                     [("Success", pieces * rows_per_piece)] * 20, "the replies")
        expect_equal(server.count(), 20 * pieces * rows_per_piece, "rows")
        peak, third = server.peak_rss(), len(samples) // 3
        early, late = max(samples[:third]), max(samples[third:])
        expect(peak < PEAK_MAX, f"peak RSS {peak / MIB:.0f} MiB")
        expect(late < early * 1.15 + 16 * MIB, f"RSS grows: {early / MIB:.0f} MiB in the first third, {late / MIB:.0f} later")
        sent = 20 * pieces * len(piece)
        return (f"{sent / 1e9:.2f} GB in {took:.1f} s, {sent / 1e6 / took:.0f} MB/s; peak RSS {peak / MIB:.0f} MiB; first third "
                f"{early / MIB:.0f} MiB, after it {late / MIB:.0f} MiB")


if __name__ == "__main__":
    sys.exit(suite.run())

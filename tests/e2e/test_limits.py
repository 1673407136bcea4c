#!/usr/bin/env python3
"""At the ends of what a machine gives: thousands of open connections, no free file descriptors, readers and writers that hardly
move. What is open goes on, what is new is refused or waits, nothing acknowledged is lost, and when there is room again all
works again without a restart.

  test_limits.py                        about a minute
  test_limits.py --connections 19000    as many as the limit of open files allows
  test_limits.py --full                 also waits until slow readers are cut off (a minute and more)
"""

import os
import random
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time

import penstock_e2e as e2e
from penstock_e2e import MIB, Broken, Failed, LoadStream, Replies, Server, Skipped, expect, expect_equal


def add_arguments(parser):
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--full", action="store_true", help="also what takes minutes")


suite = e2e.Suite(__doc__, add_arguments)
KIB = 1024
HEALTH = b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"
SPARE_FILES = 300
EACH_MAX = 16 * KIB
LOADS_BETWEEN = 200
ROW = b"%d\t1\tx\n"


def settled_rss(server):
    time.sleep(0.5)
    return server.rss()


def files_of(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def load_on(server, connection, replies, body, **headers):
    """A load on a connection that is kept."""
    connection.sendall(e2e.load_head(server, length=f"Content-Length: {len(body)}", **headers) + body)
    return replies.next().json()


def expect_keys(server, wanted, when):
    keys = sorted(int(line) for line in e2e.read_lines(server, "t", "k"))
    expect(keys == sorted(wanted), f"{when}: {len(keys)} rows, wanted the {len(wanted)} acknowledged ones")


# ------------------------------------------------------------------------------------------- connections


@suite.test("thousands of open connections: a bounded cost each, loads through some while the rest stay, then all are answered; one "
            "more than connections_max is closed, and taken when another has gone")
def many_connections():
    limit = e2e.raise_file_limit()
    number = min(suite.arguments.connections, limit - SPARE_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 600)
    chance = random.Random(6)
    with Server(config=f"[limits]\nconnections_max = {number}\n").create() as server:
        with e2e.connect(server.port) as alone:
            replies, began = Replies(alone), time.monotonic()
            for warm in range(LOADS_BETWEEN):
                expect_equal(load_on(server, alone, replies, ROW % warm)["Status"], "Success", "a load alone")
            alone_took = (time.monotonic() - began) / LOADS_BETWEEN
        server.statement("TRUNCATE TABLE t")
        time.sleep(0.1)  # their connections are gone
        before = settled_rss(server)
        began = time.monotonic()
        opened = [e2e.connect(server.port) for _ in range(number)]
        clients = [(connection, Replies(connection)) for connection in opened]
        for connection, replies in clients:
            connection.sendall(HEALTH)
            expect_equal(replies.next().status, 200, "health")
        took = time.monotonic() - began
        each = (settled_rss(server) - before) / number

        with e2e.connect(server.port) as refused:
            expect(Replies(refused).is_closed(), "a connection beyond connections_max is not closed")
        keys = []
        began = time.monotonic()
        for connection, replies in chance.sample(clients, min(LOADS_BETWEEN, number)):
            key = 1000 + len(keys)
            reply = load_on(server, connection, replies, ROW % key)
            expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", 1), f"a load beside the others: {reply}")
            keys.append(key)
        one_by_one = (time.monotonic() - began) / len(keys)

        began = time.monotonic()
        for at, (connection, _) in enumerate(clients):  # all of them at once: every tenth loads, the others ask
            body = ROW % (100_000 + at)
            connection.sendall(e2e.load_head(server, length=f"Content-Length: {len(body)}") + body if at % 10 == 0 else HEALTH)
        for at, (_, replies) in enumerate(clients):
            reply = replies.next()
            expect_equal(reply.status, 200, "one of all")
            if at % 10 == 0:
                expect_equal(reply.json()["Status"], "Success", "a load among all")
                keys.append(100_000 + at)
        all_took = time.monotonic() - began
        for connection in opened[:10]:
            connection.close()
        deadline = time.monotonic() + 10
        while True:  # one has gone: there is a place
            with e2e.connect(server.port) as again:
                try:
                    again.sendall(HEALTH)
                    expect_equal(Replies(again).next().status, 200, "health when there is a place")
                    break
                except (Broken, OSError) as error:
                    expect(time.monotonic() < deadline, f"no place 10 s after others have gone: {error}")
            time.sleep(0.02)
        expect_keys(server, keys, "beside them")
        peak = server.peak_rss()
        for connection in opened:
            connection.close()
        if not e2e.is_sanitized():
            expect(each < EACH_MAX, f"{each / KIB:.1f} KiB each")
        less = "" if number >= suite.arguments.connections else f"; ONLY so many: {limit:,} files may be open here"
        return (f"{number:,} connections opened and answered in {took:.1f} s, {each / KIB:.1f} KiB each; a load through one of them "
                f"{one_by_one * 1e3:.1f} ms, alone {alone_took * 1e3:.1f} ms; all at once answered in {all_took:.1f} s; peak RSS {peak / MIB:.0f} MiB{less}")


# ------------------------------------------------------------------------------------------- descriptors


SMALL_FILES = "[limits]\njournal_file_mib = 8\nlog_file_mib = 4\nreserve_mib = 4\n"


def start_with_files(server, limit):
    """Under a hard limit of so many open files; the server cannot raise it."""
    os.makedirs(server.data_dir, exist_ok=True)
    with open(server.log_path, "ab") as log:
        server.log_from = log.tell()
        server.process = subprocess.Popen(["prlimit", f"--nofile={limit}:{limit}", *server.command()], stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log)
    return server.wait_ready()


@suite.test("started with a low RLIMIT_NOFILE: connections over it are refused, open loads finish, journals rotate, nothing is lost")
def low_limit():
    with Server(config=SMALL_FILES, start=False) as server:
        start_with_files(server, 200)
        expect("fewer_connections" in server.log_text(), f"the start does not say it:\n{server.log_tail()}")
        server.create()
        streams = [LoadStream(server, label=f"open-{i}").send(ROW % i) for i in range(20)]
        crowd, refused = [], 0
        for _ in range(400):
            connection = e2e.connect(server.port)
            try:
                connection.sendall(HEALTH)
                Replies(connection).next()
                crowd.append(connection)
            except (Broken, OSError):
                refused += 1
                connection.close()
        expect(refused > 200 and len(crowd) > 40, f"{refused} of 400 were refused")
        pad = b"y" * 1000
        block = b"".join(b"%d\t2\t%d%b\n" % (10_000 + i, i, pad) for i in range(1000))
        for stream in streams:
            stream.send(block)
        for number, stream in enumerate(streams):
            reply = stream.finish()
            expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", 1001), f"open load {number}: {reply}")
            stream.close()
        for connection in crowd:
            connection.close()
        time.sleep(0.3)
        server.load_ok(ROW % 99, 1)
        expect_equal(server.count(), 20 * 1001 + 1, "rows")
        server.restart()
        expect_equal(server.count(), 20 * 1001 + 1, "rows after kill -9")
        return f"of 400 connections {refused} were refused, 20 open loads of 1 MB finished over {len(crowd)} others"


@suite.test("600 connections in one moment over 100 descriptors: the open load comes in, each of the 600 is answered or closed; a limit that leaves no room is refused at the start")
def crowd_at_once():
    with Server(config=SMALL_FILES, start=False) as server:
        start_with_files(server, 100)
        server.create()
        stream = LoadStream(server, label="open").send(ROW % 1)
        time.sleep(0.1)
        server.process.send_signal(signal.SIGSTOP)
        crowd = []
        for _ in range(600):
            crowd.append(e2e.connect(server.port, seconds=10))
            crowd[-1].sendall(HEALTH)
        server.process.send_signal(signal.SIGCONT)
        reply = stream.send(ROW % 2).finish()
        expect_equal(reply["Status"], "Success", f"the open load: {reply}")
        stream.close()
        answered = refused = 0
        for connection in crowd:
            try:
                expect_equal(Replies(connection).next().status, 200, "one of the crowd")
                answered += 1
            except Broken as error:
                expect("timed out" not in str(error), "one of the crowd is neither answered nor closed")
                refused += 1
        for connection in crowd:
            connection.close()
        time.sleep(0.3)
        server.load_ok(ROW % 3, 1)
        expect_keys(server, [1, 2, 3], "afterwards")
        server.kill()
        tried = Server(config=SMALL_FILES, start=False)
        try:
            start_with_files(tried, 20)
            raise Failed("it started with 20 descriptors")
        except Failed as why:
            expect("only 20 files may be open" in str(why) and "RLIMIT_NOFILE" in str(why), f"the refusal: {why}")
        expect(answered > 0 and refused > 0, f"{answered} answered, {refused} closed")
        return f"{answered} answered, {refused} closed{', accept_failed was logged' if 'accept_failed' in server.log_text() else ''}"


@suite.test("no file can be opened any more while it runs: connections go on, a load that needs a journal file fails in "
            "clear words, nothing poisons; when there are some again all goes on")
def none_left():
    if not hasattr(resource, "prlimit"):
        raise Skipped("this python has no prlimit")
    with Server(shards=1, config=SMALL_FILES).create() as server:
        pid, limits = server.process.pid, resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        kept = [e2e.connect(server.port) for _ in range(20)]
        clients = [(connection, Replies(connection)) for connection in kept]
        acknowledged = []
        pads = [random.Random(number).randbytes(500).hex().encode() for number in range(200)]

        def body_of(first, rows):
            return b"".join(b"%d\t3\t%b\n" % (key, pads[key % len(pads)]) for key in range(first, first + rows))

        for number, (connection, replies) in enumerate(clients):
            expect_equal(load_on(server, connection, replies, body_of(number, 1))["Status"], "Success", "a load before")
            acknowledged.append(number)
        prepared = load_on(server, *clients[0], body_of(500_000, 100), label="p", two_phase_commit="true")
        expect_equal(prepared["Status"], "Success", "a precommit before")
        try:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))  # none can be opened
            waiting = [e2e.connect(server.port) for _ in range(5)]  # or taken: an accept under way keeps its limit
            for connection in waiting:
                connection.sendall(HEALTH)
            failed, said, first = 0, "", 1000
            for turn in range(60):  # 60 x 0.5 MB: several journal files
                connection, replies = clients[turn % len(clients)]
                reply = load_on(server, connection, replies, body_of(first, 500), label=f"turn-{turn}")
                if reply["Status"] == "Success":
                    acknowledged += range(first, first + 500)
                else:
                    failed, said = failed + 1, reply["Message"]
                first += 500
                server.expect_alive("without descriptors")
            expect(failed > 0, "no load needed another file")
            expect("descriptor" in said or "open files" in said.lower(), f"the message: {said}")
            connection, replies = clients[0]
            connection.sendall(b"GET /api/db/t/_scan?columns=count(*) HTTP/1.1\r\nHost: x\r\nAuthorization: "
                               + server.auth_header().encode() + b"\r\n\r\n")
            counted = replies.next()
            connection.sendall(b"PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nAuthorization: "
                               + server.auth_header().encode() + b"\r\ntxn_operation: commit\r\nlabel: p\r\n\r\n")
            committed = replies.next().json()
            time.sleep(1.2)  # the commit log may look for its next file meanwhile
            server.expect_alive("without descriptors")
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        for connection in waiting:
            expect_equal(Replies(connection).next().status, 200, "a connection of then")
            connection.close()
        for turn in range(60):
            connection, replies = clients[turn % len(clients)]
            reply = load_on(server, connection, replies, body_of(first, 500), label=f"turn-{turn + 100}")
            expect_equal(reply["Status"], "Success", f"a load when there are descriptors again: {reply}")
            acknowledged += range(first, first + 500)
            first += 500
        expect_equal(committed["status"], "Success", f"the commit without descriptors: {committed}")
        acknowledged += range(500_000, 500_100)
        expect_keys(server, acknowledged, "afterwards")
        server.restart()
        expect_keys(server, acknowledged, "after kill -9")
        for connection in kept:
            connection.close()
        return (f"{failed} of 60 loads failed: \"{said[:150]}\"; a count answered {counted.status}, a commit "
                f"{committed['status']}; 60 loads worked again")


# ------------------------------------------------------------------------------------ who hardly moves


def fill(server, megabytes):
    """Random rows, so that a scan is as large as they are; their number."""
    pads = random.Random(2)
    block = [pads.randbytes(500).hex() for _ in range(1000)]
    for load in range(megabytes):
        body = "".join(f"{load * 1000 + i}\t{load}\t{block[(i * 7 + load) % 1000]}\n" for i in range(1000)).encode()
        server.load_ok(body, 1000)
    return megabytes * 1000


@suite.test("readers of a big scan that take a byte a while: bounded memory, loads and scans of others go on; with --full they are cut "
            "off after their minute")
def slow_readers():
    with Server().create() as server:
        rows = fill(server, 60)
        before = settled_rss(server)
        readers = []
        for _ in range(40):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(b"GET /api/db/t/_scan HTTP/1.1\r\nHost: x\r\nAuthorization: " + server.auth_header().encode() + b"\r\n\r\n")
            readers.append(connection)
        began, read, peak = time.monotonic(), 0, 0
        while time.monotonic() - began < 3:
            for connection in readers:
                read += len(connection.recv(1))
            peak = max(peak, server.rss())
            time.sleep(0.2)
        loads = 0
        others = time.monotonic()
        while loads < 50:
            server.load_ok(ROW % (rows + loads), 1)
            loads += 1
        load_took = (time.monotonic() - others) / loads
        others = time.monotonic()
        expect_equal(server.count(), rows + loads, "rows")
        expect_equal(sum(1 for _ in e2e.read_lines(server, "t")), rows + loads, "rows of a scan beside them")
        scan_took = time.monotonic() - others
        peak = max(peak, server.rss())
        cost = (peak - before) / len(readers)
        expect(e2e.is_sanitized() or cost < 4 * MIB, f"{cost / MIB:.1f} MiB each")
        note = f"40 of them cost {cost / MIB:.2f} MiB each of a scan of 60; beside them a load {load_took * 1e3:.1f} ms, a scan of 60 MB {scan_took:.1f} s"
        if suite.arguments.full:
            # Seen from the server: what it has sent before still lies in the socket, and the client reads on in it.
            files = files_of(server)
            while files_of(server) > files - len(readers) and time.monotonic() - began < 200:
                for connection in readers:
                    try:
                        connection.recv(1)
                    except OSError:
                        pass
                time.sleep(0.5)
            closed = files - files_of(server)
            expect(closed >= len(readers), f"only {closed} of {len(readers)} are cut off after {time.monotonic() - began:.0f} s")
            note += f"; all cut off after {time.monotonic() - began:.0f} s, then RSS {(settled_rss(server) - before) / MIB:+.0f} MiB"
        for connection in readers:
            connection.close()
        time.sleep(0.2)
        expect_equal(server.count(), rows + loads, "rows afterwards")
        return note


@suite.test("writers that hardly write: heads that do not end are cut off after 10 s, bodies go on byte by byte beside fast loads, and "
            "all of them come in")
def slow_writers():
    with Server().create() as server:
        heads = []
        for _ in range(200):
            connection = e2e.connect(server.port)
            connection.sendall(e2e.load_head(server)[:40])
            heads.append(connection)
        began = time.monotonic()
        bodies = [LoadStream(server, label=f"slow-{i}") for i in range(200)]
        texts = [b"%d\t4\tslowly\n" % i for i in range(200)]
        keys, fast = list(range(200)), []
        at, head_at = 0, 0
        closed = set()
        selector = selectors.DefaultSelector()
        for connection in heads:
            selector.register(connection, selectors.EVENT_READ)
        while time.monotonic() - began < 13 and (len(closed) < len(heads) or at < 14):
            for stream, text in zip(bodies, texts):
                if at < len(text):
                    stream.send(text[at:at + 1])
            for connection in heads:  # one more byte of the head, for ever
                if connection not in closed:
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        pass
            key = 10_000 + len(fast)
            sent = time.monotonic()
            server.load_ok(ROW % key, 1)
            fast.append(time.monotonic() - sent)
            keys.append(key)
            for key_, _ in selector.select(0.3):
                connection = key_.fileobj
                selector.unregister(connection)
                closed.add(connection)
            at += 1
            head_at += 1
        heads_took = time.monotonic() - began
        expect_equal(len(closed), len(heads), f"heads that were cut off after {heads_took:.0f} s")
        expect(heads_took > 8, f"heads were cut off after {heads_took:.1f} s already")
        for stream, text in zip(bodies, texts):
            stream.send(text[at:]) if at < len(text) else None
            expect_equal(stream.finish()["Status"], "Success", "a slow body")
            stream.close()
        for connection in heads:
            connection.close()
        expect_keys(server, keys, "afterwards")
        return (f"200 heads cut off within {heads_took:.1f} s; 200 bodies of a byte now and then all came in; beside them a load took at most "
                f"{max(fast) * 1e3:.0f} ms")


if __name__ == "__main__":
    sys.exit(suite.run())

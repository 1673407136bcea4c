#!/usr/bin/env python3
"""The requests of real clients, byte for byte as they were recorded or read: streamloader, the Kafka, Spark and Flink
connectors, Logstash, Filebeat, Vector, Python's requests, doris-stream-load. The reply of each and the rows a scan gives.
"""

import bz2
import gzip
import os
import random
import re
import socket
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

import penstock_e2e as e2e
from penstock_e2e import Replies, Server, expect, expect_equal
from wire_bodies import chunked, lz4_stored, zstd_stored

suite = e2e.Suite(__doc__)

APACHE = ["Connection: Keep-Alive", "User-Agent: Apache-HttpClient/4.5.13 (Java/17.0.15)", "Accept-Encoding: gzip,deflate"]
ROWS = b"1\t1\ta\n2\t2\tb\n3\t3\tc"  # no delimiter behind the last
SEED = 20266
SEEN = ["1\t1\ta", "2\t2\tb", "3\t3\tc"]


def head(server, *lines, path="/api/db/t/_stream_load", version="HTTP/1.1", method="PUT"):
    """A head exactly of these lines; `auth` and `host` stand for the two that differ from run to run."""
    known = {"auth": f"Authorization: {server.auth_header()}", "host": f"Host: 127.0.0.1:{server.port}"}
    return "\r\n".join([f"{method} {path} {version}", *(known.get(line, line) for line in lines), "", ""]).encode()


class Client:
    """One connection; what comes back, interim replies counted."""

    def __init__(self, server, port=None):
        self.connection = e2e.connect(port or server.port)
        self.replies = Replies(self.connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def send(self, data):
        self.connection.sendall(data)
        return self

    def wait_100(self):
        status, headers = self.replies.head()
        expect_equal((status, headers), (100, {}), "the interim reply")
        return self

    def first_line(self):
        """Of whatever comes next, interim or not; it stays to be read."""
        while b"\r\n\r\n" not in self.replies.rest:
            self.replies.more()
        return self.replies.rest.partition(b"\r\n")[0]

    def reply(self):
        """The final reply, which must be a load's: HTTP 200, of a known length, JSON."""
        reply = self.replies.next()
        expect_equal(reply.status, 200, f"status ({reply.body[:200]})")
        expect("content-length" in reply.headers and "content-encoding" not in reply.headers, f"headers: {reply.headers}")
        return reply.json()

    def success(self, rows, label=None):
        reply = self.reply()
        expect_equal((reply["Status"], reply["Message"], reply["NumberLoadedRows"]), ("Success", "OK", rows), f"{reply}")
        if label is not None:
            expect_equal(reply["Label"], label, "Label")
        return reply

    def says_nothing_yet(self, seconds=0.1):
        self.connection.settimeout(seconds)
        try:
            return self.connection.recv(1) is None
        except TimeoutError:
            return True
        finally:
            self.connection.settimeout(60)


def seen(server, wanted, table="t"):
    expect_equal(sorted(server.scan(table)), sorted(wanted), "rows")


@suite.test("streamloader: chunked, capitalised names, waits for 100; its next task and an empty one on the same connection")
def streamloader():
    with Server().create() as server, Client(server) as client:
        def task(label):
            named = [f"Label: {label}"] if label else []
            return head(server, "host", "User-Agent: Go-http-client/1.1", "Transfer-Encoding: chunked", "auth",
                        "Column_separator: ,", "Columns: k,v,s", "Content-Type: text/plain", "Expect: 100-continue", *named,
                        "Accept-Encoding: gzip")

        rows = [b"%d,%d,row %d\n" % (k, k, k) for k in range(9000)]
        for number, (first, count) in enumerate(((0, 4096), (4096, 4904), (9000, 0)), 1):
            body = b"".join(rows[first:first + count])
            client.send(task(f"load_1_{number}"))
            client.wait_100()
            client.send(chunked(body, (32768, )))
            reply = client.success(count, f"load_1_{number}")
            expect_equal(reply["LoadBytes"], len(body), "LoadBytes")
        with Client(server) as idle:  # a worker that got nothing to do
            idle.send(task(None)).wait_100().send(b"0\r\n\r\n").success(0)
        client.send(task("load_1_1"))  # the repeated run: its first task is known, the reply comes at once and in place of 100
        reply = client.reply()
        expect_equal((reply["Status"], reply["ExistingJobStatus"]), ("Label Already Exists", "FINISHED"), "a repeated task")
        expect_equal(server.summary("t", "k"), (9000, sum(range(9000)), 0), "count, sum, xor of k")


@suite.test("streamloader --compress: an LZ4 frame, chunks of 7 and 4 bytes first, Compress_type: LZ4 and Content-Encoding: lz4")
def streamloader_lz4():
    with Server().create() as server, Client(server) as client:
        body = b"".join(b"%d,%d,row %d\n" % (k, k, k) for k in range(20_000))
        for number, block in enumerate((65536, 1000)):
            client.send(head(server, "host", "User-Agent: Go-http-client/1.1", "Transfer-Encoding: chunked", "auth",
                             "Column_separator: ,", "Compress_type: LZ4", "Content-Encoding: lz4", "Content-Type: text/plain",
                             "Expect: 100-continue", f"Label: lz4_{number}", "Accept-Encoding: gzip"))
            client.wait_100()
            client.send(chunked(lz4_stored(body, block), (7, 4, 32768)))
            expect_equal(client.success(20_000)["LoadBytes"], len(body), "LoadBytes")
        client.send(head(server, "host", "Transfer-Encoding: chunked", "auth", "Compress_type: LZ4", "Content-Encoding: lz4",
                         "Expect: 100-continue")).wait_100().send(b"0\r\n\r\n").success(0)  # idle, and nothing at all is a frame too
        client.send(head(server, "host", "Transfer-Encoding: chunked", "auth", "Compress_type: LZ4", "Expect: 100-continue"))
        client.wait_100().send(chunked(lz4_stored(b""), (7, 4))).success(0)
        expect_equal(server.summary("t", "k")[:2], (40_000, 2 * sum(range(20_000))), "count, sum of k")


@suite.test("Kafka connector: a connection without a request first; gz in chunks of 10 and 2048 bytes; then plain with empty headers")
def kafka():
    with Server().create() as server:
        lines = [b'{"k":%d,"v":%d,"s":"row %d"}' % (k, k, k) for k in range(5000)]
        body = b"\n".join(lines)
        Client(server).connection.close()
        with Client(server) as client:
            client.send(head(server, "auth", "Expect: 100-continue", "read_json_by_line: true", "two_phase_commit: false",
                             "format: json", "compress_type: gz", "label: topic__KC_0__KC_db_t__KC_4999__KC_17",
                             "Transfer-Encoding: chunked", "Content-Encoding: gzip", "host", *APACHE))
            client.wait_100().send(chunked(gzip.compress(body), (10, 2048)))
            reply = client.success(5000, "topic__KC_0__KC_db_t__KC_4999__KC_17")
            expect_equal((reply["LoadBytes"], reply["TwoPhaseCommit"]), (len(body), "false"), "LoadBytes, TwoPhaseCommit")
            # the next one on it: compress_type and label are there and empty, the body is plain
            client.send(head(server, "auth", "Expect: 100-continue", "read_json_by_line: true", "format: json", "compress_type:",
                             "label:", f"Content-Length: {len(body)}", "host", *APACHE))
            client.wait_100().send(body)
            made = client.success(5000)["Label"]
            expect(len(made) > 8, f"a label was made: {made!r}")
        expect_equal(server.summary("t", "k")[:2], (10_000, 2 * sum(range(5000))), "count, sum of k")


@suite.test("Spark connector: chunks of 4096, columns in back quotes, \\N, no last delimiter; JSON with escapes beyond the BMP")
def spark():
    with Server().create() as server, Client(server) as client:
        def load(label, form, *more):
            return head(server, "auth", "Expect: 100-continue", "Content-Type: text/plain; charset=UTF-8",
                        f"label: spark-doris-0-1-0-{label}", "columns: `k`,`s`,`v`", *more, f"format: {form}",
                        "Transfer-Encoding: chunked", "host", *APACHE)

        rows = b"\n".join([b"%d\t\\N\t%d" % (k, k) for k in range(1000)] + ["7\tgrün ü\t\\N".encode()])
        client.send(load(1, "csv")).wait_100().send(chunked(rows)).success(1001)
        client.send(load(2, "json", "read_json_by_line: true")).wait_100()
        client.send(chunked(b'{"s":"a \\uD83D\\uDE42 b","k":1,"v":null}\n{"v":2,"k":2,"s":"\xc3\xa4"}')).success(2)
        got = server.scan()
        expect_equal(len(got), 1003, "rows")
        for row in ("7\t\\N\tgrün ü", "1\t\\N\ta 🙂 b", "2\t2\tä", "999\t999\t\\N"):
            expect(row in got, f"{row!r} is not among the rows")


@suite.test("Flink connector without 2PC: the probe with no body, hidden_columns and a surplus field on a table that has none")
def flink():
    with Server().create() as server, Client(server) as client:
        client.send(head(server, "auth", "Expect: 100-continue", "read_json_by_line: true", "compress_type: gz", "format: json",
                         "label: probe_t_0_1", "host", *APACHE, "Content-Length: 0", "Content-Type: text/plain; charset=ISO-8859-1"))
        expect(client.first_line().startswith(b"HTTP/1.1 200 "), "the final reply at once, no 100 before it: it would wait for more")
        client.success(0)
        for number, (form, body) in enumerate((("csv", b"1\x011\x01a\x010\x022\x012\x01b\x010"),
                                               ("json", b'{"k":"3","s":"c","v":"3","__DORIS_DELETE_SIGN__":"0"}'))):
            separators = ["line_delimiter: \\x02", "column_separator: \\x01"] if form == "csv" else ["read_json_by_line: true"]
            client.send(head(server, "auth", "Expect: 100-continue", "hidden_columns: __DORIS_DELETE_SIGN__", f"format: {form}",
                             f"label: flink_{number}", *separators, f"Content-Length: {len(body)}", "host", *APACHE))
            client.wait_100()
            for at in range(0, len(body), 8):
                client.send(body[at:at + 8])
            client.success(2 if form == "csv" else 1)
        seen(server, SEEN)


@suite.test("Logstash: capitalised names, Expect but the body at once, Connection: close; the same label again is known")
def logstash():
    with Server().create() as server:
        body = b'{"k":1,"v":1,"s":"a"}\n{"k":2,"v":2,"s":"b"}\n{"k":3,"v":3,"s":"c"}'
        request = head(server, "Accept: */*", "User-Agent: rest-client/2.1.0", "auth", "Expect: 100-continue", "Format: json",
                       "Read_json_by_line: true", "Label: ls_db_t_20240101_000000_000_8a", "Content-Type: text/plain;charset=utf-8",
                       f"Content-Length: {len(body)}", "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "host",
                       "Connection: close") + body
        with Client(server) as client:
            client.send(request).success(3, "ls_db_t_20240101_000000_000_8a")
            expect(client.replies.is_closed(), "closed, as it asked for")
        with Client(server) as client:
            reply = client.send(request).reply()
            expect_equal((reply["Status"], reply["ExistingJobStatus"]), ("Label Already Exists", "FINISHED"), "again")
        seen(server, SEEN)


@suite.test("Filebeat: one load a table, all at once, through the 307 door: the same head and a Referer to where it points")
def filebeat():
    with Server(arguments=["--redirect-listen", "127.0.0.1:0"]).create() as server:
        tables = [f"logs_{number}" for number in range(6)]
        for table in tables:
            server.create(table)
        failures = []

        def publish(table, front):
            try:
                path, body = f"/api/db/{table}/_stream_load", b'{"k":1,"v":1,"s":"a"}\n{"k":2,"v":2,"s":"b"}\n'
                lines = ["User-Agent: Go-http-client/1.1", f"Content-Length: {len(body)}", "auth", "Expect: 100-continue",
                         "Format: json", f"Label: beat_db_{table}_1700000000000_8a", "Read_json_by_line: true",
                         "Accept-Encoding: gzip"]
                with Client(server, front) as client:
                    client.send(head(server, f"Host: 127.0.0.1:{front}", *lines, path=path))
                    reply = client.replies.next()
                    expect_equal(reply.status, 307, "the door's reply")
                target = re.fullmatch(r"http://root:@127\.0\.0\.1:(\d+)(/\S*)", reply.headers["location"])
                expect_equal(int(target.group(1)), server.port, "where it points")
                with Client(server) as client:
                    client.send(head(server, "host", *lines, f"Referer: http://127.0.0.1:{front}{path}", path=target.group(2)))
                    client.wait_100().send(body).success(2)
            except Exception as error:
                failures.append(f"{table}: {error}")

        threads = [threading.Thread(target=publish, args=(table, server.redirect_port())) for table in tables]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(not failures, "; ".join(failures))
        for table in tables:
            seen(server, ["1\t1\ta", "2\t2\tb"], table)


@suite.test("Vector: lower-case names, expect and content-type twice, the body at once; gzip by content-encoding alone, or not at all")
def vector():
    with Server().create() as server, Client(server) as client:
        body = b'{"k":1,"v":1,"s":"a"}\n{"k":2,"v":2,"s":"b"}\n{"k":3,"v":3,"s":"c"}\n'
        for number, (encoding, sent) in enumerate(((None, body), ("gzip", gzip.compress(body)), ("gzip", body))):
            coded = [f"content-encoding: {encoding}", f"accept-encoding: {encoding}"] if encoding else []
            client.send(head(server, f"content-length: {len(sent)}", "content-type: text/plain;charset=utf-8", "expect: 100-continue",
                             f"label: vec_db_t_1700000000000_{number}", *coded, "read_json_by_line: true", "expect: 100-continue",
                             "format: json", "content-type: text/plain;charset=utf-8", "auth", "user-agent: Vector/0.49.0",
                             f"host: 127.0.0.1:{server.port}") + sent)
            expect_equal(client.success(3)["LoadBytes"], len(body), "LoadBytes")
        seen(server, SEEN * 3)


@suite.test("doris-stream-load: HTTP/1.0 with Expect and without Host, a slash at the end: no 100, no chunked reply, kept alive")
def http_1_0():
    with Server().create() as server, Client(server) as client:
        request = head(server, "User-Agent: python-requests/2.34.2", "Accept-Encoding: gzip, deflate",
                       "Accept: application/json;charset=UTF-8", "Connection: keep-alive",
                       "Content-Type: application/x-www-form-urlencoded;charset=UTF-8", "column_separator: \\t",
                       "two_phase_commit: false", "Expect: 100-continue", "auth", f"Content-Length: {len(ROWS)}",
                       path="/api/db/t/_stream_load/", version="HTTP/1.0")
        for _ in range(2):
            client.send(request + ROWS)
            client.first_line()
            start = client.replies.rest.partition(b"\r\n\r\n")[0].lower()
            expect(re.match(rb"http/1\.[01] 200 ok\r\n", start), f"the first line: {start[:60]}")
            expect(b"transfer-encoding" not in start and b"content-length" in start, f"the head: {start}")
            client.success(3)
        seen(server, SEEN * 2)
        with Client(server) as closing:  # HTTP/1.0 as it was: closed after the reply
            closing.send(request.replace(b"Connection: keep-alive\r\n", b"") + ROWS).success(3)
            expect(closing.replies.is_closed(), "closed after the reply")


@suite.test("Python's requests: head and body leave together, interim replies are skipped, a session's connection is used again")
def requests_shape():
    with Server().create() as server, Client(server) as client:
        for number in range(5):
            client.send(head(server, "host", "User-Agent: python-requests/2.34.2", "Accept-Encoding: gzip, deflate", "Accept: */*",
                             "Connection: keep-alive", "Content-Type: text/plain; charset=UTF-8", "Expect: 100-continue",
                             "format: csv", "column_separator: \\t", f"label: session-{number}", f"Content-Length: {len(ROWS)}", "auth")
                        + ROWS)
            client.success(3, f"session-{number}")
        seen(server, SEEN * 5)


@suite.test("an early Fail while the body is in flight: the reply is whole, nothing is reset, the rest is drained, then it closes")
def early_reply():
    with Server().create() as server:
        server.load_ok(b"1\t1\ta\n", 1, label="taken")
        body = b"9\t9\tlost\n" * 900_000  # 9 MB: more than the sockets hold
        for what, path, label, status in (("a taken label", "/api/db/t/_stream_load", "taken", "Label Already Exists"),
                                          ("no such table", "/api/db/none/_stream_load", "new", "Fail")):
            for length, framed in ((f"Content-Length: {len(body)}", body), ("Transfer-Encoding: chunked", chunked(body, (65536, )))):
                with Client(server) as client:
                    began = time.monotonic()
                    client.send(head(server, "host", "auth", "Expect: 100-continue", f"label: {label}", length, path=path))
                    client.send(framed)  # a reset would break this, or what follows
                    reply = client.reply()
                    expect_equal(reply["Status"], status, f"{what}, {length.split(':')[0]}")
                    took = time.monotonic() - began
                    expect(took < 20, f"{what}: {took:.1f} s")
                    client.connection.shutdown(socket.SHUT_WR)
                    expect(client.replies.is_closed(), f"{what}: closed in the end")
        # One that reads first: it gets the reply with no body byte sent, and may leave.
        with Client(server) as client:
            client.send(head(server, "host", "auth", "Expect: 100-continue", "label: taken", f"Content-Length: {len(body)}"))
            expect_equal(client.reply()["Status"], "Label Already Exists", "before the body")
            expect(client.replies.is_closed(30), "the server does not wait for a body that will not come")
        expect_equal(server.count(), 1, "rows")


@suite.test("one connection for 50 loads of all framings in turn, pipelined ones too; the row counts are right")
def reuse():
    with Server().create() as server, Client(server) as client:
        rows = 0
        for number in range(50):
            body = b"".join(b"%d\t%d\tx\n" % (k, number) for k in range(number))
            framed = [(f"Content-Length: {len(body)}", body), ("Transfer-Encoding: chunked", chunked(body, (7, 100))),
                      ("Transfer-Encoding: chunked", chunked(body, (65536, )))][number % 3]
            client.send(head(server, "host", "auth", framed[0]) + framed[1])
            client.success(number)
            rows += number
        one = head(server, "host", "auth", f"Content-Length: {len(ROWS)}") + ROWS
        client.send(one * 5)
        for _ in range(5):
            client.success(3)
        expect_equal(server.count(), rows + 15, "count(*)")


@suite.test("the client ends its side after the body and waits: the reply comes; it ends it in mid body: nothing is visible")
def half_close():
    with Server().create() as server:
        with Client(server) as client:
            client.send(head(server, "host", "auth", "Transfer-Encoding: chunked") + chunked(ROWS, (5, )))
            client.connection.shutdown(socket.SHUT_WR)
            client.success(3)
            expect(client.replies.is_closed(), "closed after the reply")
        with Client(server) as client:
            client.send(head(server, "host", "auth", "label: cut", "Transfer-Encoding: chunked") + chunked(ROWS)[:-5])
            client.connection.shutdown(socket.SHUT_WR)
            expect(client.replies.is_closed(), "closed")
        deadline = time.monotonic() + 5  # a label of a load that was cut off is free at once, or very soon
        while (reply := server.load(b"4\t4\td\n", label="cut"))["Status"] != "Success":
            expect(time.monotonic() < deadline, f"the label is not free: {reply}")
        seen(server, [*SEEN, "4\t4\td"])


@suite.test("slow sends: a head byte by byte, a body of single-byte chunks, a pause in mid body")
def trickle():
    with Server().create() as server, Client(server) as client:
        for byte in head(server, "host", "auth", "Transfer-Encoding: chunked", "Expect: 100-continue"):
            client.send(bytes([byte]))
        client.wait_100()
        framed = chunked(ROWS, (1, ))
        for at in range(0, len(framed), 3):
            client.send(framed[at:at + 3])
        client.success(3)
        client.send(head(server, "host", "auth", f"Content-Length: {len(ROWS)}") + ROWS[:9])
        expect(client.says_nothing_yet(1.0), "no reply before the end")
        client.send(ROWS[9:]).success(3)
        seen(server, SEEN * 2)


class RandomLoad:
    """A load of rows nobody else sends, in a form of chance, sent in pieces of chance over a connection that may be used again."""

    COMPRESSIONS = [("", None), ("", None), ("compress_type: gz", gzip.compress), ("compress_type: BZ2", bz2.compress),
                    ("Compress_type: LZ4", lz4_stored), ("compress_type: zstd", zstd_stored), ("compress_type: deflate", zlib.compress),
                    ("content-encoding: gzip", gzip.compress), ("compress_type:", None)]

    def __init__(self, chance, server, client, first):
        self.client, self.rows = client, chance.choice([0, 1, 2, 30, 3000])
        keys = range(first, first + self.rows)
        form = chance.choice(["csv", "commas", "json", "array"] if self.rows else ["csv", "json"])  # [] is a bad row, as in Doris
        if form in ("csv", "commas"):
            separator = b"\t" if form == "csv" else b","
            body = b"\n".join(separator.join((b"%d", b"%d", b"r%d")) % (k, k % 7, k) for k in keys) + chance.choice([b"", b"\n", b"\n\n"])
            told = [] if form == "csv" else ["column_separator:,"]
        else:
            rows = [b'{"s": "r%d", "k": %d, "v": "%d"}' % (k, k, k % 7) for k in keys]
            body = b"[" + b",\n".join(rows) + b"]" if form == "array" else b"\n".join(rows)
            told = ["format: json", *(["strip_outer_array: true"] if form == "array" else [])]
        header, compress = chance.choice(self.COMPRESSIONS)
        sent = compress(body) if compress else body
        is_chunked = chance.random() < 0.6
        self.waits = chance.random() < 0.4
        lines = ["host", "auth", *told, *([header] if header else []), *(["Expect: 100-continue"] * chance.choice([1, 1, 2]) if self.waits else []),
                 "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(sent)}", "label:"]
        chance.shuffle(lines)
        self.what = f"{form} of {self.rows} rows, {' '.join(lines)[:300]}"
        self.waits = self.waits and (is_chunked or len(sent) > 0) and chance.random() < 0.7
        framed = chunked(sent, [chance.choice([1, 5, 100, 4096, 70_000]) for _ in range(9)] + [4096]) if is_chunked else sent
        start = head(server, *lines)
        cuts = sorted(chance.randrange(len(framed) + 1) for _ in range(chance.randrange(4)))
        body_parts = [framed[a:b] for a, b in zip([0, *cuts], [*cuts, len(framed)])]
        self.parts = [start, *body_parts] if self.waits or chance.random() < 0.5 else [start + body_parts[0], *body_parts[1:]]

    def step(self):
        """Sends the next part; after the last one the reply is checked. False: done."""
        self.client.send(self.parts.pop(0))
        if self.waits:
            self.client.wait_100()
            self.waits = False
        if self.parts:
            return True
        reply = self.client.reply()
        expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", self.rows), f"{self.what}: {reply}")
        return False


@suite.test("300 loads of chance over 12 connections, their pieces mixed: formats, compressions, framings, waits; every row once")
def at_random():
    chance = random.Random(SEED)
    with Server(shards=3).create() as server:
        clients = [Client(server) for _ in range(12)]
        free, busy, rows = list(clients), [], 0
        for _ in range(300):
            while not free or (busy and chance.random() < 0.7):
                load = chance.choice(busy)
                if not load.step():
                    busy.remove(load)
                    free.append(load.client)
            load = RandomLoad(chance, server, free.pop(chance.randrange(len(free))), rows)
            rows += load.rows
            busy.append(load)
        while busy:
            load = busy.pop()
            while load.step():
                pass
        for client in clients:
            client.connection.close()
        count, total, _ = server.summary("t", "k")
        expect_equal((count, total), (rows, rows * (rows - 1) // 2), "count, sum of k")
        expect_equal(len({line for line in server.scan(columns="s")}), rows, "different texts")
        return f"{rows} rows"


if __name__ == "__main__":
    sys.exit(suite.run())

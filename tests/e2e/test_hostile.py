#!/usr/bin/env python3
"""What a client may send by mistake or by malice. After each: the server lives, a normal load works, its memory is bounded,
and nothing of the bad load is visible.
"""

import random
import socket
import sys
import threading
import time

import penstock_e2e as e2e
from penstock_e2e import MIB, Broken, Server, expect, expect_equal

suite = e2e.Suite(__doc__)
RSS_MAX = 320 * MIB  # 2 shards: 64 MiB of load memory each, their buffers, and what they need at rest
SEED = 20261


class Victim:
    """One server for all the attacks of a test, and what must be true after each of them."""

    def __init__(self):
        self.server = Server(shards=2).create()
        self.rows = 0

    def still_fine(self, after):
        self.server.expect_alive(after)
        self.server.load_ok(b"1\t1\tgood\n", 1)
        self.rows += 1
        expect_equal(self.server.count(), self.rows, f"rows after {after}")
        rss = self.server.rss()
        expect(e2e.is_sanitized() or rss < RSS_MAX, f"RSS is {rss / MIB:.0f} MiB after {after}")

    def peak(self):
        return f"peak RSS {self.server.peak_rss() / MIB:.0f} MiB"


def say(server, data, wanted, what, closes=True):
    """Sends bytes; the first reply must have one of the wanted statuses (None: closed without a word), then comes a close."""
    connection = e2e.connect(server.port, seconds=20)
    replies = e2e.Replies(connection)
    try:
        connection.sendall(data)
    except ConnectionError:
        pass  # it may close before it has read all: then its reply counts
    try:
        got = replies.next()
        status = got.status
    except Broken:
        got, status = None, None
    expect(status in wanted, f"{what}: got {status}, wanted {wanted}")
    if closes and got is not None:
        expect_equal(got.headers.get("connection"), "close", f"{what}: Connection")
        expect(replies.is_closed(), f"{what}: not closed after the reply")
    connection.close()
    return got


@suite.test("heads that cannot be parsed: 400 (or 431, 414, 505) and close")
def bad_heads():
    victim = Victim()
    server = victim.server
    good = e2e.load_head(server).decode()

    def with_header(line):
        return good.replace("\r\n\r\n", "\r\n" + line + "\r\n\r\n").encode()

    cases = {
        "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n",
        "a word": b"hello\r\n\r\n",
        "an unknown method": b"EAT / HTTP/1.1\r\nHost: x\r\n\r\n",
        "no version": b"GET /\r\n\r\n",
        "version 3": b"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "a blank before the colon": with_header("label : x"),
        "a blank before Transfer-Encoding's colon": good.replace("Transfer-Encoding:", "Transfer-Encoding :").encode(),
        "a header without a colon": with_header("no colon here"),
        "a folded header": with_header("label: a\r\n b"),
        "a header without a name": with_header(": x"),
        "a NUL in a header": with_header("label: a\x00b"),
        "a bare line feed": good.replace("\r\n", "\n").encode(),
        "a bare carriage return": with_header("label: a\rb: c"),
        "Transfer-Encoding: gzip": good.replace("chunked", "gzip").encode(),
        "Transfer-Encoding: gzip, chunked": good.replace("chunked", "gzip, chunked").encode(),
        "Transfer-Encoding twice": with_header("Transfer-Encoding: chunked"),
        "Transfer-Encoding: identity": good.replace("chunked", "identity").encode(),
        "Transfer-Encoding: xchunked": good.replace("chunked", "xchunked").encode(),
        "Content-Length: -1": good.replace("Transfer-Encoding: chunked", "Content-Length: -1").encode(),
        "Content-Length: +1": good.replace("Transfer-Encoding: chunked", "Content-Length: +1").encode(),
        "Content-Length: 1 2": good.replace("Transfer-Encoding: chunked", "Content-Length: 1 2").encode(),
        "Content-Length: 0x1": good.replace("Transfer-Encoding: chunked", "Content-Length: 0x1").encode(),
        "Content-Length beyond 64 bits": good.replace("Transfer-Encoding: chunked", "Content-Length: " + "9" * 30).encode(),
        "two different Content-Lengths": good.replace("Transfer-Encoding: chunked",
                                                      "Content-Length: 1\r\nContent-Length: 2").encode(),
        "1000 headers": with_header("\r\n".join(f"h{i}: x" for i in range(1000))),
        "a path of 20 kB": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "a bad escape in the path": b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    }
    for what, data in cases.items():
        got = say(server, data, (400, 431, 414, 505), what)
        expect(got.body, f"{what}: the reply says why")
    victim.still_fine("bad heads")
    return f"{len(cases)} kinds; {victim.peak()}"


@suite.test("a header line of 1 MB, and a head that never ends: 431 and close, bounded memory")
def long_heads():
    victim = Victim()
    server = victim.server
    for what, data in (("a header value of 1 MB", b"label: " + b"x" * 1_000_000 + b"\r\n\r\n"),
                       ("a header name of 1 MB", b"x" * 1_000_000 + b": a\r\n\r\n"),
                       ("20 MB of headers", b"label: xxxxxxxxxxxxxx\r\n" * 1_000_000)):
        say(server, e2e.load_head(server)[:-2] + data, (431, ), what)
        victim.still_fine(what)
    return victim.peak()


@suite.test("chunked framing that cannot be parsed: 400 and close, nothing visible, label free")
def bad_chunks():
    victim = Victim()
    server = victim.server
    row = b"6\r\n7\t7\tb\n\r\n"
    cases = {
        "a size that is no number": row + b"zz\r\n",
        "a negative size": row + b"-1\r\n",
        "a size with 0x": row + b"0x6\r\n",
        "a size of 17 digits": row + b"11111111111111111\r\n",
        "an empty size line": row + b"\r\n",
        "a size with a blank before it": row + b" 6\r\n",
        "no line end behind a chunk": row + b"6\r\n7\t7\tb\nXX",
        "a bare line feed behind a size": row + b"6\n7\t7\tb\n\n",
        "a NUL in a size": row + b"6\x00\r\n",
        "an extension without an end": row + b"6;" + b"x" * 200_000,
        "trailers without an end": row + b"0\r\n" + b"trailer: x\r\n" * 100_000,
        "a chunk longer than its size": row + b"2\r\n7\t7\tb\n\r\n0\r\n\r\n",
    }
    for number, (what, data) in enumerate(cases.items()):
        label = f"chunk-{number}"
        say(server, e2e.load_head(server, label=label) + data, (400, ), what)
        reply = server.load(b"", label=label)
        expect_equal(reply["Status"], "Success", f"the label after {what}: {reply}")
    victim.still_fine("bad chunks")
    return f"{len(cases)} kinds; {victim.peak()}"


@suite.test("a row of 300 MB without a newline: Fail that names the 16 MiB limit, bounded memory; 16 of them at once too")
def endless_row():
    victim = Victim()
    server = victim.server
    piece = b"x" * MIB

    def send(results):
        stream = e2e.LoadStream(server)
        try:
            for _ in range(300):
                stream.send(piece)
            results.append(stream.finish())
        finally:
            stream.close()

    results = []
    send(results)
    expect_equal(results[0]["Status"], "Fail", "the reply")
    expect(str(16 * MIB) in results[0]["Message"] or "16 MiB" in results[0]["Message"], results[0]["Message"])
    victim.still_fine("a row of 300 MB")
    many = []
    threads = [threading.Thread(target=send, args=(many, )) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect_equal([reply["Status"] for reply in many], ["Fail"] * 16, "16 at once")
    victim.still_fine("16 rows of 300 MB at once")
    peak = server.peak_rss()
    expect(e2e.is_sanitized() or peak < 512 * MIB, f"peak RSS {peak / MIB:.0f} MiB")
    return f"\"{results[0]['Message']}\"; {victim.peak()}"


@suite.test("a row of 15 MiB is loaded and read back whole")
def long_row():
    victim = Victim()
    server = victim.server
    server.create("wide", "k BIGINT NOT NULL, " + ", ".join(f"s{i} STRING" for i in range(15)))
    row = b"\t".join([b"5", *(bytes([97 + i]) * MIB for i in range(15))])
    server.load_ok(row + b"\n", 1, table="wide")
    expect(list(e2e.read_lines(server, "wide")) == [row], "the row came back otherwise")
    reply = server.load(b"5\t5\t" + b"y" * (2 * MIB) + b"\n")  # a STRING's own limit is 1 MiB
    expect_equal((reply["Status"], reply["NumberFilteredRows"]), ("Fail", 1), "a cell of 2 MiB")
    expect("the length of input string is too long" in reply["FirstErrorMsg"], reply["FirstErrorMsg"])
    victim.still_fine("a row of 15 MiB")
    return victim.peak()


@suite.test("a million chunks of one byte in one load; 20,000 more each in a packet of its own")
def tiny_chunks():
    victim = Victim()
    server = victim.server
    text = b"1\t1\ta\n" * 166_667
    framed = b"".join(b"1\r\n%c\r\n" % byte for byte in text)
    stream = e2e.LoadStream(server)
    stream.connection.sendall(framed)
    began = time.monotonic()
    reply = stream.finish()
    expect_equal((reply["Status"], reply["NumberLoadedRows"], reply["LoadBytes"]), ("Success", 166_667, len(text)), reply)
    stream.close()
    victim.rows += 166_667
    stream = e2e.LoadStream(server)
    for at in range(0, 19_998 * 6, 6):
        stream.connection.send(framed[at:at + 6])
    expect_equal(stream.finish()["NumberLoadedRows"], 3_333, "rows of the second")
    stream.close()
    victim.rows += 3_333
    victim.still_fine("tiny chunks")
    return f"reply {time.monotonic() - began:.2f} s after the last byte; {victim.peak()}"


@suite.test("a connection that breaks in mid body (reset, half-close, Content-Length too long): nothing visible, label free at once")
def broken_bodies():
    victim = Victim()
    server = victim.server
    longest = 0.0
    for number in range(40):
        label, kind = f"broken-{number}", number % 4
        length = "Content-Length: 1000000" if kind == 2 else "Transfer-Encoding: chunked"
        connection = e2e.connect(server.port)
        connection.sendall(e2e.load_head(server, length=length, label=label, Expect="100-continue"))
        expect_equal(e2e.Replies(connection).head()[0], 100, "the interim reply")
        body = b"7\t7\tb\n" * (1 if number < 20 else 50_000)
        connection.sendall(body if kind == 2 else b"%x\r\n" % len(body) + body + b"\r\n")
        if kind in (1, 2):
            connection.shutdown(socket.SHUT_WR)
        elif kind == 3:
            connection.close()
        else:
            e2e.reset(connection)
        began = time.monotonic()
        while True:
            reply = server.load(b"", label=label)
            if reply.get("ExistingJobStatus") != "RUNNING":
                break
            expect(time.monotonic() - began < 5, f"{label} is still RUNNING after 5 s")
        expect_equal(reply["Status"], "Success", f"{label}: {reply}")
        longest = max(longest, time.monotonic() - began)
        connection.close()
    victim.still_fine("broken bodies")
    return f"40 labels free within {longest * 1000:.0f} ms"


@suite.test("slow clients: a head byte by byte is cut off, a slow body loads, a slow reader of a scan holds nothing up")
def slow_clients():
    victim = Victim()
    server = victim.server
    row = b"%d\t1\t" + b"z" * 1000 + b"\n"
    for first in range(0, 60_000, 10_000):
        server.load_ok(b"".join(row % k for k in range(first, first + 10_000)), 10_000)
    victim.rows += 60_000
    before = server.rss()

    slow_heads = [e2e.connect(server.port) for _ in range(50)]
    for connection in slow_heads:
        connection.sendall(b"PUT /api/db/t/_str")
    head_sent = time.monotonic()
    readers = []
    for _ in range(50):  # each would get 60 MB
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(f"GET /api/db/t/_scan HTTP/1.1\r\nHost: x\r\nAuthorization: {server.auth_header()}\r\n\r\n".encode())
        readers.append(reader)
    stream = e2e.LoadStream(server)
    for byte in b"6\r\n7\t7\tb\n\r\n":
        stream.connection.send(bytes([byte]))
        time.sleep(0.1)
    expect_equal(stream.finish()["NumberLoadedRows"], 1, "rows of the slow body")
    victim.rows += 1
    victim.still_fine("slow readers")
    grown = server.rss() - before
    expect(e2e.is_sanitized() or grown < 50 * 4 * MIB, f"50 slow readers cost {grown / MIB:.0f} MiB")
    with server.scanning() as reply:
        expect_equal(reply.read().count(b"\n"), victim.rows, "a quick reader beside them")
    got = readers[0].recv(1000)
    expect(got.startswith(b"HTTP/1.1 200 OK"), f"the slow reader's reply: {got[:50]}")
    for reader in readers:
        e2e.reset(reader)
    for connection in slow_heads:
        connection.settimeout(20)
        try:
            expect_equal(connection.recv(100), b"", "an unfinished head")
        except ConnectionError:
            pass
    cut_off = time.monotonic() - head_sent
    expect(cut_off < 15, f"unfinished heads were closed after {cut_off:.1f} s")
    victim.still_fine("slow clients")
    return f"50 readers cost {max(grown, 0) / MIB / 50:.2f} MiB each; unfinished heads closed after {cut_off:.0f} s"


@suite.test("a thousand scans that nobody reads: bounded memory, more of them get 503, loads go on; they end, and scans work")
def unread_scans():
    victim = Victim()
    server = victim.server
    row = b"%d\t1\t" + b"z" * 1000 + b"\n"
    server.load_ok(b"".join(row % k for k in range(20_000)), 20_000)
    victim.rows += 20_000
    request = f"GET /api/db/t/_scan HTTP/1.1\r\nHost: x\r\nAuthorization: {server.auth_header()}\r\n\r\n".encode()
    readers, refused = [], 0
    for _ in range(1000):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(request)
        readers.append(reader)
    for reader in readers:
        reader.settimeout(10)
        first = reader.recv(20)
        expect(first.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")), f"a scan's reply: {first}")
        refused += first.startswith(b"HTTP/1.1 503")
    expect(0 < refused < 1000, f"{refused} were refused")
    server.load_ok(b"1\t1\tgood\n", 1)
    victim.rows += 1
    rss = server.rss()
    expect(e2e.is_sanitized() or rss < RSS_MAX, f"RSS is {rss / MIB:.0f} MiB")
    for reader in readers:
        e2e.reset(reader)
    deadline = time.monotonic() + 10
    while server.request("GET", "/api/db/t/_scan?columns=count(*)")[0] == 503 and time.monotonic() < deadline:
        time.sleep(0.05)
    victim.still_fine("unread scans")
    return f"{1000 - refused} of 1,000 were open at once, RSS {rss / MIB:.0f} MiB"


@suite.test("rows of invalid UTF-8 are filtered with a reason; NUL bytes and every control byte come back as they were")
def strange_bytes():
    victim = Victim()
    server = victim.server
    bad = (b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\x80", b"ok\x80")
    body = b"".join(b"1\t1\t" + text + b"\n" for text in bad)
    reply = server.load(body)
    expect_equal((reply["Status"], reply["NumberFilteredRows"]), ("Fail", len(bad)), "without a ratio")
    expect("only support csv data in utf8 codec" in reply["FirstErrorMsg"], reply["FirstErrorMsg"])
    reply = server.load(body + b"2\t2\tgood\n", max_filter_ratio="1")
    expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", 1), f"with a ratio: {reply}")
    victim.rows += 1
    odd = bytes(c for c in range(1, 32) if c not in (9, 10, 13)) + b"\x7f"
    server.load_ok(b"3\t3\ta\x00b\n4\t4\t" + odd + b"\n5\t5\t\x00\n", 3)
    victim.rows += 3
    lines = [line for line in e2e.read_lines(server, "t") if line[:1] in b"345"]
    expect_equal(sorted(lines), [b"3\t3\ta\x00b", b"4\t4\t" + odd, b"5\t5\t\x00"], "rows with control bytes")
    victim.still_fine("strange bytes")
    chance = random.Random(SEED)
    for _ in range(30):
        reply = server.load(chance.randbytes(200_000), max_filter_ratio="1", label="", columns="s")
        expect(reply["Status"] in ("Success", "Fail"), f"random bytes: {reply}")
        victim.rows += reply["NumberLoadedRows"]
    victim.still_fine("random bytes")


@suite.test("pipelined requests are answered in order; a flood of them neither grows nor hangs the server")
def pipelined():
    victim = Victim()
    server = victim.server
    connection = e2e.connect(server.port)
    load = e2e.load_head(server)
    sized = e2e.load_head(server, length="Content-Length: 6")
    connection.sendall((load + b"6\r\n1\t1\ta\n\r\n0\r\n\r\n") + b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"
                       + (sized + b"2\t2\tb\n") + (load + b"6\r\n3\t3\tc\n\r\n0\r\n\r\n") + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    replies = e2e.Replies(connection)
    got = [replies.next() for _ in range(5)]
    expect_equal([reply.status for reply in got], [200] * 5, "statuses")
    expect_equal([got[i].json()["NumberLoadedRows"] for i in (0, 2, 3)], [1, 1, 1], "rows")
    expect(got[4].body.startswith(b"penstock "), "the last reply")
    victim.rows += 3
    flood = e2e.connect(server.port, seconds=10)
    flood.setblocking(True)
    flood.settimeout(3)
    sent = 0
    try:  # nobody reads the replies: the server must stop reading
        for _ in range(400):
            flood.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 4000)
            sent += 4000
    except (TimeoutError, ConnectionError):
        pass
    victim.still_fine("a flood of pipelined requests")
    flood.close()
    return f"flood: {sent:,} requests taken before it stopped reading; {victim.peak()}"


@suite.test("requests with random mistakes (2,000, seeded), random bytes, and connections that only open and close")
def random_requests():
    victim = Victim()
    server = victim.server
    chance = random.Random(SEED)
    whole = e2e.load_head(server, columns="k,v,s", max_filter_ratio="1") + b"6\r\n1\t1\ta\n\r\n0\r\n\r\n"
    statement = (f"POST /api/query/default_cluster/db HTTP/1.1\r\nHost: x\r\nAuthorization: {server.auth_header()}\r\n"
                 'Content-Length: 26\r\n\r\n{"stmt": "SHOW DATABASES"}').encode()
    scan = f"GET /api/db/t/_scan?columns=k,s&limit=3 HTTP/1.1\r\nHost: x\r\nAuthorization: {server.auth_header()}\r\n\r\n".encode()
    for number in range(2000):
        data = bytearray(chance.choice((whole, whole, statement, scan)))
        for _ in range(chance.randrange(1, 4)):
            at, kind = chance.randrange(len(data)), chance.randrange(4)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                del data[at:at + chance.randrange(1, 8)]
            elif kind == 2:
                data[at:at] = chance.randbytes(chance.randrange(1, 5))
            else:
                data[at:at] = data[max(0, at - 20):at]
        connection = e2e.connect(server.port)
        try:
            if number % 3 == 0:  # in two pieces
                cut = chance.randrange(len(data))
                connection.sendall(data[:cut])
                connection.sendall(data[cut:])
            else:
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(10)
            while connection.recv(65536):
                pass
        except TimeoutError:
            raise e2e.Failed(f"request {number} hangs: {bytes(data)!r}") from None
        except OSError:
            pass
        connection.close()
        if number % 100 == 0:
            server.expect_alive(f"at request {number} (seed {SEED})")
    for number in range(500):
        connection = e2e.connect(server.port)
        if number % 2:
            connection.sendall(chance.randbytes(chance.randrange(1, 3000)))
        e2e.reset(connection) if number % 3 else connection.close()
    victim.rows = server.count()  # some of the mutated loads were good ones
    victim.still_fine("random requests")
    return victim.peak()


@suite.test("statements and scans that make no sense: a reply that says so")
def bad_statements():
    victim = Victim()
    server = victim.server
    path = "/api/query/default_cluster/db"
    bodies = (b"", b"{", b"[]", b"null", b'{"stmt": 1}', b'{"stmt": "' + b"x" * (3 * MIB) + b'"}', b"\xff\xfe", b"[" * 100_000,
              b'{"stmt": "' + b"(" * 500_000 + b'"}', b'{"stmt": "CREATE TABLE a (' + b"c INT," * 50_000 + b'd INT)"}',
              b'{"a":' * 20_000, b'{"stmt": "SHOW\\u0000DATABASES"}', b'{"stmt": "DROP TABLE `\\ud800`"}')
    for body in bodies:
        status, _, text = server.request("POST", path, body)
        expect(status in (200, 400, 403, 413), f"{body[:30]!r}: {status}")
        expect(b'"code":0' not in text.replace(b" ", b""), f"{body[:30]!r}: {text[:200]}")
    for query in ("columns=", "columns=,", "columns=k,,s", "columns=none", "limit=x", "limit=-1", "limit=" + "9" * 30,
                  "columns=" + "k," * 2000 + "k", "where=1", "%00=%00", "columns=count(*)&limit=5"):
        status, _, text = server.request("GET", f"/api/db/t/_scan?{query}")
        expect(status in (200, 400, 414), f"{query[:40]}: {status} {text[:100]}")
    victim.still_fine("bad statements")
    return f"{len(bodies)} statements; {victim.peak()}"


if __name__ == "__main__":
    sys.exit(suite.run())

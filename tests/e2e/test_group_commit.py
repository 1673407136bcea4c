#!/usr/bin/env python3
"""Group commit from outside: 500 small loads from 50 connections in about a second, all visible when answered; over kill -9
no acknowledged row is lost and none is there twice; curl's forms, and the requests of the Kafka and Spark connectors.

  test_group_commit.py --rounds 20    more kills
"""

import collections
import gzip
import json
import random
import shutil
import subprocess
import sys
import threading
import time

import penstock_e2e as e2e
from penstock_e2e import Broken, Replies, Server, expect, expect_equal
from wire_bodies import chunked

CLIENTS, LOADS_EACH = 50, 10
KEYS_PER_LOAD = 8
FIELDS = ["TxnId", "Label", "Comment", "GroupCommit", "Status", "Message", "NumberTotalRows", "NumberLoadedRows",
          "NumberFilteredRows", "NumberUnselectedRows", "LoadBytes", "LoadTimeMs", "StreamLoadPutTimeMs", "ReadDataTimeMs",
          "WriteDataTimeMs", "ReceiveDataTimeMs"]

suite = e2e.Suite(__doc__, lambda parser: parser.add_argument("--rounds", type=int, default=5))


def check(reply, rows, grouped=True):
    """A Success of so many rows, answered as a group commit or as a plain load."""
    expect_equal((reply["Status"], reply["Message"], reply["NumberLoadedRows"]), ("Success", "OK", rows), f"{reply}")
    if grouped:
        expect_equal(list(reply), FIELDS, "the reply's fields")
        expect(reply["GroupCommit"] is True and reply["Label"].startswith("group_commit_"), f"{reply}")
    else:
        expect("GroupCommit" not in reply and reply["TwoPhaseCommit"] == "false", f"{reply}")
    return reply


class Client:
    """One connection that is kept; loads with a length, one after the other."""

    def __init__(self, server):
        self.server = server
        try:
            self.connection = e2e.connect(server.port)
        except OSError as error:
            raise Broken(str(error)) from error
        self.replies = Replies(self.connection)

    def load(self, body, mode="async_mode", **headers):
        try:
            self.connection.sendall(e2e.load_head(self.server, length=f"Content-Length: {len(body)}", group_commit=mode,
                                                  **headers) + body)
        except OSError as error:
            raise Broken(str(error)) from error
        reply = self.replies.next()
        expect_equal(reply.status, 200, f"status ({reply.body[:200]})")
        return reply.json()


def in_threads(count, function):
    """function(number) in so many threads; the first of their errors is this one's."""
    errors = []

    def run(number):
        try:
            function(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number, ), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        expect(not thread.is_alive(), "a client hangs")
    if errors:
        raise errors[0]


def body_of(load, rows=1):
    return b"".join([b"%d\t%d\tload %d\n" % (load * KEYS_PER_LOAD + i, i, load) for i in range(rows)])


@suite.test("500 small group-commit loads from 50 connections in one second: all rows visible when answered; none lost over kill -9")
def small_loads():
    with Server(shards=2).create() as server:
        clients = [Client(server) for _ in range(CLIENTS)]
        for number, client in enumerate(clients):  # known user, decoder ready
            check(client.load(body_of(number)), 1)
        expect_equal(server.count(), CLIENTS, "rows before")
        waited = []
        began = time.monotonic() + 0.05

        def run(number):
            for turn in range(LOADS_EACH):
                due = began + (turn + number / CLIENTS) / LOADS_EACH
                time.sleep(max(0.0, due - time.monotonic()))
                sent = time.monotonic()
                mode = "sync_mode" if turn % 2 else "async_mode"
                check(clients[number].load(body_of((turn + 1) * CLIENTS + number), mode), 1)
                waited.append(time.monotonic() - sent)

        in_threads(CLIENTS, run)
        took = time.monotonic() - began
        loads = (LOADS_EACH + 1) * CLIENTS
        expect_equal(server.count(), loads, "rows when the last reply has come")
        keys = collections.Counter(int(key) for key in server.scan(columns="k"))
        expect_equal(keys, collections.Counter(load * KEYS_PER_LOAD for load in range(loads)), "keys")
        server.restart()
        after = collections.Counter(int(key) for key in server.scan(columns="k"))
        expect_equal(after, keys, "keys after kill -9")
        waited.sort()
        return f"{LOADS_EACH * CLIENTS} loads in {took:.2f} s, {loads} rows before and after kill -9, p50 {waited[len(waited) // 2] * 1e3:.1f} ms, p99 {waited[len(waited) * 99 // 100] * 1e3:.1f} ms"


@suite.test("a row is seen by a scan on another connection as soon as its load is answered, in both modes")
def visible_at_once():
    with Server(shards=2).create() as server:

        def run(number):
            client = Client(server)
            for turn in range(5):
                load = turn * 20 + number
                check(client.load(body_of(load, 3), ("sync_mode", "async_mode")[load % 2]), 3)
                low = load * KEYS_PER_LOAD
                status, _, body = server.request("GET", f"/api/db/t/_scan?columns=k&where=k%3E%3D{low}%20and%20k%3C{low + 8}")
                expect_equal((status, sorted(int(line) for line in body.split())), (200, [low, low + 1, low + 2]), "rows seen")

        in_threads(20, run)


@suite.test("kill -9 amid 50 clients: no acknowledged row is lost, none is there twice, no load is there in part")
def kills():
    chance = random.Random(18700)
    lock, acknowledged, in_doubt, settled = threading.Lock(), {}, {}, {}
    counter = iter(range(1, 1 << 40))
    with Server(shards=2).create() as server:
        for turn in range(suite.arguments.rounds):
            over = threading.Event()

            def run(number, over=over):
                try:
                    client = Client(server)
                    while not over.is_set():
                        with lock:
                            load = next(counter)
                            rows = chance.randrange(1, KEYS_PER_LOAD)
                            in_doubt[load] = rows
                        check(client.load(body_of(load, rows), ("sync_mode", "async_mode")[number % 2]), rows)
                        with lock:
                            acknowledged[load] = in_doubt.pop(load)
                except Broken:
                    expect(over.is_set(), "a connection broke while the server was there")

            def kill(over=over):
                time.sleep(0.2 + chance.random() * 0.8)
                over.set()
                server.kill()

            killer = threading.Thread(target=kill)
            killer.start()
            in_threads(CLIENTS, run)
            killer.join()
            server.restart(shards=turn % 3 + 1)
            seen = collections.defaultdict(list)
            for key in server.scan(columns="k"):
                seen[int(key) // KEYS_PER_LOAD].append(int(key) % KEYS_PER_LOAD)
            for load, rows in acknowledged.items():
                expect_equal(sorted(seen.pop(load, [])), list(range(rows)), f"rows of acknowledged load {load}")
            for load, found in seen.items():  # nobody was told of these
                expect_equal(sorted(found), list(range(in_doubt[load])), f"rows of load {load}, in doubt")
            for load in in_doubt:  # what a restart has shown stays so
                expect_equal(load in seen, settled.setdefault(load, load in seen), f"whether load {load} is there")
    expect(len(acknowledged) > 100, f"only {len(acknowledged)} loads were acknowledged")
    return f"{len(acknowledged)} loads, {suite.arguments.rounds} kills, {len(in_doubt)} in doubt, {len(seen)} of them there"


def curl(server, *words, stdin=None):
    done = subprocess.run(["curl", "-sS", "--location-trusted", "-u", "root:", *words, server.url("/api/db/t/_stream_load")],
                          input=stdin, capture_output=True, timeout=60, check=False)
    expect_equal(done.returncode, 0, f"curl's exit code ({done.stderr.decode()})")
    return json.loads(done.stdout)


@suite.test("curl as in Doris's documents: a file, a pipe, chunks, gz, JSON; with a label, two phases, off, nothing, bad rows")
def curl_forms():
    if not shutil.which("curl"):
        raise e2e.Skipped("curl is not installed")
    body, expect_100 = b"1,2,a\n2,3,b\n", ["-H", "Expect:100-continue", "-H", "column_separator:,"]
    with Server().create() as server:
        path = f"{server.folder}/rows"
        with open(path, "wb") as file:
            file.write(body)
        rows = 0
        for mode in ("sync_mode", "async_mode"):
            group = [*expect_100, "-H", f"group_commit:{mode}"]
            for words, stdin in ((["-T", path], None), (["-T", "-"], body), (["-T", "."], body), (["-T", "-", "-H", "label;"], body),
                                 (["-T", path, "-H", "Transfer-Encoding: chunked", "-H", "Content-Length:"], None),
                                 (["-X", "PUT", "--data-binary", f"@{path}"], None),
                                 (["-T", "-", "-H", "compress_type:gz"], gzip.compress(body)),
                                 (["-T", "-", "-H", "format:json"], b'{"k":1,"v":2,"s":"a"}\n{"k":2}\n')):
                check(curl(server, *words, *group, stdin=stdin), 2)
                rows += 2
                expect_equal(server.count(), rows, f"rows after {words}")
            check(curl(server, "-T", "/dev/null", *group), 0)
            check(curl(server, "-X", "PUT", "--data-binary", "", *group), 0, grouped=False)
            refused = curl(server, "-T", path, "-H", "label:mine", *group)
            expect_equal((refused["Status"], refused["Message"]),
                         ("Fail", "[INVALID_ARGUMENT]label and group_commit can't be set at the same time"), f"{refused}")
            bad = curl(server, "-T", "-", *group, stdin=body + b"x,y\n")
            expect_equal((bad["Status"], bad["GroupCommit"], bad["Message"]),
                         ("Fail", True, "[DATA_QUALITY_ERROR]too many filtered rows"), f"{bad}")
            expect("ErrorURL" in bad, f"{bad}")
            some = curl(server, "-T", "-", "-H", "max_filter_ratio:0.4", *group, stdin=body + b"x,y\n")
            rows += 2
            expect_equal((some["Status"], some["GroupCommit"], some["NumberFilteredRows"]), ("Success", True, 1), f"{some}")
            prepared = curl(server, "-T", path, "-H", f"label:two_{mode}", "-H", "two_phase_commit:true", *group)
            expect_equal((prepared["Status"], prepared["TwoPhaseCommit"], prepared["Label"]), ("Success", "true", f"two_{mode}"),
                         f"{prepared}")
        check(curl(server, "-T", path, *expect_100, "-H", "group_commit:off_mode", "-H", "label:off"), 2, grouped=False)
        wrong = curl(server, "-T", path, *expect_100, "-H", "group_commit:true")
        expect_equal(wrong["Message"], "[INVALID_ARGUMENT]group_commit can only be [async_mode, sync_mode, off_mode]", f"{wrong}")
        expect_equal(server.count(), rows + 2, "rows")


APACHE = ["Connection: Keep-Alive", "User-Agent: Apache-HttpClient/4.5.13 (Java/17.0.15)", "Accept-Encoding: gzip,deflate"]


@suite.test("the requests of the Kafka connector (an empty label) and of Spark's (none): 100, chunks, gz, the next on the same connection")
def connectors():
    with Server().create() as server, e2e.connect(server.port) as connection:
        replies = Replies(connection)

        def load(body, *lines):
            head = ["PUT /api/db/t/_stream_load HTTP/1.1", f"Authorization: {server.auth_header()}", "Expect: 100-continue", *lines,
                    f"Host: 127.0.0.1:{server.port}", *APACHE, "", ""]
            connection.sendall("\r\n".join(head).encode())
            expect_equal(replies.head()[0], 100, "the interim reply")
            connection.sendall(body)
            return replies.next().json()

        lines = b"\n".join(b'{"k":%d,"v":1,"s":"x"}' % k for k in range(2000))
        kafka = ["read_json_by_line: true", "two_phase_commit: false", "format: json"]
        for _ in range(3):
            check(load(chunked(gzip.compress(lines), (10, 2048)), *kafka, "group_commit: sync_mode", "compress_type: gz", "label:",
                       "Transfer-Encoding: chunked", "Content-Encoding: gzip"), 2000)
            check(load(lines, *kafka, "group_commit: async_mode", "compress_type:", "label:", f"Content-Length: {len(lines)}"), 2000)
        csv = b"\n".join(b"%d\t\\N\t%d" % (k, k) for k in range(1000))
        spark = ["Content-Type: text/plain; charset=UTF-8", "columns: `k`,`s`,`v`", "format: csv", "group_commit: async_mode",
                 "Transfer-Encoding: chunked"]
        for _ in range(3):
            check(load(chunked(csv), *spark), 1000)
        check(load(chunked(b""), *spark), 0)
        expect_equal(server.count(), 6 * 2000 + 3 * 1000, "rows")


if __name__ == "__main__":
    sys.exit(suite.run())

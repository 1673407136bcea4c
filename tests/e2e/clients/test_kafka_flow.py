#!/usr/bin/env python3
"""The requests of the Kafka connector (26.0.0), as they were recorded, in the order in which a Connect worker makes them: two-phase loads
per partition and their commits at the offset flush, commits and loads whose reply was lost, group commit, a worker that is killed. It
takes any HTTP status but 200 for done, so none may come.
"""

import base64
import gzip
import json
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

import penstock_e2e as e2e
from penstock_e2e import Broken, Replies, Server, expect, expect_equal
from wire_bodies import chunked

suite = e2e.Suite(__doc__)

APACHE = ["Connection: Keep-Alive", "User-Agent: Apache-HttpClient/4.5.13 (Java/17.0.15)", "Accept-Encoding: gzip,deflate"]
COMMITTED = re.compile(r"transaction \[(\d+)\] is already \b(COMMITTED|committed|VISIBLE|visible)\b, not pre-committed.")
COMMIT_TURNS = (0, 1, 2, 4)  # seconds before each try; then the task fails
PARTITIONS, ROWS = 3, 2000


class Door:
    """A client's kept connection, made anew when it has broken."""

    def __init__(self, server):
        self.server, self.connection = server, None

    def send(self, lines, body=b"", path="/api/db/t/_stream_load"):
        if self.connection is None:
            self.connection = e2e.connect(self.server.port)
            self.replies = Replies(self.connection)
        head = [f"PUT {path} HTTP/1.1", f"Authorization: {self.server.auth_header()}", "Expect: 100-continue", *lines]
        try:
            self.connection.sendall("\r\n".join([*head, f"Host: 127.0.0.1:{self.server.port}", *APACHE, "", ""]).encode())
            if body:
                status, _ = self.replies.head()
                expect_equal(status, 100, "the interim reply")
                self.connection.sendall(body)
        except OSError as error:
            raise Broken(str(error)) from error

    def reply(self):
        """HTTP 200 and JSON, whatever it says."""
        try:
            reply = self.replies.next()
        except Broken:
            self.lose()
            raise
        expect_equal(reply.status, 200, f"status: the connector takes any other for done ({reply.body[:200]})")
        if reply.headers.get("connection") == "close":
            self.lose()
        return reply.json()

    def lose(self):
        """The reply does not come to the client."""
        if self.connection is not None:
            e2e.reset(self.connection)
        self.connection = None


class Writer:
    """What the connector does for one partition of a topic."""

    def __init__(self, server, partition, chance, two_phase=True, topic="orders"):
        self.server, self.partition, self.topic, self.two_phase = server, partition, topic, two_phase
        self.door, self.offset, self.number, self.open = Door(server), 0, chance.randrange(1000), []
        if two_phase:  # once, to know whether the table is UNIQUE
            _, _, body = server.request("GET", "/api/db/t/_schema")
            expect_equal(json.loads(body)["data"]["keysType"], "DUP_KEYS", "keysType")

    def records(self, count=ROWS):
        first, self.offset = self.offset, self.offset + count
        return b"\n".join(b'{"k":%d,"v":%d,"s":"offset %d"}' % (self.partition * 1_000_000 + offset, self.partition, offset)
                          for offset in range(first, first + count))

    def next_label(self):
        self.number += 1
        return f"{self.topic}__KC_{self.partition}__KC_db_t__KC_{self.offset - 1}__KC_{self.number}"

    def begin_load(self, body):
        """Everything of a load but its reply. gz and chunked: a first piece of ten bytes, which is gzip's header, then 2048 each."""
        e2e.connect(self.server.port).close()  # it looks whether somebody is there, without a request
        label = self.next_label()
        self.door.send(["read_json_by_line: true", f"two_phase_commit: {str(self.two_phase).lower()}", "format: json", "compress_type: gz",
                        f"label: {label}", "Transfer-Encoding: chunked", "Content-Encoding: gzip"], chunked(gzip.compress(body), (10, 2048)))
        return label

    def load(self, count=ROWS):
        body = self.records(count)
        label = self.begin_load(body)
        reply = self.door.reply()
        expect_equal((reply["Status"], reply["Message"], reply["Label"], reply["NumberLoadedRows"], reply["LoadBytes"]),
                     ("Success", "OK", label, count, len(body)), f"{reply}")
        expect_equal(reply["TwoPhaseCommit"], str(self.two_phase).lower(), "TwoPhaseCommit")
        if self.two_phase:
            self.open.append(reply["TxnId"])
        return reply["TxnId"]

    def send_commit(self, txn):
        self.door.send([f"txn_id: {txn}", "txn_operation: commit", "Content-Length: 0", "Content-Type: text/plain; charset=ISO-8859-1"],
                       path="/api/db/_stream_load_2pc")

    def flush(self):
        """Connect's offset flush: a commit for each load; how many it had to repeat."""
        repeated = 0
        for txn in self.open:
            for turn, pause in enumerate(COMMIT_TURNS):
                time.sleep(pause / 4)
                try:
                    self.send_commit(txn)
                    reply = self.door.reply()
                except (Broken, OSError):
                    self.door.lose()
                    continue
                expect(all(type(value) is str for value in reply.values()), f"a flat map of texts: {reply}")
                if reply["status"] == "Success" or COMMITTED.search(reply["msg"]):
                    repeated += turn
                    break
            else:
                raise e2e.Failed(f"the task fails: transaction {txn} was tried {len(COMMIT_TURNS)} times")
        self.open = []
        return repeated


def check_rows(server, writers):
    """Every offset of every partition once, and nothing else."""
    got = sorted(int(key) for key in server.scan(columns="k"))
    wanted = [writer.partition * 1_000_000 + offset for writer in writers for offset in range(writer.offset)]
    expect_equal((len(got), len(set(got))), (len(wanted), len(wanted)), "rows, different rows")
    expect(got == wanted, "the rows are not those that were sent")


def left_over(server, prefix="orders__KC_"):
    _, _, body = server.request("GET", f"/api/_transactions?state=PRECOMMITTED&label_prefix={prefix}")
    return json.loads(body)["data"]["transactions"]


@suite.test("two-phase, 3 partitions, 4 loads each: nothing is visible before the offset flush, then every row once")
def two_phase():
    with Server().create() as server:
        writers = [Writer(server, partition, random.Random(partition)) for partition in range(PARTITIONS)]
        flushed = 0
        for _ in range(2):
            for _ in range(2):
                for writer in writers:
                    writer.load()
            expect_equal(server.count(), flushed, "rows before the flush")
            for writer in writers:
                expect_equal(writer.flush(), 0, "commits that were repeated")
            flushed += 2 * PARTITIONS * ROWS
            expect_equal(server.count(), flushed, "rows after the flush")
        check_rows(server, writers)
        expect_equal(left_over(server), [], "transactions that are left")
    return f"{PARTITIONS * 4} loads, {flushed} rows"


@suite.test("a commit whose reply was lost, also because the server was killed: repeated, `already visible` or Success, every row once")
def lost_commits():
    repeated = 0
    with Server().create() as server:
        writers = [Writer(server, partition, random.Random(partition)) for partition in range(PARTITIONS)]
        for turn in range(8):
            for writer in writers:
                writer.load(500)
            for number, writer in enumerate(writers):
                try:
                    writer.send_commit(writer.open[0])
                    if (turn + number) % 4 == 3:
                        server.restart()
                    elif turn % 2:
                        writer.door.replies.head()  # it was answered, but that did not reach the connector
                except Broken:  # a connection of before a restart
                    pass
                writer.door.lose()
            for writer in writers:
                repeated += writer.flush()
        check_rows(server, writers)
        expect_equal(left_over(server), [], "transactions that are left")
    return f"{8 * PARTITIONS} commits with a lost reply, {repeated} more tries where the server was gone; 0 lost, 0 duplicate"


@suite.test("a load whose reply was lost comes again under another label: the first stays precommitted, invisible, and can be ended")
def lost_load():
    with Server().create() as server:
        writer = Writer(server, 0, random.Random(1))
        body = writer.records()
        lost = writer.begin_load(body)
        expect_equal(writer.door.replies.head()[0], 200, "it was answered, but that did not reach the connector")
        writer.door.lose()
        writer.offset = 0  # Connect delivers the batch again
        writer.load()
        writer.flush()
        expect_equal(server.count(), ROWS, "rows")
        expect_equal([each["label"] for each in left_over(server)], [lost], "what is left")
        server.restart()
        expect_equal([each["label"] for each in left_over(server)], [lost], "what is left, after kill -9")
        _, _, done = server.request("POST", "/api/_transactions/abort?db=db&label_prefix=orders__KC_")
        expect_equal(json.loads(done)["data"]["aborted"], 1, "aborted")
        check_rows(server, [writer])


@suite.test("a worker that is killed in mid body: the load is gone at once; started again it goes on from its last offset")
def killed_worker():
    with Server().create() as server:
        writer = Writer(server, 0, random.Random(1))
        writer.load()
        writer.flush()
        for piece in (0, 10, 1000):
            writer.door.send(["read_json_by_line: true", "two_phase_commit: true", "format: json", "compress_type: gz",
                              f"label: {writer.next_label()}", "Transfer-Encoding: chunked", "Content-Encoding: gzip"])
            expect_equal(writer.door.replies.head()[0], 100, "the interim reply")
            whole = chunked(gzip.compress(writer.records()), (10, 2048))
            writer.offset -= ROWS
            writer.door.connection.sendall(whole[:piece])
            writer.door.lose()
        writer = Writer(server, 0, random.Random(2))  # other labels: its number starts at random
        writer.offset = ROWS
        writer.load()
        writer.flush()
        check_rows(server, [writer])
        deadline = time.monotonic() + 10
        while json.loads(server.request("GET", "/api/_transactions")[2])["data"]["transactions"]:
            expect(time.monotonic() < deadline, "loads of connections that are gone stay open")
            time.sleep(0.02)


@suite.test("group commit and no two phases: an empty label, gz in chunks and then plain with empty headers; visible when answered")
def group_commit():
    with Server().create() as server:
        writer = Writer(server, 0, random.Random(1), two_phase=False)
        body = writer.records()
        common = ["read_json_by_line: true", "two_phase_commit: false", "format: json", "group_commit: sync_mode", "label:"]
        for turn in range(3):
            for lines, sent in ((["compress_type: gz", "Transfer-Encoding: chunked", "Content-Encoding: gzip"],
                                 chunked(gzip.compress(body), (10, 2048))), (["compress_type:", f"Content-Length: {len(body)}"], body)):
                writer.door.send([*common, *lines], sent)
                reply = writer.door.reply()
                expect_equal((reply["Status"], reply["GroupCommit"], reply["NumberLoadedRows"]), ("Success", True, ROWS), f"{reply}")
                expect(reply["Message"] is not None and reply["Label"].startswith("group_commit_"), f"{reply}")
        expect_equal(server.count(), 6 * ROWS, "rows")
        plain = Writer(server, 1, random.Random(1), two_phase=False)
        plain.load()
        expect_equal(server.count(), 7 * ROWS, "a plain load's rows")


@suite.test("whatever is wrong is HTTP 200 with Fail and a Message: the connector takes any other status for done and goes on")
def never_another_status():
    with Server().create() as server:
        whole = gzip.compress(b'{"k":1}\n{"k":2}')
        gz = ["format: json", "read_json_by_line: true", "compress_type: gz", "Content-Encoding: gzip", "Transfer-Encoding: chunked"]
        cases = {  # name: (path, headers, what is sent, part of the Message)
            "an unknown table": ("/api/db/none/_stream_load", gz, b"", "unknown table"),
            "an unknown database": ("/api/none/t/_stream_load", gz, b"", "unknown database"),
            "a header that is wrong": ("/api/db/t/_stream_load", [*gz, "strict_mode: maybe"], b"", "Invalid strict mode"),
            "a label that is wrong": ("/api/db/t/_stream_load", [*gz, "label: a b"], b"", "Label format error"),
            "a body that is no gzip": ("/api/db/t/_stream_load", gz, chunked(b"\x1f\x8b" + b"nonsense" * 20), "[INTERNAL_ERROR]"),
            "a gzip that is cut off": ("/api/db/t/_stream_load", gz, chunked(whole[:-6]), "["),
            "rows that are bad": ("/api/db/t/_stream_load", gz, chunked(gzip.compress(b'{"v":1}\n{"k":"x"}')), "too many filtered rows"),
            "both lengths": ("/api/db/t/_stream_load", [*gz, "Content-Length: 5"], b"", "both content_length and transfer-encoding"),
        }
        for name, (path, lines, sent, part) in cases.items():
            door = Door(server)
            try:
                door.send(lines, sent, path)
            except e2e.Failed as error:  # refused in place of 100
                expect("got 200" in str(error), f"{name}: {error}")
                continue
            reply = door.reply()
            expect_equal((reply["Status"], type(reply["Message"])), ("Fail", str), f"{name}: {reply}")
            if name != "a body that is no gzip":
                expect(part in reply["Message"], f"{name}: {reply['Message']}")
        server.auth = ("root", "wrong")
        door = Door(server)
        door.send(gz)
        expect(door.reply()["Message"].startswith("[NOT_AUTHORIZED]"), "a wrong password")
        server.auth = e2e.ROOT_AUTH
        expect_equal(server.count(), 0, "rows")
        # While the server ends: a connection that is there and a load that begins on it.
        kept = Door(server)
        kept.send(["format: json", "Transfer-Encoding: chunked"], chunked(b'{"k":1}'))
        kept.reply()
        busy = e2e.LoadStream(server, Expect="100-continue").wait_continue()
        kept.connection.sendall(b"PUT /api/db/t/_stream_load HTTP/1.1\r\n")  # its head has begun: this one is not idle
        server.terminate()
        deadline = time.monotonic() + 20
        while " draining " not in server.log_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        kept.connection.sendall((f"Authorization: Basic {base64.b64encode(b'root:').decode()}\r\nHost: a\r\nExpect: 100-continue\r\n"
                                 "format: json\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
        try:
            reply = kept.reply()
            expect_equal((reply["Status"], "shutting down" in reply["Message"]), ("Fail", True), f"{reply}")
            ended = "Fail"
        except Broken:
            ended = "closed"
        busy.send(b"2\t2\tb\n")
        expect_equal(busy.finish()["Status"], "Success", "the load that was open")
        expect_equal(server.wait_exit(), 0, "exit code")
    return f"{len(cases) + 1} wrongs; a load that began while the server was ending: {ended}"


if __name__ == "__main__":
    sys.exit(suite.run())

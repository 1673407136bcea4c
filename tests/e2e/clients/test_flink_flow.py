#!/usr/bin/env python3
"""A Flink job with the Doris connector, as its requests were recorded: the same heads, the same order, the same reading of the
replies. The job is killed and restored, and the server is killed, at any step; at the end every row is there once.

This is a stand-in for the connector, not the connector.
"""

import json
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

import penstock_e2e as e2e
from penstock_e2e import Broken, Replies, Server, expect, expect_equal

suite = e2e.Suite(__doc__)

LABEL_USED = re.compile(r"Label \[(.*)\] has already been used, relate to txn \[(\d+)\]")
COMMITTED = re.compile(r"transaction \[(\d+)\] is already \b(COMMITTED|committed|VISIBLE|visible)\b, not pre-committed.")
ABORTED = re.compile(r"transaction \[(\d+)\] is already|transaction \[(\d+)\] not found")
COMMON = ["Connection: Keep-Alive", "User-Agent: Apache-HttpClient/4.5.13 (Java/17.0.15)", "Accept-Encoding: gzip,deflate"]
EMPTY = ["Content-Length: 0", "Content-Type: text/plain; charset=ISO-8859-1"]
SEPARATORS = ["line_delimiter: \\x02", "column_separator: \\x01"]


class JobKilled(Exception):
    """The job's process is gone in the middle of something."""


class Refused(Exception):
    """A reply that makes the connector's task fail; the job restarts."""


class Job:
    """One job over all its restarts. What `save` kept is what Flink's checkpoint has."""

    def __init__(self, server, seed, subtasks=3, rows_per_interval=40):
        self.server, self.dice = server, random.Random(seed)
        self.subtasks, self.rows = subtasks, rows_per_interval
        self.saved = {"checkpoint": 0, "next": [0] * subtasks, "committables": []}
        self.kills_left = self.server_kills_left = 0
        self.kills = self.server_kills = self.restarts = 0

    # -- what may happen between any two steps

    def step(self):
        if self.kills_left and self.dice.random() < 0.06:
            self.kills_left -= 1
            self.kills += 1
            raise JobKilled()
        if self.server_kills_left and self.dice.random() < 0.03:
            self.server_kills_left -= 1
            self.server_kills += 1
            self.server.restart()

    # -- requests, each on a connection of its own

    def connect(self):
        connection = e2e.connect(self.server.port)
        self.connections.append(connection)
        return connection

    def ask(self, method, path, *lines):
        connection = self.connect()
        head = [f"{method} {path} HTTP/1.1", *lines, f"Host: 127.0.0.1:{self.server.port}"]
        connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        replies = Replies(connection)
        status, headers = replies.head()
        expect(status != 100, "the final reply at once to a request without a body")
        while len(replies.rest) < int(headers["content-length"]):
            replies.more()
        connection.close()
        return status, replies.rest

    def auth(self):
        return f"Authorization: {self.server.auth_header()}"

    def alive(self):
        self.step()
        status, _ = self.ask("GET", "/", "User-Agent: Java/17.0.15", "Accept: text/html, image/gif, image/jpeg, */*; q=0.2",
                             "Connection: keep-alive")
        expect(status < 500, f"GET / answers {status}")

    def decide(self, operation, txn, done):
        self.step()
        status, body = self.ask("PUT", "/api/db/_stream_load_2pc", self.auth(), f"txn_id: {txn}", "Expect: 100-continue",
                                f"txn_operation: {operation}", *COMMON, *EMPTY)
        expect_equal(status, 200, "status")
        reply = json.loads(body)
        expect(all(isinstance(value, str) for value in reply.values()), f"only texts: {reply}")
        if reply["status"] != "Success" and not done.search(reply["msg"]):
            raise Refused(f"{operation} of {txn}: {reply}")

    def label(self, subtask, number):
        return f"pre_db_t_{subtask}_{number}"

    def probe(self, subtask):
        """Ends what an earlier attempt has left under this subtask's labels."""
        number = self.saved["checkpoint"] + 1
        while True:
            self.step()
            label = self.label(subtask, number)
            status, body = self.ask("PUT", "/api/db/t/_stream_load", self.auth(), "Expect: 100-continue", "two_phase_commit: true",
                                    "compress_type: gz", "format: csv", f"label: {label}", *SEPARATORS, *COMMON, *EMPTY)
            reply = json.loads(body)
            expect_equal((status, reply["TwoPhaseCommit"]), (200, "true"), reply)
            if reply["Status"] == "Success":
                self.decide("abort", reply["TxnId"], ABORTED)
                return
            used = LABEL_USED.search(reply["Message"])
            expect(reply["Status"] == "Label Already Exists" and used, f"a probe: {reply}")
            expect_equal(used.group(1), label, "the label in the message")
            expect(reply["ExistingJobStatus"] != "FINISHED", f"{label} was committed behind the checkpoint's back")
            self.decide("abort", used.group(2), ABORTED)
            number += 1

    def open(self, subtask, number):
        self.step()
        connection = self.connect()
        head = ["PUT /api/db/t/_stream_load HTTP/1.1", self.auth(), "Expect: 100-continue",
                "hidden_columns: __DORIS_DELETE_SIGN__", "two_phase_commit: true", "format: csv",
                f"label: {self.label(subtask, number)}", *SEPARATORS, f"Host: 127.0.0.1:{self.server.port}", *COMMON,
                "Transfer-Encoding: chunked"]
        connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        replies = Replies(connection)
        status, headers = replies.head()
        if status != 100:
            while len(replies.rest) < int(headers["content-length"]):
                replies.more()
            raise Refused(f"a load before 100: {replies.rest}")
        return connection, replies

    def finish(self, stream, subtask):
        """The whole interval in one burst at the barrier; the TxnId."""
        connection, replies = stream
        first = self.saved["next"][subtask]
        keys = [(first + row) * self.subtasks + subtask for row in range(self.rows)]
        body = b"\x02".join(b"%d\x01%d\x01row %d\x010" % (key, key % 100, key) for key in keys)  # and a delete sign
        half = len(body) // 2
        for piece in (body[:half], body[half:]):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.step()
        connection.sendall(b"0\r\n\r\n")
        self.step()
        reply = replies.next().json()
        connection.close()
        if reply["Status"] != "Success":
            raise Refused(f"a load: {reply}")
        expect_equal(reply["NumberLoadedRows"], self.rows, reply)
        return reply["TxnId"]

    # -- one attempt: from the restored checkpoint to the end, or to whatever breaks it

    def attempt(self, last_checkpoint):
        for txn in self.saved["committables"]:
            self.decide("commit", txn, COMMITTED)
        for subtask in range(self.subtasks):
            self.alive()
            self.probe(subtask)
        streams = [self.open(subtask, self.saved["checkpoint"] + 1) for subtask in range(self.subtasks)]
        while True:
            txns = [self.finish(streams[subtask], subtask) for subtask in range(self.subtasks)]
            self.alive()
            self.step()
            self.saved = {"checkpoint": self.saved["checkpoint"] + 1,
                          "next": [first + self.rows for first in self.saved["next"]], "committables": txns}
            is_last = self.saved["checkpoint"] == last_checkpoint
            if not is_last:  # the next interval is open before this one is committed
                streams = [self.open(subtask, self.saved["checkpoint"] + 1) for subtask in range(self.subtasks)]
            for txn in txns:
                self.decide("commit", txn, COMMITTED)
            if is_last:
                return

    def run(self, checkpoints, kills, server_kills):
        """The job until it has done so many more checkpoints."""
        last = self.saved["checkpoint"] + checkpoints
        self.kills_left, self.server_kills_left = kills, server_kills
        while True:
            self.connections = []
            try:
                self.attempt(last)
                if not self.kills_left and not self.server_kills_left:
                    return
                last += 2  # not everything has happened yet
                continue
            except (JobKilled, Refused, Broken, OSError) as why:
                self.restarts += 1
                expect(self.restarts < 1000, f"the job does not get on: {why}")
                time.sleep(0.02)
            finally:
                for connection in self.connections:  # as a killed process leaves them
                    if connection.fileno() >= 0:
                        e2e.reset(connection)


def check(server, job):
    total = sum(job.saved["next"])
    keys = sorted(int(line) for line in server.scan(columns="k"))
    expect_equal(len(keys), total, "rows")
    expect(keys == list(range(total)), "each row once")
    return f"{total} rows, 0 lost, 0 duplicate, {job.restarts} job restarts, {job.server_kills} server kills"


@suite.test("a job without failures: probe, abort, overlapping intervals, commits")
def undisturbed():
    with Server(shards=2).create() as server:
        job = Job(server, 1)
        job.run(10, 0, 0)
        expect_equal(job.restarts, 0, "restarts")
        return check(server, job)


@suite.test("the job is killed at any step and restored, 40 times")
def job_kills():
    with Server(shards=2).create() as server:
        job = Job(server, 2)
        job.run(20, 40, 0)
        return check(server, job)


@suite.test("the server is killed at any step, 15 times, and the job 15 times")
def both_kills():
    with Server(shards=2).create() as server:
        job = Job(server, 3)
        job.run(20, 15, 15)
        return check(server, job)


if __name__ == "__main__":
    sys.exit(suite.run())

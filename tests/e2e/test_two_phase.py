#!/usr/bin/env python3
"""Two-phase commit from outside: the flows of curl in Doris's documents, over kill -9 and restarts; what a client is told
never changes.
"""

import json
import re
import subprocess
import sys
import threading
import time

import penstock_e2e as e2e
from penstock_e2e import Broken, LoadStream, Server, expect, expect_equal

suite = e2e.Suite(__doc__)

# What the Flink connector looks for in `msg` and `Message`.
LABEL_USED = re.compile(r"Label \[(.*)\] has already been used, relate to txn \[(\d+)\]")
COMMITTED = re.compile(r"transaction \[(\d+)\] is already \b(COMMITTED|committed|VISIBLE|visible)\b, not pre-committed.")
ABORTED = re.compile(r"transaction \[(\d+)\] is already|transaction \[(\d+)\] not found")
PREFIX = "errCode = 2, detailMessage = "


def curl(server, path, *headers, body=None):
    words = ["curl", "-sS", "-u", "root:", "-X", "PUT"]
    for header in headers:
        words += ["-H", header]
    if body is not None:
        words += ["-H", "Expect: 100-continue", "-T", "-"]
    done = subprocess.run([*words, server.url(path)], input=body, capture_output=True, timeout=60, check=False)
    expect_equal(done.returncode, 0, f"curl's exit code ({done.stderr.decode()})")
    return json.loads(done.stdout)


def prepare(server, label, body, table="t", **headers):
    more = [f"{name}:{value}" for name, value in headers.items()]
    return curl(server, f"/api/db/{table}/_stream_load", f"label:{label}", "two_phase_commit:true",
                "column_separator:,", *more, body=body)


def prepared(server, label, body, **how):
    """The TxnId of a load that is precommitted."""
    reply = prepare(server, label, body, **how)
    expect_equal((reply["Status"], reply["TwoPhaseCommit"], reply["Label"]), ("Success", "true", label), "the load")
    return reply["TxnId"]


def operate(server, operation, txn=None, label=None, table=""):
    headers = [f"txn_operation:{operation}"]
    headers += [f"txn_id:{txn}"] if txn is not None else []
    headers += [f"label:{label}"] if label is not None else []
    reply = curl(server, f"/api/db/{table + '/' if table else ''}_stream_load_2pc", *headers)
    expect(all(isinstance(value, str) for value in reply.values()), f"only texts: {reply}")
    expect_equal(list(reply), ["status", "msg"], "its fields")
    return reply["status"], reply["msg"]


def succeeds(server, operation, **which):
    status, text = operate(server, operation, **which)
    expect_equal(status, "Success", text)
    return text


def refused(server, operation, text, **which):
    expect_equal(operate(server, operation, **which), ("ANALYSIS_ERROR", PREFIX + text), operation)


def rows(first, count):
    return b"".join(b"%d,%d,row %d\n" % (k, k % 1000, k) for k in range(first, first + count))


@suite.test("curl two-phase load, kill -9, restart, commit by label: rows visible once; the second commit, by txn_id, answers `... is already "
            "visible, not pre-committed.`, by label `transaction not found, label=...`; both also after another restart")
def over_a_kill():
    with Server(shards=2) as server:
        server.create()
        txn = prepared(server, "over", rows(0, 50_000))
        expect_equal(server.count(), 0, "rows before the commit")
        server.restart()
        expect_equal(server.count(), 0, "rows before the commit, after kill -9")
        reply = prepare(server, "over", rows(0, 10))
        expect_equal((reply["Status"], reply["ExistingJobStatus"]), ("Label Already Exists", "PRECOMMITTED"), "the label")
        expect_equal(LABEL_USED.search(reply["Message"]).groups(), ("over", str(txn)), "its message")
        expect_equal(succeeds(server, "commit", label="over"), "label [over] commit successfully.", "the commit")
        expect_equal(server.count(), 50_000, "rows")
        for round_ in range(3):
            refused(server, "commit", f"transaction [{txn}] is already visible, not pre-committed.", txn=txn)
            expect(COMMITTED.search(operate(server, "commit", txn=txn)[1]), "the connector takes it for done")
            refused(server, "commit", "transaction not found, label=over", label="over")
            refused(server, "abort", f"transaction [{txn}] is already VISIBLE, could not abort.", txn=txn)
            refused(server, "abort", "running transaction not found, label=over", label="over")
            expect_equal(prepare(server, "over", rows(0, 10))["ExistingJobStatus"], "FINISHED", "the label")
            expect_equal(server.summary("t", "k")[:2], (50_000, 50_000 * 49_999 // 2), "rows and their sum")
            server.restart(shards=1 + round_)
        return f"{server.count()} rows, the answers the same over 3 more restarts"


@suite.test("abort by txn_id and by label, before and after kill -9: never visible, and the label is free at once")
def aborts():
    with Server(shards=2) as server:
        server.create()
        for label, how in (("one", "txn"), ("two", "label")):
            txn = prepared(server, label, rows(0, 100))
            succeeds(server, "abort", **({"txn": txn} if how == "txn" else {"label": label}))
            refused(server, "abort", f"transaction [{txn}] is already aborted, abort reason: User Abort", txn=txn)
            refused(server, "commit", f"transaction [{txn}] is already aborted. abort reason: User Abort", txn=txn)
            again = prepared(server, label, rows(0, 200))
            server.restart()
            expect(ABORTED.search(operate(server, "abort", txn=txn)[1]), "an aborted transaction stays aborted")
            succeeds(server, "abort", txn=again, table="t")
            server.restart()
            expect(ABORTED.search(operate(server, "abort", txn=again)[1]), "an aborted transaction stays aborted")
            last = prepared(server, label, rows(0, 300))
            succeeds(server, "commit", txn=last, label=label)
        expect_equal(server.count(), 600, "rows")


@suite.test("abort of a load that is being received; the connection then gets Fail, and the label is free before that")
def abort_while_receiving():
    with Server(shards=2) as server:
        server.create()
        for by_label in (True, False):
            stream = LoadStream(server, label="open", two_phase_commit="true", column_separator=",",
                                Expect="100-continue").wait_continue()
            stream.send(rows(0, 1000))
            reply = prepare(server, "open", b"")
            expect_equal(reply["ExistingJobStatus"], "RUNNING", "the label")
            txn = int(LABEL_USED.search(reply["Message"]).group(2))
            refused(server, "commit", f"transaction [{txn}] is prepare, not pre-committed.", txn=txn)
            succeeds(server, "abort", **({"label": "open"} if by_label else {"txn": txn}))
            succeeds(server, "abort", txn=prepared(server, "open", b""))
            late = stream.send(rows(1000, 1000)).finish()
            expect_equal((late["Status"], late["TxnId"]), ("Fail", txn), late)
            stream.close()
        expect_equal(server.count(), 0, "rows")


@suite.test("kill -9 at any moment of prepare and commit: every committed row once, the rest nowhere (20 kills)")
def kills():
    with Server(shards=2) as server:
        server.create()
        acknowledged, stop = {}, threading.Event()
        kills_wanted, per_load = 20, 500

        def client(number):
            step = 0
            while not stop.is_set():
                label, body = f"c{number}-{step}", rows((number * 10_000 + step) * per_load, per_load)
                try:
                    txn = send(label, body)
                    if txn is None:
                        continue
                    if step % 4 == 3:
                        settle("abort", label, txn, ABORTED)
                    else:
                        settle("commit", label, txn, COMMITTED)
                        acknowledged[label] = (number * 10_000 + step) * per_load
                    step += 1
                except (OSError, Broken, json.JSONDecodeError, e2e.http.client.HTTPException):
                    time.sleep(0.02)

        def send(label, body):
            reply = server.load(body, label=label, two_phase_commit="true", column_separator=",")
            if reply["Status"] == "Success":
                return reply["TxnId"]
            used = LABEL_USED.search(reply.get("Message", ""))
            if used and reply["ExistingJobStatus"] == "PRECOMMITTED":
                return int(used.group(2))
            expect(not used or reply["ExistingJobStatus"] == "RUNNING", f"{label} ended without its client: {reply}")
            return None

        def settle(operation, label, txn, done):
            while True:
                try:
                    status, _, body = server.request("PUT", "/api/db/_stream_load_2pc", None,
                                                     {"txn_id": str(txn), "txn_operation": operation})
                    reply = json.loads(body)
                except (OSError, e2e.http.client.HTTPException, json.JSONDecodeError):
                    time.sleep(0.02)
                    continue
                expect_equal(status, 200, "status")
                if reply["status"] == "Success" or done.search(reply["msg"]):
                    return
                failures.append(f"{operation} of {label}: {reply}")
                return

        failures = []

        def guarded(number):
            try:
                client(number)
            except Exception as error:  # shown by the test's own thread
                failures.append(f"client {number}: {error}")

        threads = [threading.Thread(target=guarded, args=(number, )) for number in range(4)]
        for thread in threads:
            thread.start()
        for kill in range(kills_wanted):
            time.sleep(0.1 + 0.05 * (kill % 5))
            server.restart()
        stop.set()
        for thread in threads:
            thread.join()
        expect_equal(failures, [], "clients")
        keys = sorted(int(line) for line in server.scan(columns="k"))
        wanted = sorted(key for first in acknowledged.values() for key in range(first, first + per_load))
        expect(len(acknowledged) > 20, f"only {len(acknowledged)} loads were committed")
        expect_equal(len(keys), len(wanted), "rows")
        expect(keys == wanted, "the rows are not those that were committed")
        return f"{len(acknowledged)} loads committed, {kills_wanted} kills, 0 lost, 0 duplicate"


if __name__ == "__main__":
    sys.exit(suite.run())

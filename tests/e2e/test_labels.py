#!/usr/bin/env python3
"""The label book on disk, from outside: a label and a TxnId are answered after a restart and many later labels.

The later labels are put in by `label_fill` (tests/tools), which is the store itself without a socket; some more come over
HTTP. The full form of the test:

    tests/e2e/test_labels.py --labels 20000000 --http-labels 10000
"""

import http.client
import json
import os
import re
import subprocess
import time

import penstock_e2e as e2e
from penstock_e2e import MIB, Server, expect, expect_equal


def add_arguments(parser):
    parser.add_argument("--labels", type=int, default=200_000, help="labels that label_fill puts in")
    parser.add_argument("--http-labels", type=int, default=300, help="labels that come over HTTP behind them")
    parser.add_argument("--fill", default="", help="the program label_fill; else beside the binary, in tests/")


suite = e2e.Suite(__doc__, add_arguments)
PREFIX = "errCode = 2, detailMessage = "


class Client:
    """Small loads and questions over one connection."""

    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def put(self, path, body=b"", **headers):
        self.connection.request("PUT", path, body, {"Authorization": self.server.auth_header(), **headers})
        reply = self.connection.getresponse()
        return json.loads(reply.read())

    def load(self, label, body=b"1,1,x\n", **headers):
        return self.put("/api/db/t/_stream_load", body, label=label, column_separator=",", **headers)

    def operate(self, operation, txn):
        reply = self.put("/api/db/_stream_load_2pc", txn_operation=operation, txn_id=str(txn))
        return reply["status"], reply["msg"]

    def close(self):
        self.connection.close()


def label_fill_program():
    found = suite.arguments.fill or os.path.join(os.path.dirname(Server.binary), "tests", "label_fill")
    if not os.access(found, os.X_OK):
        raise e2e.Skipped(f"there is no label_fill at {found}: build it, or name one by --fill")
    return found


def fill(server, count, prefix, questions=1000):
    done = subprocess.run([label_fill_program(), "--data-dir", server.data_dir, "--labels", str(count), "--prefix", prefix,
                           "--questions", str(questions)], capture_output=True, text=True, timeout=3600, check=False)
    print("    " + done.stdout.replace("\n", "\n    ").rstrip(), flush=True)
    expect_equal(done.returncode, 0, f"label_fill: {done.stderr}")


def micros(times):
    times = sorted(times)
    return f"median {times[len(times) // 2] * 1e6:.0f} us, 99 % {times[len(times) * 99 // 100] * 1e6:.0f} us"


def files_named(server, prefix):
    return [name for name in os.listdir(server.data_dir) if name.startswith(prefix)]


@suite.test("a label and a TxnId are answered after a restart and many later labels")
def after_many_labels():
    label_fill_program()
    count = suite.arguments.labels
    with Server(shards=1) as server:
        server.create()
        client = Client(server)
        plain = client.load("the-old-label")
        expect_equal(plain["Status"], "Success", "the old load")
        unlabelled = client.put("/api/db/t/_stream_load", b"2,2,y\n", column_separator=",")
        prepared = client.load("the-old-txn", two_phase_commit="true")
        txn = prepared["TxnId"]
        expect_equal(client.operate("commit", txn)[0], "Success", "the old commit")
        nameless = client.put("/api/db/t/_stream_load", b"3,3,z\n", column_separator=",", two_phase_commit="true")
        expect_equal(client.operate("commit", nameless["TxnId"])[0], "Success", "a commit of a load without a label")
        aborted = client.load("the-aborted", two_phase_commit="true")
        expect_equal(client.operate("abort", aborted["TxnId"])[0], "Success", "an abort")
        client.close()
        rss_before = server.rss()
        server.terminate()
        expect_equal(server.wait_exit(), 0, "exit code")

        fill(server, count, "bulk-", questions=min(count, 10_000))
        size = sum(os.path.getsize(os.path.join(server.data_dir, name)) for name in files_named(server, "labels-"))
        print(f"    {len(files_named(server, 'labels-'))} runs, {size / MIB:.1f} MiB on disk, "
              f"{size / count:.1f} bytes a label", flush=True)

        began = time.monotonic()
        server.start()
        print(f"    start with {count} labels: {time.monotonic() - began:.2f} s, RSS {server.rss() / MIB:.1f} MiB "
              f"({(server.rss() - rss_before) / MIB:+.1f} against a server without labels)", flush=True)
        client = Client(server)
        fresh = []
        for number in range(suite.arguments.http_labels):
            asked = time.monotonic()
            reply = client.load(f"http-{number}")
            fresh.append(time.monotonic() - asked)
            expect_equal(reply["Status"], "Success", f"a fresh label: {reply}")

        def ask():
            asked = time.monotonic()
            reply = client.load("the-old-label")
            took = time.monotonic() - asked
            expect_equal((reply["Status"], reply["ExistingJobStatus"]), ("Label Already Exists", "FINISHED"), "the old label")
            match = re.search(r"Label \[the-old-label\] has already been used, relate to txn \[(\d+)\]", reply["Message"])
            expect(match and int(match.group(1)) == plain["TxnId"], f"its message: {reply['Message']}")
            for each in (txn, nameless["TxnId"], plain["TxnId"]):
                expect_equal(client.operate("commit", each),
                             ("ANALYSIS_ERROR", f"{PREFIX}transaction [{each}] is already visible, not pre-committed."),
                             "the old commit again")
            for each in (aborted["TxnId"], unlabelled["TxnId"]):
                expect_equal(client.operate("commit", each), ("ANALYSIS_ERROR", f"{PREFIX}transaction [{each}] not found"),
                             "a commit of what was aborted, and of a plain load whose label the server made")
            return took

        ask()
        for number in (0, count // 3, count - 1):
            expect_equal(client.load(f"bulk-{number}")["ExistingJobStatus"], "FINISHED", f"label bulk-{number}")
        known = []
        for number in range(suite.arguments.http_labels):
            asked = time.monotonic()
            reply = client.load(f"bulk-{number * 7919 % count}")
            known.append(time.monotonic() - asked)
            expect_equal(reply["Status"], "Label Already Exists", f"a known label: {reply}")
        state = server.request("GET", "/api/db/get_load_state?label=the-old-label")
        expect_equal(json.loads(state[2])["data"], "VISIBLE", "its state")
        print(f"    over HTTP: a load under a fresh label {micros(fresh)}; a known label's answer {micros(known)}; "
              f"RSS {server.rss() / MIB:.1f} MiB, at most {server.peak_rss() / MIB:.1f}", flush=True)
        client.close()
        server.restart()  # kill -9
        client = Client(server)
        ask()
        expect_equal(client.load("http-0")["ExistingJobStatus"], "FINISHED", "a label of before the kill")
        expect_equal(client.load("the-aborted")["Status"], "Success", "the label of an aborted load is free")
        client.close()
        expect_equal(server.count(), 5 + suite.arguments.http_labels, "rows")


@suite.test("a label run that does not verify is named: at the start, and by the question that needs it")
def damage():
    label_fill_program()
    with Server(shards=1) as server:
        server.create()
        server.terminate()
        expect_equal(server.wait_exit(), 0, "exit code")
        fill(server, 100_000, "bulk-", questions=10)
        run = max(files_named(server, "labels-"), key=lambda name: os.path.getsize(os.path.join(server.data_dir, name)))
        path = os.path.join(server.data_dir, run)

        def flip(offset):
            with open(path, "r+b") as file:
                file.seek(offset)
                byte = file.read(1)[0]
                file.seek(offset)
                file.write(bytes([byte ^ 4]))

        last = os.path.getsize(path) - 4096
        flip(last + 20)
        server.spawn()
        expect_equal(server.wait_exit(), 1, "the exit code of a start with a damaged run")
        expect(f"{run} at offset {last}" in server.log_text(server.log_from), f"it is named:\n{server.log_tail()}")
        flip(last + 20)
        for offset in range(4096, last // 2, 4096):  # pages of labels
            flip(offset + 100)
        server.start()
        client = Client(server)
        answers = [client.load(f"bulk-{number}") for number in range(0, 100_000, 199)]
        client.close()
        named = [answer for answer in answers if f"{run} at offset " in answer["Message"]]
        expect(named, "a question that needs such a page names it")
        for answer in answers:
            expect(answer in named or answer["Status"] == "Label Already Exists", f"no label is free: {answer}")
        for answer in named:
            expect(answer["Status"] == "Fail" and answer["Message"].startswith("[INTERNAL_ERROR]"), f"it fails: {answer}")
        expect_equal(server.count(), 0, "rows")


@suite.test("kill -9 while runs are written and merged: what was put in is known, and no file is left behind")
def killed_while_merging():
    program = label_fill_program()
    with Server(shards=1) as server:
        server.create()
        server.terminate()
        expect_equal(server.wait_exit(), 0, "exit code")
        kills = 0
        for turn in range(3):
            process = subprocess.Popen([program, "--data-dir", server.data_dir, "--labels", "4000000", "--prefix", f"turn{turn}-"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and process.poll() is None and len(files_named(server, "labels-")) < 6 * turn + 9:
                time.sleep(0.01)
            kills += process.poll() is None
            process.kill()
            process.communicate()
        server.start()
        client = Client(server)
        for turn in range(3):
            for number in (0, 1000, 4096, 30_000):
                expect_equal(client.load(f"turn{turn}-{number}")["ExistingJobStatus"], "FINISHED", f"label turn{turn}-{number}")
        client.close()
        expect_equal(server.count(), 0, "rows")
        server.terminate()
        expect_equal(server.wait_exit(), 0, "exit code")
        shown = subprocess.run([Server.binary, "inspect", "--data-dir", server.data_dir], capture_output=True, text=True,
                               timeout=120, check=False)
        expect_equal(shown.returncode, 0, shown.stderr)
        recovered = shown.stdout[shown.stdout.index("recovery: good"):]
        named = set(re.findall(r"^  (labels-[0-9-]+):", recovered, re.MULTILINE))
        expect_equal(set(files_named(server, "labels-")), named, "files of label runs, and those that recovery names")
        return f"{kills} kills, {len(named)} runs"


if __name__ == "__main__":
    raise SystemExit(suite.run())

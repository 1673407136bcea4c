#!/usr/bin/env python3
"""Many two-phase loads at a time on a small budget: as at a checkpoint of a Flink job, whose subtasks all wait for one another,
and after its loss, when the next one asks for every label.
"""

import os
import signal
import subprocess
import sys
import threading
import time

import penstock_e2e as e2e
from penstock_e2e import MIB, LoadStream, Server, expect, expect_equal

suite = e2e.Suite(__doc__)

FLOOR = "[limits]\nload_memory_mib = 8\n"
SUBTASKS = 60
EACH = 10 * MIB
PAD = "x" * 150


def rows(first, size):
    lines, total = [], 0
    while total < size:
        lines.append(b"%d\t%d\t%s\n" % (first + len(lines), len(lines) % 1000, PAD.encode()))
        total += len(lines[-1])
    return lines


def two_phase(server, label, **more):
    return LoadStream(server, label=label, two_phase_commit="true", seconds=600, **more)


def operate(server, operation, txn):
    status, _, body = server.request("PUT", "/api/db/_stream_load_2pc", None,
                                     {"txn_id": str(txn), "txn_operation": operation})
    expect_equal(status, 200, "status")
    expect(b'"Success"' in body, f"{operation}: {body!r}")


def probe(server, label):
    """The TxnId of an empty load under that label, or its ExistingJobStatus."""
    reply = server.load(b"", label=label, two_phase_commit="true")
    return reply["TxnId"] if reply["Status"] == "Success" else reply["ExistingJobStatus"]


def together(number, work):
    """Runs work(n) in threads; their failures are this one's."""
    failures = []

    def guarded(n):
        try:
            work(n)
        except Exception as error:  # shown below
            failures.append(f"{n}: {error!r}")

    threads = [threading.Thread(target=guarded, args=(n, ), daemon=True) for n in range(number)]
    for thread in threads:
        thread.start()
    return threads, failures


@suite.test("60 two-phase loads that stay open until all have sent 10 MB, on the smallest budget: all end well; meanwhile a "
            "commit, an abort and GET / are answered")
def barrier():
    with Server(shards=2, config=FLOOR) as server:
        server.create()
        block = b"".join(rows(0, EACH))
        count = block.count(b"\n")
        all_sent, replies = threading.Barrier(SUBTASKS), {}

        def subtask(number):
            stream = two_phase(server, f"s{number}")
            for at in range(0, len(block), MIB):
                stream.send(block[at:at + MIB])
            all_sent.wait(timeout=500)  # nobody ends before everybody has sent all
            replies[number] = stream.finish()
            stream.close()

        threads, failures = together(SUBTASKS, subtask)
        slowest, rounds = 0.0, 0
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            operate(server, "commit", probe(server, f"commit{rounds}"))
            operate(server, "abort", probe(server, f"abort{rounds}"))
            status, _, _ = server.request("GET", "/")
            expect(status < 500, f"GET / says {status}")
            slowest, rounds = max(slowest, time.monotonic() - began), rounds + 1
            time.sleep(0.05)
        for thread in threads:
            thread.join()
        expect_equal(failures, [], "subtasks")
        expect_equal([r["Status"] for r in replies.values()], ["Success"] * SUBTASKS, "their replies")
        expect(rounds > 1, "nothing was asked meanwhile")
        for reply in replies.values():
            operate(server, "commit", reply["TxnId"])
        expect_equal(server.count(), SUBTASKS * count, "rows")
        return f"{SUBTASKS * count:,} rows; {rounds} rounds of questions meanwhile, the slowest {slowest:.2f} s"


# A client that keeps its connection full until it is killed; it says when it has sent something.
VICTIM = r"""
import socket, sys
made = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
made.sendall(bytes.fromhex(sys.argv[1]))
piece = (b"7\t7\t" + b"y" * 90 + b"\n") * 10000
body = b"%x\r\n%s\r\n" % (len(piece), piece)
made.sendall(body)
print("sent", flush=True)
while True:
    made.sendall(body)
"""


def victim(server, label):
    head = e2e.load_head(server, label=label, two_phase_commit="true").hex()
    process = subprocess.Popen([sys.executable, "-c", VICTIM, head, str(server.port)], stdout=subprocess.PIPE)
    expect_equal(process.stdout.readline(), b"sent\n", "a client")
    return process


def unread_bytes(server):
    """In the server's sockets: received by the machine, and not by the server."""
    total = 0
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in list(file)[1:]:
            fields = line.split()
            if int(fields[1].split(":")[1], 16) == server.port:
                total += int(fields[4].split(":")[1], 16)
    return total


@suite.test("clients killed with megabytes nobody has read, on a full budget: their labels are free at once; a living one is "
            "RUNNING and loses nothing")
def killed_clients():
    number = 8
    with Server(shards=2, config=FLOOR) as server:
        server.create()
        stop = threading.Event()
        block = b"".join(rows(0, MIB))
        sent = [0] * 10

        def busy(n):
            stream = two_phase(server, f"busy{n}")
            while not stop.is_set():
                stream.send(block)
                sent[n] += 1
            reply = stream.finish()
            expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", sent[n] * block.count(b"\n")), "busy")
            stream.close()

        threads, failures = together(len(sent), busy)
        time.sleep(0.5)
        victims = [victim(server, f"v{n}") for n in range(number)]
        time.sleep(0.3)
        unread = unread_bytes(server)
        for process in victims:
            os.kill(process.pid, signal.SIGKILL)
        for process in victims:
            process.wait()
        began, took = time.monotonic(), []
        for n in range(number):
            asked = time.monotonic()
            answer = probe(server, f"v{n}")
            took.append(time.monotonic() - asked)
            expect(isinstance(answer, int), f"the label of a client that was killed is {answer}")
            operate(server, "abort", answer)
        expect_equal(probe(server, "busy3"), "RUNNING", "the label of a client that lives")
        expect(time.monotonic() - began < 60, "asking took a minute")
        stop.set()
        for thread in threads:
            thread.join()
        expect_equal(failures, [], "clients that live")
        return f"{unread / MIB:.1f} MiB were unread, {number} labels free in {max(took) * 1000:.0f} ms at most"


if __name__ == "__main__":
    sys.exit(suite.run())

#!/usr/bin/env python3
"""What two-phase commit costs: memory and recovery of many prepared loads, records and time of many commits. Counts decide; times
are printed.
"""

import os
import re
import signal
import statistics
import sys
import time

import penstock_e2e as e2e
from penstock_e2e import Server, Skipped, expect, expect_equal

suite = e2e.Suite(__doc__)
PREPARED = 10_000
TOGETHER = 100


def prepare_all(server, first, count, rows=b"7\t7\tseven\n"):
    """The TxnIds of as many precommitted loads, sent one behind the other over a few connections."""
    txns = []
    connections = [e2e.connect(server.port) for _ in range(8)]
    replies = [e2e.Replies(connection) for connection in connections]
    for start in range(first, first + count, len(connections)):
        used = min(len(connections), first + count - start)
        for i in range(used):
            connections[i].sendall(e2e.load_head(server, length=f"Content-Length: {len(rows)}", label=f"p{start + i}",
                                                 two_phase_commit="true") + rows)
        for i in range(used):
            reply = replies[i].next().json()
            expect_equal(reply["Status"], "Success", reply)
            txns.append(reply["TxnId"])
    for connection in connections:
        connection.close()
    return txns


def commit_head(server, txn):
    return (f"PUT /api/db/_stream_load_2pc HTTP/1.1\r\nHost: x\r\nAuthorization: {server.auth_header()}\r\n"
            f"txn_id: {txn}\r\ntxn_operation: commit\r\n\r\n").encode()


def records(server):
    """Commit records of this data folder, as `inspect` names them; the server must not run."""
    done = e2e.subprocess.run([Server.binary, "inspect", "--data-dir", server.data_dir], capture_output=True, check=False)
    return done.stdout.decode()


@suite.test("10,000 precommitted loads: less than 1 KiB of memory each; a start after kill -9 recovers them")
def many_prepared():
    if e2e.is_sanitized():
        raise Skipped("AddressSanitizer's own memory is most of it")
    with Server(shards=2) as server:
        server.create()
        prepare_all(server, 0, 200)
        time.sleep(0.3)
        before = server.rss()
        prepare_all(server, 200, PREPARED)
        time.sleep(0.3)
        each = (server.rss() - before) / PREPARED
        server.kill()
        began = time.monotonic()
        server.start()
        took = time.monotonic() - began
        expect(f"prepared={PREPARED + 200}" in server.log_text(server.log_from), server.log_tail())
        expect(each < 1024, f"{each:.0f} bytes each")
        return f"{each:.0f} bytes each; ready {took * 1000:.0f} ms after the start"


@suite.test("commits that arrive together share records: 1,000, 200 at a time, need at most 100")
def commits_together():
    with Server(shards=2) as server:
        server.create()
        txns = prepare_all(server, 0, 1000)
        connections = [e2e.connect(server.port) for _ in txns[:200]]
        for at in range(0, 1000, 200):
            server.process.send_signal(signal.SIGSTOP)  # else a fast server has written a record before the next one is sent
            for connection, txn in zip(connections, txns[at:at + 200]):
                connection.sendall(commit_head(server, txn))
            server.process.send_signal(signal.SIGCONT)
            for connection in connections:
                expect(b'"Success"' in e2e.Replies(connection).next().body, "a commit")
        expect_equal(server.count(), 1000, "rows")
        server.terminate()
        server.wait_exit()
        checkpoints = len(re.findall(r"Checkpoint \d+ \(0 loads", records(server)))
        expect(0 < checkpoints <= 100, f"{checkpoints} records")
        return f"{checkpoints} records of commits are in the log"


@suite.test("a checkpoint with 100 loads over 2 shards: from the last body's end to the last reply, beside two fdatasyncs")
def checkpoint():
    with Server(shards=2) as server:
        server.create()
        took = []
        body = b"".join(b"%d\t%d\trow\n" % (k, k) for k in range(100))
        for turn in range(30):
            connections = [e2e.connect(server.port) for _ in range(TOGETHER)]
            for n, connection in enumerate(connections):
                connection.sendall(e2e.load_head(server, label=f"c{turn}-{n}", two_phase_commit="true") +
                                   b"%x\r\n%s\r\n" % (len(body), body))
            time.sleep(0.05)
            for connection in connections:
                connection.sendall(b"0\r\n\r\n")
            began = time.monotonic()
            txns = [e2e.Replies(connection).next().json()["TxnId"] for connection in connections]
            took.append(time.monotonic() - began)
            for connection, txn in zip(connections, txns):
                connection.sendall(commit_head(server, txn))
            for connection in connections:
                expect(b'"Success"' in e2e.Replies(connection).next().body, "a commit")
                connection.close()
        expect_equal(server.count(), 30 * TOGETHER * 100, "rows")
        p50 = statistics.median(took) * 1000
        return f"p50 {p50:.2f} ms with the client's reading of {TOGETHER} replies; an fdatasync here {fdatasync_ms(server):.2f} ms"


def fdatasync_ms(server):
    path = os.path.join(server.folder, "yardstick")
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    os.write(file, bytes(1 << 20))
    os.fsync(file)
    took = []
    for n in range(100):
        os.pwrite(file, bytes(4096), n * 4096)
        began = time.monotonic()
        os.fdatasync(file)
        took.append(time.monotonic() - began)
    os.close(file)
    return statistics.median(took) * 1000


if __name__ == "__main__":
    sys.exit(suite.run())

#!/usr/bin/env python3
"""A full disk: the loads concerned fail and say so, nothing acknowledged is lost, a table can be dropped on the full disk,
and then loads work again without a restart; so they do when somebody else has filled the disk and frees it again, and what was
precommitted before can be committed and aborted meanwhile. On an ext4 image of 400 MB where this process may mount one, else on a tmpfs.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time

import penstock_e2e as e2e
from penstock_e2e import MIB, Server, Skipped, expect, expect_equal

suite = e2e.Suite(__doc__)
DISK_MB = 400
CONFIG = "[limits]\njournal_file_mib = 32\nlog_file_mib = 4\nreserve_mib = 16\n"
ROWS_PER_LOAD = 4000
PADS = [random.Random(number).randbytes(500).hex() for number in range(4001)]  # a block may store equal texts once


class SmallDisk:
    """A file system of its own, mounted for as long as it is used."""

    def __init__(self, kind):
        self.folder = e2e.scratch_folder("penstock-disk-")
        self.mount_point = os.path.join(self.folder, "mnt")
        os.makedirs(self.mount_point)
        image = os.path.join(self.folder, "image")
        if kind == "ext4":
            steps = [["truncate", "-s", f"{DISK_MB}M", image], ["mkfs.ext4", "-q", "-m", "0", image],
                     ["mount", "-o", "loop", image, self.mount_point]]
        else:
            steps = [["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}M", "tmpfs", self.mount_point]]
        for step in steps:
            try:
                done = subprocess.run(step, capture_output=True, text=True, check=False)
                problem = done.stderr.strip() if done.returncode else None
            except OSError as error:
                problem = str(error)
            if problem is not None:
                shutil.rmtree(self.folder)
                raise Skipped(f"`{' '.join(step)}` is not possible here ({problem})")

    def free(self):
        stat = os.statvfs(self.mount_point)
        return stat.f_bavail * stat.f_frsize

    def __enter__(self):
        return self

    def __exit__(self, *_):
        Server.end_all()
        for _ in range(50):
            if subprocess.run(["umount", self.mount_point], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        shutil.rmtree(self.folder, ignore_errors=True)


def body_of(number):
    first = number * ROWS_PER_LOAD
    return "".join(f"{first + i}\t{number}\t{PADS[(i + number) % len(PADS)]}\n" for i in range(ROWS_PER_LOAD)).encode()


def fill(server, table, first):
    """Loads until one fails; the numbers of those that were acknowledged, and the reply of the one that failed."""
    acknowledged = []
    for number in range(first, first + 500):
        reply = server.load(body_of(number), table=table, label=f"{table}-{number}")
        if reply["Status"] != "Success":
            expect_equal(reply["Status"], "Fail", f"load {number}")
            return acknowledged, reply
        acknowledged.append(number)
    raise e2e.Failed(f"500 loads of {ROWS_PER_LOAD} kB fit on {DISK_MB} MB")


def expect_exactly(server, table, acknowledged, when):
    keys = sorted(int(line) for line in e2e.read_lines(server, table, "k"))
    wanted = [number * ROWS_PER_LOAD + i for number in sorted(acknowledged) for i in range(ROWS_PER_LOAD)]
    expect(keys == wanted, f"{when}: {len(keys)} rows in {table}, wanted the {len(wanted)} acknowledged ones")


def story(disk):
    server = Server(config=CONFIG, folder=disk.mount_point)
    columns = "k BIGINT NOT NULL, v INT NULL, s STRING NULL"
    for table in ("small", "big"):
        server.create(table, columns)
    kept = [0, 1, 2]
    for number in kept:
        server.load_ok(body_of(number), ROWS_PER_LOAD, table="small")
    acknowledged, reply = fill(server, "big", 100)
    expect(len(acknowledged) > 20, f"only {len(acknowledged)} loads fitted")
    full = reply["Message"]
    expect("the disk is full" in full and "free space" in full, f"the message: {full}")
    for number in range(600, 620):  # whatever still fits may be acknowledged; the rest must fail in the same words
        reply = server.load(body_of(number), table="big", label=f"big-{number}")
        if reply["Status"] == "Success":
            acknowledged.append(number)
        else:
            expect("the disk is full" in reply["Message"], f"a later load: {reply['Message']}")
        server.expect_alive("on the full disk")
    expect_exactly(server, "big", acknowledged, "on the full disk")
    expect_exactly(server, "small", kept, "on the full disk")
    server.restart()
    expect_exactly(server, "big", acknowledged, "after kill -9 on the full disk")
    expect_exactly(server, "small", kept, "after kill -9 on the full disk")
    more, _ = fill(server, "big", 700)
    acknowledged += more
    expect_exactly(server, "big", acknowledged, "full again")

    reply = server.statement("DROP TABLE big FORCE")
    expect_equal(reply["code"], 0, f"DROP TABLE on the full disk: {reply}")
    began, tries, number = time.monotonic(), 0, 900
    while True:  # the files of the dropped rows go with the next checkpoints
        tries += 1
        reply = server.load(body_of(number), table="small", label="after-the-drop")
        if reply["Status"] == "Success":
            break
        expect(time.monotonic() - began < 30, f"loads still fail 30 s after the drop: {reply['Message']}")
        time.sleep(0.05)
    waited = time.monotonic() - began
    kept.append(number)
    for number in range(901, 930):
        server.load_ok(body_of(number), ROWS_PER_LOAD, table="small")
        kept.append(number)
    expect_exactly(server, "small", kept, "after the drop")
    free = disk.free()
    server.restart()
    expect_exactly(server, "small", kept, "after the last kill -9")
    server.create("big", columns)
    expect_equal(server.count("big"), 0, "rows of a table of the dropped one's name")
    server.terminate()
    expect_equal(server.wait_exit(), 0, "exit code")
    return (f"\"{full[:160]}\"; {len(acknowledged)} loads of {len(body_of(0)) / 1e6:.0f} MB acknowledged on {DISK_MB} MB; loads worked again "
            f"{waited:.2f} s after the drop (try {tries}); {free / MIB:.0f} MiB free in the end")


def two_phase(server, operation, label):
    status, _, body = server.request("PUT", "/api/db/_stream_load_2pc", None, {"label": label, "txn_operation": operation})
    expect_equal(status, 200, f"status of {operation}")
    return json.loads(body)


def story_of_ballast(disk):
    """Somebody else takes all there is, byte by byte to the last, and gives it back."""
    server = Server(config=CONFIG, folder=disk.mount_point).create("small", "k BIGINT NOT NULL, v INT NULL, s STRING NULL")
    kinds = {"plain": {}, "two-phase": {"two_phase_commit": "true"}, "group": {"group_commit": "sync_mode"}}
    kept, refused, messages = [], [], {}

    def send(number, kind):
        label = {} if kind == "group" else {"label": f"ballast-{number}"}
        return server.load(body_of(number), table="small", **label, **kinds[kind])

    for number in range(4):
        expect_equal(send(number, "two-phase")["Status"], "Success", "a precommit before")
    ballast = os.path.join(disk.mount_point, "ballast")
    with open(ballast, "wb") as file:
        while disk.free() > 0:
            try:
                os.posix_fallocate(file.fileno(), file.tell(), max(4096, disk.free() // 2 // 4096 * 4096))
                file.seek(0, os.SEEK_END)
            except OSError:
                break
    for number in range(10, 70):
        kind = list(kinds)[number % 3]
        reply = send(number, kind)
        server.expect_alive("on the full disk")
        if reply["Status"] == "Success":
            if kind == "two-phase":
                expect_equal(two_phase(server, "commit", f"ballast-{number}")["status"], "Success", "a commit on the full disk")
            kept.append(number)
        else:
            expect("the disk is full" in reply["Message"] and "free space" in reply["Message"], f"{kind}: {reply['Message']}")
            refused.append((number, kind))
            messages[kind] = reply["Message"]
    expect_equal(sorted(messages), sorted(kinds), "the kinds of load that were refused")
    expect_equal(two_phase(server, "commit", "ballast-0")["status"], "Success", "a commit of what was precommitted before")
    expect_equal(two_phase(server, "abort", "ballast-1")["status"], "Success", "an abort of what was precommitted before")
    kept.append(0)
    expect_exactly(server, "small", kept, "on the full disk")
    server.restart()
    expect_exactly(server, "small", kept, "after kill -9 on the full disk")
    expect_equal(two_phase(server, "commit", "ballast-2")["status"], "Success", "a commit after kill -9 on the full disk")
    kept.append(2)

    os.remove(ballast)
    began = time.monotonic()
    for number, kind in refused:  # the same labels again
        while (reply := send(number, kind))["Status"] != "Success":
            expect(time.monotonic() - began < 30, f"{kind} loads still fail 30 s after there is room: {reply}")
            time.sleep(0.05)
        if number == refused[0][0]:
            waited = time.monotonic() - began
        if kind == "two-phase":
            expect_equal(two_phase(server, "commit", f"ballast-{number}")["status"], "Success", "a commit")
        kept.append(number)
    expect_equal(two_phase(server, "commit", "ballast-3")["status"], "Success", "the last of those from before")
    kept.append(3)
    expect_exactly(server, "small", kept, "afterwards")
    server.restart()
    expect_exactly(server, "small", kept, "after kill -9")
    server.terminate()
    expect_equal(server.wait_exit(), 0, "exit code")
    return f"{len(refused)} of 60 loads refused, all of them came in under their labels {waited:.2f} s after there was room and later"


@suite.test("a full ext4: loads fail in clear words, acknowledged ones stay, DROP TABLE works and makes room, kill -9 and restart")
def full_ext4():
    with SmallDisk("ext4") as disk:
        return story(disk)


@suite.test("a full tmpfs: the same")
def full_tmpfs():
    with SmallDisk("tmpfs") as disk:
        return story(disk)


@suite.test("somebody else fills the ext4: plain, two-phase and group loads are refused in clear words, commit and abort work, kill -9, and all "
            "goes on when there is room")
def ballast_on_ext4():
    with SmallDisk("ext4") as disk:
        return story_of_ballast(disk)


@suite.test("somebody else fills the tmpfs: the same")
def ballast_on_tmpfs():
    with SmallDisk("tmpfs") as disk:
        return story_of_ballast(disk)


if __name__ == "__main__":
    sys.exit(suite.run())

#!/usr/bin/env python3
"""The first honest figure: ONE chunked TSV stream of 1 GB of 12-column log rows into a server of 2 shards, client on the same
2 cores, measured until the rows are durable and visible. What came out is checked: rows, sum and xor of two columns after
every run, every cell after the last one.

  first_figure.py [--runs 3] [--megabytes 1000] [--shards 2]

Yardsticks of the same minutes: the same sender into a socket that is read and thrown away (the most this client and this
loopback can do), and 1 MiB writes past the page cache with one fdatasync (the most this disk can do).
"""

import argparse
import mmap
import os
import platform
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
import zlib

import penstock_e2e as e2e
from penstock_e2e import MIB, Server, expect, expect_equal

MB = 1_000_000
REPEATS = 15  # odd: the xor of all keys is the xor of one round
SEED = 11
CHUNK = MIB
COLUMNS = ("ts DATETIME(3) NOT NULL, id BIGINT NOT NULL, status INT NOT NULL, bytes INT NOT NULL, micros INT NOT NULL, "
           "cost DECIMAL(12,4) NOT NULL, host VARCHAR(64) NOT NULL, method VARCHAR(16) NOT NULL, path STRING NOT NULL, "
           "agent STRING NOT NULL, trace VARCHAR(64) NOT NULL, note STRING NULL")
MASK = (1 << 64) - 1


def log_rows(bytes_wanted):
    """Rows as a web server would log them: 155 bytes each on average, seeded, no two alike."""
    chance = random.Random(SEED)
    hosts = [f"web-{i:03d}.eu-{i % 4}.shop" for i in range(200)]
    paths = [f"/shop/{chance.choice(('item', 'cart', 'user', 'search'))}/{chance.randrange(10**6)}" for _ in range(5000)]
    agents = ("Mozilla/5.0 (X11; Linux x86_64; rv:115)", "curl/7.88.1", "okhttp/4.9.3", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)")
    notes = ("\\N", "\\N", "cache hit", "retry 1 of 3", "upstream timed out")
    rows, size, number = [], 0, 0
    while size < bytes_wanted:
        seconds, millis = divmod(number * 7, 1000)
        minutes, second = divmod(seconds, 60)
        hours, minute = divmod(minutes, 60)
        row = (f"2026-11-{1 + hours // 24 % 28:02d} {hours % 24:02d}:{minute:02d}:{second:02d}.{millis:03d}\t{4_000_000_000 + number * 3}\t"
               f"{chance.choice((200, 200, 200, 204, 301, 404, 500))}\t{chance.randrange(100, 200_000)}\t{chance.randrange(10**6)}\t"
               f"{chance.randrange(10**4)}.{chance.randrange(10**4):04d}\t{chance.choice(hosts)}\t"
               f"{chance.choice(('GET', 'GET', 'GET', 'POST', 'PUT'))}\t{chance.choice(paths)}\t{chance.choice(agents)}\t"
               f"{chance.getrandbits(64):016x}\t{chance.choice(notes)}\n")
        rows.append(row.encode())
        size += len(row)
        number += 1
    return rows


def as_scanned(row):
    """The row as a scan writes it: a time without the fraction or the seconds that are zero."""
    moment, rest = row[:23], row[23:-1]
    moment = moment[:10] + b"T" + moment[11:].removesuffix(b".000")
    return (moment.removesuffix(b":00") if len(moment) == 19 else moment) + rest


class Round:
    """The bytes that are sent REPEATS times, and what a scan must give back for them."""

    def __init__(self, megabytes):
        rows = log_rows(megabytes * MB // REPEATS)
        text = b"".join(rows)
        self.rows, self.bytes = len(rows), len(text)
        self.framed = b"".join(b"%x\r\n%s\r\n" % (len(text[at:at + CHUNK]), text[at:at + CHUNK])
                               for at in range(0, len(text), CHUNK))
        self.columns = {}
        for name, index in (("id", 1), ("bytes", 3)):
            values = [int(row.split(b"\t")[index]) for row in rows]
            xor = 0
            for value in values:
                xor ^= value
            self.columns[name] = (len(rows) * REPEATS, sum(values) * REPEATS, xor)
        scanned = map(as_scanned, rows)
        self.digest = sum(zlib.crc32(row) * (zlib.adler32(row) | 1) for row in scanned) * REPEATS & MASK

    def send(self, connection):
        for _ in range(REPEATS):
            connection.sendall(self.framed)


def machine_cpu_seconds():
    """What all cores together have worked since the machine started."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, soft, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def one_run(work, shards, check_all, profile):
    with Server(shards=shards) as server:
        server.create("logs", COLUMNS, buckets=4)
        server.load_ok(b"", 0, table="logs")
        stream = e2e.LoadStream(server, "logs", seconds=600, label="figure", Expect="100-continue").wait_continue()
        perf = subprocess.Popen(["perf", "record", "-q", "-F", "997", "-g", "-o", profile, "-p", str(server.process.pid)]) if profile else None
        if perf:
            time.sleep(1)
        cpu, own, machine, began = server.cpu_seconds(), time.process_time(), machine_cpu_seconds(), time.perf_counter()
        work.send(stream.connection)
        sent = time.perf_counter()
        reply = stream.finish()
        ended = time.perf_counter()
        cpu, own, machine = server.cpu_seconds() - cpu, time.process_time() - own, machine_cpu_seconds() - machine
        if perf:
            perf.send_signal(signal.SIGINT)
            perf.wait()
        rows = work.rows * REPEATS
        expect_equal((reply["Status"], reply["NumberLoadedRows"], reply["LoadBytes"]),
                     ("Success", rows, work.bytes * REPEATS), f"the reply: {reply}")
        expect_equal(server.count("logs"), rows, "count(*) right after the reply")
        peak = server.peak_rss()
        server.restart()  # what follows is read from a process that never saw the load
        for name, wanted in work.columns.items():
            expect_equal(server.summary("logs", name), wanted, f"count, sum and xor of {name} after kill -9")
        if check_all:
            expect_equal(server.digest("logs"), (rows, f"{work.digest:016x}"), "rows and checksum of every cell")
        seconds = ended - began
        megabytes = work.bytes * REPEATS / MB
        return {"MB/s": megabytes / seconds, "seconds": seconds, "last byte to reply, ms": (ended - sent) * 1000,
                "server CPU-seconds a GB": cpu / (megabytes / 1000), "peak RSS, MiB": peak / MIB, "client CPU-seconds": own,
                "CPU-seconds of anything else": max(0.0, machine - own - cpu)}


def discard_yardstick(work):
    """MB/s of the same sender into a process that only receives."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        connection, _ = listener.accept()
        buffer = bytearray(256 * 1024)
        while connection.recv_into(buffer):
            pass
        connection.send(b"!")
        os._exit(0)
    connection = socket.create_connection(listener.getsockname())
    began = time.perf_counter()
    work.send(connection)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)
    took = time.perf_counter() - began
    os.waitpid(child, 0)
    return work.bytes * REPEATS / MB / took


def disk_yardstick(megabytes):
    """MB/s of 1 MiB writes past the page cache into reserved space, one fdatasync at the end. None: not possible here."""
    folder = e2e.scratch_folder()
    path = os.path.join(folder, "yardstick")
    block = mmap.mmap(-1, MIB)
    block.write(random.Random(SEED).randbytes(MIB))
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o600)
        count = megabytes * MB // MIB
        os.posix_fallocate(file, 0, count * MIB)
        began = time.perf_counter()
        for _ in range(count):
            os.write(file, block)
        os.fdatasync(file)
        took = time.perf_counter() - began
        os.close(file)
        return count * MIB / MB / took
    except OSError:
        return None
    finally:
        subprocess.run(["rm", "-rf", folder], check=False)


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(e2e.ROOT, "build", "release", "penstock"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--cores", type=int, default=2, help="server and client share these many")
    parser.add_argument("--perf", default="", metavar="FILE", help="also record a profile of the last run's server")
    arguments = parser.parse_args()
    Server.binary = os.path.realpath(os.environ.get("PENSTOCK_BINARY") or arguments.binary)
    if not os.access(Server.binary, os.X_OK):
        print(f"there is no penstock binary at {Server.binary}: build it first (tools/dev build)")
        return 1
    cores = sorted(os.sched_getaffinity(0))[:arguments.cores]
    os.sched_setaffinity(0, cores)
    print(f"machine: {cpu_name()}, {len(cores)} cores for server and client, Linux {platform.release()}", flush=True)
    work = Round(arguments.megabytes)
    print(f"input:   {work.rows * REPEATS:,} rows, {work.bytes * REPEATS / MB:,.0f} MB, {work.bytes / work.rows:.0f} B a row; "
          f"{work.rows:,} rows sent {REPEATS} times; seed {SEED}", flush=True)
    runs, discards, disks = [], [], []
    for number in range(arguments.runs):
        discards.append(discard_yardstick(work))
        disk = disk_yardstick(arguments.megabytes)
        disks += [disk] if disk else []
        last = number == arguments.runs - 1
        runs.append(one_run(work, arguments.shards, last, arguments.perf if last else ""))
        print(f"run {number + 1}:   " + ", ".join(f"{name} {value:.2f}" for name, value in runs[-1].items()), flush=True)
    print(f"checked: count, sum and xor of id and bytes after each run and a kill -9; every cell after the last ({work.digest:016x})")
    for name in runs[0]:
        values = [run[name] for run in runs]
        print(f"median:  {name} {statistics.median(values):.2f} (from {min(values):.2f} to {max(values):.2f})")
    print(f"sender into a discarding socket: {statistics.median(discards):.0f} MB/s (from {min(discards):.0f} to {max(discards):.0f})")
    print(f"disk, 1 MiB direct writes and one fdatasync: {statistics.median(disks):.0f} MB/s (from {min(disks):.0f} to {max(disks):.0f})"
          if disks else "disk: direct writes are not possible here")
    return 0


if __name__ == "__main__":
    sys.exit(main())

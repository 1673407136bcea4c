"""The machine: what it is, what its parts can do in the same minutes (the yardsticks), and what else used it meanwhile."""

import mmap
import os
import platform
import socket
import time

from figures import median
from peers import base

MIB = 1 << 20
STEAL_MAX = 0.01  # of a block's CPU time: beyond it the block is flagged
OTHERS_MAX = 0.10
CALM_SECONDS = 3.2  # a host that takes back freed memory does it for some tenths of a second, 2.6 s apart (Linux: 2 s after the last time)
CALM_SECONDS_MAX = 30
GAP_MAX = 0.015


def first_line(path, start):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(start):
                return line.partition(":")[2].strip()
    return "unknown"


def facts():
    return {"cpu": first_line("/proc/cpuinfo", "model name"), "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(int(first_line("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20), 1), "kernel": platform.release(),
            "system": first_pretty_name(), "python": platform.python_version()}


def first_pretty_name():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


# ---------------------------------------------------------------------------------------------- what else ran


def cpu_times():
    """(busy, steal) seconds of all cores since the machine started."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, soft, steal, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + soft) / base.TICK, steal / base.TICK


class Block:
    """A stretch of time: which share of the machine was stolen by its host, and which was used by anybody but us."""

    def __enter__(self):
        self.began, self.before, self.own_before = time.perf_counter(), cpu_times(), own_cpu()
        return self

    def __exit__(self, *_):
        whole = max(0.01, time.perf_counter() - self.began) * os.cpu_count()
        busy, steal = (after - before for after, before in zip(cpu_times(), self.before))
        self.steal = steal / whole
        self.others = max(0.0, busy - (own_cpu() - self.own_before)) / whole

    def flags(self):
        found = []
        if self.steal > STEAL_MAX:
            found.append(f"steal {self.steal:.0%}")
        if self.others > OTHERS_MAX:
            found.append(f"others {self.others:.0%}")
        return found


def wait_until_calm(seconds_max=CALM_SECONDS_MAX):
    """Waits until every core has worked for a while and was never held up; whether that came to pass. Gigabytes of page cache that
    were freed go back to a hypervisor in portions (free page reporting), and all cores stand still meanwhile. An idle machine
    shows nothing of it, and an idle second says nothing about the next one."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        children = [held_up_child(core) for core in os.sched_getaffinity(0)]
        if not any(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children):
            return True
    return False


def held_up_child(core):
    """A process that works on that core for CALM_SECONDS; its exit status is 1 if something kept it from it for longer than GAP_MAX."""
    child = os.fork()
    if child:
        return child
    os.sched_setaffinity(0, {core})
    began = last = time.monotonic()
    held_up = False
    while last - began < CALM_SECONDS:
        now = time.monotonic()
        held_up = held_up or now - last > GAP_MAX
        last = now
    os._exit(1 if held_up else 0)


def own_cpu():
    """Of this process and everything that it has started."""
    return sum(base.cpu_of(pid) for pid in base.family(os.getpid()))


# ------------------------------------------------------------------------------------------------- yardsticks


def loopback_receive(path):
    """GB/s of a file's pages through a loopback socket into a process that throws them away."""
    import sender

    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        connection, _ = listener.accept()
        buffer = bytearray(256 * 1024)
        while connection.recv_into(buffer):
            pass
        connection.send(b"!")
        os._exit(0)
    with socket.create_connection(listener.getsockname()) as connection, open(path, "rb") as file:
        size, began = os.path.getsize(path), time.perf_counter()
        connection.settimeout(None)
        sender.send_range(connection, file, 0, size)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
        took = time.perf_counter() - began
    listener.close()
    os.waitpid(child, 0)
    return size / 1e9 / took


def direct_write(folder, count=256):
    """GB/s of 1 MiB writes past the page cache into reserved space, one fdatasync at the end. None: not possible here."""
    path = os.path.join(folder, "yardstick")
    block = mmap.mmap(-1, MIB)
    block.write(os.urandom(MIB))
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o600)
    except OSError:
        return None
    try:
        os.posix_fallocate(file, 0, count * MIB)
        began = time.perf_counter()
        for _ in range(count):
            os.write(file, block)
        os.fdatasync(file)
        return count * MIB / 1e9 / (time.perf_counter() - began)
    except OSError:
        return None
    finally:
        os.close(file)
        os.unlink(path)


class SyncYardstick:
    """4 KiB past the page cache onto pages that were written before, and fdatasync: the least that a durable record can cost."""

    PAGES = 256

    def __init__(self, folder):
        self.path = os.path.join(folder, "sync-yardstick")
        self.page = mmap.mmap(-1, 4096)
        self.page.write(os.urandom(4096))
        with open(self.path, "wb") as file:
            file.write(bytes(4096 * self.PAGES))
            os.fsync(file.fileno())
        try:
            self.file = os.open(self.path, os.O_WRONLY | os.O_DIRECT)
        except OSError:
            self.file = os.open(self.path, os.O_WRONLY)
        self.number = 0

    def once(self):
        """Seconds of one."""
        self.number += 1
        began = time.perf_counter()
        os.pwrite(self.file, self.page, self.number % self.PAGES * 4096)
        os.fdatasync(self.file)
        return time.perf_counter() - began

    def close(self):
        os.close(self.file)
        os.unlink(self.path)


def sync_microseconds(folder, count=200):
    yardstick = SyncYardstick(folder)
    took = [yardstick.once() for _ in range(count)]
    yardstick.close()
    return median(took) * 1e6


def memory_copy(size=64 * MIB, rounds=5):
    """GB/s of copying more than any cache holds."""
    source, target = bytearray(size), bytearray(size)
    view, best = memoryview(source), float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        memoryview(target)[:] = view
        best = min(best, time.perf_counter() - began)
    return size / 1e9 / best


def yardsticks(path, folder):
    return {"loopback_receive_gb_s": loopback_receive(path), "direct_write_gb_s": direct_write(folder),
            "fdatasync_p50_us": sync_microseconds(folder), "memory_copy_gb_s": memory_copy()}

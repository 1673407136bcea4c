"""Small loads over connections that stay open: the next one goes out when the last is answered. The same client for both sides:
a few processes of one epoll loop each, one send and one or two receives a load."""

import contextlib
import multiprocessing
import re
import select
import struct
import time

import sender
from digest import Digest, keys_of_text
from figures import percentile
from peers import base, penstock_stream, postgres_copy

CONNECTIONS = 16
BODY_BYTES = 10_000
PROCESSES = 2


class Body:
    """The first rows of an input, about 10 KB of them."""

    def __init__(self, rows):
        with open(rows.path, "rb") as file:
            text = file.read(BODY_BYTES)
        self.text = text[:text.rindex(b"\n") + 1]
        self.digest = Digest.of(map(int, keys_of_text(self.text, rows.form, rows.key, rows.schema.index[rows.key])))


class PenstockWire:
    LENGTH = re.compile(rb"[Cc]ontent-[Ll]ength: *(\d+)")

    def __init__(self, peer, rows, body):
        head = peer.head(rows)
        self.port, self.request = peer.server.port, f"{head}\r\nContent-Length: {len(body.text)}\r\n\r\n".encode() + body.text

    def connect(self):
        return sender.connect(self.port)

    def is_whole(self, text):
        """Whether the reply is all there; raises if it says anything but Success."""
        at = text.find(b"\r\n\r\n")
        if at < 0:
            return False
        length = self.LENGTH.search(text, 0, at)
        if len(text) < at + 4 + int(length.group(1)):
            return False
        if not re.search(rb'"Status": *"Success"', text):
            raise base.Broken(text[at + 4:][:300].decode(errors="replace"))
        return True


class PostgresWire:
    READY = b"Z\0\0\0\x05I"

    def __init__(self, peer, rows, body):
        self.port = peer.port
        # Statement, rows and their end in one go: it reads them one after the other.
        self.request = (postgres_copy.message(b"Q", f"COPY {rows.shape} FROM STDIN\0".encode()) + b"d"
                        + struct.pack("!I", len(body.text) + 4) + body.text + postgres_copy.message(b"c", b""))

    def connect(self):
        return postgres_copy.Connection(self.port).socket

    def is_whole(self, text):
        if not text.endswith(self.READY):
            return False
        if b"COPY " not in text:
            raise base.Broken(text[:300].decode(errors="replace"))
        return True


def drive(wire, connections, warm_seconds, seconds):
    """One process's share: (loads in all, latencies of those that were answered while it was measured)."""
    sockets = {made.fileno(): [made, b"", 0.0] for made in (wire.connect() for _ in range(connections))}
    poll = select.epoll()
    for number, state in sockets.items():
        poll.register(number, select.EPOLLIN)
        state[2] = time.perf_counter()
        state[0].sendall(wire.request)
    begin = time.perf_counter() + warm_seconds
    end, loads, open_loads, latencies = begin + seconds, 0, len(sockets), []
    while open_loads:
        for number, _ in poll.poll(60):
            state = sockets[number]
            piece = state[0].recv(65536)
            if not piece:
                raise base.Broken("the connection was closed")
            state[1] += piece
            if not wire.is_whole(state[1]):
                continue
            now = time.perf_counter()
            loads += 1
            if begin <= now <= end:
                latencies.append(now - state[2])
            if now > end:
                open_loads -= 1
                continue
            state[1], state[2] = b"", now
            state[0].sendall(wire.request)
    for made, *_ in sockets.values():
        made.close()
    return loads, latencies


def one_share(pipe, *words):
    try:
        began = time.process_time()
        loads, latencies = drive(*words)
        pipe.send((loads, latencies, time.process_time() - began))
    except Exception as error:
        pipe.send(error)


class SmallRun:
    """What all processes together did in the measured seconds."""

    def __init__(self, seconds, shares, server_cpu):
        self.loads = sum(loads for loads, _, _ in shares)
        latencies = [latency for _, some, _ in shares for latency in some]
        if not latencies:
            raise base.Broken("no load was answered in the measured time")
        self.rate = len(latencies) / seconds
        self.p50, self.p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
        self.client_cpu, self.server_cpu = sum(cpu for _, _, cpu in shares), server_cpu

    def as_json(self):
        return {"loads_s": self.rate, "p50_ms": self.p50 * 1e3, "p99_ms": self.p99 * 1e3, "client_cpu_s": self.client_cpu,
                "server_cpu_s": self.server_cpu}


def measure(peer, wire, warm_seconds, seconds):
    context = multiprocessing.get_context("fork")
    shares = []
    cpu = peer.cpu_seconds()
    with contextlib.ExitStack() as stack:
        for _ in range(PROCESSES):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=one_share, args=(theirs, wire, CONNECTIONS // PROCESSES, warm_seconds, seconds))
            process.start()
            theirs.close()
            stack.callback(process.join)
            shares.append(ours)
        results = []
        for pipe in shares:
            try:
                results.append(pipe.recv())
            except EOFError:
                results.append(base.Broken("a client process died"))
    failed = [result for result in results if isinstance(result, Exception)]
    if failed:
        raise base.Broken(str(failed[0]))
    return SmallRun(seconds, results, peer.cpu_seconds() - cpu)


def wire_of(peer, rows, body):
    return (PenstockWire if isinstance(peer, penstock_stream.Penstock) else PostgresWire)(peer, rows, body)

"""Small loads over connections that stay open: the next one goes out when the last is answered. The same client for both sides
(small_client.cpp); here is what it sends, and where its connections come from."""

import json
import os
import struct
import subprocess
import tempfile

import sender
from digest import Digest, keys_of_text
from peers import base, penstock_stream, postgres_copy

CONNECTIONS = 16
BODY_BYTES = 10_000
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CLIENT = os.environ.get("PENSTOCK_SMALL_CLIENT") or os.path.join(ROOT, "build", "release", "bench", "small_client")


class Body:
    """The first rows of an input, about 10 KB of them."""

    def __init__(self, rows):
        with open(rows.path, "rb") as file:
            text = file.read(BODY_BYTES)
        self.text = text[:text.rindex(b"\n") + 1]
        self.digest = Digest.of(map(int, keys_of_text(self.text, rows.form, rows.key, rows.schema.index[rows.key])))


class PenstockWire:
    rule = "http"

    def __init__(self, peer, rows, body):
        head = peer.head(rows)
        self.port, self.request = peer.server.port, f"{head}\r\nContent-Length: {len(body.text)}\r\n\r\n".encode() + body.text

    def connect(self):
        return sender.connect(self.port)


class PostgresWire:
    rule, READY = "postgres", b"Z\0\0\0\x05I"

    def __init__(self, peer, rows, body):
        self.port = peer.port
        # Statement, rows and their end in one go: it reads them one after the other.
        self.request = (postgres_copy.message(b"Q", f"COPY {rows.shape} FROM STDIN\0".encode()) + b"d"
                        + struct.pack("!I", len(body.text) + 4) + body.text + postgres_copy.message(b"c", b""))

    def connect(self):
        return postgres_copy.Connection(self.port).socket


class SmallRun:
    """What the client saw in the measured seconds, and what both sides used."""

    def __init__(self, seconds, found, client_cpu, server_cpu):
        self.loads, self.rate = found["loads"], found["measured"] / seconds
        self.p50, self.p99 = found["p50_ms"] / 1e3, found["p99_ms"] / 1e3
        self.client_cpu, self.server_cpu = client_cpu, server_cpu

    def as_json(self):
        return {"loads_s": self.rate, "p50_ms": self.p50 * 1e3, "p99_ms": self.p99 * 1e3, "client_cpu_s": self.client_cpu,
                "server_cpu_s": self.server_cpu}


def drive(client, wire, warm_seconds, seconds, connections=CONNECTIONS):
    """What the client says of one run: its JSON."""
    sockets = []
    try:
        for _ in range(connections):
            sockets.append(wire.connect())
        with tempfile.NamedTemporaryFile() as file:
            file.write(wire.request)
            file.flush()
            numbers = [made.fileno() for made in sockets]
            words = [client, wire.rule, file.name, str(warm_seconds), str(seconds), *map(str, numbers)]
            done = subprocess.run(words, pass_fds=numbers, capture_output=True, text=True, errors="replace", check=False,
                                  timeout=warm_seconds + seconds + 120)
    finally:
        for made in sockets:
            made.close()
    if done.returncode:
        raise base.Broken(done.stderr.strip()[:300] or f"the client ended with {done.returncode}")
    return json.loads(done.stdout)


def measure(peer, wire, warm_seconds, seconds, client=CLIENT):
    cpu, own = peer.cpu_seconds(), os.times()
    found = drive(client, wire, warm_seconds, seconds)
    after = os.times()
    used = after.children_user + after.children_system - own.children_user - own.children_system
    return SmallRun(seconds, found, used, peer.cpu_seconds() - cpu)


def wire_of(peer, rows, body):
    return (PenstockWire if isinstance(peer, penstock_stream.Penstock) else PostgresWire)(peer, rows, body)

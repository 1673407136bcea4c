"""A door in front of the server's that lets everything through and writes down which rows each load carried, under which label."""

import array
import gzip
import json
import re
import socket
import struct
import threading

PIECE = 1 << 16


def row_ids(body, form):
    """The first column of each row, as the job's serializers write it."""
    if form == "json":
        return [int(json.loads(line)["id"]) for line in body.split(b"\n") if line.strip()]
    return [int(row[:row.index(b"\x01")]) for row in body.split(b"\x02") if row]


class RequestReader:
    """Takes a connection's requests apart as their bytes come. `take` gets the head and body of each that is complete."""

    def __init__(self, take):
        self.take, self.rest, self.head, self.body = take, b"", None, b""

    def feed(self, data):
        self.rest += data
        while self.step():
            pass

    def step(self):
        if self.head is None:
            if b"\r\n\r\n" not in self.rest:
                return False
            head, _, self.rest = self.rest.partition(b"\r\n\r\n")
            self.head = head.decode("latin-1")
            self.is_chunked = re.search(r"^transfer-encoding: *chunked", self.head, re.IGNORECASE | re.MULTILINE) is not None
            found = re.search(r"^content-length: *(\d+)", self.head, re.IGNORECASE | re.MULTILINE)
            self.left = int(found.group(1)) if found else 0
            self.parts = []
        return self.step_chunk() if self.is_chunked else self.step_length()

    def step_length(self):
        part, self.rest = self.rest[:self.left], self.rest[self.left:]
        self.left -= len(part)
        self.parts.append(part)
        return self.left == 0 and self.done()

    def step_chunk(self):
        line, found, behind = self.rest.partition(b"\r\n")
        if not found:
            return False
        size = int(line.split(b";")[0], 16)
        if len(behind) < size + 2:
            return False
        self.parts.append(behind[:size])
        self.rest = behind[size + 2:]
        return size > 0 or self.done()

    def done(self):
        head, self.head = self.head, None
        self.take(head, b"".join(self.parts))
        return True


class Recorder:
    """Loads by label. A label whose body never came whole is not among them."""

    alive = []

    def __init__(self, server_port, form):
        self.server_port, self.form = server_port, form
        self.loads = {}  # label: ids of its rows
        self.problem = None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        Recorder.alive.append(self)
        threading.Thread(target=self.accept, daemon=True).start()

    @classmethod
    def close_all(cls):
        for each in cls.alive:
            each.listener.close()
        cls.alive.clear()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client, ), daemon=True).start()

    def serve(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.server_port), timeout=10)
        except OSError:
            self.reset(client)
            return
        server.settimeout(None)
        back = threading.Thread(target=self.pump, args=(server, client, None), daemon=True)
        back.start()
        self.pump(client, server, RequestReader(self.take))
        back.join()
        client.close()
        server.close()

    def pump(self, source, target, reader):
        """What cannot be read is still passed on: the recorder only looks."""
        try:
            while data := source.recv(PIECE):
                if reader:
                    reader.feed(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # one side broke: so does the other
            for each in (source, target):
                self.reset(each)

    @staticmethod
    def reset(connection):
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        connection.close()

    def take(self, head, body):
        if "/_stream_load " not in head.split("\r\n")[0]:
            return
        label = re.search(r"^label: *(\S+)", head, re.IGNORECASE | re.MULTILINE)
        try:
            plain = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            ids = array.array("q", row_ids(plain, self.form))
        except (ValueError, KeyError, OSError) as error:
            self.problem = f"a load's body that cannot be read: {error}"
            return
        if label is None:
            self.problem = f"a load without a label: {head}"
        elif self.loads.setdefault(label.group(1), ids) != ids:
            self.problem = f"label {label.group(1)} came with two bodies"


def trace(loads, is_visible, seen):
    """(duplicates, those that are traced, why the first is not). `seen`: how often the table holds each id, at most 255.

    A row that is there n times is traced if n loads of different labels, each of them visible, carried it once each. Rows that are there
    once count against the trace as well: every id must be there as often as visible loads carried it.
    """
    carried = [[] for _ in seen]
    for label, ids in loads.items():
        if not is_visible(label):
            continue
        for number in ids:
            carried[number].append(label)
    duplicates = traced = 0
    why = ""
    for number, count in enumerate(seen):
        labels = carried[number]
        is_right = len(labels) == count and len(set(labels)) == count
        duplicates += max(count - 1, 0)
        traced += max(count - 1, 0) if is_right else 0
        if not is_right and not why:
            why = f"row {number} is there {count} times, and visible loads that carried it are {labels}"
    return duplicates, traced, why

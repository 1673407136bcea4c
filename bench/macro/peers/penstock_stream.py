"""penstock: one chunked Stream Load, durable and visible at the reply."""

import glob
import json
import os
import sys

import sender
from digest import Digest
from peers import base

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "..", "tests", "e2e"))

import penstock_e2e as e2e  # noqa: E402

BINARY = os.path.join(e2e.ROOT, "build", "release", "penstock")


class Penstock(base.Peer):
    name, title = "penstock", "penstock"
    durable = True
    binary = BINARY

    def __init__(self, setting):
        super().__init__(setting)
        self.server = None

    def available(self):
        if not os.access(self.binary, os.X_OK):
            raise base.Unavailable(f"no binary at {self.binary} (tools/dev build)")
        self.version = base.run_quietly([self.binary, "--version"], "penstock --version").strip().removeprefix("penstock ")

    def prepare(self):
        e2e.Server.binary = self.binary
        os.makedirs(self.folder, exist_ok=True)
        self.server = e2e.Server(shards=base.THREADS, folder=self.folder)
        self.server.execute(f"CREATE DATABASE IF NOT EXISTS {e2e.DATABASE}")

    def pids(self):
        return [self.server.process.pid] if self.server and self.server.process.poll() is None else []

    def create(self, rows):
        self.server.execute(rows.schema.statement(rows.shape))
        self.server.load_ok(b"", 0, table=rows.shape, **form_fields(rows))  # the journal file is there before the clock runs

    def head(self, rows):
        fields = {"Authorization": self.server.auth_header(), **form_fields(rows)}
        return "\r\n".join([f"PUT /api/{e2e.DATABASE}/{rows.shape}/_stream_load HTTP/1.1", f"Host: 127.0.0.1:{self.server.port}",
                            *(f"{name}: {value}" for name, value in fields.items())])

    def load(self, rows):
        replies = []
        run = self.timed(lambda: replies.append(sender.put(self.server.port, self.head(rows), rows.path, 0, rows.bytes)))
        reply = json.loads(replies[0].body)
        if (reply["Status"], reply["NumberLoadedRows"]) != ("Success", rows.digest.rows):
            raise base.Broken(f"a load: {reply}")
        return run

    def check(self, rows):
        return Digest.of(map(int, e2e.read_lines(self.server, rows.shape, rows.key)))

    def check_after_kill(self, rows):
        """The same, from a process that never saw the load."""
        self.server.restart()
        return self.check(rows)

    def journal_bytes(self):
        """Of the whole store, at rest: an orderly end cuts the files of the run before to what was accepted."""
        self.server.restart()
        self.server.terminate()
        if self.server.wait_exit() != 0:
            raise base.Broken(f"penstock did not end in order: {self.server.log_tail()}")
        size = sum(os.path.getsize(path) for path in glob.glob(os.path.join(self.server.data_dir, "journal-*")))
        self.server.start()
        return size

    def drop(self, rows):
        self.server.execute(f"DROP TABLE {rows.shape}")
        self.settle()

    def stop(self):
        if self.server:
            self.server.end()
            self.server = None


def form_fields(rows):
    if rows.form == "json":
        return {"format": "json", "read_json_by_line": "true"}
    return {"format": "csv"}

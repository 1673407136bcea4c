"""What the end-to-end tests share: a penstock process on a free port with a fresh data folder, statements, loads over raw
sockets, scans, and a suite that counts. Python's standard library only.

The binary: environment PENSTOCK_BINARY, else `--binary PATH`, else build/release/penstock of this tree.
"""

import argparse
import base64
import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
DATABASE = "db"
ROOT_AUTH = ("root", "")
READY_SECONDS = 120
MIB = 1 << 20
ALL_SKIPPED = 77  # exit status when nothing could be tried: ctest calls that skipped
COLUMNS = "k BIGINT NOT NULL, v INT NULL, s STRING NULL"


class Failed(AssertionError):
    """Something did not come out as promised; the text says what."""


def expect(condition, text):
    if not condition:
        raise Failed(text)


def expect_equal(got, wanted, what):
    if got != wanted:
        raise Failed(f"{what}: got {got!r}, wanted {wanted!r}")


# ------------------------------------------------------------------------------------------------ suite


class Skipped(Exception):
    """This machine does not permit the test; the text says why."""


class Suite:
    """Named checks, run in the order of their definition; each prints a line and counts once."""

    def __init__(self, description, add_arguments=None):
        parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--binary", default=os.path.join(ROOT, "build", "release", "penstock"))
        parser.add_argument("--only", default="", help="run only the tests whose name holds this text")
        parser.add_argument("--keep", action="store_true", help="keep the data folders and say where they are")
        if add_arguments:
            add_arguments(parser)
        self.arguments = parser.parse_args()
        Server.binary = os.path.realpath(os.environ.get("PENSTOCK_BINARY") or self.arguments.binary)
        Server.keep_folders = self.arguments.keep
        self.tests = []

    def test(self, name):
        def add(function):
            self.tests.append((name, function))
            return function

        return add

    def run(self):
        if not os.access(Server.binary, os.X_OK):
            print(f"FAILED: there is no penstock binary at {Server.binary}: build it (tools/dev build), or name one by "
                  "PENSTOCK_BINARY or --binary")
            print("0 passed, 1 failed")
            return 1
        print(f"binary: {Server.binary}{' (sanitized)' if is_sanitized() else ''}", flush=True)
        passed, failed, skipped = 0, 0, 0
        for name, function in self.tests:
            if self.arguments.only not in name:
                continue
            began = time.monotonic()
            try:
                note = function()
                passed += 1
                print(f"ok      {name}{': ' + note if note else ''} ({time.monotonic() - began:.1f} s)", flush=True)
            except Skipped as why:
                skipped += 1
                print(f"skipped {name}: {why}", flush=True)
            except Exception as error:  # anything else is a failure of this test, and the next one runs
                failed += 1
                print(f"FAILED  {name}: {error}", flush=True)
                if not isinstance(error, Failed):
                    traceback.print_exc(file=sys.stdout)
            finally:
                Server.end_all()
        if skipped:
            print(f"{skipped} skipped")
        print(f"{passed} passed, {failed} failed", flush=True)
        if skipped and not passed and not failed:
            return ALL_SKIPPED
        return 1 if failed or not passed else 0


def is_sanitized():
    """Whether the binary carries AddressSanitizer: then its memory and its speed say nothing."""
    with open(Server.binary, "rb") as file:
        return b"__asan_init" in file.read()


def raise_file_limit():
    """As many open files as this process may have; returns how many that are."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


# ----------------------------------------------------------------------------------------------- server


def scratch_folder(prefix="penstock-e2e-"):
    """On a disk where there is one: /tmp may be memory."""
    base = os.environ.get("TMPDIR") or ("/var/tmp" if os.path.isdir("/var/tmp") else None)
    return tempfile.mkdtemp(prefix=prefix, dir=base)


class Server:
    """One penstock process, restarted at will over the same data folder."""

    binary = ""
    keep_folders = False
    alive = []

    def __init__(self, shards=2, config="", folder=None, arguments=(), auth=ROOT_AUTH, start=True):
        self.own_folder = folder is None
        self.folder = folder or scratch_folder()
        self.data_dir = os.path.join(self.folder, "data")
        self.log_path = os.path.join(self.folder, "log")
        self.config_path = os.path.join(self.folder, "penstock.toml")
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(config)
        self.shards, self.arguments, self.auth = shards, list(arguments), auth
        self.process, self.port = None, 0
        Server.alive.append(self)
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def command(self, shards=None):
        return [self.binary, "serve", "--config", self.config_path, "--data-dir", self.data_dir, "--listen",
                "127.0.0.1:0", "--shards", str(shards or self.shards), *self.arguments]

    def spawn(self, shards=None):
        """Starts the process and does not wait."""
        self.shards = shards or self.shards
        os.makedirs(self.data_dir, exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.log_from = log.tell()
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def wait_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failed(f"penstock ended with {self.process.returncode} at its start:\n{self.log_tail()}")
            found = re.search(r"\blistening\b.*\baddress=\S*:(\d+)", self.log_text(self.log_from))
            if found:
                self.port = int(found.group(1))
                return self
            time.sleep(0.01)
        raise Failed(f"penstock did not listen within {READY_SECONDS} s:\n{self.log_tail()}")

    def redirect_port(self):
        """Of the second door, for a server with `--redirect-listen 127.0.0.1:0`."""
        found = re.search(r"\bredirecting\b.*?\baddress=\S*:(\d+)", self.log_text(self.log_from))
        expect(found, f"no second door is open:\n{self.log_tail()}")
        return int(found.group(1))

    def start(self, shards=None):
        return self.spawn(shards).wait_ready()

    def kill(self):
        """kill -9; returns when the process is gone."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait_exit(self, seconds=60):
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"penstock did not exit within {seconds} s:\n{self.log_tail()}") from None

    def restart(self, shards=None):
        self.kill()
        return self.start(shards)

    def end(self):
        self.kill()
        if self in Server.alive:
            Server.alive.remove(self)
        if Server.keep_folders:
            print(f"kept: {self.folder}")
        elif self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @classmethod
    def end_all(cls):
        for server in list(cls.alive):
            server.end()

    def log_text(self, begin=0):
        with open(self.log_path, "rb") as file:
            file.seek(begin)
            return file.read().decode("utf-8", "replace")

    def log_tail(self, lines=15):
        return "\n".join("    " + line for line in self.log_text().splitlines()[-lines:])

    def expect_alive(self, when):
        if self.process.poll() is not None:
            raise Failed(f"penstock ended with {self.process.returncode} {when}:\n{self.log_tail()}")

    # -- what /proc says

    def status_kib(self, key):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(rf"^{key}:\s+(\d+) kB", file.read(), re.MULTILINE).group(1))

    def rss(self):
        return self.status_kib("VmRSS") * 1024

    def peak_rss(self):
        return self.status_kib("VmHWM") * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # -- requests

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def auth_header(self):
        return "Basic " + base64.b64encode(":".join(self.auth).encode()).decode()

    def request(self, method, path, body=None, headers=None, timeout=60):
        """(status, headers, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Authorization": self.auth_header(), **(headers or {})})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def statement(self, text, database=DATABASE):
        status, _, body = self.request("POST", f"/api/query/default_cluster/{database}", json.dumps({"stmt": text}))
        expect_equal(status, 200, f"status of: {text}")
        return json.loads(body)

    def execute(self, text, database=DATABASE):
        reply = self.statement(text, database)
        expect_equal((reply.get("code"), reply.get("msg")), (0, "success"), f"{text}: {reply}")
        return reply["data"]

    def create(self, table="t", columns=COLUMNS, buckets=4, database=DATABASE):
        self.execute(f"CREATE DATABASE IF NOT EXISTS {database}", database)
        key = columns.split()[0]
        self.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) DUPLICATE KEY({key}) "
                     f"DISTRIBUTED BY HASH({key}) BUCKETS {buckets}", database)
        return self

    def load(self, body, table="t", database=DATABASE, seconds=60, **headers):
        """One chunked load; its reply. A header's name is a keyword: column_separator="," or label="x"."""
        stream = LoadStream(self, table, database, seconds, **headers)
        try:
            if body:
                stream.send(body)
            return stream.finish()
        finally:
            stream.close()

    def load_ok(self, body, rows=None, **how):
        reply = self.load(body, **how)
        expect_equal(reply["Status"], "Success", f"a load: {reply}")
        if rows is not None:
            expect_equal(reply["NumberLoadedRows"], rows, "rows loaded")
        return reply

    def count(self, table="t", database=DATABASE):
        status, _, body = self.request("GET", f"/api/{database}/{table}/_scan?columns=count(*)", timeout=300)
        expect_equal(status, 200, f"count of {table}: {body[:200]}")
        return int(body)

    @contextlib.contextmanager
    def scanning(self, table="t", columns="", database=DATABASE, limit=None):
        """The reply of a scan, to be read line by line. A cut-off reply raises http.client.IncompleteRead."""
        query = "?" + (f"columns={columns}" if columns else "") + (f"&limit={limit}" if limit is not None else "")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request("GET", f"/api/{database}/{table}/_scan{query}", None, {"Authorization": self.auth_header()})
            reply = connection.getresponse()
            if reply.status != 200:
                raise Failed(f"scan of {table}: {reply.status} {reply.read()[:200]}")
            yield reply
        finally:
            connection.close()

    def scan(self, table="t", columns="", **how):
        """All lines, without their newlines."""
        with self.scanning(table, columns, **how) as reply:
            return reply.read().decode("utf-8", "surrogateescape").splitlines()

    def digest(self, table="t"):
        """(rows, checksum): the checksum is over every cell and does not depend on the rows' order."""
        import zlib

        rows = total = 0
        for line in read_lines(self, table):
            rows += 1
            total = (total + zlib.crc32(line) * (zlib.adler32(line) | 1)) & ((1 << 64) - 1)
        return rows, f"{total:016x}"

    def summary(self, table, column):
        """(count, sum, xor) of a whole-number column, read by a scan of it."""
        rows = total = xor = 0
        for line in read_lines(self, table, column):
            value = int(line)
            rows += 1
            total += value
            xor ^= value
        return rows, total, xor


def read_lines(server, table, columns="", database=DATABASE):
    """Lines of a scan as bytes, streamed in big pieces: a reply's own line reading is too slow for millions."""
    with server.scanning(table, columns, database) as reply:
        rest = b""
        while True:
            piece = reply.read(MIB)
            if not piece:
                break
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        expect_equal(rest, b"", f"what stands behind the last line of a scan of {table}")


# -------------------------------------------------------------------------------------------- raw loads


class Broken(Exception):
    """The connection ended before a whole reply came."""


def connect(port, seconds=60):
    made = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def reset(connection):
    """Closes by RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def load_head(server, table="t", database=DATABASE, length="Transfer-Encoding: chunked", **headers):
    lines = [f"PUT /api/{database}/{table}/_stream_load HTTP/1.1", f"Host: 127.0.0.1:{server.port}",
             f"Authorization: {server.auth_header()}"]
    lines += [length] if length else []
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Replies:
    """Reads replies off a socket, one after the other, interim ones left out."""

    def __init__(self, connection):
        self.connection, self.rest = connection, b""

    def more(self):
        try:
            piece = self.connection.recv(65536)
        except (ConnectionError, TimeoutError) as error:
            raise Broken(str(error)) from error
        if not piece:
            raise Broken("the connection was closed")
        self.rest += piece

    def head(self):
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(first.split()[1]), headers

    def next(self):
        status, headers = self.head()
        while 100 <= status < 200:
            status, headers = self.head()
        length = int(headers.get("content-length", "0"))
        while len(self.rest) < length:
            self.more()
        body, self.rest = self.rest[:length], self.rest[length:]
        return Reply(status, headers, body)

    def is_closed(self, seconds=10):
        """Whether the server has ended its side, with nothing more said before."""
        if self.rest:
            return False
        self.connection.settimeout(seconds)
        try:
            return self.connection.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


class LoadStream:
    """An open chunked load."""

    def __init__(self, server, table="t", database=DATABASE, seconds=60, **headers):
        try:
            self.connection = connect(server.port, seconds)
            self.replies = Replies(self.connection)
            self.connection.sendall(load_head(server, table, database, **headers))
        except OSError as error:
            raise Broken(str(error)) from error

    def wait_continue(self):
        """Only for a load with `Expect: 100-continue`."""
        status, _ = self.replies.head()
        expect_equal(status, 100, "the interim reply")
        return self

    def send(self, body):
        try:
            self.connection.sendall(b"%x\r\n" % len(body))
            self.connection.sendall(body)
            self.connection.sendall(b"\r\n")
        except OSError as error:
            raise Broken(str(error)) from error
        return self

    def end(self):
        try:
            self.connection.sendall(b"0\r\n\r\n")
        except OSError as error:
            raise Broken(str(error)) from error

    def reply(self):
        reply = self.replies.next()
        expect_equal(reply.status, 200, f"status of a load's reply: {reply.body[:200]}")
        return reply.json()

    def finish(self):
        self.end()
        return self.reply()

    def close(self):
        self.connection.close()

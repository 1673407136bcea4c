"""PostgreSQL: COPY FROM STDIN into a logged table, durable at the answer. The wire protocol is spoken here: psql would cost more."""

import glob
import os
import shutil
import struct
import subprocess

import sender
from digest import Digest
from peers import base

PLAIN = {"BOOLEAN": "boolean", "TINYINT": "smallint", "SMALLINT": "smallint", "INT": "integer", "INTEGER": "integer", "BIGINT": "bigint",
         "LARGEINT": "numeric(39,0)", "FLOAT": "real", "DOUBLE": "double precision", "DATE": "date", "DATETIME": "timestamp"}

# As its own documentation advises for bulk loads (chapter "Populating a Database") where durability is not given up.
CONFIG = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
port = {port}
fsync = on
synchronous_commit = on
wal_level = minimal
max_wal_senders = 0
shared_buffers = 1GB
maintenance_work_mem = 512MB
wal_buffers = 64MB
max_wal_size = 8GB
checkpoint_timeout = 30min
autovacuum = off
max_connections = 64
logging_collector = off
"""


def type_of(column):
    if column.kind.startswith("DECIMAL"):
        return f"numeric({', '.join(map(str, column.arguments or [9, 0]))})"
    return PLAIN.get(column.kind, "text")


class Connection:
    """The few messages that statements and COPY need; authentication is `trust` on loopback."""

    def __init__(self, port):
        self.socket = sender.connect(port)
        self.rest = b""
        fields = b"user\0bench\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!II", len(fields) + 8, 196608) + fields)
        self.until(b"Z")

    def message(self):
        while len(self.rest) < 5 or len(self.rest) < 1 + struct.unpack_from("!I", self.rest, 1)[0]:
            self.rest += sender.more(self.socket)
        size = 1 + struct.unpack_from("!I", self.rest, 1)[0]
        whole, self.rest = self.rest[:size], self.rest[size:]
        return whole[:1], whole[5:]

    def until(self, kind):
        """Data rows up to such a message. An error is raised once the connection takes the next statement."""
        rows, failure = [], None
        while True:
            what, body = self.message()
            if what == b"D":
                rows.append(cells(body))
            elif what == b"E":
                failure, kind = error_text(body), b"Z"
            if what == kind:
                if failure:
                    raise base.Broken(failure)
                return rows

    def query(self, sql):
        self.socket.sendall(message(b"Q", sql.encode() + b"\0"))
        return self.until(b"Z")

    def copy(self, sql, path, size):
        self.socket.sendall(message(b"Q", sql.encode() + b"\0"))
        self.until(b"G")
        self.socket.settimeout(None)
        with open(path, "rb") as file:
            for begin in range(0, size, sender.CHUNK):
                end = min(size, begin + sender.CHUNK)
                sender.send_head(self.socket, b"d" + struct.pack("!I", end - begin + 4))
                sender.send_range(self.socket, file, begin, end)
        self.socket.sendall(message(b"c", b""))
        self.socket.settimeout(sender.SECONDS)
        self.until(b"Z")

    def close(self):
        self.socket.close()


def message(kind, body):
    return kind + struct.pack("!I", len(body) + 4) + body


def cells(body):
    """The text of a data row's cells."""
    found, at = [], 2
    for _ in range(struct.unpack_from("!H", body)[0]):
        size = struct.unpack_from("!i", body, at)[0]
        at += 4
        found.append(None if size < 0 else body[at:at + size].decode())
        at += max(size, 0)
    return found


def error_text(body):
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return fields.get(b"M", "?")


class Postgres(base.Peer):
    name, title = "postgres", "PostgreSQL COPY"
    durable = True
    formats = ("csv",)

    def __init__(self, setting):
        super().__init__(setting)
        self.programs = self.process = self.connection = None
        self.port = 0

    def available(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
        on_path = shutil.which("initdb")
        if not found and not on_path:
            raise base.Unavailable("no initdb: PostgreSQL's server is not installed")
        self.programs = os.path.dirname(found[-1] if found else on_path)
        self.version = base.run_quietly([os.path.join(self.programs, "postgres"), "--version"], "postgres").split()[2]

    def as_user(self):
        """It refuses to run as root."""
        if os.getuid():
            return {}
        import pwd

        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
                return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            except KeyError:
                continue
        raise base.Unavailable("it refuses to run as root, and there is no user postgres or nobody")

    def prepare(self):
        user = self.as_user()
        os.makedirs(self.folder, exist_ok=True)
        if user:
            os.chown(self.folder, user["user"], user["group"])
        data, log = os.path.join(self.folder, "data"), self.folder + ".log"
        with open(log, "ab") as file:
            done = subprocess.run([os.path.join(self.programs, "initdb"), "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8",
                                   "--locale=C"], stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=self.folder, check=False, **user)
        if done.returncode:
            raise base.Broken(f"initdb: {base.log_tail(log)}")
        self.port = self.setting.port()
        with open(os.path.join(data, "postgresql.conf"), "a", encoding="ascii") as file:
            file.write(CONFIG.format(port=self.port))
        self.process = base.start([os.path.join(self.programs, "postgres"), "-D", data], log, cwd=self.folder, **user)
        base.wait_for(self.answers, self.process, log)
        self.connection = Connection(self.port)

    def answers(self):
        try:
            Connection(self.port).close()
            return True
        except (OSError, sender.SendFailed, base.Broken):
            return False

    def pids(self):
        return [self.process.pid] if self.process else []

    def cpu_seconds(self):
        """The postmaster with what it has waited for, and every process of it that lives."""
        if not self.process:
            return 0.0
        first, *others = base.family(self.process.pid)
        return base.cpu_of(first) + sum(base.cpu_of(pid, with_children=False) for pid in others)

    def create(self, rows):
        columns = ", ".join(f'"{column.name}" {type_of(column)}{"" if column.nullable else " NOT NULL"}' for column in rows.schema.columns)
        self.connection.query(f"CREATE TABLE {rows.shape} ({columns})")

    def load(self, rows):
        return self.timed(lambda: self.connection.copy(f"COPY {rows.shape} FROM STDIN", rows.path, rows.bytes))

    def check(self, rows):
        sql = f"SELECT count(*), coalesce(sum({rows.key}), 0), coalesce(bit_xor({rows.key}), 0) FROM {rows.shape}"
        return Digest(*self.connection.query(sql)[0])

    def drop(self, rows):
        self.connection.query(f"DROP TABLE {rows.shape}")
        self.connection.query("CHECKPOINT")  # its own time, not the next one's
        self.settle()

    def stop(self):
        if self.connection:
            self.connection.close()
            self.connection = None
        if self.process and self.process.poll() is None:
            self.process.send_signal(2)  # fast shutdown
            base.end(self.process, 20)
        self.process = None

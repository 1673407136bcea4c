"""Debian's ClickHouse (18.16): HTTP insert into a MergeTree, one stream or two at once. And the table types of all ClickHouses."""

import os
import urllib.error
import urllib.parse
import urllib.request

import sender
from digest import Digest
from peers import base

PLAIN = {"BOOLEAN": "UInt8", "TINYINT": "Int8", "SMALLINT": "Int16", "INT": "Int32", "INTEGER": "Int32", "BIGINT": "Int64",
         "FLOAT": "Float32", "DOUBLE": "Float64", "DATE": "Date", "DATETIME": "DateTime"}

CONFIG = """<?xml version="1.0"?>
<yandex>
  <logger><level>warning</level><log>{folder}/server.log</log><errorlog>{folder}/errors.log</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{http}</http_port>
  <tcp_port>{tcp}</tcp_port>
  <path>{folder}/data/</path>
  <tmp_path>{folder}/tmp/</tmp_path>
  <user_files_path>{folder}/files/</user_files_path>
  <users_config>{folder}/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <mark_cache_size>1073741824</mark_cache_size>
  <timezone>UTC</timezone>
</yandex>
"""
USERS = """<?xml version="1.0"?>
<yandex>
  <profiles><default><max_threads>{threads}</max_threads><max_memory_usage>8000000000</max_memory_usage></default></profiles>
  <users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
  <quotas><default></default></quotas>
</yandex>
"""


def nullable(column, kind):
    return f"Nullable({kind})" if column.nullable else kind


def modern_type(column):
    """Of ClickHouse from 20 on."""
    if column.kind.startswith("DECIMAL"):
        return nullable(column, f"Decimal({', '.join(map(str, column.arguments or [9, 0]))})")
    if column.kind == "DATETIME" and column.arguments and column.arguments[0]:
        return nullable(column, f"DateTime64({column.arguments[0]})")
    if column.kind == "LARGEINT":
        return nullable(column, "Int128")
    return nullable(column, PLAIN.get(column.kind, "String"))


def old_type(column):
    """Of 18.16: a time with a fraction stays text, which costs it less than parsing would."""
    if column.kind == "LARGEINT" or (column.kind == "DATETIME" and column.arguments and column.arguments[0]):
        return nullable(column, "String")
    return modern_type(column)


def create_table(rows, type_of):
    columns = ", ".join(f"`{column.name}` {type_of(column)}" for column in rows.schema.columns)
    return f"CREATE TABLE {rows.shape} ({columns}) ENGINE = MergeTree ORDER BY ({', '.join(rows.schema.sort_key())})"


class ClickHouse(base.Peer):
    name, title = "clickhouse", "ClickHouse 18.16, one stream"

    def __init__(self, setting):
        super().__init__(setting)
        self.unpacked = os.path.join(setting.downloads, "clickhouse")
        self.process, self.port = None, 0

    def available(self):
        base.debian_packages(self.unpacked, "clickhouse-server")

    def prepare(self):
        for name in ("data", "tmp", "files"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        self.port = self.setting.port()
        with open(os.path.join(self.folder, "config.xml"), "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=self.folder, http=self.port, tcp=self.setting.port()))
        with open(os.path.join(self.folder, "users.xml"), "w", encoding="utf-8") as file:
            file.write(USERS.format(threads=base.THREADS))
        program, log = os.path.join(self.unpacked, "usr", "sbin", "clickhouse-server"), self.folder + ".log"
        self.process = base.start([program, "--config-file", os.path.join(self.folder, "config.xml")], log, cwd=self.folder,
                                  env=base.library_path(self.unpacked))
        base.wait_for(self.answers, self.process, log)
        self.version = self.query("SELECT version()")

    def answers(self):
        try:
            return self.query("SELECT 1") == "1"
        except (OSError, base.Broken):
            return False

    def query(self, sql):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", sql.encode(), timeout=300) as reply:
                return reply.read().decode().strip()
        except urllib.error.HTTPError as error:
            raise base.Broken(error.read().decode(errors="replace")[:500]) from None

    def pids(self):
        return [self.process.pid] if self.process else []

    def create(self, rows):
        self.query(create_table(rows, old_type))

    def load(self, rows):
        form = "TabSeparated" if rows.form == "csv" else "JSONEachRow"
        sql = urllib.parse.quote(f"INSERT INTO {rows.shape} FORMAT {form}")
        head = f"POST /?query={sql} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}"
        parts = [(0, rows.bytes)] if self.streams == 1 else rows.halves()
        return self.timed(lambda: sender.put_in_parallel([(self.port, head, rows.path, begin, end) for begin, end in parts]))

    def check(self, rows):
        return Digest(*self.query(f"SELECT count(), sum({rows.key}), groupBitXor(toUInt64({rows.key})) FROM {rows.shape}").split("\t"))

    def drop(self, rows):
        self.query(f"DROP TABLE {rows.shape}")
        self.settle()

    def stop(self):
        base.end(self.process)
        self.process = None


class ClickHouseTwo(ClickHouse):
    """The same with two streams at once: one of them uses one core only."""

    name, title = "clickhouse2", "ClickHouse 18.16, two streams"
    streams = 2

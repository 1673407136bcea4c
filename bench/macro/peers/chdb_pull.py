"""ClickHouse of today, as chDB: pulls the chunked body by url() into a MergeTree on disk."""

import os

import sender
from digest import Digest
from peers import base, clickhouse_http

# Two of everything on two cores, and no question for the head before the body. Larger buffers and blocks gained nothing measurable.
SETTINGS = (f"max_threads={base.THREADS}, max_insert_threads={base.THREADS}, input_format_parallel_parsing=1, "
            "http_make_head_request=0")


class ChDb(base.Peer):
    name, title = "chdb", "ClickHouse (chDB), pulling"

    def __init__(self, setting):
        super().__init__(setting)
        self.python = self.worker = None

    def available(self):
        self.python = base.python_with(self.setting.downloads, "chdb")

    def prepare(self):
        os.makedirs(self.folder, exist_ok=True)
        self.worker = base.Worker(self.python, "chdb", self.folder + ".log")
        self.version = self.worker.ask(do="open", folder=self.folder)["text"]

    def pids(self):
        return [self.worker.process.pid] if self.worker else []

    def query(self, sql):
        return self.worker.ask(do="query", sql=sql)

    def create(self, rows):
        self.query(clickhouse_http.create_table(rows, clickhouse_http.modern_type))

    def load(self, rows):
        source = sender.Source(rows.path, rows.bytes, self.setting.port())
        form = "TabSeparated" if rows.form == "csv" else "JSONEachRow"
        columns = ", ".join(f"`{column.name}` {clickhouse_http.modern_type(column)}" for column in rows.schema.columns)
        sql = f"INSERT INTO {rows.shape} SELECT * FROM url('http://127.0.0.1:{source.port}/rows', '{form}', '{columns}') SETTINGS {SETTINGS}"
        try:
            answer = self.query(sql)
        finally:
            source.close()
        return base.Run(answer["wall"], answer["cpu"])

    def check(self, rows):
        return Digest(*self.query(f"SELECT count(), sum({rows.key}), groupBitXor({rows.key}) FROM {rows.shape}")["text"].split("\t"))

    def drop(self, rows):
        self.query(f"DROP TABLE {rows.shape} SYNC")
        self.settle()

    def stop(self):
        if self.worker:
            self.worker.end()
            self.worker = None

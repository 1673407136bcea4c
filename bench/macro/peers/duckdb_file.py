"""DuckDB: reads the file into a table of a database file, rows in any order, and makes it durable by a checkpoint."""

import os

from digest import Digest
from peers import base

PLAIN = {"INT": "INTEGER", "LARGEINT": "HUGEINT", "DATETIME": "TIMESTAMP", "DATE": "DATE", "BOOLEAN": "BOOLEAN", "TINYINT": "TINYINT",
         "SMALLINT": "SMALLINT", "INTEGER": "INTEGER", "BIGINT": "BIGINT", "FLOAT": "FLOAT", "DOUBLE": "DOUBLE"}


def type_of(column):
    if column.kind.startswith("DECIMAL"):
        return f"DECIMAL({', '.join(map(str, column.arguments or [9, 0]))})"
    return PLAIN.get(column.kind, "VARCHAR")


class DuckDb(base.Peer):
    name, title = "duckdb", "DuckDB"
    durable = True

    def __init__(self, setting):
        super().__init__(setting)
        self.python = self.worker = None

    def available(self):
        self.python = base.python_with(self.setting.downloads, "duckdb")

    def prepare(self):
        os.makedirs(self.folder, exist_ok=True)
        self.worker = base.Worker(self.python, "duckdb", self.folder + ".log")
        path = os.path.join(self.folder, "store.duckdb")
        self.version = self.worker.ask(do="open", path=path, threads=base.THREADS)["text"]

    def pids(self):
        return [self.worker.process.pid] if self.worker else []

    def execute(self, *statements):
        return self.worker.ask(do="execute", statements=statements)

    def create(self, rows):
        columns = ", ".join(f'"{column.name}" {type_of(column)}{"" if column.nullable else " NOT NULL"}' for column in rows.schema.columns)
        self.execute(f"CREATE TABLE {rows.shape} ({columns})")

    def load(self, rows):
        columns = ", ".join(f"'{column.name}': '{type_of(column)}'" for column in rows.schema.columns)
        if rows.form == "csv":
            reader = (f"read_csv('{rows.path}', columns={{{columns}}}, auto_detect=false, header=false, delim='\t', quote='', escape='', "
                      "nullstr='\\N', new_line='\\n')")
        else:
            reader = f"read_json('{rows.path}', columns={{{columns}}}, format='newline_delimited', auto_detect=false)"
        answer = self.execute(f"INSERT INTO {rows.shape} SELECT * FROM {reader}", "CHECKPOINT")
        return base.Run(answer["wall"], answer["cpu"])

    def check(self, rows):
        return Digest(*self.execute(f"SELECT count(*), sum({rows.key}), bit_xor({rows.key}) FROM {rows.shape}")["rows"][0])

    def drop(self, rows):
        self.execute(f"DROP TABLE {rows.shape}", "CHECKPOINT")

    def stop(self):
        if self.worker:
            self.worker.end()
            self.worker = None

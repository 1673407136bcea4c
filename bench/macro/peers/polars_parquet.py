"""Polars: scans the file and writes Parquet with LZ4. No store and no sync: a mark for parse and encode alone."""

import os

from digest import Digest
from peers import base

KINDS = {"BOOLEAN": "bool", "TINYINT": "int8", "SMALLINT": "int16", "INT": "int32", "INTEGER": "int32", "BIGINT": "int64", "FLOAT": "float",
         "DOUBLE": "double", "DATE": "date", "DATETIME": "datetime"}


def kind_of(column, form):
    kind = "decimal" if column.kind.startswith("DECIMAL") else KINDS.get(column.kind, "text")
    if form == "csv":
        return kind
    # Its JSON reader makes no decimals, dates or small integers, and times at 23 CPU-seconds a GB: it is given what it is good at.
    return {"decimal": "double", "date": "text", "datetime": "text", "int8": "int32", "int16": "int32"}.get(kind, kind)


class Polars(base.Peer):
    name, title = "polars", "Polars to Parquet (no store, no sync)"
    store = False

    def __init__(self, setting):
        super().__init__(setting)
        self.python = self.worker = None
        self.output = os.path.join(self.folder, "rows.parquet")

    def available(self):
        self.python = base.python_with(self.setting.downloads, "polars")

    def prepare(self):
        os.makedirs(self.folder, exist_ok=True)
        self.worker = base.Worker(self.python, "polars", self.folder + ".log", {"POLARS_MAX_THREADS": str(base.THREADS)})
        self.version = self.worker.ask(do="version")["text"]

    def pids(self):
        return [self.worker.process.pid] if self.worker else []

    def load(self, rows):
        columns = [(column.name, kind_of(column, rows.form), column.arguments) for column in rows.schema.columns]
        answer = self.worker.ask(do="load", path=rows.path, form=rows.form, columns=columns, output=self.output)
        return base.Run(answer["wall"], answer["cpu"])

    def check(self, rows):
        return Digest(*self.worker.ask(do="digest", path=self.output, key=rows.key)["row"])

    def drop(self, rows):
        os.unlink(self.output)

    def stop(self):
        if self.worker:
            self.worker.end()
            self.worker = None

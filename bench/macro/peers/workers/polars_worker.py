"""Polars in a process of its own: text in, Parquet out, in a stream."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import answering  # noqa: E402
import polars as pl  # noqa: E402


def version():
    return {"text": pl.__version__, "threads": pl.thread_pool_size()}


def kind(name, arguments):
    if name == "decimal":
        return pl.Decimal(*arguments)
    if name == "datetime":
        return pl.Datetime("ms")
    return {"bool": pl.Boolean, "int8": pl.Int8, "int16": pl.Int16, "int32": pl.Int32, "int64": pl.Int64, "float": pl.Float32,
            "double": pl.Float64, "date": pl.Date, "text": pl.String}[name]


def load(path, form, columns, output):
    schema = {name: kind(what, arguments) for name, what, arguments in columns}
    if form == "csv":
        frame = pl.scan_csv(path, has_header=False, separator="\t", quote_char=None, null_values="\\N", schema=schema)
    else:
        frame = pl.scan_ndjson(path, schema=schema)
    frame.sink_parquet(output, compression="lz4")


def digest(path, key):
    frame = pl.scan_parquet(path).select(rows=pl.len(), total=pl.col(key).sum(), xor=pl.col(key).bitwise_xor()).collect()
    return {"row": [str(cell) for cell in frame.row(0)]}


answering.answer({"version": version, "load": load, "digest": digest})

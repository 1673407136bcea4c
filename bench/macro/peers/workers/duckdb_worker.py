"""DuckDB in a process of its own, over a database file."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import answering  # noqa: E402
import duckdb  # noqa: E402

state = {}


def open_store(path, threads):
    state["connection"] = duckdb.connect(path, config={"threads": threads, "preserve_insertion_order": "false"})
    return {"text": duckdb.__version__}


def execute(statements):
    rows = []
    for statement in statements:
        rows = state["connection"].execute(statement).fetchall()
    return {"rows": [[str(cell) for cell in row] for row in rows[:10]]}


answering.answer({"open": open_store, "execute": execute})

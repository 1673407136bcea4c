"""chDB in a process of its own: ClickHouse as a library over a folder on disk."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import answering  # noqa: E402
from chdb import session  # noqa: E402

state = {}


def open_store(folder):
    state["session"] = session.Session(folder)
    return query("SELECT version()")


def query(sql):
    return {"text": str(state["session"].query(sql, "TabSeparated")).strip()}


answering.answer({"open": open_store, "query": query})

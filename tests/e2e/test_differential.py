#!/usr/bin/env python3
"""Random tables and rows, written as CSV, enclosed CSV, JSON lines, a JSON array and their gzip forms: every way gives the
same scan, and the scan gives the values that were written.
"""

import datetime
import decimal
import gzip
import json
import os
import random
import sys

import penstock_e2e as e2e
from penstock_e2e import Server, expect_equal

suite = e2e.Suite(__doc__, lambda parser: (
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PENSTOCK_SEED", "1")),
                        help="of the first table; a failure prints the one it had"),
    parser.add_argument("--tables", type=int, default=0, help="how many random tables (default: 24, 6 under sanitizers)")))

LETTERS = "abcXYZ 0189,;|\"'\\/\t\näß€中🙂{}[]:<>&%"


class Column:
    """A type: its DDL, a random value as Python has it, and the text a scan gives for it."""

    def __init__(self, ddl, value, shown=str):
        self.ddl, self.value, self.shown = ddl, value, shown


def integer(name, bits):
    return lambda r: Column(name, lambda: r.choice([0, -(1 << bits - 1), (1 << bits - 1) - 1, r.randrange(-128, 128),
                                                    r.randrange(-(1 << bits - 1), 1 << bits - 1)]))


def decimal_column(r):
    precision = r.choice([5, 9, 18, 27, 38])
    scale = r.randrange(0, precision + 1)

    def value():
        number = r.randrange(-(10 ** r.randrange(1, precision + 1)) + 1, 10 ** r.randrange(1, precision + 1))
        return decimal.Decimal(number).scaleb(-scale, decimal.Context(prec=60))

    return Column(f"DECIMAL({precision},{scale})", value, lambda v: f"{v:.{scale}f}")


def date_value(r):
    return datetime.date(1, 1, 1) + datetime.timedelta(days=r.randrange(0, 3_652_059))


def date_column(r):
    return Column("DATE", lambda: date_value(r), lambda v: v.isoformat())


def datetime_column(r):
    scale = r.choice([0, 3, 6])
    unit = 10 ** (6 - scale)

    def value():
        clock = datetime.time(r.randrange(24), r.randrange(60), r.randrange(60), r.randrange(1_000_000) // unit * unit)
        return datetime.datetime.combine(date_value(r), clock)

    return Column(f"DATETIME({scale})", value, lambda v: v)


def text(r, most):
    value = "".join(r.choice(LETTERS) for _ in range(r.choice([0, 1, 3, 10, 60])))
    while len(value.encode()) > most:
        value = value[:-1]
    return value


def shown_text(value):
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def string_column(r):
    ddl, most = r.choice([("STRING", 1 << 20), ("VARCHAR(80)", 80), ("CHAR(200)", 200), ("TEXT", 1 << 20)])
    return Column(ddl, lambda: text(r, most), shown_text)


def double_column(r):
    return Column("DOUBLE", lambda: r.choice([0.5, -1.25, 1e300, 2.0 ** r.randrange(-60, 60), r.random()]), lambda v: v)


def boolean_column(r):
    return Column("BOOLEAN", lambda: r.random() < 0.5, lambda v: "true" if v else "false")


def ip_column(r):
    return Column("IPV4", lambda: ".".join(str(r.randrange(256)) for _ in range(4)))


def quoted(value):
    return '"' + value + '"'


def list_text(r):
    return "".join(r.choice("abcXYZ 0189,;|äß€中🙂:") for _ in range(r.choice([0, 1, 3, 10])))


class Nested:
    """A value of a nested column: its text in a body, its JSON, and what a scan gives."""

    def __init__(self, text, made):
        self.text, self.json = text, made


def array_column(r):
    ddl, element = r.choice([("ARRAY<INT>", lambda: r.randrange(-1000, 1000)), ("ARRAY<STRING>", lambda: list_text(r)),
                             ("ARRAY<ARRAY<BIGINT>>", lambda: [r.randrange(10 ** 12) for _ in range(r.randrange(3))])])

    def value():
        items = [None if r.random() < 0.1 else element() for _ in range(r.choice([0, 1, 2, 9]))]
        return Nested(nested_text(items), items)

    return Column(ddl, value, lambda v: shown_text(v.text))


def map_column(r):
    def value():
        items = {f"k{i}": None if r.random() < 0.1 else r.randrange(1000) for i in range(r.choice([0, 1, 5]))}
        return Nested(nested_text(items), items)

    return Column("MAP<STRING,INT>", value, lambda v: shown_text(v.text))


def struct_column(r):
    def value():
        fields = {"f1": r.randrange(100), "f2": None if r.random() < 0.2 else list_text(r)}
        return Nested(nested_text(fields), fields)

    return Column("STRUCT<f1:INT,f2:STRING>", value, lambda v: shown_text(v.text))


def nested_text(value):
    """As a scan writes it, which is also what a load takes."""
    if isinstance(value, list):
        return "[" + ", ".join(nested_text(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}":{nested_text(item)}' for key, item in value.items()) + "}"
    return "null" if value is None else quoted(value) if isinstance(value, str) else str(value)


KINDS = [array_column, map_column, struct_column, integer("TINYINT", 8), integer("SMALLINT", 16), integer("INT", 32), integer("BIGINT", 64), integer("LARGEINT", 128),
         decimal_column, date_column, datetime_column, string_column, string_column, double_column, boolean_column, ip_column]


def plain(value):
    """As a cell's text in a body."""
    if isinstance(value, Nested):
        return value.text
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime.datetime):
        return value.strftime("%H:%M:%S").join([value.date().isoformat() + " ", f".{value.microsecond:06d}"])
    if isinstance(value, datetime.date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, decimal.Decimal) else str(value)


def as_enclosed_csv(rows):
    lines = []
    for row in rows:
        cells = []
        for value in row:
            if value is None:
                cells.append("\\N")
            elif isinstance(value, (str, Nested)):
                value = plain(value)
                cells.append('"' + value.replace('"', '""') + '"')
            else:
                cells.append(plain(value))
        lines.append(",".join(cells) + "\n")
    return "".join(lines).encode()


def as_plain_csv(rows):
    return "".join("\x01\x02".join("\\N" if v is None else plain(v) for v in row) + "\x03\x04" for row in rows).encode()


def as_json_object(row, r):
    parts = []
    order = list(range(len(row)))
    r.shuffle(order)
    for i in order:
        value = row[i]
        if value is None and r.random() < 0.5:
            continue  # missing: the columns' default, which is NULL here
        if isinstance(value, Nested):
            written = json.dumps(value.json if r.random() < 0.7 else value.text, ensure_ascii=r.random() < 0.5)
        elif isinstance(value, (str, bool)) or value is None:
            written = json.dumps(value, ensure_ascii=r.random() < 0.5)
        elif isinstance(value, (int, float, decimal.Decimal)) and r.random() < 0.7:
            written = plain(value)
        else:
            written = json.dumps(plain(value))
        parts.append(json.dumps(f"c{i}") + r.choice([":", " : "]) + written)
    return "{" + ",".join(parts) + "}"


def bodies(rows, r):
    """name, body, headers of every way to write the rows; each row gets an id, so that a scan can be put in order."""
    numbered = [[i, *row] for i, row in enumerate(rows)]
    names = ",".join(["id"] + [f"c{i}" for i in range(len(rows[0]))])
    objects = ["{" + f'"id":{i}' + ("," if len(text) > 2 else "") + text[1:]
               for i, text in enumerate(as_json_object(row, r) for row in rows)]
    plain_csv, lines = as_plain_csv(numbered), ("\n".join(objects) + "\n").encode()
    multi = {"column_separator": "\\x0102", "line_delimiter": "\\x0304", "columns": names}
    by_line = {"format": "json", "read_json_by_line": "true"}
    yield "plain", plain_csv, multi
    yield "enclosed", as_enclosed_csv(numbered), {"column_separator": ",", "enclose": '"',
                                                  "trim_double_quotes": "true", "columns": names}
    yield "json_lines", lines, by_line
    yield "json_array", ("[" + " ,\n".join(objects) + "]").encode(), {"format": "json", "strip_outer_array": "true"}
    yield "plain_gz", gzip.compress(plain_csv, 1), {**multi, "compress_type": "gz"}
    yield "json_lines_gz", gzip.compress(lines, 1), {**by_line, "compress_type": "gz"}


def typed(cells, like):
    """What has more than one spelling is compared as a value: DOUBLE, DATETIME."""
    return [a if a == "\\N" else float(a) if isinstance(b, float) else
            datetime.datetime.fromisoformat(a) if isinstance(b, datetime.datetime) else a for a, b in zip(cells, like)]


def one_table(server, seed):
    r = random.Random(seed)
    columns = [r.choice(KINDS)(r) for _ in range(r.randrange(1, 12))]
    rows = [[None if r.random() < 0.1 else c.value() for c in columns] for _ in range(r.choice([1, 40, 700]))]
    ddl = "id BIGINT, " + ", ".join(f"c{i} {c.ddl} NULL" for i, c in enumerate(columns))
    wanted = [[str(i)] + ["\\N" if v is None else c.shown(v) for v, c in zip(row, columns)] for i, row in enumerate(rows)]
    for name, body, headers in bodies(rows, r):
        table = f"t{seed}_{name}"
        server.create(table, ddl)
        server.load_ok(body, len(rows), table=table, **headers)
        status, _, text = server.request("GET", f"/api/{e2e.DATABASE}/{table}/_scan?order_by=id", timeout=300)
        expect_equal(status, 200, f"scan of {table}")
        got = [line.split("\t") for line in text.decode().split("\n")[:-1]]
        if [typed(line, like) for line, like in zip(got, wanted)] != wanted or len(got) != len(wanted):
            wrong = next(((line, cell) for line, like in zip(got, wanted) for cell in zip(typed(line, like), like)
                          if cell[0] != cell[1]), (len(got), len(wanted)))
            e2e.expect(False, f"seed {seed}, {name}, {ddl}: a row, and in it what is there and what was wanted: {wrong}")
        server.execute(f"DROP TABLE {table}")


@suite.test("random tables: six ways to write the rows, one scan")
def random_tables():
    tables = suite.arguments.tables or (6 if e2e.is_sanitized() else 24)
    with Server(shards=2) as server:
        server.create()
        for seed in range(suite.arguments.seed, suite.arguments.seed + tables):
            one_table(server, seed)
        return f"{tables} tables, seeds from {suite.arguments.seed}"


if __name__ == "__main__":
    sys.exit(suite.run())

"""What is loaded: a shape's columns (read from the DDL that the generator prints) and its bytes in a file, the same for everybody."""

import os
import re
import subprocess

import digest

SHAPES = ("log", "lineitem", "wide", "metric")
FORMATS = {"csv": "TSV", "json": "NDJSON"}
BLOCK = 1 << 20


class Column:
    def __init__(self, name, kind, arguments, nullable):
        self.name, self.kind, self.arguments, self.nullable = name, kind, arguments, nullable


class Schema:
    """A table of Doris: columns and its key columns, from a CREATE TABLE statement."""

    def __init__(self, ddl):
        self.ddl = ddl.strip().rstrip(";")
        opened = self.ddl.index("(")
        body = self.ddl[opened + 1:closing(self.ddl, opened)]
        self.columns = [parse_column(part) for part in split_outside(body)]
        keys = re.search(r"\bKEY\s*\(([^)]*)\)", self.ddl, re.IGNORECASE)
        self.keys = [name.strip(" `") for name in keys.group(1).split(",")] if keys else []
        self.index = {column.name: number for number, column in enumerate(self.columns)}
        self.key = self.columns[0].name  # counts the rows: what every check adds up

    def sort_key(self):
        """What a store that sorts should sort by: time first, then the row's number; else the table's own key."""
        return ["ts", self.key] if "ts" in self.index else self.keys or [self.key]

    def statement(self, table):
        """The same statement for a table of this name."""
        return re.sub(r"(?i)^(CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?)\S+?(?=\s*\()", rf"\g<1>{table}", self.ddl)


def closing(text, opened):
    depth = 0
    for at in range(opened, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return at
    raise ValueError(f"unbalanced: {text}")


def split_outside(text):
    """Splits at the commas that stand in no brackets."""
    parts, depth, begin = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "(<") - (letter in ")>")
        if letter == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return [part.strip() for part in [*parts, text[begin:]] if part.strip()]


def parse_column(text):
    found = re.match(r"`?(\w+)`?\s+(\w+)\s*(?:\(([^)]*)\))?(.*)$", text, re.DOTALL)
    name, kind, arguments, rest = found.groups()
    numbers = [int(number) for number in arguments.split(",")] if arguments and arguments.strip() != "*" else []
    return Column(name, kind.upper(), numbers, "NOT NULL" not in rest.upper())


class Input:
    """One file of rows: shape, format, bytes, and what a store must hold after it."""

    def __init__(self, shape, form, path, schema):
        self.shape, self.form, self.path, self.schema, self.key = shape, form, path, schema, schema.key
        self.bytes = os.path.getsize(path)
        self.digest = digest.digest_of_file(path, form, self.key, schema.index[self.key])
        self.name = f"{shape} {FORMATS[form]}"

    def halves(self):
        """(begin, end) of two parts of about the same size, cut at a row's end."""
        with open(self.path, "rb") as file:
            file.seek(self.bytes // 2)
            cut = file.tell() + len(file.readline())
        return [(0, cut), (cut, self.bytes)]

    def warm(self):
        """Reads the file once, so that everybody finds it in the page cache."""
        with open(self.path, "rb", buffering=0) as file:
            while file.read(BLOCK):
                pass

    def remove(self):
        os.unlink(self.path)


class Generator:
    """`penstock bench rows` and `penstock bench schema` of the given program."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, *words, **how):
        try:
            return subprocess.run([self.program, "bench", *words], check=True, stderr=subprocess.PIPE, **how)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"{' '.join(error.cmd)}: {error.stderr.decode(errors='replace').strip()}") from None

    def schema(self, shape):
        return Schema(self.run("schema", "--shape", shape, stdout=subprocess.PIPE).stdout.decode())

    def input(self, shape, form, size):
        path = os.path.join(self.folder, f"{shape}.{'tsv' if form == 'csv' else 'ndjson'}")
        with open(path, "wb") as file:
            self.run("rows", "--shape", shape, "--format", form, "--bytes", str(size), stdout=file)
        made = Input(shape, form, path, self.schema(shape))
        if not made.digest.rows:
            raise RuntimeError(f"the generator made no rows of {made.name}")
        return made

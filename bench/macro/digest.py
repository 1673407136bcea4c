"""Count, sum and xor of a column of whole numbers, and the check that lets a figure be a figure."""

import functools
import itertools
import operator
import re

MASK = (1 << 64) - 1
BATCH = 100_000
PIECE = 32 << 20


class WrongRows(Exception):
    """What a store holds is not what it was sent: its figure does not count."""


class Digest:
    """(rows, sum, xor), both folded to 64 bits: not every store has a wider sum."""

    def __init__(self, rows, total, xor):
        self.rows, self.total, self.xor = int(rows), int(total) & MASK, int(xor) & MASK

    @classmethod
    def of(cls, values):
        """Of any number of whole numbers, a batch of them in memory at a time."""
        whole, values = cls(0, 0, 0), iter(values)
        while batch := list(itertools.islice(values, BATCH)):
            whole += cls(len(batch), sum(batch), functools.reduce(operator.xor, batch))
        return whole

    def times(self, count):
        """Of the same rows, `count` times over."""
        return Digest(self.rows * count, self.total * count, self.xor if count % 2 else 0)

    def __add__(self, other):
        return Digest(self.rows + other.rows, self.total + other.total, self.xor ^ other.xor)

    def __eq__(self, other):
        return isinstance(other, Digest) and (self.rows, self.total, self.xor) == (other.rows, other.total, other.xor)

    def __repr__(self):
        return f"{self.rows:,} rows, sum {self.total:016x}, xor {self.xor:016x}"

    def as_json(self):
        return {"rows": self.rows, "sum": f"{self.total:016x}", "xor": f"{self.xor:016x}"}


def check(got, wanted, whose):
    """Refuses what is not exactly the rows that were sent."""
    if got != wanted:
        raise WrongRows(f"{whose} holds {got}; it was sent {wanted}")


def keys_of_text(text, form, name, index):
    """The key column's numbers in rows of text: by its place in a row (csv) or by its name (json)."""
    if form == "json":
        return re.findall(rb'"%s":\s*(-?\d+)' % re.escape(name.encode()), text)
    return re.findall(rb"^(?:[^\t\n]*\t){%d}(-?\d+)" % index, text, re.MULTILINE)


def whole_lines(path):
    """The file in pieces that end with a line."""
    with open(path, "rb", buffering=0) as file:
        rest = b""
        while piece := file.read(PIECE):
            cut = piece.rfind(b"\n") + 1
            yield rest + piece[:cut]
            rest = piece[cut:]
        yield rest


def digest_of_file(path, form, name, index):
    """Read off the file itself, so that a mistake of the generator's own count cannot hide a lost row."""
    return Digest.of(int(key) for piece in whole_lines(path) for key in keys_of_text(piece, form, name, index))

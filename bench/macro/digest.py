"""Count, sum and xor of a column of whole numbers, and the check that lets a figure be a figure."""

import functools
import mmap
import operator
import re

MASK = (1 << 64) - 1


class WrongRows(Exception):
    """What a store holds is not what it was sent: its figure does not count."""


class Digest:
    """(rows, sum, xor), both folded to 64 bits: not every store has a wider sum."""

    def __init__(self, rows, total, xor):
        self.rows, self.total, self.xor = int(rows), int(total) & MASK, int(xor) & MASK

    @classmethod
    def of(cls, values):
        values = list(values)
        return cls(len(values), sum(values), functools.reduce(operator.xor, values, 0))

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


def digest_of_file(path, form, name, index):
    """Read off the file itself, so that a mistake of the generator's own count cannot hide a lost row."""
    with open(path, "rb") as file:
        if file.seek(0, 2) == 0:
            return Digest(0, 0, 0)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            return Digest.of(map(int, keys_of_text(text, form, name, index)))

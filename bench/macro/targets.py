"""The table of targets: what is measured, the floor that must hold, the moonshot that is wanted, and how a figure is judged."""


class Target:
    def __init__(self, name, text, floor, moonshot, more_is_better=True, unit=" times", digits=2):
        self.name, self.text, self.floor, self.moonshot = name, text, floor, moonshot
        self.more_is_better, self.unit, self.digits = more_is_better, unit, digits

    def reaches(self, value, mark):
        return mark is not None and (value >= mark if self.more_is_better else value <= mark)

    def mark_text(self, mark):
        if mark is None:
            return "-"
        return f"{mark:g}{self.unit}"


def less(name, text, floor, moonshot, unit, digits=2):
    return Target(name, text, floor, moonshot, more_is_better=False, unit=unit, digits=digits)


STREAM_INPUTS = [(shape, form) for form in ("csv", "json") for shape in ("log", "lineitem", "wide", "metric")]
NAMES = {"csv": "TSV", "json": "NDJSON"}

ALL = [
    Target("T1 ClickHouse", "one stream, log TSV, wall, v the best ClickHouse of the run", 2, 4),
    Target("T1 DuckDB", "one stream, log TSV, wall, v DuckDB durable", 2.5, 5),
    *[Target(f"T1b {shape} {NAMES[form]}", f"the same, {shape} {NAMES[form]}, v the strongest store", 1.5, 3)
      for shape, form in STREAM_INPUTS if (shape, form) != ("log", "csv")],
    less("T2", "server CPU-seconds, log TSV, share of that ClickHouse's", 0.5, 0.2, ""),
    Target("T3", "one stream, log TSV, wall, v nginx DAV PUT (no parse, no sync)", 0.8, 1.5),
    Target("T4 stream", "NDJSON from socket to journal, share of simdjson's typed values alone", 0.35, 0.6, unit=""),
    Target("T4 decode", "NDJSON decode alone, share of the same", 0.35, 0.6, unit=""),
    Target("T5", "typed CSV decode (its best level here), share of an AVX2 search for separators", 0.25, 0.4, unit=""),
    Target("T6", "receive, unchunk, discard, share of a raw recv loop", 0.85, 0.97, unit=""),
    Target("T7 loads", "10 KB loads, 16 connections, loads a second, v PostgreSQL COPY", 2, 5),
    less("T7 p99", "the same, p99, share of PostgreSQL's", 1, 0.333, ""),
    less("T8", "checkpoint p50 under T1's load, v fdatasync p50 meanwhile", 5, 3, " times"),
    less("T9", "freshness at 1 s checkpoints, 70 % load: (p99 - 1 s)/1 s", 0.10, 0.03, "", 3),
    Target("T10 1 s", "throughput kept from 5 s to 1 s checkpoints", 0.95, 0.99, unit="", digits=3),
    Target("T10 100 ms", "throughput kept from 5 s to 100 ms checkpoints", 0.85, 0.95, unit="", digits=3),
    less("T11 visible", "100,000 rows/s, 20 streams, 5 s checkpoints, 2pc: visible p99", 5, None, " s"),
    less("T11 CPU", "the same: server CPU, share of one core", None, 0.15, "", 3),
    less("T11 one tablet", "30 streams into one tablet, 0.5 s checkpoints: visible p99 (moonshot: 0.2 s beyond)", 1, 0.7, " s", 3),
    less("T12", "peak RSS, 1,000 open streams and one long load", 512, 256, " MiB", 0),
    less("T13", "journal bytes an input byte, log TSV", 0.6, 0.35, "", 3),
]
BY_NAME = {target.name: target for target in ALL}


class Outcome:
    """What became of a target: a Figure and remarks, or none and why."""

    def __init__(self, target, figure=None, note="", why=""):
        self.target, self.figure, self.note, self.why = target, figure, note, why

    def verdict(self):
        if self.figure is None:
            return "no figure"
        if self.target.reaches(self.figure.value, self.target.moonshot):
            return "moonshot"
        if self.target.floor is None:
            return "short of it"
        return "pass" if self.target.reaches(self.figure.value, self.target.floor) else "MISS"

    def as_json(self):
        target = self.target
        return {"target": target.name, "what": target.text, "floor": target.floor, "moonshot": target.moonshot,
                "more_is_better": target.more_is_better, "verdict": self.verdict(), "note": self.note, "why": self.why,
                "figure": self.figure.as_json() if self.figure else None}


def all_outcomes(found, unmeasured="not measured in this run"):
    """One for each target, in order; `found` has those that were tried, by name."""
    return [found.get(target.name) or Outcome(target, why=unmeasured) for target in ALL]

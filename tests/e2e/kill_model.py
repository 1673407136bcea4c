"""What a kill -9 loop knows of its loads, and the judgement of a scan by it. Nothing here talks to a server, so that the
judgement can be tried on scans that are wrong (`self_test`).

A load has one fate: VISIBLE (its client was told so), ABSENT (aborted, given up in its middle, refused), PREPARED, or
DOUBT: nobody was told. A scan may show a load that is in doubt, whole or not at all, and what a scan or an answer has shown
once must stay so. Doubt ends with the first scan after the last client has turned away; a load that somebody goes on with
(`pending`) may still come in.
"""

import random

TABLES = ("small_rows", "wide_rows")
COLUMNS = "k BIGINT NOT NULL, load_no INT NOT NULL, pad STRING NOT NULL"
KEYS_PER_LOAD = 1 << 20  # key = load number * this + row
KINDS = ("csv", "csv", "json", "two_phase", "two_phase", "group")
NEW, DOUBT, PREPARED, VISIBLE, ABSENT = "new", "doubt", "prepared", "visible", "absent"


class Load:
    """What one load sends; the same bytes at every try."""

    def __init__(self, number, chance):
        self.number, self.kind = number, chance.choice(KINDS)
        self.label = f"load-{number}"  # a group commit sends none; here it only names the load
        self.table = chance.choice(TABLES)
        self.pad = "p" * (chance.randrange(20, 90) if self.table == TABLES[0] else chance.randrange(300, 900))
        size = chance.randrange(40)
        rows = chance.randrange(4_000, 12_000) if size == 0 else chance.randrange(1, 400 if size < 4 else 25)
        self.rows = rows if self.table == TABLES[0] else max(1, rows // 4)
        leaves = chance.randrange(24)
        self.leaves = {0: "in the middle", 1: "before the answer"}.get(leaves, "") if self.kind != "group" else ""
        self.fate, self.txn, self.tries = NEW, None, 0
        # Of a load in two phases: how it ends.
        self.operation = "abort" if chance.randrange(4) == 0 else "commit"
        self.by_label = chance.randrange(3) == 0
        self.waits = chance.choice((0, 0, 0.02, 0.2, 1.5))  # seconds from prepared to the operation
        self.operation_sent = False
        self.was_seen = False  # by a scan

    @property
    def has_label(self):
        return self.kind != "group"

    @property
    def format(self):
        return "json" if self.kind == "json" else "csv"

    @property
    def must_show(self):
        return self.fate == VISIBLE or self.was_seen

    @property
    def may_show(self):
        if self.kind == "two_phase" and self.fate != VISIBLE:
            return self.fate == PREPARED and self.operation_sent and self.operation == "commit"
        return self.fate in (VISIBLE, DOUBT)

    def body(self):
        first, number, pad = self.number * KEYS_PER_LOAD, self.number, self.pad
        if self.format == "json":
            return "".join([f'{{"k":{first + i},"load_no":{number},"pad":"{pad}"}}\n' for i in range(self.rows)]).encode()
        return b"".join(self.lines(b"\n"))

    def lines(self, end=b""):
        """As a scan shows them."""
        first, number, pad = self.number * KEYS_PER_LOAD, self.number, self.pad
        return [b"%d\t%d\t%b%b" % (first + i, number, pad.encode(), end) for i in range(self.rows)]


class Verdict:
    """What a scan and the answers of labels have against the model; empty when all is well."""

    def __init__(self):
        self.lost, self.duplicate, self.changed, self.unexplained = [], [], [], []
        self.wrong = []  # what clients were told
        self.loads = self.rows = 0

    def is_clean(self):
        return not (self.lost or self.duplicate or self.changed or self.unexplained or self.wrong)

    def counts(self):
        return f"{len(self.lost)} lost, {len(self.duplicate)} duplicate"

    def offences(self, most=8):
        said = []
        for name in ("lost", "duplicate", "changed", "unexplained", "wrong"):
            found = getattr(self, name)
            if found:
                said.append(f"{name}: {len(found)}, the first: " + "; ".join(found[:most]))
        return said


def judge(loads, scans, pending=frozenset()):
    """`loads`: by number. `scans`: (table, lines). `pending`: numbers of loads that are gone on with. Also ends the doubt."""
    verdict, seen = Verdict(), {}
    for table, lines in scans:
        for line in lines:
            key, number, pad = line.split(b"\t")
            key, number = int(key), int(number)
            load = loads.get(number)
            at = key - number * KEYS_PER_LOAD
            if load is None or load.table != table or not 0 <= at < load.rows or pad != load.pad.encode():
                verdict.unexplained.append(f"a row of {table} that no load has sent: {line[:60]!r}")
                continue
            marks = seen.get(number)
            if marks is None:
                marks = seen[number] = bytearray(load.rows)
            marks[at] = min(marks[at] + 1, 255)
            verdict.rows += 1
    for load in loads.values():
        marks = seen.get(load.number)
        missing = load.rows if marks is None else marks.count(0)
        said = f"{load.label} ({load.kind}, {load.fate})"
        if marks is not None and not load.may_show:
            verdict.unexplained.append(f"{said}: {load.rows - missing} of its {load.rows} rows are there")
        elif missing and (load.must_show or marks is not None):
            verdict.lost.append(f"{said}: {missing} of {load.rows} rows are missing")
        if marks is not None and max(marks) > 1:
            twice = sum(1 for mark in marks if mark > 1)
            verdict.duplicate.append(f"{said}: {twice} of {load.rows} rows are there more than once")
        load.was_seen = load.was_seen or (marks is not None and load.may_show)
        if load.fate in (NEW, DOUBT) and load.number not in pending:
            load.fate = VISIBLE if load.was_seen else ABSENT
        verdict.loads += load.fate == VISIBLE
    return verdict


def may_be_said(load):
    """The states that a label may have while its load has this fate; None: any."""
    return {VISIBLE: ("VISIBLE", ), PREPARED: ("PRECOMMITTED", ), ABSENT: ("ABORTED", "UNKNOWN")}.get(load.fate)


def check_states(loads, states, verdict):
    """`states`: what get_load_state says, by load number. A label's answer never changes."""
    for number, state in states.items():
        load = loads[number]
        wanted = may_be_said(load)
        if wanted is not None and state not in wanted:
            verdict.changed.append(f"{load.label} is {load.fate} and its label says {state}")


# --------------------------------------------------------------------------------------- that it can fail


def altered(scans, victims):
    """The scans, without the first row of one load and with the first row of another twice."""
    dropped, repeated = victims
    drop_key, repeat_key = (b"%d\t" % (load.number * KEYS_PER_LOAD) for load in (dropped, repeated))

    def change(lines):
        for line in lines:
            if not line.startswith(drop_key):
                yield line
            if line.startswith(repeat_key):
                yield line

    return [(table, change(lines)) for table, lines in scans]


def check_that_it_can_fail(loads, scans):
    """On a scan that is right: an acknowledged load too many, a row less and a row more must each be found. Says what is not."""
    visible = [load for load in loads.values() if load.fate == VISIBLE]
    claimed = Load(max(loads) + 1, random.Random(0))
    claimed.fate = VISIBLE
    verdict = judge({**loads, claimed.number: claimed}, altered(scans, visible[:2]))
    lost, duplicate = sorted(text.split()[0] for text in verdict.lost), [text.split()[0] for text in verdict.duplicate]
    wanted = sorted([claimed.label, visible[0].label]), [visible[1].label]
    if (lost, duplicate) != wanted or verdict.unexplained:
        return f"lost {lost}, duplicate {duplicate}, wanted {wanted}; {verdict.offences()}"
    return ""


def self_test():
    """The judgement on made-up scans, each wrong in one way; the texts of what it did not find."""
    problems = []

    def model():
        chance = random.Random(5)
        loads = {number: Load(number, chance) for number in range(1, 41)}
        for number, load in loads.items():
            load.fate = (VISIBLE, VISIBLE, ABSENT, PREPARED)[number % 4]
            load.kind = "two_phase" if load.fate == PREPARED else "csv"
        return loads

    def lines_of(loads):
        return {table: [line for load in loads.values() if load.fate == VISIBLE and load.table == table
                        for line in load.lines()] for table in TABLES}

    def case(what, change, **wanted):
        loads = model()
        lines = lines_of(loads)
        verdict = Verdict()
        states = change(loads, lines)
        verdict = judge(loads, lines.items())
        check_states(loads, states or {}, verdict)
        got = {name: len(getattr(verdict, name)) for name in ("lost", "duplicate", "changed", "unexplained")}
        if got != {"lost": 0, "duplicate": 0, "changed": 0, "unexplained": 0, **wanted}:
            problems.append(f"{what}: {got}, wanted {wanted}")

    def one(loads, fate):
        return next(load for load in loads.values() if load.fate == fate and load.rows > 1)

    def claim(loads, _):
        one(loads, ABSENT).fate = VISIBLE

    def drop_row(loads, lines):
        load = one(loads, VISIBLE)
        lines[load.table].remove(load.lines()[-1])

    def drop_load(loads, lines):
        load = one(loads, VISIBLE)
        lines[load.table] = [line for line in lines[load.table] if line not in set(load.lines())]

    def repeat_row(loads, lines):
        load = one(loads, VISIBLE)
        lines[load.table].append(load.lines()[0])

    def show(fate):
        def change(loads, lines):
            load = one(loads, fate)
            lines[load.table] += load.lines()

        return change

    def show_part(loads, lines):
        load = one(loads, ABSENT)
        load.fate = DOUBT
        lines[load.table] += load.lines()[1:]

    def other_cell(loads, lines):
        load = one(loads, VISIBLE)
        lines[load.table].remove(load.lines()[0])
        lines[load.table].append(load.lines()[0] + b"x")

    def other_table(loads, lines):
        load = one(loads, VISIBLE)
        lines[load.table].remove(load.lines()[0])
        lines[TABLES[load.table == TABLES[0]]].append(load.lines()[0])

    def say(fate, state):
        return lambda loads, _: {one(loads, fate).number: state}

    def doubt_that_turns(loads, lines):
        load = one(loads, ABSENT)
        load.fate = DOUBT
        judge(loads, lines.items())  # not there: it stays so
        lines[load.table] += load.lines()

    def pending_that_goes(loads, lines):
        load = one(loads, ABSENT)
        load.fate = DOUBT
        judge(loads, [*lines.items(), (load.table, load.lines())], {load.number})  # it was there

    def prepare_in_doubt(loads, lines):
        one(loads, PREPARED).fate = DOUBT
        show(DOUBT)(loads, lines)

    def commit_in_doubt(loads, lines):
        load = one(loads, PREPARED)
        load.operation, load.operation_sent = "commit", True
        lines[load.table] += load.lines()

    def abort_in_doubt(loads, lines):
        commit_in_doubt(loads, lines)
        one(loads, PREPARED).operation = "abort"

    case("a right scan", lambda *_: None)
    case("an acknowledged load too many", claim, lost=1)
    case("a row is missing", drop_row, lost=1)
    case("a load is missing", drop_load, lost=1)
    case("a row is there twice", repeat_row, duplicate=1)
    case("a load is there twice", show(VISIBLE), duplicate=1)
    case("an aborted load is there", show(ABSENT), unexplained=1)
    case("a prepared load is there", show(PREPARED), unexplained=1)
    case("a load in doubt is there in part", show_part, lost=1)
    case("a load in doubt comes later", doubt_that_turns, unexplained=1)
    case("a load that was seen in doubt goes", pending_that_goes, lost=1)
    case("a load whose prepare is in doubt is there", prepare_in_doubt, unexplained=1)
    case("a load whose commit is in doubt is there", commit_in_doubt)
    case("a load whose abort is in doubt is there", abort_in_doubt, unexplained=1)
    case("another cell", other_cell, lost=1, unexplained=1)
    case("another table", other_table, lost=1, unexplained=1)
    case("a visible label is unknown", say(VISIBLE, "UNKNOWN"), changed=1)
    case("a prepared label is aborted", say(PREPARED, "ABORTED"), changed=1)
    case("an aborted label is visible", say(ABSENT, "VISIBLE"), changed=1)
    case("labels that say what is so", say(VISIBLE, "VISIBLE"))
    return problems

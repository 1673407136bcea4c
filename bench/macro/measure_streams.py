"""T1, T1b, T2, T3, T13: the same file of rows through penstock and each peer, in pairs that take turns in going first."""

import os
import struct
import subprocess

import digest
import sender
from figures import Figure, median, order_of_pairs, paired_ratios
from machine import Block
from peers import base
from peers.penstock_stream import e2e
from targets import BY_NAME, Outcome

BEST_CLICKHOUSE = ("chdb", "clickhouse2")
FAILURES = (base.Broken, base.Unavailable, digest.WrongRows, sender.SendFailed, e2e.Broken, OSError, AssertionError, ValueError,
            LookupError, RuntimeError, struct.error, subprocess.SubprocessError)


class Pairs:
    """What came of (penstock, peer) on one input: runs of both, pair by pair."""

    def __init__(self, rows, peer):
        self.rows, self.peer = rows, peer
        self.ours, self.theirs = [], []

    def ratios(self):
        return paired_ratios([run.wall for run in self.ours], [run.wall for run in self.theirs])

    def cpu_shares(self):
        """Ours as a share of theirs; a run too short for the clock of CPU time counts as one tick."""
        return paired_ratios([max(run.cpu, 1 / base.TICK) for run in self.theirs], [run.cpu for run in self.ours])

    def rate(self, runs):
        return self.rows.bytes / 1e6 / median([run.wall for run in runs])

    def cpu_a_gb(self, runs):
        return median([run.cpu for run in runs]) / (self.rows.bytes / 1e9)


def one_load(bench, peer, rows):
    """A checked load into an empty table. A failed check raises, so that no figure comes of it."""
    peer.create(rows)
    with Block() as block:
        run = peer.load(rows)
    digest.check(peer.check(rows), rows.digest, peer.title)
    peer.drop(rows)
    os.sync()  # what it left unwritten is not the next one's to wait for
    bench.record_run(peer, rows, run, block)
    return run


def take_pairs(bench, rows, names, count):
    """`count` pairs against each peer that is here and takes the format, round by round. Returns {name: Pairs}."""
    found = {name: Pairs(rows, peer) for name in names for peer in [bench.peer(name)] if peer and rows.form in peer.formats}
    for ours_first in order_of_pairs(count):
        for name, pairs in list(found.items()):
            runs, failed = {}, False
            for peer in (bench.penstock, pairs.peer) if ours_first else (pairs.peer, bench.penstock):
                try:
                    runs[peer.name] = one_load(bench, peer, rows)
                except FAILURES as error:
                    bench.failed(peer, rows.name, error)
                    if peer is bench.penstock:
                        raise base.Broken(f"penstock, {rows.name}: {error}") from None
                    failed = True
                    break
            if failed:  # out of this input, and started again for the next one
                del found[name]
                continue
            pairs.ours.append(runs[bench.penstock.name])
            pairs.theirs.append(runs[name])
    return {name: pairs for name, pairs in found.items() if pairs.ours}


def confirm_after_kill(bench, rows):
    """Once for every input: what was loaded is there in a process that never saw it."""
    peer = bench.penstock
    peer.create(rows)
    peer.load(rows)
    digest.check(peer.check_after_kill(rows), rows.digest, "penstock after kill -9")
    peer.drop(rows)
    bench.say(f"  {rows.name}: penstock killed, started again, counted again: right")


def strongest(found, names=None):
    """The store against which we look worst (the smallest ratio)."""
    stores = [pairs for name, pairs in found.items() if (name in names if names else pairs.peer.store)]
    return min(stores, key=lambda pairs: median(pairs.ratios()), default=None)


def note_of(pairs):
    return (f"{pairs.rate(pairs.ours):.0f} MB/s at {pairs.cpu_a_gb(pairs.ours):.2f} CPU-s/GB v {pairs.peer.title} "
            f"{pairs.rate(pairs.theirs):.0f} at {pairs.cpu_a_gb(pairs.theirs):.2f}")


def outcome(name, pairs, values, missing):
    target = BY_NAME[name]
    return Outcome(target, Figure(values), note_of(pairs)) if pairs else Outcome(target, why=missing)


def log_targets(found):
    """T1, T2 and T3 out of the pairs on log TSV."""
    house = strongest(found, BEST_CLICKHOUSE)
    duck, nginx = found.get("duckdb"), found.get("nginx")
    yield outcome("T1 ClickHouse", house, house and house.ratios(), "no ClickHouse ran")
    yield outcome("T1 DuckDB", duck, duck and duck.ratios(), "DuckDB did not run")
    yield outcome("T2", house, house and house.cpu_shares(), "no ClickHouse ran")
    yield outcome("T3", nginx, nginx and nginx.ratios(), "nginx did not run")


def journal_share(bench, rows):
    """T13: a store of its own that takes this input once."""
    peer = bench.fresh_penstock("journal")
    try:
        peer.prepare()
        peer.create(rows)
        peer.load(rows)
        size = peer.journal_bytes()
        digest.check(peer.check(rows), rows.digest, "penstock")
    finally:
        peer.stop()
    return Outcome(BY_NAME["T13"], Figure([size / rows.bytes]), f"{size / 1e6:.0f} MB for {rows.bytes / 1e6:.0f} MB")

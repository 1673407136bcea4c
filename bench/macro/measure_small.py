"""T7: loads of 10 KB over 16 connections, durable and visible at the answer, against PostgreSQL's COPY."""

import digest
import small_loads
from figures import Figure, order_of_pairs
from machine import Block
from targets import BY_NAME, Outcome


def one_side(bench, peer, rows, body, warm_seconds, seconds):
    peer.create(rows)
    wire = small_loads.wire_of(peer, rows, body)
    with Block() as block:
        run = small_loads.measure(peer, wire, warm_seconds, seconds)
    digest.check(peer.check(rows), body.digest.times(run.loads), peer.title)
    peer.drop(rows)
    bench.record("small loads", {"peer": peer.name, **run.as_json(), "flags": block.flags()})
    bench.say(f"  10 KB loads, {peer.title}: {run.rate:,.0f} loads/s, p50 {run.p50 * 1e3:.2f} ms, p99 {run.p99 * 1e3:.2f} ms, "
              f"client {run.client_cpu:.1f} CPU-s {' '.join(block.flags())}")
    return run


def small_targets(bench, rows, pairs, warm_seconds, seconds):
    """Yields T7's two outcomes."""
    postgres = bench.peer("postgres")
    if not postgres:
        for name in ("T7 loads", "T7 p99"):
            yield Outcome(BY_NAME[name], why="PostgreSQL did not run")
        return
    body = small_loads.Body(rows)
    ours, theirs = [], []
    for ours_first in order_of_pairs(pairs):
        for peer in (bench.penstock, postgres) if ours_first else (postgres, bench.penstock):
            (ours if peer is bench.penstock else theirs).append(one_side(bench, peer, rows, body, warm_seconds, seconds))
    note = (f"{Figure([run.rate for run in ours]).value:,.0f} loads/s, p99 {Figure([run.p99 for run in ours]).value * 1e3:.1f} ms v "
            f"{Figure([run.rate for run in theirs]).value:,.0f}, {Figure([run.p99 for run in theirs]).value * 1e3:.1f} ms")
    yield Outcome(BY_NAME["T7 loads"], Figure([our.rate / their.rate for our, their in zip(ours, theirs)]), note)
    yield Outcome(BY_NAME["T7 p99"], Figure([our.p99 / their.p99 for our, their in zip(ours, theirs)]), note)

"""T8 to T12: what no peer is compared with. Load comes from `penstock bench run`, which counts from intended times and checks the
rows at the end; where they differ it gives no figures."""

import json
import os
import subprocess
import threading
import time

import digest
import sender
from figures import Figure, median
from machine import MIB, Block, SyncYardstick, wait_until_calm
from peers import base
from peers.penstock_stream import e2e
from targets import BY_NAME, Outcome

LOAD = 0.7  # share of the greatest rate at which freshness is measured
ROWS_A_SECOND = 100_000
ONE_TABLET_CHECKPOINT = 0.5
OPEN_STREAMS = 1000
STREAMS = 2  # one a shard, where a figure names no number
PROBES = 20  # questions within a checkpoint's interval, where freshness is what is measured; none elsewhere: they cost CPU time


class StorePlan:
    """How long everything takes."""

    def __init__(self, rounds, kept_seconds, fresh_seconds, model_seconds, latency_seconds, long_load, seconds_max):
        self.rounds, self.kept_seconds, self.fresh_seconds = rounds, kept_seconds, fresh_seconds
        self.model_seconds, self.latency_seconds = model_seconds, latency_seconds
        self.long_load, self.seconds_max = long_load, seconds_max


QUICK = StorePlan(1, 10, 12, 20, 4, 1_000_000_000, 150)
FULL = StorePlan(5, 15, 30, 60, 15, 10_000_000_000, 1200)


def generator_words(bench, server, table, **flags):
    words = [bench.generator.program, "bench", "run", "--host", "127.0.0.1", "--port", str(server.port), "--create", "--quiet", "--table",
             f"{e2e.DATABASE}.{table}", "--server-pid", str(server.process.pid)]
    for name, value in flags.items():
        words += ["--" + name.replace("_", "-"), str(value)]
    return words


def generated(bench, peer, table, what, seconds_max, keep=False, calm=False, **flags):
    """One run of the load generator against a server, checked by itself; its figures. The table is dropped behind it. With `calm`
    it begins when the machine has got over what was before."""
    path = os.path.join(bench.setting.folder, "generated.json")
    if calm and not wait_until_calm():
        bench.say("  the machine does not come to rest: its cores are held up from outside")
    with Block() as block:
        done = subprocess.run(generator_words(bench, peer.server, table, json=path, **flags), capture_output=True, text=True,
                              timeout=seconds_max, check=False)
    if done.returncode:
        raise base.Broken(f"{what}: {' '.join((done.stderr or done.stdout).split())[:300]}")
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    if not found["checked"]:
        raise digest.WrongRows(f"{what}: nobody compared the rows")
    if not keep:
        peer.server.execute(f"DROP TABLE {table}")
        peer.settle()
    bench.record("generated", {"what": what, "flags": block.flags(), **{name: value for name, value in found.items() if name != "samples"}})
    bench.say(f"  {what}: {found['mb_per_second']:.0f} MB/s, {found['rows_per_second']:,.0f} rows/s, visible p50 "
              f"{found['freshness']['p50_ms']:.1f} ms, p99 {found['freshness']['p99_ms']:.1f} ms {' '.join(block.flags())}")
    return found


def seen_text(found):
    """What somebody who asks over and over saw: the same from outside, coarser by the time between two questions."""
    return f"seen by a prober p99 {found['seen']['p99_ms']:.0f} ms" if found["seen"]["weight"] else "no prober saw it"


# ----------------------------------------------------------------------------------------------------- T8


def checkpoint_latency(bench, rows, plan):
    """Loads of one row, from the last byte to the answer that says they are durable and visible, while one stream takes all that
    the other shard can. It holds a request's way to and fro as well, so it is more than a checkpoint, never less."""
    peer, stop, syncs, failures = bench.penstock, threading.Event(), [], []
    peer.create(rows)

    def stream():
        try:
            while not stop.is_set():
                sender.put(peer.server.port, peer.head(rows), rows.path, 0, rows.bytes)
        except Exception as error:
            failures.append(error)

    def sync():
        yardstick = SyncYardstick(peer.folder)  # on the disk that the server writes to
        while not stop.wait(0.02):
            syncs.append(yardstick.once())
        yardstick.close()

    threads = [threading.Thread(target=work) for work in (stream, sync)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.3)
        found = generated(bench, peer, "ticks", "loads of one row beside one stream", plan.seconds_max, load_rows=1, rate=50, flush_ms=0.1,
                          seconds=plan.latency_seconds, probe_ms=0)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failures:
        raise base.Broken(f"the stream beside it: {failures[0]}")
    peer.drop(rows)
    ours, mark = found["reply"]["p50_ms"] * 1e3, median(syncs) * 1e6
    yield Outcome(BY_NAME["T8"], Figure([ours / mark]), f"p50 {ours:.0f} us (p99 {found['reply']['p99_ms'] * 1e3:.0f}) v fdatasync "
                  f"{mark:.0f} us; the way of the request is in it")


# ----------------------------------------------------------------------------------------------- T9 and T10


def checkpoints(bench, plan):
    """Throughput at three intervals, in rounds that turn back (5 s, 1 s, 0.1 s, 0.1 s, 1 s, 5 s); then freshness at a share of it."""
    rates = {5: [], 1: [], 0.1: []}
    for _ in range(plan.rounds):
        for interval in (5, 1, 0.1, 0.1, 1, 5):
            found = generated(bench, bench.penstock, "kept", f"as fast as it goes, checkpoints of {interval} s", plan.seconds_max,
                              calm=True, streams=STREAMS, checkpoint=interval, seconds=plan.kept_seconds, probe_ms=0)
            rates[interval].append(found["rows_per_second"])
    for name, interval in (("T10 1 s", 1), ("T10 100 ms", 0.1)):
        yield Outcome(BY_NAME[name], Figure([short / long for short, long in zip(rates[interval], rates[5])]),
                      f"{median(rates[interval]):,.0f} rows/s v {median(rates[5]):,.0f} at 5 s")
    rate = int(LOAD * median(rates[1]))
    found = generated(bench, bench.penstock, "fresh", f"{rate:,} rows/s, checkpoints of 1 s", plan.seconds_max, calm=True, streams=STREAMS,
                      checkpoint=1, rate=rate, seconds=plan.fresh_seconds, probe_ms=1000 / PROBES)
    fresh = found["freshness"]
    late = found["rows_late"] > rate / 10
    if late:
        yield Outcome(BY_NAME["T9"], why=f"the server did not keep up with {rate:,} rows/s")
        return
    yield Outcome(BY_NAME["T9"], Figure([fresh["p99_ms"] / 1e3 - 1]),
                  f"p50 {fresh['p50_ms']:.0f} ms, p99 {fresh['p99_ms']:.0f} ms at {rate:,} rows/s, {STREAMS} streams; {seen_text(found)}")


# ---------------------------------------------------------------------------------------------------- T11


def model_scene(bench, plan):
    found = generated(bench, bench.penstock, "model", "20 streams, 100,000 rows/s, 2pc every 5 s", plan.seconds_max, streams=20,
                      mode="2pc", checkpoint=5, rate=ROWS_A_SECOND, seconds=plan.model_seconds, probe_ms=5000 / PROBES)
    fresh, share = found["freshness"], found["server_cpu_seconds"] / found["seconds"]
    note = f"p50 {fresh['p50_ms'] / 1e3:.2f} s, p99 {fresh['p99_ms'] / 1e3:.2f} s; {seen_text(found)}"
    yield Outcome(BY_NAME["T11 visible"], Figure([fresh["p99_ms"] / 1e3]), note)
    yield Outcome(BY_NAME["T11 CPU"], Figure([share]), f"{found['server_cpu_seconds']:.2f} CPU-s in {found['seconds']:.1f} s")
    found = generated(bench, bench.penstock, "tablet", "30 streams into one tablet, every 0.5 s", plan.seconds_max, streams=30,
                      buckets=1, checkpoint=ONE_TABLET_CHECKPOINT, rate=ROWS_A_SECOND, seconds=plan.model_seconds / 2,
                      probe_ms=ONE_TABLET_CHECKPOINT * 1000 / PROBES)
    yield Outcome(BY_NAME["T11 one tablet"], Figure([found["freshness"]["p99_ms"] / 1e3]),
                  f"p50 {found['freshness']['p50_ms']:.0f} ms at {ROWS_A_SECOND:,} rows/s; {seen_text(found)}")


# ---------------------------------------------------------------------------------------------------- T12


def memory(bench, plan):
    """A server of its own: 1,000 loads that are open, each with rows in it, while one long load runs."""
    if e2e.raise_file_limit() < OPEN_STREAMS + 100:
        raise base.Unavailable(f"no {OPEN_STREAMS} open files are allowed here")
    peer, streams = bench.fresh_penstock("memory"), []
    try:
        peer.prepare()
        server = peer.server
        server.create("open")
        for number in range(OPEN_STREAMS):
            stream = e2e.LoadStream(server, "open", seconds=plan.seconds_max, label=f"open{number}", Expect="100-continue")
            streams.append(stream.wait_continue().send(open_rows(number, 0)))
        at_rest = server.rss()
        generated(bench, peer, "long", f"one load of {plan.long_load / 1e9:g} GB beside {OPEN_STREAMS:,} open ones", plan.seconds_max,
                  streams=1, bytes=plan.long_load, probe_ms=0)
        for number, stream in enumerate(streams):
            stream.send(open_rows(number, 1))
        for stream in streams:
            reply = stream.finish()
            e2e.expect_equal(reply["Status"], "Success", f"an open load's reply {reply}")
        peak = server.peak_rss()
        wanted = digest.Digest.of(row_key(number, part, row) for number in range(OPEN_STREAMS) for part in (0, 1) for row in range(ROWS))
        digest.check(digest.Digest(*server.summary("open", "k")), wanted, "penstock")
    finally:
        for stream in streams:
            stream.close()
        peer.stop()
    yield Outcome(BY_NAME["T12"], Figure([peak / MIB]), f"{plan.long_load / 1e9:g} GB load; {at_rest / MIB:.0f} MiB with the streams open")


ROWS = 50  # of an open load, sent in two parts


def row_key(number, part, row):
    return (number * 2 + part) * ROWS + row


def open_rows(number, part):
    return b"".join(b"%d\t%d\topen row of stream %d\n" % (row_key(number, part, row), row, number) for row in range(ROWS))


SECTIONS = {"T9": checkpoints, "T11": model_scene, "T12": memory}

#!/usr/bin/env python3
"""The parts of the runner that decide whether a figure is a figure, without any peer: statistics, checks, verdicts, the table."""

import contextlib
import io
import json
import os
import socket
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import digest  # noqa: E402
import figures  # noqa: E402
import measure_micro  # noqa: E402
import measure_streams  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
import sender  # noqa: E402
import small_loads  # noqa: E402
from peers import base, clickhouse_http, duckdb_file, postgres_copy  # noqa: E402
from targets import BY_NAME, Outcome, all_outcomes  # noqa: E402

DDL = """CREATE TABLE demo.bench (
  k BIGINT NOT NULL,
  ts DATETIME(3) NOT NULL,
  cost DECIMAL(12,4) NOT NULL,
  note STRING NULL
) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 4;
"""


class Figures(unittest.TestCase):
    def test_ratios_are_taken_pair_by_pair(self):
        self.assertEqual(figures.paired_ratios([1, 2, 4], [3, 6, 8]), [3, 3, 2])
        with self.assertRaises(ValueError):
            figures.paired_ratios([1, 2], [1])

    def test_a_drift_that_both_share_leaves_the_median_of_the_ratios_alone(self):
        drift = [1.0, 1.7, 0.6, 2.0, 1.2, 0.9, 1.4]
        ratios = figures.paired_ratios([0.5 * d for d in drift], [2.0 * d for d in drift])
        found = figures.Figure(ratios)
        self.assertAlmostEqual(found.value, 4)
        self.assertAlmostEqual(found.low, 4)
        self.assertAlmostEqual(found.high, 4)

    def test_the_interval_holds_the_median_and_is_the_same_each_time(self):
        values = [2.0, 2.1, 1.9, 2.4, 1.7, 2.0, 2.2]
        low, high = figures.bootstrap_interval(values)
        self.assertLess(low, 2.0)
        self.assertGreater(high, 2.0)
        self.assertTrue(min(values) <= low and high <= max(values))
        self.assertEqual((low, high), figures.bootstrap_interval(values))

    def test_a_wider_spread_has_a_wider_interval(self):
        def width(spread):
            low, high = figures.bootstrap_interval([2 + spread * step for step in (-3, -2, -1, 0, 1, 2, 3)])
            return high - low
        self.assertLess(width(0.01), width(0.3))

    def test_one_value_has_no_spread_and_no_value_is_no_figure(self):
        self.assertEqual(figures.bootstrap_interval([3.0]), (3.0, 3.0))
        with self.assertRaises(ValueError):
            figures.Figure([])

    def test_percentiles_are_values_that_were_measured(self):
        values = list(range(1, 101))
        self.assertEqual([figures.percentile(values, share) for share in (0.5, 0.99, 1.0)], [50, 99, 100])
        self.assertEqual(figures.percentile([7], 0.99), 7)

    def test_pairs_take_turns_in_going_first(self):
        self.assertEqual(figures.order_of_pairs(4), [True, False, True, False])


class Checks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as file:
            file.write(text)
        return path

    def test_a_lost_a_doubled_and_a_changed_row_are_refused(self):
        wanted = digest.Digest.of([10, 20, 30])
        digest.check(digest.Digest.of([30, 10, 20]), wanted, "a store")
        for held in ([10, 20], [10, 20, 30, 30], [10, 20, 31], [10, 25, 25], []):
            with self.assertRaises(digest.WrongRows):
                digest.check(digest.Digest.of(held), wanted, "a store")

    def test_a_run_with_wrong_rows_leaves_no_figure(self):
        given = self.input()

        class Loses(base.Peer):
            name = title = "loses"

            def load(self, _):
                return base.Run(1.0, 1.0)

            def check(self, taken):
                return digest.Digest(taken.digest.rows - 1, taken.digest.total, taken.digest.xor)

        class Notes:
            def __init__(self):
                self.recorded, self.failures = [], []

            def record_run(self, *what):
                self.recorded.append(what)

            def failed(self, *what):
                self.failures.append(what)

        class Keeps(Loses):
            name = title = "keeps"

            def check(self, taken):
                return taken.digest

        notes, setting = Notes(), base.Setting(self.folder.name, self.folder.name)
        loses = Loses(setting)
        with self.assertRaises(digest.WrongRows):
            measure_streams.one_load(notes, loses, given)
        self.assertEqual(notes.recorded, [])
        notes.penstock = Keeps(setting)
        notes.peer = lambda name: loses
        self.assertEqual(measure_streams.take_pairs(notes, given, ["loses"], 3), {})
        self.assertEqual([failure[0] for failure in notes.failures], [loses])
        notes.penstock = loses  # our own wrong rows end the section
        notes.peer = lambda name: Keeps(setting)
        with self.assertRaises(base.Broken):
            measure_streams.take_pairs(notes, given, ["keeps"], 3)

    def input(self):
        text = b"1000000000\t2026-11-01 00:00:00.000\t1.5000\t\\N\n1000000001\t2026-11-01 00:00:00.007\t2.5000\tx\n"
        return rows.Input("log", "csv", self.file("log.tsv", text), rows.Schema(DDL))

    def test_the_keys_of_a_file_are_read_off_its_rows(self):
        given = self.input()
        self.assertEqual(given.digest, digest.Digest.of([1000000000, 1000000001]))
        self.assertEqual([end for _, end in given.halves()][-1], given.bytes)
        path = self.file("log.ndjson", b'{"k":7,"note":"\\"k\\":5"}\n{"k":-8,"note":null}\n')
        self.assertEqual(digest.digest_of_file(path, "json", "k", 0), digest.Digest.of([7, -8]))
        second = self.file("second.tsv", b"a\t5\tb\nc\t6\td\n")
        self.assertEqual(digest.digest_of_file(second, "csv", "n", 1), digest.Digest.of([5, 6]))
        self.assertEqual(digest.digest_of_file(self.file("empty", b""), "csv", "k", 0), digest.Digest(0, 0, 0))

    def test_a_file_in_pieces_and_numbers_in_batches_lose_none(self):
        keys = list(range(10**9, 10**9 + 2500))
        path = self.file("long.tsv", b"".join(b"%d\tx\n" % key for key in keys)[:-1])  # the last line has no end
        digest.PIECE, digest.BATCH, before = 1000, 700, (digest.PIECE, digest.BATCH)
        try:
            self.assertEqual(digest.digest_of_file(path, "csv", "k", 0), digest.Digest.of(keys))
            self.assertEqual(digest.Digest.of(keys).rows, len(keys))
        finally:
            digest.PIECE, digest.BATCH = before

    def test_many_loads_of_one_body_add_up(self):
        keys = [3, 5, 6]
        for count in (1, 2, 5):
            self.assertEqual(digest.Digest.of(keys).times(count), digest.Digest.of(keys * count))
        self.assertEqual(digest.Digest.of([3]) + digest.Digest.of([5, 6]), digest.Digest.of(keys))

    def test_a_file_arrives_in_chunks_as_it_is(self):
        text = os.urandom(3 * sender.CHUNK // 2)
        path = self.file("body", text)
        ours, theirs = socket.socketpair()
        got = io.BytesIO()
        reader = threading.Thread(target=lambda: [got.write(piece) for piece in iter(lambda: theirs.recv(1 << 16), b"")])
        reader.start()
        sender.send_chunked(ours, path, 0, len(text))
        ours.close()
        reader.join()
        theirs.close()
        wire, body = got.getvalue(), b""
        while True:
            size, _, wire = wire.partition(b"\r\n")
            if not int(size, 16):
                break
            body, wire = body + wire[:int(size, 16)], wire[int(size, 16) + 2:]
        self.assertEqual(body, text)
        self.assertEqual(wire, b"\r\n")


class Tables(unittest.TestCase):
    def test_a_schema_becomes_the_types_of_every_peer(self):
        schema = rows.Schema(DDL)
        self.assertEqual((schema.key, schema.keys, schema.sort_key()), ("k", ["k"], ["ts", "k"]))
        self.assertTrue(schema.statement("log").startswith("CREATE TABLE log ("))
        self.assertEqual([clickhouse_http.modern_type(column) for column in schema.columns],
                         ["Int64", "DateTime64(3)", "Decimal(12, 4)", "Nullable(String)"])
        self.assertEqual(clickhouse_http.old_type(schema.columns[1]), "String")
        self.assertEqual([duckdb_file.type_of(column) for column in schema.columns], ["BIGINT", "TIMESTAMP", "DECIMAL(12, 4)", "VARCHAR"])
        self.assertEqual([postgres_copy.type_of(column) for column in schema.columns], ["bigint", "timestamp", "numeric(12, 4)", "text"])


class Verdicts(unittest.TestCase):
    def verdict(self, name, *values):
        return Outcome(BY_NAME[name], figures.Figure(values) if values else None).verdict()

    def test_a_figure_is_judged_in_its_own_direction(self):
        self.assertEqual([self.verdict("T1 ClickHouse", value) for value in (1.9, 2.0, 3.9, 4.0)], ["MISS", "pass", "pass", "moonshot"])
        self.assertEqual([self.verdict("T12", value) for value in (513, 512, 256)], ["MISS", "pass", "moonshot"])
        self.assertEqual(self.verdict("T11 CPU", 0.5), "short of it")
        self.assertEqual(self.verdict("T1 DuckDB"), "no figure")

    def test_every_target_has_a_line_whatever_was_measured(self):
        found = {"T3": Outcome(BY_NAME["T3"], figures.Figure([0.9, 1.0, 1.1]), "a note")}
        result = {"official": False, "mode": "quick", "began": "2026-11-21 20:00", "commit": "abc", "seconds": 1.0, "command": "run",
                  "machine": {"cpu": "c", "cores": 2, "memory_gib": 8, "kernel": "6", "system": "s"}, "yardsticks": {},
                  "versions": {"penstock": "0"}, "unavailable": {"DuckDB": "no network"}, "runs": [], "confirmed": [], "failures": []}
        text, markdown = report.as_text(result, found), report.as_markdown(result, found)
        for target in all_outcomes({}):
            self.assertIn(target.target.name, text)
            self.assertIn(f"| {target.target.name} |", markdown)
        self.assertIn("quick: not official", text)
        self.assertIn("not available: DuckDB: no network", text)
        self.assertEqual(len(json.loads(report.as_json(result, found))["targets"]), len(all_outcomes({})))

    def test_a_micro_benchmark_is_a_share_of_its_yardstick(self):
        report_of_it = {"benchmarks": [
            {"name": name, "run_name": name, "run_type": "iteration", "bytes_per_second": value}
            for name, value in (("ours", 4e9), ("mark", 8e9), ("ours", 3e9), ("mark", 5e9), ("ours", 4e9), ("mark", 10e9))]
            + [{"name": "ours_median", "run_name": "ours", "run_type": "aggregate", "bytes_per_second": 1.0}]}
        found = measure_micro.micro_ratio(report_of_it, "T5", "ours", "mark")
        self.assertEqual(found.figure.values, [0.5, 0.6, 0.4])
        with self.assertRaises(base.Broken):
            measure_micro.micro_ratio(report_of_it, "T5", "ours", "missing")

    def test_a_micro_benchmark_may_measure_its_share_itself(self):
        one = {"name": "both", "run_name": "both", "run_type": "iteration", "bytes_per_cpu_second": 3e9, "raw_bytes_per_cpu_second": 4e9}
        found = measure_micro.micro_share({"benchmarks": [one | {"share": 0.7}, one | {"share": 0.8}]}, "T6", "both")
        self.assertEqual(found.figure.values, [0.7, 0.8])
        with self.assertRaises(base.Broken):
            measure_micro.micro_share({"benchmarks": [one]}, "T6", "both")

    def test_every_micro_target_is_one(self):
        names = [*measure_micro.RATIOS, *measure_micro.SHARES]
        self.assertEqual(sorted(names), sorted(name for name in BY_NAME if name[:2] in ("T4", "T5", "T6")))


class OneReply:
    """A server that answers each `size` bytes with the same bytes, in two pieces."""

    def __init__(self, rule, request, reply):
        self.rule, self.request, self.reply, self.answers = rule, request, reply, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def connect(self):
        return sender.connect(self.listener.getsockname()[1])

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):  # the client may have gone away
            got = b""
            while piece := connection.recv(65536):
                got += piece
                while len(got) >= len(self.request):
                    if got[:len(self.request)] != self.request:
                        return
                    got = got[len(self.request):]
                    self.answers += 1
                    connection.sendall(self.reply[:20])
                    connection.sendall(self.reply[20:])


@unittest.skipUnless(os.path.exists(small_loads.CLIENT), "small_client is not built")
class SmallClient(unittest.TestCase):
    REQUEST = b"PUT /load HTTP/1.1\r\n\r\n" + bytes(range(256)) * 1500

    def drive(self, rule, reply):
        server = OneReply(rule, self.REQUEST, reply)
        try:
            found = small_loads.drive(small_loads.CLIENT, server, 0.05, 0.2, connections=3)
        finally:
            server.listener.close()
        return server, found

    def test_it_counts_every_load_and_measures_those_of_its_time(self):
        body = b'{\n "Status": "Success"\n}'
        for rule, reply in (("http", b"HTTP/1.1 200 OK\r\ncontent-Length: %d\r\n\r\n%s" % (len(body), body)),
                            ("postgres", b"C\0\0\0\x0cCOPY 64\0" + small_loads.PostgresWire.READY)):
            server, found = self.drive(rule, reply)
            self.assertEqual(found["loads"], server.answers)
            self.assertLess(found["measured"], found["loads"])
            self.assertGreater(found["measured"], 0)
            self.assertLessEqual(found["p50_ms"], found["p99_ms"])

    def test_an_answer_that_is_no_success_gives_no_figure(self):
        bad = b'{"Status": "Fail", "Message": "Success"}'
        for rule, reply in (("http", b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(bad), bad)),
                            ("http", b"HTTP/1.1 500 Broken\r\nContent-Length: 22\r\n\r\n" + b'{"Status": "Success"} '),
                            ("postgres", b"E\0\0\0\x20Mno space left on it\0\0" + small_loads.PostgresWire.READY)):
            with self.assertRaises(base.Broken):
                self.drive(rule, reply)


if __name__ == "__main__":
    unittest.main()

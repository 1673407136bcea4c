#!/usr/bin/env python3
"""`penstock bench` against a server: every shape and format, gzip, plain, two-phase and group loads, rates and checkpoints, the sink;
what it says of a run is compared with what the server holds, and a run that loses rows gives no figures.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import xml.dom.minidom

import penstock_e2e as e2e
from penstock_e2e import Server, expect, expect_equal

suite = e2e.Suite(__doc__)
SHAPES = {"log": 12, "lineitem": 16, "wide": 64, "metric": 5}
FIRST_KEY = 1_000_000_000


def bench(*words, seconds=120):
    return subprocess.run([Server.binary, "bench", *words], capture_output=True, timeout=seconds, check=False)


def run(server, *words, table="t", shape="log", status=0):
    """The JSON of a run."""
    done = bench("run", "--url", server.url(""), "--create", "--table", f"db.{table}", "--shape", shape, "--distinct", "1M",
                 "--json", "-", *words)
    expect_equal(done.returncode, status, f"exit status of bench run {' '.join(words)}:\n{done.stderr.decode()[-1500:]}")
    return json.loads(done.stdout) if status == 0 else done.stderr.decode()


def expect_figures(server, reply, table, key="k"):
    """Checked, and what the server holds; every latency there is covers every row."""
    expect(reply["checked"] is True, f"{reply}")
    count, total, xor = server.summary(table, key)
    expect_equal({"count": count, "sum": total, "xor": xor}, reply["keys"], "count, sum and xor")
    expect_equal(reply["rows"], count, "rows")
    for name in ("ack", "freshness", "seen"):
        expect_equal(reply[name]["weight"], count, f"rows in the histogram {name}")
        at = reply[name]
        expect(0 <= at["p50_ms"] <= at["p90_ms"] <= at["p99_ms"] <= at["p999_ms"] <= at["max_ms"], f"{name}: {at}")
    expect(reply["ack"]["mean_ms"] <= reply["freshness"]["mean_ms"] + 0.001, "an answer comes before rows are visible")
    expect_equal(reply["reply"]["weight"], reply["loads"], "loads in the histogram of answers")
    expect_equal(sum(sample["visible_rows"] for sample in reply["samples"]), count, "rows over the samples")
    expect_equal(sum(sample["sent_bytes"] for sample in reply["samples"]), reply["bytes"], "bytes over the samples")
    return reply


@suite.test("rows are the same for the same seed, have the columns of their table, and say what they are")
def rows_of_all_shapes():
    for shape, columns in SHAPES.items():
        first = bench("rows", "--shape", shape, "--rows", "500")
        again = bench("rows", "--shape", shape, "--rows", "500")
        other = bench("rows", "--shape", shape, "--rows", "500", "--seed", "2")
        expect_equal(first.stdout, again.stdout, f"{shape}: the same seed")
        expect(first.stdout != other.stdout, f"{shape}: another seed")
        lines = first.stdout.decode().splitlines()
        expect_equal({len(line.split("\t")) for line in lines}, {columns}, f"{shape}: cells of a row")
        keys = [int(line.split("\t")[0]) for line in lines]
        expect_equal(keys, list(range(FIRST_KEY, FIRST_KEY + 500)), f"{shape}: its keys")
        said = json.loads(first.stderr)
        xor = 0
        for key in keys:
            xor ^= key
        expect_equal(said["keys"], {"count": 500, "sum": sum(keys), "xor": xor}, f"{shape}: what it says of them")
        expect_equal(said["bytes"], len(first.stdout), f"{shape}: bytes")
        schema = bench("schema", "--shape", shape, "--table", "db.t").stdout.decode()
        expect_equal(schema.count("\n") - 2, columns, f"{shape}: columns of {schema}")
        named = json.loads(bench("schema", "--shape", shape, "--json").stdout)
        for line in bench("rows", "--shape", shape, "--format", "json", "--rows", "20").stdout.splitlines():
            expect_equal(list(json.loads(line)), [column["name"] for column in named], f"{shape}: keys of an object")
    million = bench("rows", "--bytes", "1M", "--distinct", "100K")
    said = json.loads(million.stderr)
    expect(999_000 < said["bytes"] == len(million.stdout) <= 1_000_000, f"as many as fit into the bytes: {said}")
    expect(said["distinct_rows"] < said["rows"] / 9, f"rows come again behind --distinct: {said}")


@suite.test("one endless stream of each shape and format")
def all_shapes():
    with Server() as server:
        for shape in SHAPES:
            for form in ("csv", "json"):
                for gzip in ((), ("--gzip", )):
                    table = f"{shape}_{form}{'_gz' if gzip else ''}"
                    key = {"lineitem": "l_orderkey", "wide": "watch_id"}.get(shape, "k")
                    reply = run(server, "--format", form, "--bytes", "2500K", *gzip, table=table, shape=shape)
                    expect_figures(server, reply, table, key)
                    expect(gzip or 2_490_000 < reply["bytes"] <= 2_500_000, f"bytes: {reply['bytes']}")
                    expect(not gzip or reply["wire_bytes"] < reply["bytes"] / 2, "compressed")
                    expect_equal((reply["loads"], reply["mode"]), (1, "plain"), "loads")


@suite.test("loads of a size: as fast as they go, group commit, two-phase")
def small_loads():
    with Server() as server:
        for mode in ("plain", "group", "2pc"):
            for gzip in ((), ("--gzip", )):
                table = f"{mode.replace('2', 'two')}{len(gzip)}"
                reply = run(server, "--mode", mode, "--streams", "4", "--load-rows", "50", "--bytes", "300K", *gzip, table=table)
                expect_figures(server, reply, table)
                expect(reply["load_rows"] == 50 and reply["loads"] >= reply["rows"] / 50, f"{reply['loads']} loads")
                expect(reply["loads"] < reply["rows"] / 50 + 5, f"{reply['loads']} loads of {reply['rows']} rows")
        reply = run(server, "--load-bytes", "10K", "--bytes", "200K", table="by_bytes")
        expect_equal(expect_figures(server, reply, "by_bytes")["load_rows"], 64, "rows of 10 KB")
        reply = run(server, "--load-rows", "1", "--bytes", "2K", table="single")
        expect_equal(expect_figures(server, reply, "single")["loads"], reply["rows"], "loads of a row")
        reply = run(server, "--load-rows", "4000", "--block", "100K", "--bytes", "2M", table="blocks")
        expect_equal(expect_figures(server, reply, "blocks")["loads"], -(-reply["rows"] // 4000), "loads of many blocks")


@suite.test("a rate: rows come as scheduled, loads of a size and endless ones, with checkpoints in every mode")
def rates():
    with Server() as server:
        for name, words in {
                "sized": ("--load-rows", "100"),
                "endless": (),
                "plain": ("--checkpoint", "0.25"),
                "two": ("--checkpoint", "0.25", "--mode", "2pc"),
                "both": ("--checkpoint", "0.25", "--mode", "2pc", "--load-rows", "100"),
                "grouped": ("--checkpoint", "0.25", "--mode", "group"),
                "packed": ("--checkpoint", "0.25", "--gzip"),
        }.items():
            reply = expect_figures(server, run(server, "--rate", "4k", "--streams", "3", "--seconds", "1.5", *words, table=name), name)
            expect(5_500 <= reply["rows"] <= 6_300, f"{name}: {reply['rows']} rows of 4000 a second in 1.5 s")
            if "--checkpoint" in words and reply["checkpoints_late"] == 0:
                expect(3 <= reply["checkpoint"]["weight"] <= 6, f"{name}: checkpoints: {reply['checkpoint']}")
            if name == "two":
                expect(reply["freshness"]["mean_ms"] > reply["ack"]["mean_ms"], "rows are visible by the commit only")
        _, _, body = server.request("GET", "/api/_transactions?db=db")
        expect_equal(json.loads(body)["data"]["transactions"], [], "transactions that are left")


@suite.test("as fast as it goes with checkpoints; a second run into the same table counts its own rows")
def checkpoints():
    with Server() as server:
        for mode in ("plain", "2pc"):
            table = f"fast_{mode}"
            first = run(server, "--mode", mode, "--streams", "2", "--checkpoint", "0.2", "--seconds", "1", "--first-key", "2000000000",
                        table=table)
            expect_figures(server, first, table)
            expect(first["loads"] >= 4, f"{first['loads']} loads")
            second = run(server, "--mode", mode, "--bytes", "100K", table=table)
            expect_equal((second["checked"], second["rows_before"]), (True, first["rows"]), "the second run")
            expect_equal(server.count(table), first["rows"] + second["rows"], "rows of both")


@suite.test("the server's figures, the picture, and the table on standard output")
def figures():
    with Server() as server:
        folder = server.folder
        done = bench("run", "--url", server.url(""), "--create", "--table", "db.t", "--seconds", "0.7", "--rate", "20k", "--checkpoint",
                     "0.2", "--server-pid", str(server.process.pid), "--data-dir", server.data_dir, "--json", f"{folder}/run.json",
                     "--plot", f"{folder}/run.svg")
        text = done.stdout.decode()
        expect_equal(done.returncode, 0, done.stderr.decode())
        with open(f"{folder}/run.json", encoding="utf-8") as file:
            reply = json.load(file)
        expect(f"rows checked: {reply['rows']}, sum ok, xor ok" in text, text)
        expect(0 < reply["server_cpu_seconds"] < 60 and reply["server_rss_peak"] > 1 << 20, f"{reply['server_cpu_seconds']}")
        expect(reply["server_version"].startswith("penstock ") and reply["disk_bytes"] is not None, "version and disk")
        expect("CPU-seconds" in text and "p99.9" in text and "checkpoint: tick to done" in text, text)
        picture = xml.dom.minidom.parse(f"{folder}/run.svg")
        expect(len(picture.getElementsByTagName("path")) >= 5, "lines of the picture")


class Liar:
    """A server in front of the real one that says Success to every load and passes only the questions on."""

    def __init__(self, server):
        self.server, self.listener = server, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.one, args=(connection, ), daemon=True).start()

    def one(self, connection):
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                piece = connection.recv(65536)
                if not piece:
                    return
                rest += piece
            head, _, rest = rest.partition(b"\r\n\r\n")
            method, path = head.decode().split()[:2]
            if path.endswith("_stream_load"):
                length = int(head.decode().lower().partition("content-length: ")[2].split()[0])
                while len(rest) < length:
                    rest += connection.recv(65536)
                rest, body = rest[length:], b'{"Status":"Success","TxnId":1}'
            else:
                _, _, body = self.server.request(method, path)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@suite.test("rows that are lost, refused loads, and no server: exit status 1, a reason, no figures")
def failures():
    with Server() as server:
        server.create("t", bench("schema").stdout.decode().partition("(\n")[2].rpartition(") DUPLICATE")[0])
        liar = Liar(server)
        words = ("--table", "db.t", "--distinct", "1M", "--load-rows", "10", "--bytes", "10K")
        for more, text in {("--probe-ms", "0"): "THE ROWS ARE WRONG", ("--probe-ms", "1"): "the prober saw"}.items():
            done = bench("run", "--url", f"http://127.0.0.1:{liar.port}", *words, *more)
            expect_equal((done.returncode, done.stdout), (1, b""), done.stderr.decode())
            expect(text in done.stderr.decode(), done.stderr.decode())
        said = run(server, "--bytes", "10K", "--format", "json", table="other", shape="metric", status=0)
        expect(said["checked"], "a good one")
        said = run(server, "--bytes", "10K", table="other", shape="log", status=1)
        expect("was answered with 200" in said or "scan of k" in said or "Fail" in said, said)
        done = bench("run", "--url", server.url(""), "--table", "db.none", "--bytes", "1K")
        expect(done.returncode == 1 and b"--create" in done.stderr, done.stderr.decode())
        done = bench("run", "--url", server.url(""), "--password", "no", "--table", "db.t", "--bytes", "1K")
        expect(done.returncode == 1 and b"401" in done.stderr, done.stderr.decode())
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        done = bench("run", "--port", str(port), "--table", "db.t", "--bytes", "1K")
        expect(done.returncode == 1 and b"Is the server there?" in done.stderr, done.stderr.decode())
        for bad in (("run", "--bytes", "1K", "--table", "t"), ("run", "--table", "db.t"), ("run", "--bytes", "1K", "--url", "host"),
                    ("rows", "--shape", "none"), ("rows", "--bytes", "1x"), ("run", "--rate", "fast"), ()):
            done = bench(*bad)
            expect(done.returncode != 0 and done.stderr, f"{bad}: {done}")


@suite.test("the sink takes every mode, in any framing, and the generator alone is fast")
def sink():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for copy in ((), ("--copy", )):
        with subprocess.Popen([Server.binary, "bench", "sink", "--listen", f"127.0.0.1:{port}", *copy], stderr=subprocess.PIPE) as process:
            try:
                expect(b"listening" in process.stderr.readline(), "the sink listens")
                fastest = 0
                for words in (("--bytes", "50M"), ("--mode", "2pc", "--load-rows", "10", "--streams", "3", "--bytes", "1M"),
                              ("--mode", "2pc", "--checkpoint", "0.1", "--seconds", "0.5"),
                              ("--gzip", "--mode", "group", "--load-rows", "2000", "--block", "50K", "--bytes", "2M")):
                    done = bench("run", "--port", str(port), "--no-check", "--distinct", "2M", "--json", "-", *words)
                    expect_equal(done.returncode, 0, done.stderr.decode())
                    reply = json.loads(done.stdout)
                    expect(reply["checked"] is False and reply["rows"] > 0 and reply["seen"]["weight"] == 0, "not checked")
                    fastest = max(fastest, reply["mb_per_second"])
            finally:
                process.terminate()
                said = process.stderr.read().decode()
        expect_equal(process.returncode, 0, said)
        expect("thrown away" in said, said)
    return f"{fastest:.0f} MB/s with copies"


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    sys.exit(suite.run())

#!/usr/bin/env python3
"""What clients ask before and beside a load: each endpoint's reply, read as strictly as the strictest client reads it, and at once,
also while loads fill the memory and while the server is ending.
"""

import http.client
import json
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

import penstock_e2e as e2e
from penstock_e2e import LoadStream, Server, expect, expect_equal

suite = e2e.Suite(__doc__)

OPEN = ("/", "/api/health", "/api/bootstrap")
FOR_USERS = ("/api/backends?is_alive=true", "/rest/v2/manager/node/backends", "/rest/v2/manager/node/frontends")
TYPES = {  # what a table is made of: what a connector reads (type, precision, scale)
    "k BIGINT NOT NULL": ("BIGINT", None, None), "b BOOLEAN": ("BOOLEAN", None, None), "t TINYINT": ("TINYINT", None, None),
    "s SMALLINT": ("SMALLINT", None, None), "i INT": ("INT", None, None), "l LARGEINT": ("LARGEINT", None, None),
    "f FLOAT": ("FLOAT", None, None), "d DOUBLE": ("DOUBLE", None, None), "d9 DECIMAL(9,2)": ("DECIMAL32", "9", "2"),
    "d18 DECIMALV3(18,4)": ("DECIMAL64", "18", "4"), "d38 DECIMAL(38,10)": ("DECIMAL128", "38", "10"), "day DATE": ("DATEV2", None, None),
    "at DATETIME(3)": ("DATETIMEV2", None, None), "c CHAR(3)": ("CHAR", None, None), "v VARCHAR(20) COMMENT 'a \"text\"'": ("VARCHAR", None, None),
    "x STRING": ("STRING", None, None), "j JSON": ("JSON", None, None), "ip IPV4": ("IPV4", None, None), "six IPV6": ("IPV6", None, None),
    "a ARRAY<INT>": ("ARRAY", None, None), "m MAP<STRING,INT>": ("MAP", None, None), "r STRUCT<p:INT>": ("STRUCT", None, None),
}
SPARK_TYPES = set("""NULL_TYPE BOOLEAN TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DATE DATEV2 DATETIME DATETIMEV2 BINARY DECIMAL DECIMALV2 DECIMAL32
    DECIMAL64 DECIMAL128 CHAR VARCHAR STRING LARGEINT JSON JSONB TIME ARRAY MAP STRUCT VARIANT IPV4 IPV6 BITMAP HLL""".split())


def wrapped(server, path, auth=True, host=None):
    """The `data` of a reply, which must be the front end's wrapper: HTTP 200, these four keys in this order, code 0."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Authorization": server.auth_header()} if auth else {}
    connection.request("GET", path, headers={**headers, **({"Host": host} if host else {})})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    expect_equal((reply.status, reply.reason), (200, "OK"), f"{path}: {body[:200]}")
    parsed = json.loads(body)
    expect_equal((list(parsed), parsed["msg"], parsed["code"], parsed["count"]), (["msg", "code", "data", "count"], "success", 0, 0), path)
    # Flink's connector takes all white space out before it parses.
    expect_equal(json.loads(b"".join(body.split()))["code"], 0, f"{path} without white space")
    return parsed["data"]


@suite.test("without credentials: GET / and HEAD /, /api/health, /api/bootstrap in the shapes of Doris")
def for_anybody():
    with Server() as server:
        for method in ("GET", "HEAD"):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request(method, "/")
            expect_equal(connection.getresponse().status, 200, f"{method} /")
            connection.close()
        expect_equal(wrapped(server, "/api/health", auth=False), {"online_backend_num": 1, "total_backend_num": 1}, "health")
        expect_equal(wrapped(server, "/api/bootstrap", auth=False),
                     {"replayedJournalId": 0, "queryPort": 0, "rpcPort": 0, "version": "", "startTime": 0}, "bootstrap")


@suite.test("backends and frontends: exact keys, an int for http_port, texts in the tables, the address that the client used")
def nodes():
    with Server() as server:
        backends = wrapped(server, "/api/backends?is_alive=true")
        expect_equal(backends, {"backends": [{"ip": "127.0.0.1", "http_port": server.port, "is_alive": True}]}, "backends")
        expect(type(backends["backends"][0]["http_port"]) is int and list(backends["backends"][0]) == ["ip", "http_port", "is_alive"], "types")
        for kind in ("backends", "frontends"):
            data = wrapped(server, f"/rest/v2/manager/node/{kind}")
            expect_equal(list(data), ["columnNames", "rows"], kind)
            names, rows = data["columnNames"], data["rows"]
            expect_equal((len(rows), len(rows[0]), len(set(names))), (1, len(names), len(names)), f"{kind}: one row, names once")
            expect(all(type(cell) is str for cell in rows[0]), f"{kind}: texts: {rows}")
            row = dict(zip(names, rows[0]))
            expect_equal((row["Host"], int(row["HttpPort"]), row["Alive"]), ("127.0.0.1", server.port, "true"), kind)
            if kind == "frontends":  # Spark's connector takes these by name, and -1 for a port that was not given
                expect_equal((row["QueryPort"], row["ArrowFlightSqlPort"], row["IsMaster"]), ("-1", "-1", "true"), kind)
            else:
                expect_equal(json.loads(row["Tag"]), {"location": "default"}, "Tag")
        named = wrapped(server, "/rest/v2/manager/node/backends", host=f"penstock.example:{server.port}")
        expect("penstock.example" in named["rows"][0], f"{named}")
        for path in FOR_USERS:
            server.auth = ("root", "wrong")
            refused = json.loads(server.request("GET", path)[2])
            expect_equal((refused["code"], refused["msg"]), (401, "Unauthorized"), path)
            server.auth = e2e.ROOT_AUTH


@suite.test("_schema: data.status is the number 200, keysType, every type under the name that connectors know; get_load_state")
def schema():
    with Server().create(columns=", ".join(TYPES)) as server:
        data = wrapped(server, "/api/db/t/_schema")
        expect_equal((data["status"], type(data["status"]), data["keysType"], data["tableType"]), (200, int, "DUP_KEYS", "OLAP"), "head")
        for definition, column in zip(TYPES, data["properties"], strict=True):
            wanted = TYPES[definition]
            expect_equal((column["name"], column["type"], column.get("precision"), column.get("scale")), (definition.split()[0], *wanted),
                         definition)
            expect(column["type"] in SPARK_TYPES and type(column["comment"]) is str and type(column["aggregation_type"]) is str, f"{column}")
        for path, text in (("/api/db/none/_schema", "Unknown table 'none'"), ("/api/none/t/_schema", "Unknown database 'none'")):
            refused = json.loads(server.request("GET", path)[2])
            expect_equal((refused["code"], refused["data"]), (1, text), path)
        server.create("small")
        server.load_ok(b"1\t1\ta\n", 1, table="small", label="in")
        server.load_ok(b"1\t1\ta\n", 1, table="small", label="prepared", two_phase_commit="true")
        for label, state in (("in", "VISIBLE"), ("prepared", "PRECOMMITTED"), ("never", "UNKNOWN")):
            expect_equal(wrapped(server, f"/api/db/get_load_state?label={label}"), state, label)
    return f"{len(TYPES)} types"


@suite.test("at once while loads fill the memory: 60 whose unfinished rows take all of it, and then each endpoint")
def overloaded():
    with Server(shards=1, config="[limits]\nload_memory_mib = 8\n").create() as server:
        streams = [LoadStream(server) for _ in range(60)]
        for stream in streams:
            stream.connection.setblocking(False)
        piece = b"1\t1\t" + b"x" * 400_000
        for stream in streams:
            try:
                stream.connection.send(b"%x\r\n" % len(piece) + piece)
            except BlockingIOError:
                pass
        longest = 0.0
        for _ in range(5):
            for path in OPEN + FOR_USERS + ("/api/db/t/_schema", "/api/db/get_load_state?label=x"):
                began = time.monotonic()
                expect(server.request("GET", path, timeout=20)[0] == 200, path)
                longest = max(longest, time.monotonic() - began)
        for stream in streams:
            stream.close()
        expect(longest < 5, f"the longest took {longest:.1f} s")
    return f"longest {longest * 1000:.0f} ms"


@suite.test("while it ends: a load that is open goes on, whoever comes is refused at once and never kept waiting")
def draining():
    with Server().create() as server:
        stream = LoadStream(server, Expect="100-continue").wait_continue().send(b"1\t1\ta\n")
        server.terminate()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and " draining " not in server.log_text():
            time.sleep(0.01)
        began = time.monotonic()
        for _ in range(10):
            try:
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                connection.recv(100)  # an answer or the end, both at once
                connection.close()
            except ConnectionError:
                pass
        expect(time.monotonic() - began < 2, "ten requests were kept waiting")
        expect_equal(stream.finish()["Status"], "Success", "the load that was open")
        expect_equal(server.wait_exit(), 0, "exit code")


if __name__ == "__main__":
    sys.exit(suite.run())

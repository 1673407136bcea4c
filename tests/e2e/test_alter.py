#!/usr/bin/env python3
"""ALTER TABLE while loads are open, from outside: it answers at once, JSON loads take up the new columns in mid body, CSV
loads go on with those that they began with, and what is there stays over kill -9.
"""

import json
import sys
import threading
import time
import urllib.parse
import zlib

import penstock_e2e as e2e
from penstock_e2e import LoadStream, Server, expect, expect_equal

suite = e2e.Suite(__doc__)

AT_ONCE_SECONDS = 5.0  # far below any time-out of a load; a sanitized binary on a busy machine is slow


def json_rows(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def alter(server, text):
    began = time.monotonic()
    server.execute(f"ALTER TABLE t {text}")
    took = time.monotonic() - began
    expect(took < AT_ONCE_SECONDS, f"ALTER TABLE t {text} took {took:.1f} s: it waits for something")


def refused(server, text, reason):
    reply = server.statement(f"ALTER TABLE t {text}")
    expect(reply["code"] != 0, f"ALTER TABLE t {text} was done")
    expect(reason in str(reply["data"]), f"ALTER TABLE t {text}: {reply['data']}")


def open_load(server, **headers):
    """A load that has begun: what is altered from now on is altered beside it."""
    return LoadStream(server, **headers, Expect="100-continue").wait_continue()


def fields(server):
    return [row[0] for row in server.execute("DESC t")["data"]]


def table(server, columns=""):
    return sorted(server.scan("t", columns))


@suite.test("a JSON load that is open keeps the values of columns that come while it runs, in the second half of a row, too")
def json_follows():
    for shards in (1, 2):
        with Server(shards=shards) as server:
            server.create()
            load = open_load(server, format="json", read_json_by_line="true")
            load.send(json_rows([{"k": 1, "v": 1, "s": "a"}, {"k": 2, "extra": "too early"}]))
            load.send(b'{"k":3,"ex')
            time.sleep(0.2)
            alter(server, "ADD COLUMN `extra` VARCHAR(96)")
            load.send(b'tra":"three"}\n' + json_rows([{"k": 4, "extra": "four", "s": "d"}, {"k": 5}]))
            alter(server, "ADD COLUMN n INT NOT NULL DEFAULT '7' AFTER k")
            load.send(json_rows([{"k": 6, "n": 60, "extra": "six"}, {"k": 7}]))
            alter(server, "RENAME COLUMN extra e")
            alter(server, "DROP COLUMN v")
            load.send(json_rows([{"k": 8, "e": "eight", "extra": "no more", "v": 5}]))
            reply = load.finish()
            expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", 8), f"the load: {reply}")
            wanted = ["1\t7\ta\t\\N", "2\t7\t\\N\t\\N", "3\t7\t\\N\tthree", "4\t7\td\tfour", "5\t7\t\\N\t\\N",
                      "6\t60\t\\N\tsix", "7\t7\t\\N\t\\N", "8\t7\t\\N\teight"]
            for when in ("before", "after"):
                expect_equal(fields(server), ["k", "n", "s", "e"], f"columns {when} kill -9")
                expect_equal(table(server), wanted, f"rows {when} kill -9")
                server.restart(shards=3 - shards)


@suite.test("JSON in every form follows: one array, arrays by line, gzip, where, partitions; with columns or jsonpaths it does not")
def json_forms():
    partitions = ("PARTITION BY RANGE(k) (PARTITION a VALUES LESS THAN ('100'), PARTITION b VALUES LESS THAN ('200'))")
    forms = {
        "array": ({"strip_outer_array": "true"}, b"[", b",", b"]", True),
        "lines of arrays": ({"strip_outer_array": "true", "read_json_by_line": "true"}, b"[", b"]\n[", b"]", True),
        "gzip": ({"read_json_by_line": "true", "compress_type": "gz"}, b"", b"\n", b"\n", True),
        "where": ({"read_json_by_line": "true", "where": "k != 5"}, b"", b"\n", b"\n", True),
        "where of a column that goes": ({"read_json_by_line": "true", "where": "v is null or v < 50"}, b"", b"\n", b"\n", False),
        "columns": ({"read_json_by_line": "true", "columns": "k,s"}, b"", b"\n", b"\n", False),
        "expressions": ({"read_json_by_line": "true", "columns": "k,s,v=k+1"}, b"", b"\n", b"\n", False),
        "jsonpaths": ({"read_json_by_line": "true", "jsonpaths": '["$.k","$.v","$.s"]'}, b"", b"\n", b"\n", False),
    }
    for name, (headers, before, between, behind, follows) in forms.items():
        with Server(shards=2) as server:
            server.execute("CREATE DATABASE db", "")
            server.execute(f"CREATE TABLE t (k BIGINT NOT NULL, v INT NULL, s STRING NULL) DUPLICATE KEY(k) {partitions} "
                           "DISTRIBUTED BY HASH(k) BUCKETS 4")
            packer = zlib.compressobj(wbits=31) if "compress_type" in headers else None

            def pack(data):
                return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH) if packer else data

            load = open_load(server, format="json", max_filter_ratio="0.5", **headers)
            rows = [{"k": k, "v": k, "s": f"s{k}", "extra": f"e{k}"} for k in range(1, 9)] + [{"k": 500}]
            text = before + between.join(json.dumps(row).encode() for row in rows) + behind
            cut = text.index(b'{"k": 4') + 12
            load.send(pack(text[:cut]))
            time.sleep(0.1)
            alter(server, "ADD COLUMN extra VARCHAR(9) AFTER k, DROP COLUMN v")
            last = pack(text[cut:])
            if packer:
                last += packer.flush()
            for at in range(0, len(last), 7):
                load.send(last[at:at + 7])
            reply = load.finish()
            expect_equal(reply["Status"], "Success", f"{name}: {reply}")
            expect_equal(reply["NumberFilteredRows"], 1, f"{name}: the row that has no partition")
            wanted = [f"{k}\t{f'e{k}' if follows and k >= 4 else chr(92) + 'N'}\ts{k}" for k in range(1, 9)]
            if name == "where":
                wanted.pop(4)
            expect_equal(table(server), wanted, name)


@suite.test("RENAME beside open JSON loads: rows with old names and rows with new ones, NOT NULL too; a name that is taken again is the new column's")
def renames():
    for shards in (1, 2):
        with Server(shards=shards) as server:
            server.create(columns="k INT NOT NULL, a INT NOT NULL, s STRING NULL")
            load = open_load(server, format="json", read_json_by_line="true")
            load.send(json_rows([{"k": 1, "a": 1}]) + b'{"k":2,')
            time.sleep(0.1)
            alter(server, "RENAME COLUMN a b")
            alter(server, "RENAME COLUMN b c")  # the load reads nothing between the two
            load.send(b'"a":2}\n' + json_rows([{"k": 3, "a": 3}, {"k": 4, "b": 4}, {"k": 5, "c": 5},
                                               {"k": 6, "a": 0, "b": 0, "c": 6}, {"c": 7, "b": 0, "k": 7}]))
            time.sleep(0.1)
            alter(server, "ADD COLUMN a INT")
            load.send(json_rows([{"k": 8, "a": 80, "c": 8}, {"k": 9, "a": 90, "b": 9}]))
            reply = load.finish()
            expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", 9), f"the load: {reply}")
            expect_equal(table(server, "k,c,a"), [f"{k}\t{k}\t\\N" for k in range(1, 8)] + ["8\t8\t80", "9\t9\t90"], "rows")


@suite.test("a load that cannot follow one ALTER TABLE follows the next one that it can, and the log says why it did not")
def follows_again():
    with Server(shards=1) as server:
        server.create()
        load = open_load(server, format="json", read_json_by_line="true", where="v is null or v < 50")
        load.send(json_rows([{"k": 1, "v": 1}]))
        time.sleep(0.1)
        alter(server, "RENAME COLUMN v w")
        load.send(json_rows([{"k": 2, "v": 2}, {"k": 3, "v": 60}]))
        time.sleep(0.1)
        alter(server, "RENAME COLUMN w v, ADD COLUMN x INT")
        load.send(json_rows([{"k": 4, "v": 4, "x": 4}, {"k": 5, "v": 60, "x": 5}, {"k": 6, "w": 6}]))
        reply = load.finish()
        expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", 4), f"the load: {reply}")
        expect_equal(table(server, "k,v,x"), ["1\t1\t\\N", "2\t2\t\\N", "4\t4\t4", "6\t6\t\\N"], "rows")
        said = [line for line in server.log_text().splitlines() if "load_keeps_old_columns" in line]
        expect(len(said) == 1 and reply["Label"] in said[0] and "v" in said[0], f"the log: {said}")


@suite.test("CSV loads go on with the columns they began with over ADD, DROP, RENAME and MODIFY, plain and two-phase")
def csv_keeps():
    with Server(shards=2) as server:
        server.create()
        open_ones = [open_load(server, column_separator=",", two_phase_commit=two_phase) for two_phase in ("false", "true")]
        for at, load in enumerate(open_ones):
            load.send(f"{at}1,1,a\n".encode())
        alter(server, "ADD COLUMN x INT DEFAULT '5', DROP COLUMN v, RENAME COLUMN s TO text")
        alter(server, "ADD COLUMN v BIGINT AFTER k")
        for at, load in enumerate(open_ones):
            load.send(f"{at}2,2,b\n{at}3,3,c\n".encode())
        replies = [load.finish() for load in open_ones]
        for reply in replies:
            expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", 3), f"a load: {reply}")
        alter(server, "MODIFY COLUMN x LARGEINT")
        status, _, body = server.request("PUT", "/api/db/_stream_load_2pc",
                                         headers={"txn_id": str(replies[1]["TxnId"]), "txn_operation": "commit"})
        expect_equal((status, json.loads(body)["status"]), (200, "Success"), "the commit")
        wanted = [f"{at}{i}\t\\N\t{text}\t5".lstrip("0") for at in (0, 1) for i, text in ((1, "a"), (2, "b"), (3, "c"))]
        for when in ("before", "after"):
            expect_equal(fields(server), ["k", "v", "text", "x"], f"columns {when} kill -9")
            expect_equal(table(server), sorted(wanted), f"rows {when} kill -9: an old value of v must not come back")
            server.restart()


@suite.test("wider types, defaults of the time of the ALTER, order_by and where over blocks of several schemas")
def lifted():
    with Server(shards=2) as server:
        server.create(columns="k INT NOT NULL, a TINYINT NULL, d DECIMAL(6,2) NULL, t DATE NULL, f FLOAT NULL, c CHAR(3) NULL")
        server.load_ok(b"1,-5,-1.25,2024-02-29,0.5,abc\n2,\\N,\\N,\\N,\\N,\\N\n", rows=2, column_separator=",")
        alter(server, "MODIFY COLUMN a BIGINT, MODIFY COLUMN d DECIMAL(30,4), MODIFY COLUMN t DATETIME(3), "
                      "MODIFY COLUMN f DOUBLE, MODIFY COLUMN c VARCHAR(20)")
        alter(server, "ADD COLUMN made DATETIME DEFAULT CURRENT_TIMESTAMP, ADD COLUMN z DECIMAL(9,3) DEFAULT '1.5'")
        server.load_ok(b"3,5000000000,1.2345,2024-03-01 01:02:03.5,0.25,abcdefgh,2020-01-01 00:00:00,9\n", rows=1,
                       column_separator=",")
        made = server.scan("t", "made")
        expect(made[0] == made[1] and made[0] > "2024", f"the rows that were there have the time of the ALTER: {made}")
        server.restart()
        expect_equal(server.scan("t", "made"), made, "it stays the same")
        expect_equal(table(server, "k,a,d,t,f,c,z"),
                     ["1\t-5\t-1.2500\t2024-02-29T00:00\t0.5\tabc\t1.500", "2\t\\N\t\\N\t\\N\t\\N\t\\N\t1.500",
                      "3\t5000000000\t1.2345\t2024-03-01T01:02:03.500\t0.25\tabcdefgh\t9.000"], "the rows")
        status, _, body = server.request("GET", "/api/db/t/_scan?columns=k&order_by=z,a%20desc&where=z%20%3E%201.2")
        expect_equal((status, body.split()), (200, [b"1", b"2", b"3"]), "order_by and where")
        alter(server, "ADD COLUMN n STRING, ADD COLUMN e STRING DEFAULT '', ADD COLUMN l ARRAY<INT> DEFAULT '[]', "
                      "ADD COLUMN j JSON DEFAULT '{\"a\":1}'")
        for where, rows in (("n is null", 3), ("n = ''", 0), ("e = ''", 3), ("length(e) = 0 and n is null", 3),
                            ("cast(e as int) is null", 3), ("e like '%' and made is not null", 3), ("concat(n, 'x') = 'x'", 0)):
            _, _, body = server.request("GET", "/api/db/t/_scan?columns=count(*)&where=" + urllib.parse.quote(where))
            expect_equal(body.strip(), str(rows).encode(), f"where {where}")
        _, _, body = server.request("GET", "/api/db/t/_scan?columns=n,e,l,j&format=json&order_by=n,e")
        expect_equal([json.loads(line) for line in body.splitlines()], [{"n": None, "e": "", "l": [], "j": {"a": 1}}] * 3, "as JSON")


@suite.test("what ALTER TABLE refuses, it refuses whole and in words; the job of a client goes on")
def refusals():
    with Server(shards=2) as server:
        server.create()
        refused(server, "ADD COLUMN v INT", "Can not add column which already exists in base table: v")
        refused(server, "ADD COLUMN new INT, ADD COLUMN V INT", "already exists")
        refused(server, "ADD COLUMN n INT NOT NULL", "Field 'n' doesn't have a default value")
        refused(server, "ADD COLUMN n INT DEFAULT 'many'", "does not fit")
        refused(server, "ADD COLUMN n INT FIRST", "Invalid column order. value should be after key")
        refused(server, "ADD COLUMN n INT AFTER nothing", "Column[nothing]")
        refused(server, "DROP COLUMN nothing", "Column does not exists: nothing")
        refused(server, "DROP COLUMN k", "cannot be dropped")
        refused(server, "RENAME COLUMN v s", "Column name[s] is already used")
        refused(server, "MODIFY COLUMN v TINYINT", "Can not change int to tinyint")
        refused(server, "MODIFY COLUMN s STRING NOT NULL", "Can not change from nullable to non-nullable")
        refused(server, "ADD PARTITION p VALUES LESS THAN ('3')", "not supported yet")
        expect_equal(fields(server), ["k", "v", "s"], "columns")
        server.execute("ALTER TABLE `db`.`t` MODIFY COLUMN `v` COMMENT 'how many'", database="")
        create = server.execute("SHOW CREATE TABLE t")["data"][0][1]
        expect("COMMENT 'how many'" in create, create)
        _, _, body = server.request("GET", "/api/db/t/_schema")
        expect_equal(json.loads(body)["data"]["properties"][1]["comment"], "how many", "_schema")


@suite.test("what connectors ask over HTTP before they alter: look-ups in information_schema, enable_light_schema_change")
def lookups():
    with Server(shards=2) as server:
        server.create()
        alter(server, "ADD COLUMN extra VARCHAR(96) DEFAULT 'x' COMMENT 'more'")
        find = ("SELECT COLUMN_NAME FROM information_schema.`COLUMNS` WHERE TABLE_SCHEMA = 'db' AND TABLE_NAME = 't' "
                "AND COLUMN_NAME = '{}'")
        expect_equal(server.execute(find.format("extra"))["data"], [["extra"]], "a column that is there")
        expect_equal(server.execute(find.format("other"))["data"], [], "a column that is not")
        found = server.execute("SELECT `SCHEMA_NAME` FROM `INFORMATION_SCHEMA`.`SCHEMATA` WHERE SCHEMA_NAME = 'db'")
        expect_equal(found["data"], [["db"]], "the database")
        found = server.execute("SELECT TABLE_NAME FROM information_schema.`TABLES` WHERE TABLE_SCHEMA = 'db'")
        expect_equal(found["data"], [["t"]], "the tables")
        row = server.execute("SHOW FULL COLUMNS FROM `db`.`t`")["data"][3]
        expect_equal((row[0], row[5], row[8]), ("extra", "x", "more"), "SHOW FULL COLUMNS")
        refusal = server.statement("SELECT count(*) FROM t")
        expect(refusal["code"] != 0 and "not supported yet" in refusal["data"], f"a SELECT of rows: {refusal}")
        path = "/api/enable_light_schema_change/db/"
        for method in ("GET", "POST"):
            for asked, code in (({"isDropColumn": False, "columnName": "n"}, 0), ({"isDropColumn": True, "columnName": "v"}, 0),
                                ({"isDropColumn": True, "columnName": "k"}, 1), (None, 0)):
                _, _, body = server.request(method, path + "t", json.dumps(asked) if asked else None)
                expect_equal(json.loads(body)["code"], code, f"{method} {asked}: {body}")
        _, _, body = server.request("GET", path + "nothing", "{}")
        expect_equal(json.loads(body)["code"], 1, "an unknown table")
        for path in ("/api/query/default_cluster/", "/api/query/internal"):
            _, _, body = server.request("POST", path, json.dumps({"stmt": "ALTER TABLE `db`.`t` ADD COLUMN y" + path[-1] + " INT"}
                                                                 if path[-1] != "/" else {"stmt": "SHOW DATABASES"}))
            expect_equal(json.loads(body)["code"], 0, f"{path}: {body}")


@suite.test("hidden_columns on a table without a delete sign: one field more in every row, before and after ALTER TABLE")
def hidden_columns():
    with Server(shards=2) as server:
        server.create()
        csv = {"column_separator": ",", "hidden_columns": "__DORIS_DELETE_SIGN__"}
        server.load_ok(b"1,1,a,0\n2,2,b,0\n", rows=2, **csv)
        server.load_ok(b"3,3,c\n", rows=1, **csv)
        opened = open_load(server, **csv)
        opened.send(b"4,4,d,0\n")
        alter(server, "ADD COLUMN x INT")
        opened.send(b"5,5,e,0\n")
        expect_equal(opened.finish()["NumberLoadedRows"], 2, "rows of a load that was open")
        server.load_ok(b"6,6,f,66,0\n", rows=1, **csv)
        server.load_ok(b"7,7,g,77\n", rows=1, **csv)
        server.load_ok(b"8,88,0\n", rows=1, columns="`k`,`x`,__DORIS_DELETE_SIGN__", **csv)
        server.load_ok(json_rows([{"k": "9", "v": "9", "0": "0"}, {"k": "10", "x": 1, "__DORIS_DELETE_SIGN__": "0"}]), rows=2,
                       format="json", read_json_by_line="true", hidden_columns="__DORIS_DELETE_SIGN__")
        expect_equal(sorted(server.scan("t", "k,x"), key=lambda line: int(line.split()[0])),
                     ["1\t\\N", "2\t\\N", "3\t\\N", "4\t\\N", "5\t\\N", "6\t66", "7\t77", "8\t88", "9\t\\N", "10\t1"], "rows")


@suite.test("many JSON loads on all shards while columns are added one by one: no value that was sent after its ALTER is lost")
def many_loads():
    columns, loads, rounds = 6, 4, 30
    with Server(shards=2) as server:
        server.create()
        added = 0
        lock = threading.Lock()
        failures = []

        def stream(which):
            try:
                load = LoadStream(server, format="json", read_json_by_line="true", two_phase_commit="true" if which == 0 else "false")
                for i in range(rounds):
                    with lock:
                        there = added
                    row = {"k": which * 1000 + i, "v": there}
                    for c in range(columns):
                        row[f"c{c}"] = c * 10 + which
                    text = json_rows([row])
                    load.send(text[:len(text) // 2])
                    load.send(text[len(text) // 2:])
                    time.sleep(0.01)
                reply = load.finish()
                expect_equal((reply["Status"], reply["NumberLoadedRows"]), ("Success", rounds), f"a load: {reply}")
                if which == 0:
                    server.request("PUT", "/api/db/_stream_load_2pc", headers={"txn_id": str(reply["TxnId"]), "txn_operation": "commit"})
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=stream, args=(which,)) for which in range(loads)]
        for thread in threads:
            thread.start()
        for c in range(columns):
            time.sleep(0.04)
            alter(server, f"ADD COLUMN c{c} INT")
            with lock:
                added = c + 1
        for thread in threads:
            thread.join()
        expect(not failures, f"a load failed: {failures[:1]}")
        for round_ in range(2):
            lines = server.scan("t")
            expect_equal(len(lines), loads * rounds, "rows")
            for line in lines:
                cells = line.split("\t")
                there = int(cells[1])
                got = cells[3:3 + there]
                expect_equal(got, [str(c * 10 + int(cells[0]) // 1000) for c in range(there)], f"the columns of row {cells[0]}")
            server.restart(shards=1 + round_)


if __name__ == "__main__":
    sys.exit(suite.run())

#!/usr/bin/env python3
"""The protocol as curl and plain clients speak it: every form of a load, every refusal, the reply's fields, the life of the
process (bad configs, SIGTERM, kill -9, other shard counts).
"""

import json
import os
import subprocess
import sys
import time

import penstock_e2e as e2e
from penstock_e2e import Server, expect, expect_equal

suite = e2e.Suite(__doc__)

FIELDS = {  # in the order of the reply
    "TxnId": int, "Label": str, "Comment": str, "TwoPhaseCommit": str, "Status": str, "Message": str,
    "NumberTotalRows": int, "NumberLoadedRows": int, "NumberFilteredRows": int, "NumberUnselectedRows": int,
    "LoadBytes": int, "LoadTimeMs": int, "BeginTxnTimeMs": int, "StreamLoadPutTimeMs": int, "ReadDataTimeMs": int,
    "WriteDataTimeMs": int, "ReceiveDataTimeMs": int, "CommitAndPublishTimeMs": int,
}


def curl(server, *words, table="t", tail="", stdin=None, user="root:"):
    """Runs curl against a load address; (HTTP status, reply text)."""
    done = subprocess.run(["curl", "-sS", "-u", user, "-w", "\n%{http_code}", *words,
                           server.url(f"/api/db/{table}/_stream_load{tail}")],
                          input=stdin, capture_output=True, timeout=60, check=False)
    expect_equal(done.returncode, 0, f"curl's exit code ({done.stderr.decode()})")
    text, _, status = done.stdout.decode().rpartition("\n")
    return int(status), text


def curl_reply(*words, **how):
    status, text = curl(*words, **how)
    expect_equal(status, 200, f"HTTP status ({text})")
    return json.loads(text)


def write_file(server, name, text):
    path = os.path.join(server.folder, name)
    with open(path, "wb") as file:
        file.write(text)
    return path


def csv_rows(first, count):
    return b"".join(b"%d,%d,row %d\n" % (k, k % 1000, k) for k in range(first, first + count))


@suite.test("the curl form of the documents: Success, right counts, and the count after kill -9 and on 1, 3, 2 shards")
def documented_form():
    with Server(shards=2) as server:
        server.create()
        rows = write_file(server, "rows.csv", csv_rows(0, 100_000))
        reply = curl_reply(server, "-T", rows, "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue", "-H",
                           "column_separator:,")
        expect_equal((reply["Status"], reply["Message"]), ("Success", "OK"), "the reply")
        expect_equal((reply["NumberTotalRows"], reply["NumberLoadedRows"], reply["NumberFilteredRows"]),
                     (100_000, 100_000, 0), "its rows")
        expect_equal(reply["LoadBytes"], os.path.getsize(rows), "LoadBytes")
        for first in range(100_000, 140_000, 2_000):
            server.load_ok(csv_rows(first, 2_000), 2_000, column_separator=",")
        wanted = server.digest()
        expect_equal(wanted[0], 140_000, "rows scanned")
        expect_equal(server.count(), 140_000, "count(*)")
        server.restart()
        expect_equal((server.count(), server.digest()), (140_000, wanted), "after kill -9")
        for shards in (1, 3, 2):
            server.terminate()
            expect_equal(server.wait_exit(), 0, "exit code after SIGTERM")
            server.start(shards)
            expect_equal((server.count(), server.digest()), (140_000, wanted), f"on {shards} shards")
        server.load_ok(csv_rows(140_000, 10), 10, column_separator=",")
        expect_equal(server.count(), 140_010, "count(*) after one more load")
        return f"140,000 rows, checksum {wanted[1]}"


@suite.test("every way to send a body: Content-Length, chunked, from a pipe, POST, trailing slash, HTTP/1.0, no Expect")
def forms():
    with Server() as server:
        server.create()
        rows = write_file(server, "rows.tsv", b"1\t1\ta\n2\t2\tb\n3\t3\tc")  # no newline at the end
        text = open(rows, "rb").read()
        ways = {
            "Content-Length and Expect": dict(words=["-T", rows, "-H", "Expect: 100-continue"]),
            "Content-Length, no Expect": dict(words=["-T", rows, "-H", "Expect:"]),
            "chunked": dict(words=["-T", rows, "-H", "Transfer-Encoding: chunked"]),
            "from a pipe": dict(words=["-T", "-", "-H", "Expect: 100-continue"], stdin=text),
            "from a pipe as it comes": dict(words=["-T", "."], stdin=text),
            "POST": dict(words=["-X", "POST", "-T", rows]),
            "--data-binary": dict(words=["-X", "PUT", "--data-binary", "@" + rows]),
            "trailing slash": dict(words=["-T", "-"], stdin=text, tail="/?"),
            "HTTP/1.0": dict(words=["--http1.0", "-T", rows, "-H", "Expect: 100-continue"]),
            "--location-trusted": dict(words=["--location-trusted", "-T", rows]),
        }
        for number, (name, how) in enumerate(ways.items(), 1):
            reply = curl_reply(server, *how.pop("words"), **how)
            expect_equal((reply["Status"], reply["NumberLoadedRows"], reply["LoadBytes"]), ("Success", 3, len(text)), name)
            expect_equal(server.count(), 3 * number, f"count(*) after {name}")
        return f"{len(ways)} ways"


@suite.test("an empty load (-T /dev/null, Content-Length: 0) is Success with no rows")
def empty_load():
    with Server() as server:
        server.create()
        for words in (["-T", "/dev/null"], ["-T", "/dev/null", "-H", "Expect: 100-continue"],
                      ["-X", "PUT", "-H", "Content-Length: 0", "-H", "Expect: 100-continue"]):
            reply = curl_reply(server, *words)
            expect_equal((reply["Status"], reply["NumberTotalRows"], reply["NumberLoadedRows"]), ("Success", 0, 0), words)
        expect_equal(server.count(), 0, "count(*)")


@suite.test("a label twice: Label Already Exists, FINISHED, rows once; RUNNING while open; free after an abort; kept by kill -9")
def labels():
    with Server() as server:
        server.create()
        rows = write_file(server, "rows.tsv", b"1\t1\ta\n")
        first = curl_reply(server, "-T", rows, "-H", "label:one")
        expect_equal((first["Status"], first["Label"]), ("Success", "one"), "the first")
        for when in ("again", "after kill -9"):
            reply = curl_reply(server, "-T", rows, "-H", "label:one")
            expect_equal((reply["Status"], reply["ExistingJobStatus"]), ("Label Already Exists", "FINISHED"), when)
            expect_equal(reply["TxnId"], -1, "its TxnId")
            expect_equal(reply["Message"], "[LABEL_ALREADY_EXISTS]errCode = 2, detailMessage = Label [one] has already been "
                         f"used, relate to txn [{first['TxnId']}]", "its Message")
            expect_equal(list(reply)[4:7], ["Status", "ExistingJobStatus", "Message"], "the order of its fields")
            expect_equal(server.count(), 1, f"count(*) {when}")
            server.restart()
        stream = e2e.LoadStream(server, label="two", Expect="100-continue").wait_continue()
        stream.send(b"2\t2\tb\n")
        reply = server.load(b"2\t2\tb\n", label="two")
        expect_equal((reply["Status"], reply["ExistingJobStatus"]), ("Label Already Exists", "RUNNING"), "while open")
        stream.close()
        retry_until_success(server, b"2\t2\tb\n", "two")
        failed = server.load(b"x\tx\tb\n", label="three")
        expect_equal(failed["Status"], "Fail", "a bad load")
        expect_equal(server.load(b"3\t3\tb\n", label="three")["Status"], "Success", "the same label after a Fail")
        bad = server.load(b"4\t4\tb\n", label="no blanks, please")
        expect_equal(bad["Status"], "Fail", "a malformed label")
        expect("Label format error. regex: " in bad["Message"], bad["Message"])
        made = {server.load_ok(b"4\t4\tb\n")["Label"] for _ in range(3)}
        expect(len(made) == 3 and "" not in made, f"labels made where none was given: {made}")
        expect_equal(server.count(), 6, "count(*)")


def retry_until_success(server, body, label, seconds=5):
    """Right after a broken connection the label may still be RUNNING for a moment."""
    deadline = time.monotonic() + seconds
    while True:
        reply = server.load(body, label=label)
        if reply.get("ExistingJobStatus") != "RUNNING" or time.monotonic() > deadline:
            expect_equal(reply["Status"], "Success", f"the retry: {reply}")
            return reply
        time.sleep(0.01)


@suite.test("the reply: every field in its order, with its type; a made txn id; 200 and JSON")
def reply_fields():
    with Server() as server:
        server.create()
        stream = e2e.LoadStream(server, label="fields", comment="from the test")
        stream.send(b"1\t1\ta\nx\t1\tb\n")
        stream.end()
        reply = stream.replies.next()
        expect_equal(reply.status, 200, "status of a load that fails")
        fields = reply.json()
        expect_equal(list(fields), [*FIELDS, "ErrorURL", "FirstErrorMsg", "ErrorRows"], "fields of a Fail")
        fields = server.load_ok(b"1\t1\ta\n", label="good", comment="from the test")
        expect_equal(list(fields), list(FIELDS), "fields of a Success")
        for name, kind in FIELDS.items():
            expect(type(fields[name]) is kind, f"{name} is {fields[name]!r}, wanted {kind.__name__}")
        expect_equal((fields["Comment"], fields["TwoPhaseCommit"]), ("from the test", "false"), "Comment, TwoPhaseCommit")
        expect(fields["TxnId"] > 0, "TxnId")
        second = server.load_ok(b"1\t1\ta\n")
        expect(second["TxnId"] > fields["TxnId"], "txn ids grow")


@suite.test("bad rows: Fail and nothing visible; with max_filter_ratio the good ones, and the reasons of the bad ones")
def filtered():
    with Server() as server:
        server.create()
        body = b"".join(b"%d\t%d\tgood\n" % (k, k) for k in range(8)) + b"x\t1\tbad key\n9\t9\n"
        reply = server.load(body)
        expect_equal((reply["Status"], reply["Message"]), ("Fail", "[DATA_QUALITY_ERROR]too many filtered rows"), "ratio 0")
        expect_equal((reply["NumberTotalRows"], reply["NumberLoadedRows"], reply["NumberFilteredRows"]), (10, 0, 2), "rows")
        expect_equal(server.count(), 0, "count(*) after a Fail")
        expect_equal(server.load(body, max_filter_ratio="0.19")["Status"], "Fail", "ratio 0.19")
        reply = server.load(body, max_filter_ratio="0.2")
        expect_equal((reply["Status"], reply["NumberLoadedRows"], reply["NumberFilteredRows"]), ("Success", 8, 2), "ratio 0.2")
        expect("k" in reply["FirstErrorMsg"], f"FirstErrorMsg: {reply['FirstErrorMsg']}")
        expect_equal(len(reply["ErrorRows"]), 2, "bad rows shown")
        expect("actual column number in csv file is  less than  schema column number" in reply["ErrorRows"][1],
               reply["ErrorRows"][1])
        expect_equal(server.count(), 8, "count(*)")


@suite.test("columns header: other order, left-out columns, back quotes; an unknown column and a bad separator are refused")
def columns_header():
    with Server() as server:
        server.create()
        server.load_ok(b"hello|7\nworld|8\n", 2, columns="`s`, k", column_separator="|")
        server.load_ok(b"1\x01\x012\x01\x01x\x02", 1, column_separator=r"\x01\x01", line_delimiter=r"\x02")
        server.load_ok(b"3\t\\N\t\\N\n", 1)
        expect_equal(sorted(server.scan()), ["1\t2\tx", "3\t\\N\t\\N", "7\t\\N\thello", "8\t\\N\tworld"], "rows")
        expect_equal(sorted(server.scan(columns="s,k", limit=1000)), ["\\N\t3", "hello\t7", "world\t8", "x\t1"], "scan s,k")
        expect_equal(len(server.scan(limit=2)), 2, "rows of limit=2")
        for how, text in ((dict(columns="s, v"), "k"), (dict(column_separator=r"\x0"), "Hex str"),
                          (dict(strict_mode="maybe"), "Invalid strict mode format. Must be bool type"),
                          (dict(format="parquet"), "unknown data format, format=parquet"),
                          (dict(where="k >"), "where"), (dict(group_commit="x"), "group_commit")):
            reply = server.load(b"1\t2\tx\n", **how)
            expect_equal(reply["Status"], "Fail", how)
            expect(text in reply["Message"], f"{how}: {reply['Message']}")
        server.load_ok(b"4\t4\tx\n", 1, sink_properties_anything="1", Content_Encoding="gzip", compress_type="")


@suite.test("refusals of a load are HTTP 200 and Fail: unknown table, unknown database, before and without the body")
def unknown_names():
    with Server() as server:
        server.create()
        for path, text in (("/api/db/none/_stream_load", "none"), ("/api/none/t/_stream_load", "none")):
            done = subprocess.run(["curl", "-sS", "-u", "root:", "-w", "\n%{http_code}", "-T", "-", "-H",
                                   "Expect: 100-continue", server.url(path)], input=b"1\t1\ta\n", capture_output=True,
                                  timeout=30, check=True)
            body, _, status = done.stdout.decode().rpartition("\n")
            reply = json.loads(body)
            expect_equal((status, reply["Status"], reply["TxnId"]), ("200", "Fail", -1), path)
            expect(text in reply["Message"], reply["Message"])
        stream = e2e.LoadStream(server, table="none", Expect="100-continue")
        reply = stream.replies.next()  # no 100 came before: next() would have skipped it, so look at what was said
        expect_equal((reply.status, reply.headers.get("connection")), (200, "close"), "an early reply")
        big = e2e.LoadStream(server, table="none")
        for _ in range(64):
            big.send(bytes(e2e.MIB))  # sent without waiting: it is read and discarded, the reply is not lost
        expect_equal(big.finish()["Status"], "Fail", "the reply behind 64 MiB")
        server.load_ok(b"1\t1\ta\n", 1)


@suite.test("both lengths, or neither: HTTP 200, Fail with Doris's text, then close; the body is not taken for a request")
def lengths():
    with Server() as server:
        server.create()
        smuggled = b"PUT /api/db/t/_stream_load HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nAuthorization: " \
            + server.auth_header().encode() + b"\r\n\r\n9\t9\t9\n"
        for length, body, text in (
                ("Content-Length: 6\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + smuggled,
                 "please do not set both content_length and transfer-encoding"),
                ("Transfer-Encoding: chunked\r\nContent-Length: 6", b"6\r\n1\t1\ta\n\r\n0\r\n\r\n",
                 "please do not set both content_length and transfer-encoding"),
                ("", smuggled, "content_length is empty and transfer-encoding!=chunked, please set content_length or "
                 "transfer-encoding=chunked")):
            connection = e2e.connect(server.port)
            connection.sendall(e2e.load_head(server, length=length) + body)
            replies = e2e.Replies(connection)
            reply = replies.next()
            expect_equal((reply.status, reply.json()["Status"], reply.headers.get("connection")), (200, "Fail", "close"), text)
            expect_equal(reply.json()["Message"], "[INVALID_ARGUMENT]" + text, "Message")
            expect(replies.is_closed(), "closed after the reply")
            connection.close()
        expect_equal(server.count(), 0, "count(*)")


@suite.test("a user with a password: wrong, missing or malformed credentials are HTTP 200 and [NOT_AUTHORIZED]; the right one loads")
def passwords():
    hashed = subprocess.run([Server.binary, "hash-password"], input=b"secret:with colon\n", capture_output=True, check=True,
                            timeout=60).stdout.decode().strip()
    with Server(config=f'[users]\nroot = "{hashed}"\n', auth=("root", "secret:with colon")) as server:
        server.create()
        rows = write_file(server, "rows.tsv", b"1\t1\ta\n")
        for user in ("root:", "root:wrong", "other:secret:with colon", "root:secret"):
            reply = curl_reply(server, "-T", rows, user=user)
            expect_equal((reply["Status"], reply["TxnId"]), ("Fail", -1), user)
            expect(reply["Message"].startswith("[NOT_AUTHORIZED]"), reply["Message"])
        for header in ("Basic ???", "Bearer x", ""):
            done = subprocess.run(["curl", "-sS", "-T", rows, "-H", f"Authorization: {header}",
                                   server.url("/api/db/t/_stream_load")], capture_output=True, timeout=30, check=True)
            reply = json.loads(done.stdout)
            expect(reply["Message"].startswith("[NOT_AUTHORIZED]"), f"{header!r}: {reply}")
        expect_equal(curl_reply(server, "-T", rows, user="root:secret:with colon")["Status"], "Success", "the right one")
        server.auth = ("root", "wrong")
        expect_equal(server.request("GET", "/api/db/t/_scan")[0], 401, "a scan")
        expect_equal(server.statement("SHOW DATABASES")["code"], 401, "a statement")
        server.auth = ("root", "secret:with colon")
        expect_equal(server.count(), 1, "count(*)")
        expect(hashed not in server.log_text() and "secret" not in server.log_text(), "nothing of it is in the log")


@suite.test("other routes: GET /, health, HEAD without a body, 404, 405 with Allow; 401 never for a load")
def routes():
    with Server() as server:
        server.create()
        server.load_ok(b"1\t1\ta\n", 1)
        status, _, body = server.request("GET", "/")
        expect(status == 200 and body.startswith(b"penstock "), f"GET /: {status} {body}")
        expect_equal(server.request("GET", "/api/health")[0], 200, "health")
        for path in ("/", "/api/health", "/api/db/t/_scan?columns=count(*)", "/api/db/t/_scan"):
            status, headers, body = server.request("HEAD", path)
            expect_equal((status, body), (200, b""), f"HEAD {path}")
        for path in ("/none", "/api/db/_stream_load", "/api/db/t/x/_stream_load", "/api//t/_scan", "/api/db/none/_scan"):
            expect_equal(server.request("GET", path)[0], 404, f"GET {path}")
        for method, path, allow in (("GET", "/api/db/t/_stream_load", "PUT, POST"), ("DELETE", "/", "GET, HEAD"),
                                    ("PUT", "/api/db/t/_scan", "GET, HEAD")):
            status, headers, _ = server.request(method, path)
            expect_equal((status, headers.get("Allow")), (405, allow), f"{method} {path}")
        expect_equal(server.request("GET", "/api/db/t/_scan?columns=none")[0], 400, "a scan of an unknown column")
        connection = e2e.connect(server.port)  # keep-alive: HEAD, then GET, on one connection
        connection.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        replies = e2e.Replies(connection)
        status, headers = replies.head()
        connection.sendall(b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n")
        expect_equal((status, replies.next().status), (200, 200), "HEAD and GET on one connection")


@suite.test("statements: CREATE and DROP, IF [NOT] EXISTS, SHOW; a table dropped and made again is empty")
def statements():
    with Server() as server:
        server.create()
        server.load_ok(b"1\t1\ta\n", 1)
        expect_equal(server.execute("SHOW DATABASES")["data"], [[e2e.DATABASE]], "SHOW DATABASES")
        expect_equal(server.execute("SHOW TABLES")["data"], [["t"]], "SHOW TABLES")
        shown = server.execute("SHOW CREATE TABLE t")["data"][0][1]
        expect_equal(server.statement("CREATE TABLE t (a INT) DUPLICATE KEY(a) DISTRIBUTED BY HASH(a) BUCKETS 1")["code"], 1,
                     "a table that exists")
        server.execute("DROP TABLE t")
        expect_equal(server.statement("DROP TABLE t")["code"], 1, "a table that does not exist")
        server.execute("DROP TABLE IF EXISTS t")
        server.execute(shown)
        expect_equal(server.execute("SHOW CREATE TABLE t")["data"][0][1], shown, "SHOW CREATE TABLE, made from itself")
        expect_equal(server.count(), 0, "count(*) of the new table")
        server.load_ok(b"1\t1\ta\n", 1)
        server.restart()
        expect_equal(server.count(), 1, "after kill -9")
        server.execute("DROP DATABASE db FORCE" if server.statement("DROP DATABASE db")["code"] else "SHOW DATABASES")
        expect_equal(server.execute("SHOW DATABASES")["data"], [], "databases after the drop")
        for nonsense in ("", "SELECT 1", "CREATE", "CREATE TABLE x", "DROP TABLE " + "(" * 10000, "SHOW CREATE TABLE `" * 500):
            reply = server.statement(nonsense)
            expect(reply["code"] != 0 and reply["data"], f"{nonsense[:20]!r}: {reply}")


@suite.test("SIGTERM: open loads finish, new ones get HTTP 200 and Fail, exit 0; all acknowledged rows are there afterwards")
def drain():
    with Server() as server:
        server.create()
        open_load = e2e.LoadStream(server, Expect="100-continue").wait_continue()
        open_load.send(b"1\t1\ta\n")
        kept = e2e.connect(server.port)  # a kept-alive connection that sends its next request during the drain
        kept.sendall(b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n")
        expect_equal(e2e.Replies(kept).next().status, 200, "health")
        begun = e2e.connect(server.port)  # its head has begun before the signal
        head = e2e.load_head(server)
        begun.sendall(head[:40])
        time.sleep(0.2)
        server.terminate()
        wait_for_log(server, "draining")
        time.sleep(0.2)
        begun.sendall(head[40:])
        begun.sendall(b"6\r\n2\t2\tb\n\r\n0\r\n\r\n")
        reply = e2e.Replies(begun).next()
        expect_equal((reply.status, reply.json()["Status"]), (200, "Fail"), "a load that came too late")
        expect("shutting down" in reply.json()["Message"], reply.json()["Message"])
        refused = "connection refused"
        try:
            late = server.load(b"3\t3\tc\n", seconds=5)
            expect_equal(late["Status"], "Fail", "a load on a new connection")
            refused = "HTTP 200, Fail"
        except e2e.Broken:
            pass
        expect(server.process.poll() is None, "it waits for the open load")
        open_load.send(b"4\t4\td\n")
        expect_equal(open_load.finish()["Status"], "Success", "the open load")
        began = time.monotonic()
        expect_equal(server.wait_exit(), 0, "exit code")
        took = time.monotonic() - began
        expect(took < 10, f"the exit took {took:.1f} s after the last load")
        server.start()
        expect_equal(server.count(), 2, "rows after the restart")
        return f"new connections during the drain: {refused}; exit {took:.2f} s after the last load"


@suite.test("SIGTERM with a load that never ends: it is cut off after drain_seconds, nothing of it is visible, exit 0")
def drain_cut_off():
    with Server(arguments=["--drain-seconds", "1"]) as server:
        server.create()
        stream = e2e.LoadStream(server, Expect="100-continue", label="cut").wait_continue()
        stream.send(b"1\t1\ta\n")
        time.sleep(0.1)
        began = time.monotonic()
        server.terminate()
        expect_equal(server.wait_exit(15), 0, "exit code")
        took = time.monotonic() - began
        server.start()
        expect_equal(server.count(), 0, "rows")
        server.load_ok(b"1\t1\ta\n", 1, label="cut")
        return f"{took:.1f} s"


def wait_for_log(server, text, seconds=10):
    deadline = time.monotonic() + seconds
    while text not in server.log_text(server.log_from):
        expect(time.monotonic() < deadline, f"'{text}' was not logged:\n{server.log_tail()}")
        time.sleep(0.02)


@suite.test("refuses to start: off loopback without users, a taken port, a data folder in use, bad configs; --check-config")
def refusals_to_start():
    def run(*words):
        done = subprocess.run([Server.binary, "serve", *words], capture_output=True, timeout=30, check=False)
        return done.returncode, done.stderr.decode() + done.stdout.decode()

    with Server() as server:
        other = os.path.join(server.folder, "other")
        os.makedirs(other)
        code, text = run("--data-dir", other, "--listen", "0.0.0.0:0", "--shards", "1")
        expect(code != 0 and "no user has a password" in text, f"off loopback: {code} {text}")
        code, text = run("--data-dir", other, "--listen", f"127.0.0.1:{server.port}", "--shards", "1")
        expect(code != 0 and "another with --listen" in text, f"a taken port: {code} {text}")
        code, text = run("--data-dir", server.data_dir, "--listen", "127.0.0.1:0", "--shards", "1")
        expect(code != 0 and "in use by another penstock process" in text, f"a folder in use: {code} {text}")
        configs = (
            ('shards = 2\n', 0, "the config is good"),
            ('shard = 2\n', 1, "shard: no such key"),
            ('shards = "two"\n', 1, "a whole number"),
            ('[limits]\nrow_mib = 0\n', 1, "limits.row_mib"),
            ('[users]\nroot = "plain"\n', 1, "not a password hash"),
            ('listen = "127.0.0.1"\n', 1, "is not host:port"),
            ('= nonsense\n', 1, "line 1"),
            ('shards = 2\na = [}\n', 1, "try.toml': line 2: it is not TOML"),
            ('\u00e9 = 1\n', 1, "line 1"),
            ('a' + '.a' * 5000 + ' = 1\n', 1, "too many dots"),
            ('log_level = "loud"\n', 1, "log_level"),
            ('listen = "0.0.0.0:8040"\n', 1, "no user has a password"),
        )
        for body, wanted, part in configs:
            path = write_file(server, "try.toml", body.encode())
            code, text = run("--config", path, "--check-config")
            expect((code != 0) == (wanted != 0) and part in text, f"{body!r}: {code} {text}")
        code, text = run("--config", write_file(server, "try.toml", b"shards = 3\n"), "--print-config")
        expect(code == 0 and "shards = 3" in text, f"--print-config: {text}")
        return f"{len(configs)} configs"


@suite.test("20 loads on one kept-alive connection, 4 connections at a time: no delay between body and reply")
def quick_replies():
    import threading

    with Server() as server:
        server.create()
        times = []

        def one():
            connection = e2e.connect(server.port)
            replies = e2e.Replies(connection)
            for _ in range(20):
                began = time.monotonic()
                connection.sendall(e2e.load_head(server) + b"6\r\n1\t1\ta\n\r\n0\r\n\r\n")
                reply = replies.next()
                expect_equal(reply.json()["Status"], "Success", "a load")
                times.append(time.monotonic() - began)

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect_equal((len(times), server.count()), (80, 80), "loads, rows")
        times.sort()
        expect(times[40] < 1.0, f"median {times[40] * 1000:.0f} ms")
        return f"median {times[40] * 1000:.1f} ms, longest {times[-1] * 1000:.1f} ms"


if __name__ == "__main__":
    sys.exit(suite.run())

#!/usr/bin/env python3
"""The curl commands of Doris's documentation, run as they stand there, straight to the server and through the door that
answers 307. (Merge types are not among them yet; more of two-phase commit is in test_two_phase.py, of group commit in test_group_commit.py.)
"""

import bz2
import gzip
import itertools
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

import penstock_e2e as e2e
from penstock_e2e import Server, expect, expect_equal

suite = e2e.Suite(__doc__)

EXPECT = ["-H", "Expect:100-continue"]
COMMA = ["-H", "column_separator:,"]
COLUMNS = "user_id BIGINT NOT NULL, name VARCHAR(20) NULL, age INT NULL"
PEOPLE = b"1,Emily,25\n2,Benjamin,35\n3,Olivia,28\n4,Alexander,60\n5,Ava,17\n"
SEEN = ["1\tEmily\t25", "2\tBenjamin\t35", "3\tOlivia\t28", "4\tAlexander\t60", "5\tAva\t17"]
JSON_LINES = b"".join(b'{"userid":%d,"username":"%s","userage":%d}\n' % (int(i), n, int(a)) for i, n, a in
                      (line.split(b",") for line in PEOPLE.splitlines()))
JSON_ARRAY = b"[" + b",\n".join(JSON_LINES.splitlines()) + b"]"
JSON_OF = ["-H", "format:json", "-H", 'jsonpaths:["$.userid", "$.username", "$.userage"]', "-H", "columns:user_id,name,age"]

FORMS = {  # name: (words, what is sent, rows wanted (None: all))
    "a file": (["-T", "{file}", *COMMA, *EXPECT], PEOPLE, None),
    "a file, and columns": (["-T", "{file}", *COMMA, *EXPECT, "-H", "columns:user_id,name,age"], PEOPLE, None),
    "-XPUT": (["-T", "{file}", "-XPUT", *COMMA, *EXPECT], PEOPLE, None),
    "a label": (["-T", "{file}", *COMMA, *EXPECT, "-H", "label:form_{number}"], PEOPLE, None),
    "a pipe": (["-T", "-", *COMMA, *EXPECT], PEOPLE, None),
    "a pipe as it comes": (["-T", ".", *COMMA, *EXPECT], PEOPLE, None),
    "a file, chunked": (["-T", "{file}", *COMMA, *EXPECT, "-H", "Transfer-Encoding: chunked"], PEOPLE, None),
    "a file, chunked, Content-Length taken away": (
        ["-T", "{file}", *COMMA, *EXPECT, "-H", "Transfer-Encoding: chunked", "-H", "Content-Length:"], PEOPLE, None),
    "nothing": (["-T", "/dev/null", *EXPECT], b"", []),
    "an empty file": (["-T", "{file}", *EXPECT], b"", []),
    "--data-binary": (["-X", "PUT", "--data-binary", "@{file}", *COMMA, *EXPECT], PEOPLE, None),
    "--data-binary, another type": (["-X", "PUT", "--data-binary", "@{file}", *COMMA, *EXPECT, "-H", "Content-Type: text/plain"],
                                    PEOPLE, None),
    "HTTP/1.0": (["--http1.0", "-T", "{file}", *COMMA], PEOPLE, None),
    "a tab": (["-T", "{file}", *EXPECT, "-H", r"column_separator:\t"], PEOPLE.replace(b",", b"\t"), None),
    "hidden characters": (["-T", "{file}", *EXPECT, "-H", r"column_separator:\x01", "-H", r"line_delimiter:\x02"],
                          PEOPLE.replace(b",", b"\x01").replace(b"\n", b"\x02"), None),
    "several characters": (["-T", "{file}", *EXPECT, "-H", "column_separator:||", "-H", r"line_delimiter:$$\n"],
                           PEOPLE.replace(b",", b"||").replace(b"\n", b"$$\n"), None),
    "DOS lines": (["-T", "{file}", *COMMA, *EXPECT], PEOPLE.replace(b"\n", b"\r\n"), None),
    "csv_with_names": (["-T", "{file}", *COMMA, *EXPECT, "-H", "format:csv_with_names"], b"id,n,a\n" + PEOPLE, None),
    "csv_with_names_and_types": (["-T", "{file}", *COMMA, *EXPECT, "-H", "format:csv_with_names_and_types"],
                                 b"id,n,a\nbigint,string,int\n" + PEOPLE, None),
    "skip_lines": (["-T", "{file}", *COMMA, *EXPECT, "-H", "skip_lines:2"], b"# one\n# two\n" + PEOPLE, None),
    "enclose, escape": (["-T", "{file}", *COMMA, *EXPECT, "-H", "enclose:'", "-H", "escape:\\"],
                        b"1,'Em,ily',25\n2,'O\\'Neil\n2nd',35\n", ["1\tEm,ily\t25", "2\tO'Neil\\n2nd\t35"]),
    "trim_double_quotes": (["-T", "{file}", *COMMA, *EXPECT, "-H", "trim_double_quotes:true"],
                           PEOPLE.replace(b"Ava", b'"Ava"'), None),
    "timeout": (["-T", "{file}", *COMMA, *EXPECT, "-H", "timeout:3000"], PEOPLE, None),
    "where": (["-T", "{file}", *COMMA, *EXPECT, "-H", "where:age>=35"], PEOPLE, [SEEN[1], SEEN[3]]),
    "other order": (["-T", "{file}", *COMMA, *EXPECT, "-H", "columns:name,age,user_id"],
                    b"Emily,25,1\nAva,17,5\n", [SEEN[0], SEEN[4]]),
    "columns by expressions": (["-T", "{file}", *COMMA, *EXPECT, "-H", "columns:user_id,tmp,age,name=upper(tmp)"], b"1,Emily,25\n",
                               ["1\tEMILY\t25"]),
    "max_filter_ratio": (["-T", "{file}", *COMMA, *EXPECT, "-H", "max_filter_ratio:0.4"], b"x,bad,1\n" + PEOPLE, None),
    "strict_mode": (["-T", "{file}", *COMMA, *EXPECT, "-H", "strict_mode:true", "-H", "max_filter_ratio:0.4"],
                    b"9,bad,x\n" + PEOPLE, None),
    "not strict": (["-T", "{file}", *COMMA, *EXPECT, "-H", "strict_mode:false"], b"9,nine,x\n" + PEOPLE, [*SEEN, "9\tnine\t\\N"]),
    "merge_type:APPEND": (["-T", "{file}", *COMMA, *EXPECT, "-H", "merge_type:APPEND"], PEOPLE, None),
    "gz": (["-T", "{file}", *COMMA, *EXPECT, "-H", "compress_type:gz"], gzip.compress(PEOPLE), None),
    "GZ, from a pipe": (["-T", "-", *COMMA, *EXPECT, "-H", "compress_type:GZ"], gzip.compress(PEOPLE), None),
    "bz2": (["-T", "{file}", *COMMA, *EXPECT, "-H", "compress_type:bz2"], bz2.compress(PEOPLE), None),
    "JSON, an array": (["-T", "{file}", *EXPECT, *JSON_OF, "-H", "strip_outer_array:true"], JSON_ARRAY, None),
    "JSON, an array, fuzzy_parse": (["-T", "{file}", *EXPECT, *JSON_OF, "-H", "strip_outer_array:true", "-H", "fuzzy_parse:true"],
                                    JSON_ARRAY, None),
    "JSON, a line each": (["-T", "{file}", *EXPECT, *JSON_OF, "-H", "read_json_by_line:true"], JSON_LINES, None),
    "JSON, by line unless said otherwise": (["-T", "-", *EXPECT, *JSON_OF], JSON_LINES, None),
    "JSON, its root": (["-T", "{file}", *EXPECT, *JSON_OF, "-H", "json_root:$.data", "-H", "strip_outer_array:true"],
                       b'{"n": 5, "data": ' + JSON_ARRAY + b"}", None),
    "JSON, numbers as text": (["-T", "{file}", *EXPECT, *JSON_OF, "-H", "num_as_string:true"], JSON_LINES, None),
    "JSON, gz": (["-T", "{file}", *EXPECT, *JSON_OF, "-H", "compress_type:gz"], gzip.compress(JSON_LINES), None),
    "headers nobody knows": (["-T", "{file}", *COMMA, *EXPECT, "-H", "exec_mem_limit:2147483648", "-H", "send_batch_parallelism:2",
                              "-H", "load_to_single_tablet:true", "-H", "two_phase_commit:false", "-H", "enable_profile:true",
                              "-H", "group_commit:off_mode", "-H", "x-anything:1", "-H", "timezone:Africa/Abidjan"], PEOPLE, None),
    "group_commit": (["-T", "{file}", *COMMA, *EXPECT, "-H", "group_commit:async_mode"], PEOPLE, None),
    "group_commit, a pipe": (["-T", "-", *COMMA, *EXPECT, "-H", "group_commit:sync_mode"], PEOPLE, None),
    "a database's and a table's name escaped": (["-T", "{file}", *COMMA, *EXPECT], PEOPLE, None),
}


def run_curl(port, words, stdin=None, path="/api/db/people/_stream_load"):
    """(reply, what else curl says) of a load as documents write it."""
    done = subprocess.run(["curl", "-sS", "--location-trusted", "-u", "root:", "-w", "\n%{http_code} %{num_redirects} %{size_upload}",
                           *words, f"http://127.0.0.1:{port}{path}"], input=stdin, capture_output=True, timeout=60, check=False)
    expect_equal(done.returncode, 0, f"curl's exit code ({done.stderr.decode()})")
    text, _, said = done.stdout.decode().rpartition("\n")
    status, redirects, sent = (int(float(word)) for word in said.split())
    expect_equal(status, 200, f"HTTP status ({text})")
    return json.loads(text), redirects, sent


def run_forms(server, port, through):
    redirected, slow = 0, []
    for number, (name, (words, body, rows)) in enumerate(FORMS.items()):
        table = f"people_{through}_{number}"
        server.create(table, COLUMNS)
        path = os.path.join(server.folder, "body")
        with open(path, "wb") as file:
            file.write(body)
        words = [word.replace("{file}", path).replace("{number}", f"{through}_{number}") for word in words]
        escaped = table.replace("people", "p%65ople") if "escaped" in name else table
        began = time.monotonic()
        reply, redirects, _ = run_curl(port, words, body if words[1] in "-." else None, f"/api/db/{escaped}/_stream_load")
        if time.monotonic() - began > 0.9:  # curl waits 1 s for a 100 that does not come
            slow.append(name)
        redirected += redirects
        wanted = SEEN if rows is None else rows
        expect_equal((reply["Status"], reply["Message"], reply["NumberLoadedRows"]), ("Success", "OK", len(wanted)), f"{name}: {reply}")
        expect_equal(sorted(server.scan(table)), sorted(wanted), f"rows of: {name}")
    expect(len(slow) <= (5 if e2e.is_sanitized() else 2), f"curl waited in vain for 100: {slow}")
    return redirected


@suite.test("every form straight to the server")
def direct():
    with Server() as server:
        expect_equal(run_forms(server, server.port, "direct"), 0, "redirects")
    return f"{len(FORMS)} forms"


@suite.test("every form through the door that answers 307")
def redirected():
    with Server(arguments=["--redirect-listen", "127.0.0.1:0"]) as server:
        followed = run_forms(server, server.redirect_port(), "front")
        expect(followed > len(FORMS) * 3 // 4, f"only {followed} of {len(FORMS)} were redirected")
    return f"{len(FORMS)} forms, {followed} redirected"


ENDINGS = {  # name: words of a commit or abort, what curl says of its request
    "-X PUT": (["-X", "PUT"], "no length at all"),
    "-X PUT, Expect": (["-X", "PUT", *EXPECT], "no length at all"),
    "-X PUT -d ''": (["-X", "PUT", "-d", ""], "Content-Length: 0"),
    "-T /dev/null": (["-T", "/dev/null", *EXPECT], "Transfer-Encoding: chunked"),
    "-X POST": (["-X", "POST"], "no length at all"),
    "HTTP/1.0": (["--http1.0", "-X", "PUT"], "no length at all"),
}


def end_transaction(port, words, path, *headers):
    """(status and msg, the length headers that curl sent) of a commit or an abort, in at most a second."""
    done = subprocess.run(["curl", "-sSv", "--location-trusted", "-u", "root:", *words, *(word for line in headers for word in ("-H", line)),
                           f"http://127.0.0.1:{port}{path}"], capture_output=True, timeout=60, check=False)
    said = done.stderr.decode()
    expect_equal(done.returncode, 0, f"curl's exit code ({said})")
    sent = {line[2:] for line in said.splitlines() if line.startswith(("> Content-Length", "> Transfer-Encoding"))}
    reply = json.loads(done.stdout)
    expect_equal(list(reply), ["status", "msg"], "fields")
    return (reply["status"], reply["msg"]), " ".join(sent) or "no length at all"


def run_endings(server, port, through):
    """Every form of ending every way of naming a transaction on both paths."""
    committed, longest = 0, 0.0
    for number, (ending, operation, named, path) in enumerate(
            itertools.product(ENDINGS, ("commit", "abort"), ("txn_id", "label", "both"), ("/api/db/_stream_load_2pc", "/api/db/people/_stream_load_2pc"))):
        label = f"two_{through}_{number}"
        reply, _, _ = run_curl(port, ["-T", "-", *COMMA, *EXPECT, "-H", f"label:{label}", "-H", "two_phase_commit:true"], PEOPLE)
        expect_equal((reply["Status"], reply["TwoPhaseCommit"], reply["Label"]), ("Success", "true", label), f"{reply}")
        expect_equal(server.count("people"), 5 * committed, "rows before it is ended")
        which = [f"txn_id:{reply['TxnId']}"] * (named != "label") + [f"label:{label}"] * (named != "txn_id")
        words, length = ENDINGS[ending]
        began = time.monotonic()
        answer, sent = end_transaction(port, words, path, *which, f"txn_operation:{operation}")
        longest = max(longest, time.monotonic() - began)
        expect_equal(sent, length, f"the length headers of {ending}")
        text = (f"label [{label}] " if named != "txn_id" else "") + (f"transaction [{reply['TxnId']}] " if named != "label" else "")
        expect_equal(answer, ("Success", f"{text}{operation} successfully."), f"{ending}, {operation} by {named} at {path}")
        committed += operation == "commit"
        expect_equal(server.count("people"), 5 * committed, f"rows after {operation}")
    expect(longest < (5 if e2e.is_sanitized() else 1), f"the longest took {longest:.2f} s: curl waited for a 100")
    return number + 1


@suite.test("two-phase loads, committed and aborted by txn_id, label and both, on both paths, with a length, chunks or neither; both doors")
def two_phase():
    with Server(arguments=["--redirect-listen", "127.0.0.1:0"]).create("people", COLUMNS) as server:
        ended = run_endings(server, server.port, "direct")
        server.execute("TRUNCATE TABLE people")
        ended += run_endings(server, server.redirect_port(), "front")
    return f"{ended} transactions ended"


@suite.test("a label that exists: the final reply in place of 100, curl sends no byte of 50 MB")
def no_body():
    with Server().create("people", COLUMNS) as server:
        path = os.path.join(server.folder, "big")
        with open(path, "wb") as file:
            file.truncate(50 * e2e.MIB)
        server.load_ok(PEOPLE, 5, table="people", column_separator=",", label="big")
        for words in (["-T", path, *EXPECT], ["-T", path, *EXPECT, "-H", "Transfer-Encoding: chunked"]):
            reply, _, sent = run_curl(server.port, [*words, "-H", "label:big"])
            expect_equal((reply["Status"], sent), ("Label Already Exists", 0), "Status, bytes sent")


@suite.test("bad rows: Fail, the reasons behind ErrorURL by a plain GET without a password; then the same label is free")
def error_url():
    with Server().create("people", COLUMNS) as server:
        words = ["-T", "-", *COMMA, *EXPECT, "-H", "label:again"]
        reply, _, _ = run_curl(server.port, words, b"x,Emily,25\n" + PEOPLE)
        expect_equal((reply["Status"], reply["NumberFilteredRows"]), ("Fail", 1), f"{reply}")
        done = subprocess.run(["curl", "-sS", "-f", reply["ErrorURL"]], capture_output=True, timeout=30, check=False)
        expect(done.returncode == 0 and b"Reason: " in done.stdout and b"x" in done.stdout, f"the log: {done.stdout}{done.stderr}")
        expect_equal(run_curl(server.port, words, PEOPLE)[0]["Status"], "Success", "again")


@suite.test("30 curls at once, a third each by file, pipe and gz pipe: all rows, no label made twice")
def at_once():
    with Server().create("people", COLUMNS) as server:
        path = os.path.join(server.folder, "rows")
        with open(path, "wb") as file:
            file.write(PEOPLE * 2000)
        commands = [["-T", path, *COMMA, *EXPECT], ["-T", "-", *COMMA, *EXPECT], ["-T", "-", *COMMA, *EXPECT, "-H", "compress_type:gz"]]
        with open(path + ".gz", "wb") as file:
            file.write(gzip.compress(PEOPLE * 2000))
        running = []
        for number in range(30):
            with open(path + (".gz" if number % 3 == 2 else ""), "rb") as stdin:
                running.append(subprocess.Popen(["curl", "-sS", "-u", "root:", *commands[number % 3],
                                                 server.url("/api/db/people/_stream_load")], stdin=stdin, stdout=subprocess.PIPE))
        replies = [json.loads(process.communicate(timeout=120)[0]) for process in running]
        expect_equal({(reply["Status"], reply["NumberLoadedRows"]) for reply in replies}, {("Success", 10_000)}, "replies")
        expect_equal(len({reply["Label"] for reply in replies}), 30, "labels")
        expect_equal(server.count("people"), 300_000, "count(*)")


if __name__ == "__main__":
    if not shutil.which("curl"):
        print("skipped: curl is not installed")
        sys.exit(e2e.ALL_SKIPPED)
    sys.exit(suite.run())

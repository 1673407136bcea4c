#!/usr/bin/env python3
"""The clients that Python people install: pydoris, doris-stream-load, DorisClient, unmodified, from the package index that
pip is set up with. Without one (no network, no pip) this is skipped.
"""

import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

import penstock_e2e as e2e
from penstock_e2e import Server, Skipped, expect, expect_equal

suite = e2e.Suite(__doc__)

PASSWORD = "p@ss: w/rd%1"  # all that has a meaning of its own in a URL
PIP_SECONDS = 120

# What the client's own Python runs; `given` is where to and as whom.
PYDORIS = """
from pydoris.doris_client import DorisClient
client = DorisClient(given["host"], str(given["port"]), "root", given["password"])
client.options.set_csv_format(",").set_auto_uuid_label()
assert client.write("db", "t", "1,1,a\\n2,2,b\\n")
client.options.set_json_format().set_label("pydoris-json")
assert client.write("db", "t", '{"k": 3, "v": 3, "s": "c"}\\n{"k": 4, "v": null, "s": "d"}')
assert not client.write("db", "t", '{"k": 3}'), "the label exists"
client.options.set_label("pydoris-bad").set_csv_format(",")
assert not client.write("db", "t", "x,1,bad\\n")
client.options.set_label("pydoris-options").set_csv_format("|").set_line_delimiter("\\\\n").set_option("columns", "s,k").set_enable_profile()
assert client.write("db", "t", "e|5\\n".encode() * 3)
"""
DORIS_STREAM_LOAD = """
import doris_stream_load
loader = doris_stream_load.stream_load(given["host"], "root", given["password"], given["port"], "db", "t", ",")
for turn in range(3):
    reply = loader.sendData(["%d,%d,row" % (k, turn) for k in range(20000)])
    assert reply["Status"] == "Success" and reply["NumberLoadedRows"] == 20000, reply
reply = loader.sendData(["x,1,bad"])
assert reply["Status"] == "Fail" and reply["NumberFilteredRows"] == 1, reply
"""
DORIS_CLIENT = """
from DorisClient import DorisSession
session = DorisSession(["%s:%d" % (given["host"], given["front"])], "db", "root", given["password"])
assert session._streamload("t", [{"k": k, "v": k % 7, "s": "row %d" % k} for k in range(5000)])
assert session._streamload("t", [{"s": "\\u00e4 \\u65e5 \\U0001f642", "k": 5000}])
assert not session._streamload("t", [{"k": "x", "v": 1, "s": "bad"}])
try:
    DorisSession(["%s:%d" % (given["host"], given["port"])], "db", "root", given["password"])._streamload("t", [{"k": 1}])
except Exception as error:
    assert "No available BE nodes" in str(error), error  # it takes nothing but 307: the first door is not for it
else:
    assert False, "a direct answer was taken for a 307"
"""


class Packages:
    """A virtual environment with all of them, made once for all tests of a run."""

    WITH_WHAT_THEY_NEED = ["requests", "doris-stream-load==2.4", "DorisClient==1.2.22"]
    ALONE = ["pydoris==1.2.0"]  # what it needs beyond requests is for its SQL side, and has to be compiled
    folder = ""
    why_not = ""

    @classmethod
    def python(cls):
        if cls.why_not:
            raise Skipped(cls.why_not)
        path = os.path.join(cls.folder, "bin", "python")
        if not cls.folder:
            cls.folder = e2e.scratch_folder("penstock-pypi-")
            path = os.path.join(cls.folder, "bin", "python")
            pip = [sys.executable, "-m", "pip", "--python", path, "install", "-q", "--disable-pip-version-check", "--no-input",
                   "--retries", "1", "--timeout", "10"]
            try:
                cls.run([sys.executable, "-m", "venv", "--without-pip", cls.folder], "python3 -m venv")
                cls.run([*pip, *cls.WITH_WHAT_THEY_NEED], "pip install")
                cls.run([*pip, "--no-deps", *cls.ALONE], "pip install")
            except Skipped as why:
                cls.why_not = str(why)
                raise
        return path

    @staticmethod
    def run(words, what):
        try:
            done = subprocess.run(words, capture_output=True, timeout=PIP_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Skipped(f"{what}: {type(error).__name__}") from None
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
            raise Skipped(f"{what} ended with {done.returncode}: {lines[-1][:200] if lines else ''}")

    @classmethod
    def remove(cls):
        if cls.folder:
            shutil.rmtree(cls.folder, ignore_errors=True)


def locked_server():
    """With a password, and with both doors."""
    hashed = subprocess.run([Server.binary, "hash-password"], input=PASSWORD.encode() + b"\n", capture_output=True, check=True,
                            timeout=60).stdout.decode().strip()
    return Server(config=f'[users]\nroot = "{hashed}"\n', auth=("root", PASSWORD),
                  arguments=["--redirect-listen", "127.0.0.1:0"]).create()


def run_client(python, script, server, port):
    given = {"host": "127.0.0.1", "port": port, "front": server.redirect_port(), "password": PASSWORD}
    done = subprocess.run([python, "-c", f"import json\ngiven = json.loads({json.dumps(json.dumps(given))})\n{script}"],
                          capture_output=True, timeout=120, check=False)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    expect_equal(done.returncode, 0, f"the client's exit status\n{output[-2000:]}")


@suite.test("pydoris 1.2.0: CSV and JSON, its labels and options, straight and through the 307 door")
def pydoris():
    python = Packages.python()
    for through in ("port", "redirect_port"):
        with locked_server() as server:
            run_client(python, PYDORIS, server, server.port if through == "port" else server.redirect_port())
            expect_equal(sorted(server.scan()), ["1\t1\ta", "2\t2\tb", "3\t3\tc", "4\t\\N\td"] + ["5\t\\N\te"] * 3, "rows")


@suite.test("doris-stream-load 2.4: HTTP/1.0 without Host, a slash at the end, one session")
def doris_stream_load():
    python = Packages.python()
    with locked_server() as server:
        run_client(python, DORIS_STREAM_LOAD, server, server.port)
        expect_equal(server.summary("t", "k")[:2], (60_000, 3 * sum(range(20_000))), "count, sum of k")


@suite.test("DorisClient 1.2.22: an empty load first, the 307's address with a password in it, JSON in an array")
def doris_client():
    python = Packages.python()
    with locked_server() as server:
        run_client(python, DORIS_CLIENT, server, server.port)
        rows = server.scan()
        expect_equal(len(rows), 5001, "rows")
        expect("5000\t\\N\tä 日 🙂" in rows, "the row beyond ASCII")
        expect(PASSWORD not in server.log_text() and "w%2Frd" not in server.log_text(), "no password is in the log")


if __name__ == "__main__":
    try:
        sys.exit(suite.run())
    finally:
        Packages.remove()

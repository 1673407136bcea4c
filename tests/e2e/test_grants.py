#!/usr/bin/env python3
"""Users and grants of the real process: who may do what, and that SIGHUP makes the configuration's users count without a restart."""

import base64
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import penstock_e2e as e2e
from penstock_e2e import LoadStream, Server, expect, expect_equal

suite = e2e.Suite(__doc__)

DENIED = "Access denied; you need (at least one of) the "
WRONG = "Access denied: wrong user or password"


def hashed(password, salt=b"0123456789abcdef"):
    made = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1000)
    return f"pbkdf2-sha256$1000${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def user(name, grants=None, password=None):
    """An entry of [users]; the password is the name's unless told. Without grants the simple form."""
    if grants is None:
        return f'[users]\n{name} = "{hashed(password or name)}"\n'
    lists = ", ".join(f'"{database}" = {json.dumps(rights.split())}' for database, rights in grants.items())
    return f'[users.{name}]\npassword = "{hashed(password or name)}"\ngrants = {{ {lists} }}\n'


USERS = (user("root") + user("loader", {"sales": "LOAD"}) + user("reader", {"sales": "SELECT"}) + user("changer", {"sales": "ALTER"}) +
         user("owner", {"sales": "ADMIN", "hr": "SELECT"}) + user("flink", {"*": "LOAD", "default_cluster:hr": "SELECT ALTER"}) +
         user("idle", {"sales": ""}))


@contextlib.contextmanager
def as_user(server, name, password=None):
    before, server.auth = server.auth, (name, name if password is None else password)
    try:
        yield server
    finally:
        server.auth = before


def make_databases(server):
    for database in ("sales", "hr"):
        server.create(database=database)
        server.load_ok(b"1\t1\ta\n", 1, database=database)


def granted_server(config=USERS, **how):
    return Server(config=config, auth=("root", "root"), **how)


def get(server, path):
    status, _, body = server.request("GET", path)
    return status, json.loads(body) if body[:1] == b"{" else body


def end(server, database, operation, **headers):
    _, _, body = server.request("PUT", f"/api/{database}/_stream_load_2pc", None, {"txn_operation": operation, **headers})
    return json.loads(body)


def is_denied(answer):
    return DENIED in str(answer)


def acts(server, database):
    """What each letter of the table below means, tried: True where it was permitted."""
    return {
        "L": lambda: server.load(b"1\t1\ta\n", database=database),
        "p": lambda: server.load(b"", database=database, two_phase_commit="true"),
        "E": lambda: end(server, database, "commit", label="nothing_there"),
        "R": lambda: get(server, f"/api/{database}/t/_scan?columns=count(*)"),
        "D": lambda: get(server, f"/api/{database}/t/_schema"),
        "d": lambda: server.statement(f"SHOW FULL COLUMNS FROM `{database}`.`t`", "other"),
        "t": lambda: server.statement("SHOW TABLES", database),
        "s": lambda: get(server, f"/api/{database}/get_load_state?label=nothing_there"),
        "T": lambda: server.statement(f"CREATE TABLE IF NOT EXISTS {database}.t (k INT) DUPLICATE KEY(k)", "other"),
        "B": lambda: server.statement(f"CREATE DATABASE IF NOT EXISTS {database}", "other"),
        "A": lambda: get(server, f"/api/_transactions?db={database}"),
    }


TABLE = {  # user: (what it may in sales, in hr)
    "root": ("LpERDdtsTBA", "LpERDdtsTBA"),
    "loader": ("LpEDdts", ""),
    "reader": ("RDdts", ""),
    "changer": ("DdtsT", ""),
    "owner": ("LpERDdtsTBA", "RDdts"),
    "flink": ("LpEDdts", "LpERDdtsT"),
    "idle": ("", ""),
}


@suite.test("each user may do what its grants say, database by database, and nothing else")
def table_of_rights():
    tried = 0
    with granted_server() as server:
        make_databases(server)
        for name, (sales, hr) in TABLE.items():
            with as_user(server, name):
                for database, letters in (("sales", sales), ("hr", hr)):
                    for letter, act in acts(server, database).items():
                        answer = act()
                        expect_equal(not is_denied(answer), letter in letters, f"{name} tries {letter} in {database}: {answer}")
                        tried += 1
    return f"{len(TABLE)} users, {tried} requests"


@suite.test("the texts of a refusal: wrong password, unknown user, a user without the right; a missing database reads the same")
def texts():
    with granted_server() as server:
        make_databases(server)
        for name, password in (("root", "wrong"), ("nobody", "x"), ("loader", "")):
            with as_user(server, name, password):
                reply = server.load(b"1\t1\ta\n", database="sales")
                expect_equal((reply["Status"], reply["TxnId"], reply["Message"]), ("Fail", -1, "[NOT_AUTHORIZED]" + WRONG), "a load")
                expect_equal(end(server, "sales", "commit", txn_id="1")["status"], "NOT_AUTHORIZED", "a commit")
                expect_equal(server.statement("SHOW DATABASES"), {"msg": "Unauthorized", "code": 401, "data": WRONG, "count": 0}, "SHOW")
                expect_equal(get(server, "/api/sales/t/_scan")[0], 401, "a scan")
        with as_user(server, "loader"):
            for there, missing in (("hr", "nosuch"), ("hr", "default_cluster:hr")):
                answers = []
                for database in (there, missing):
                    load = server.load(b"1\t1\ta\n", database=database)
                    expect_equal((load["Status"], load["TxnId"]), ("Fail", -1), f"{load}")
                    answers.append((load["Message"], end(server, database, "abort", label="x"), get(server, f"/api/{database}/t/_schema"),
                                    get(server, f"/api/{database}/t/_scan"), server.statement("SHOW TABLES", database),
                                    server.statement(f"DROP TABLE IF EXISTS `{database.split(':')[-1]}`.t")))
                expect_equal(answers[0], answers[1], "a database that is there, and one that is not")
                expect_equal(answers[0][0], f"[NOT_AUTHORIZED]{DENIED}(ADMIN,LOAD) privilege(s) for this operation", "Message")
                expect_equal(answers[0][1], {"status": "NOT_AUTHORIZED", "msg": f"{DENIED}(ADMIN,LOAD) privilege(s) for this operation"}, "2pc")
                expect_equal(answers[0][3][0], 403, "status of a scan")
            expect_equal([row[0] for row in server.execute("SHOW DATABASES")["data"]], ["sales"], "what it sees")
            expect_equal(server.load(b"1\t1\ta\n", database="default_cluster:sales")["Status"], "Success", "with the cluster's name")
            expect(is_denied(get(server, "/api/_transactions")[1]), "all transactions")
        with as_user(server, "idle"):
            expect_equal(server.execute("SHOW DATABASES")["data"], [], "what a user without rights sees")
            for path in ("/api/backends?is_alive=true", "/rest/v2/manager/node/frontends"):
                expect_equal(get(server, path)[1]["code"], 0, f"{path}, which is for any user")
        server.auth = ("nobody", "")
        for path in ("/", "/api/health", "/api/bootstrap"):
            expect_equal(get(server, path)[0], 200, f"{path}, which is for anybody")
        for path in ("/api/backends", "/rest/v2/manager/node/backends"):
            expect_equal(get(server, path)[1]["code"], 401, path)


def write_config(server, text):
    """As an operator does it: a new file under the old name."""
    with open(server.config_path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(server.config_path + ".new", server.config_path)


def reload_users(server, text=None, event="users_reloaded"):
    """SIGHUP; the line that it leaves in the log."""
    if text is not None:
        write_config(server, text)
    seen = os.path.getsize(server.log_path)
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for line in server.log_text(seen).splitlines():
            if " users_reloaded " in line or " users_not_reloaded " in line:
                expect(f" {event} " in line, f"wanted {event}: {line}")
                return line
        server.expect_alive("after SIGHUP")
        time.sleep(0.01)
    raise e2e.Failed(f"no {event} in the log:\n{server.log_tail()}")


@suite.test("SIGHUP: a changed password, other grants, a new user, one that went; what is under way goes on as who it was")
def reload_counts():
    with granted_server(shards=3) as server:
        make_databases(server)
        for name in ("loader", "reader"):  # proven before, on every shard
            with as_user(server, name):
                for _ in range(20):
                    get(server, "/api/sales/t/_schema")
        with as_user(server, "loader"):
            under_way = LoadStream(server, database="sales", label="under_way", Expect="100-continue").wait_continue().send(b"5\t5\te\n")
            expect_equal(server.load(b"6\t6\tf\n", database="sales", label="left", two_phase_commit="true")["Status"], "Success", "2pc")
        kept = e2e.connect(server.port)  # a connection that lives on over the change
        with as_user(server, "reader"):
            request = (f"GET /api/sales/t/_schema HTTP/1.1\r\nHost: a\r\nAuthorization: {server.auth_header()}\r\n\r\n").encode()
        replies = e2e.Replies(kept)
        kept.sendall(request)
        expect_equal(replies.next().json()["code"], 0, "before")
        line = reload_users(server, user("root") + user("reader", {"sales": "SELECT"}, password="other") +
                            user("changer", {"hr": "LOAD"}) + user("new", {"sales": "LOAD SELECT"}))
        expect("users=4" in line, line)
        kept.sendall(request)
        expect_equal(replies.next().json()["code"], 401, "the old password, on a connection that was there, after the change")
        under_way.send(b"7\t7\tg\n")
        expect_equal(under_way.finish()["NumberLoadedRows"], 2, "the load that was under way, of a user that is gone")
        for _ in range(20):  # every shard
            with as_user(server, "reader"):
                expect_equal(get(server, "/api/sales/t/_schema")[1]["code"], 401, "the old password")
            with as_user(server, "reader", "other"):
                expect_equal(get(server, "/api/sales/t/_schema")[1]["code"], 0, "the new password")
            with as_user(server, "loader"):
                expect_equal(server.load(b"1\t1\ta\n", database="sales")["Message"], "[NOT_AUTHORIZED]" + WRONG, "the user that went")
            with as_user(server, "changer"):
                expect(is_denied(server.statement("SHOW TABLES", "sales")), "a right that was taken away")
                expect_equal(server.load(b"1\t1\ta\n", database="hr")["Status"], "Success", "a right that was given")
        with as_user(server, "new"):
            expect_equal(end(server, "sales", "commit", label="left")["status"], "Success", "what another user had prepared")
            expect_equal(server.count(database="sales"), 1 + 2 + 1, "rows")
        kept.close()


@suite.test("SIGHUP with a file that is not good: the old users stay, the log says why; the next good one counts")
def bad_files():
    bad = {
        "= nonsense\n": "line 1",
        user("root") + "[users.x]\npassword = \"plain\"\ngrants = {}\n": "users.x: not a password hash",
        user("root") + user("x", {"sales": "WRITE"}): "'WRITE' is no right",
        user("root") + "[limits]\nrow_mb = 1\n": "limits.row_mb: no such key",
        "[.a]\n": "line 1: it is not TOML",  # this one and the next end the library's own reading by an assertion
        "\n\na = [}\n": "line 3: it is not TOML",
        "[\u00e9]\n": "line 1: ",
        "": "it names no user",
        "shards = 2\n": "it names no user",
    }
    with granted_server() as server:
        make_databases(server)
        with as_user(server, "loader"):
            for text, why in bad.items():
                line = reload_users(server, text, event="users_not_reloaded")
                expect(why in line.replace('\\"', '"'), f"{text!r}: {line}")
                expect_equal(server.load(b"1\t1\ta\n", database="sales")["Status"], "Success", f"the old users after {text!r}")
            os.remove(server.config_path)
            reload_users(server, event="users_not_reloaded")
            expect_equal(server.load(b"1\t1\ta\n", database="sales")["Status"], "Success", "the old users, without a file")
            reload_users(server, user("root"))
            expect_equal(server.load(b"1\t1\ta\n", database="sales")["Message"], "[NOT_AUTHORIZED]" + WRONG, "after a good file")
        expect_equal(server.count(database="sales"), 1 + len(bad) + 1, "rows")
        server.terminate()
        expect_equal(server.wait_exit(), 0, "exit code of an orderly end after many SIGHUPs")
    with Server() as server:  # without users: they can come
        server.create()
        reload_users(server, user("root", password="now"))
        expect_equal(server.load(b"1\t1\ta\n")["Message"], "[NOT_AUTHORIZED]" + WRONG, "root without the password")
        server.auth = ("root", "now")
        expect_equal(server.load(b"1\t1\ta\n")["Status"], "Success", "root with it")


@suite.test("50 SIGHUPs while 8 connections load, as a user that stays and one whose password changes to and fro: nobody else's answer")
def reload_under_load():
    stop, loads, failures = threading.Event(), [0, 0], []
    one, other = (user("root") + user("steady", {"sales": "LOAD"}) + user("moving", {"sales": "LOAD"}, password=password)
                  for password in ("p1", "p2"))

    def run(server, name, number):
        try:
            while not stop.is_set():
                head = e2e.load_head(server, database="sales").replace(
                    server.auth_header().encode(), b"Basic " + base64.b64encode(f"{name}:{'p1' if name == 'moving' else name}".encode()))
                connection = e2e.connect(server.port)
                connection.sendall(head + b"6\r\n1\t1\ta\n\r\n0\r\n\r\n")
                reply = e2e.Replies(connection).next().json()
                connection.close()
                is_in = reply["Status"] == "Success"
                expect(is_in or (name == "moving" and reply["Message"] == "[NOT_AUTHORIZED]" + WRONG), f"{name}: {reply}")
                loads[number % 2] += is_in
        except Exception as error:
            failures.append(f"{name}: {error}")

    with granted_server(one) as server:
        make_databases(server)
        threads = [threading.Thread(target=run, args=(server, "moving" if number % 2 else "steady", number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for turn in range(50):
            reload_users(server, other if turn % 2 == 0 else one)
        time.sleep(0.3)
        stop.set()
        for thread in threads:
            thread.join()
        expect(not failures, "; ".join(failures[:3]))
        expect(min(loads) > 0, f"{loads}")
        server.auth = ("root", "root")
        expect_equal(server.count(database="sales"), 1 + sum(loads), "rows: those of the loads that were answered Success")
    return f"{loads[0]} loads of the steady user, {loads[1]} of the other"


@suite.test("a configuration's users: what is taken, what is refused and how; off loopback only with a password, or told so in so many words")
def configurations():
    good = hashed("x")
    table = "[users.x]\npassword = \"%s\"\n" % good
    cases = (
        (table + 'grants = { "*" = ["ADMIN"], sales = ["LOAD", "SELECT", "ALTER"] }\n', None),
        (table + 'grants = {}\n', None),
        (f'[users]\na = "{good}"\n[users.x]\ngrants = {{ s = [] }}\npassword = "{good}"\n', None),
        (table, "users.x.grants: it is missing"),
        ('[users.x]\ngrants = {}\n', "users.x.password: it is missing"),
        (table + 'grants = ["LOAD"]\n', "users.x.grants: a table is wanted"),
        (table + 'grants = { sales = "LOAD" }\n', "users.x.grants.sales: a list of rights"),
        (table + 'grants = { sales = ["load"] }\n', "'load' is no right"),
        (table + 'grants = { sales = [1] }\n', "what is no text is no right"),
        (table + 'grants = { "sales.t" = ["LOAD"] }\n', "users.x.grants.sales.t: neither the name of a database"),
        (table + 'rights = {}\n', "users.x.rights: no such key"),
        ('[users]\nx = 7\n', "users.x: a password hash in quotes is wanted"),
        (f'[users]\n"a@b" = "{good}"\n', "no name that a client can send"),
        (f'[users]\n"a:b" = "{good}"\n', "no name that a client can send"),
        (f'[users]\n"" = "{good}"\n', "no name that a client can send"),
        (table + 'grants = {}\n[allow]\n', "allow: no such key"),
        ('allow_no_password = 1\n', "allow_no_password: true or false is wanted"),
        ('allow_no_password = true\nlisten = "0.0.0.0:8040"\n', None),
        ('listen = "0.0.0.0:8040"\n', "no user has a password"),
        ('redirect_listen = "[::]:8030"\n', "no user has a password"),
        ('listen = "0.0.0.0:8040"\n' + table + "grants = {}\n", None),
    )
    with Server(start=False) as server:
        for text, why in cases:
            write_config(server, text)
            done = subprocess.run([Server.binary, "serve", "--config", server.config_path, "--check-config"], capture_output=True,
                                  timeout=30, check=False)
            said = (done.stdout + done.stderr).decode()
            expect_equal(done.returncode, 1 if why else 0, f"exit code of {text!r}: {said}")
            expect((why or "the config is good") in said, f"{text!r}: {said}")
        write_config(server, USERS)
        done = subprocess.run([Server.binary, "serve", "--config", server.config_path, "--print-config"], capture_output=True, timeout=30,
                              check=True)
        printed = done.stdout.decode()
        expect("# loader: has a password; LOAD on sales" in printed and "# root: has a password; ADMIN on *" in printed, printed)
        expect("pbkdf2" not in printed, "no hash is printed")
    with Server(start=False) as server:
        server.command = lambda shards=None: [Server.binary, "serve", "--data-dir", server.data_dir, "--listen", "0.0.0.0:0", "--shards", "1",
                                              "--allow-no-password"]
        server.start()
        expect(" no_password " in server.log_text(), f"the log says that everybody may do everything:\n{server.log_tail()}")
        server.create().load_ok(b"1\t1\ta\n", 1)
    return f"{len(cases)} configurations"


@suite.test("SIGHUP without a configuration file is said and changes nothing")
def no_file():
    with Server(start=False) as server:
        server.command = lambda shards=None: [Server.binary, "serve", "--data-dir", server.data_dir, "--listen", "127.0.0.1:0", "--shards", "2"]
        server.start()
        server.create()
        expect("no configuration file" in reload_users(server, event="users_not_reloaded"), "why")
        server.load_ok(b"1\t1\ta\n", 1)


if __name__ == "__main__":
    sys.exit(suite.run())

"""The clients of the kill -9 loop: they load plainly (csv, json), in two phases and by group commit, send again under the same
label what was not answered, commit and abort by label and by TxnId, several times, ask for what is long done, and leave.
Each tells the model what it was told; what was never answered goes on in whichever client comes next.
"""

import http.client
import json
import random
import re
import threading
import time

import penstock_e2e as e2e
from kill_model import ABSENT, DOUBT, NEW, PREPARED, VISIBLE, Load
from penstock_e2e import Broken, expect

CLIENTS = 12
GIVE_UP_SECONDS = 60
PAUSE = 0.005  # before the next try at a server that is not there
RELATE = re.compile(r"relate to txn \[(\d+)\]")
ALREADY_VISIBLE = "is already visible, not pre-committed."
ALREADY_ABORTED = re.compile(r"is already aborted|transaction \[\d+\] not found|running transaction not found, label=")
GONE_BY_LABEL = "transaction not found, label="
SHUTTING_DOWN = "the server is shutting down"


class Wrong(Exception):
    """An answer that must not be."""


class Pool:
    """Every load there is, and those that somebody has to go on with."""

    def __init__(self, chance):
        self.chance, self.lock = chance, threading.Lock()
        self.loads, self.again, self.prepared, self.settled = {}, [], [], []
        self.wrong = []
        self.counts = dict.fromkeys(("retried", "found_finished", "operated_again", "asked_again", "left"), 0)
        self.about_to_sync, self.is_prepared = threading.Event(), threading.Event()  # the killer waits for these

    def take(self, is_last):
        """A load to go on with; None when nothing is left to be done (only in the last round)."""
        with self.lock:
            if self.again:
                return self.again.pop(0)
            now = time.monotonic()
            for at, (due, load) in enumerate(self.prepared):
                if is_last or due <= now:
                    del self.prepared[at]
                    return load
            if is_last:
                return None
            load = Load(len(self.loads) + 1, self.chance)
            self.loads[load.number] = load
            return load

    def try_again(self, load):
        with self.lock:
            self.again.append(load)

    def put_prepared(self, load):
        with self.lock:
            self.prepared.append((time.monotonic() + load.waits, load))
        self.is_prepared.set()

    def settle(self, load, fate):
        with self.lock:
            load.fate = fate
            self.settled.append(load)

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def some_settled(self, chance):
        with self.lock:
            return chance.choice(self.settled) if self.settled else None

    def complain(self, text):
        with self.lock:
            self.wrong.append(text)


class Client:
    def __init__(self, server, pool, seed, stop, is_last):
        self.server, self.pool, self.chance, self.stop, self.is_last = server, pool, random.Random(seed), stop, is_last
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while self.is_last or not self.stop.is_set():
                load = self.pool.take(self.is_last)
                if load is None:
                    return
                try:
                    self.go_on(load)
                    if not self.is_last and self.chance.randrange(6) == 0:
                        self.ask_again(self.pool.some_settled(self.chance))
                except Broken:
                    time.sleep(PAUSE)
                if not self.is_last:
                    time.sleep(self.chance.random() * 0.02)
        except Wrong as error:
            self.pool.complain(str(error))
        except Exception as error:  # told by the main thread
            self.pool.complain(f"a client: {type(error).__name__}: {error}")

    def go_on(self, load):
        """One try; a load that is not at its end then is in one of the pool's lists again."""
        if load.leaves:
            self.leave(load)
        elif load.fate == PREPARED:
            self.operate(load)
        else:
            self.send(load)

    # -- loads

    def headers(self, load):
        headers = {"format": "json", "read_json_by_line": "true"} if load.format == "json" else {}
        if load.has_label:
            headers["label"] = load.label
        if load.kind == "two_phase":
            headers["two_phase_commit"] = "true"
        if load.kind == "group":
            headers["group_commit"] = self.chance.choice(("sync_mode", "async_mode"))
        return headers

    def stream(self, load, body):
        """Sends all but the end."""
        stream = e2e.LoadStream(self.server, load.table, **self.headers(load))
        try:
            piece = self.chance.choice((1_000, 16_000, 65_524, 1_000_000))
            for at in range(0, len(body), piece):
                stream.send(body[at:at + piece])
                if self.chance.randrange(40) == 0:
                    time.sleep(0.005)
        except Broken:
            stream.close()
            raise
        return stream

    def send_once(self, load):
        load.tries += 1
        stream = self.stream(load, load.body())
        try:
            load.fate = DOUBT  # from here on it may come in without our hearing of it
            stream.end()
            self.pool.about_to_sync.set()
            return stream.reply()
        finally:
            stream.close()

    def send(self, load):
        was_in_doubt = load.fate == DOUBT
        deadline = time.monotonic() + GIVE_UP_SECONDS
        try:
            while True:
                reply = self.send_once(load)
                if reply.get("ExistingJobStatus") != "RUNNING":
                    break
                if time.monotonic() > deadline:
                    raise Wrong(f"{load.label} is RUNNING for {GIVE_UP_SECONDS} s: {reply}")
                time.sleep(0.02)
        except Broken:
            if load.has_label:
                self.pool.try_again(load)  # a group commit has no second try: the next scan says what came of it
            raise
        if reply["Status"] == "Fail" and SHUTTING_DOWN in reply["Message"]:
            if not load.has_label:
                self.pool.settle(load, ABSENT)
                return
            load.fate = DOUBT if was_in_doubt else NEW
            self.pool.try_again(load)
            time.sleep(PAUSE)
            return
        self.take_reply(load, reply, was_in_doubt)
        if load.tries > 1:
            self.pool.count("retried")

    def take_reply(self, load, reply, was_in_doubt):
        is_success = reply["Status"] == "Success" and reply["NumberLoadedRows"] == load.rows
        existing = reply.get("ExistingJobStatus") if reply["Status"] == "Label Already Exists" and was_in_doubt else None
        told = RELATE.search(reply["Message"])
        if load.kind == "two_phase" and (is_success or existing == "PRECOMMITTED"):
            load.txn, load.fate = reply["TxnId"] if is_success else int(told.group(1)), PREPARED
            self.pool.put_prepared(load)
        elif load.kind != "two_phase" and ((is_success and not load.was_seen) or existing == "FINISHED"):
            load.txn = int(told.group(1)) if existing else reply["TxnId"] if load.has_label else None
            self.pool.settle(load, VISIBLE)
            if existing:
                self.pool.count("found_finished")
        else:
            raise Wrong(f"{load.label}, a {load.kind} load in its try {load.tries}, was answered {reply}")

    def leave(self, load):
        """A client that never comes back: in the middle of a body, or without reading the answer."""
        body = load.body()
        in_the_middle = load.leaves == "in the middle"
        self.pool.count("left")
        stream = None
        try:
            stream = self.stream(load, body[:self.chance.randrange(1, len(body))] if in_the_middle else body)
            if not in_the_middle:
                load.fate = DOUBT
                stream.end()
                time.sleep(self.chance.choice((0, 0, 0.002, 0.02)))
        except Broken:
            pass
        finally:
            if load.fate == NEW:
                load.fate = ABSENT
            elif load.kind == "two_phase":
                load.fate = ABSENT  # nobody is going to commit it; the last round ends it
            if stream is not None:
                (e2e.reset if self.chance.randrange(2) else lambda connection: connection.close())(stream.connection)

    # -- the second phase

    def ask_2pc(self, operation, load, by_label):
        which = {"label": load.label} if by_label else {"txn_id": str(load.txn)}
        try:
            status, _, body = self.server.request("PUT", "/api/db/_stream_load_2pc", None,
                                                  {**which, "txn_operation": operation}, timeout=GIVE_UP_SECONDS)
            reply = json.loads(body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Broken(str(error)) from error
        expect(status == 200, f"status of {operation}: {status} {body[:200]}")
        return reply["status"], reply["msg"]

    def operate(self, load):
        """Commits or aborts what is prepared; a second time if the first one was not answered."""
        was_sent, load.operation_sent = load.operation_sent, True
        self.pool.about_to_sync.set()
        try:
            status, text = self.ask_2pc(load.operation, load, load.by_label)
        except Broken:
            self.pool.try_again(load)
            raise
        if SHUTTING_DOWN in text:
            load.operation_sent = was_sent
            self.pool.try_again(load)
            time.sleep(PAUSE)
            return
        is_commit = load.operation == "commit"
        done_before = was_sent and (text.endswith(ALREADY_VISIBLE) or GONE_BY_LABEL in text if is_commit else
                                    ALREADY_ABORTED.search(text))
        if status != "Success" and not done_before:
            raise Wrong(f"{load.label}, {load.operation} of transaction {load.txn} by {'label' if load.by_label else 'id'}"
                        f"{', sent before' if was_sent else ''}: {status} {text}")
        self.pool.settle(load, VISIBLE if is_commit else ABSENT)
        if self.chance.randrange(3) == 0:
            self.operate_again(load)

    def operate_again(self, load):
        """Commit or abort of what is long committed or aborted: by the id it is told what became of it."""
        self.pool.count("operated_again")
        operation = self.chance.choice(("commit", "commit", "abort"))
        by_label = self.chance.randrange(3) == 0
        status, text = self.ask_2pc(operation, load, by_label)
        if SHUTTING_DOWN in text:
            return
        if by_label:
            is_right = GONE_BY_LABEL in text
        elif load.fate == VISIBLE:
            is_right = text.endswith(ALREADY_VISIBLE) or "is already VISIBLE, could not abort." in text
        else:
            is_right = "is already aborted" in text or "] not found" in text
        if status == "Success" or not is_right:
            raise Wrong(f"{load.label} is {load.fate}, and {operation} of transaction {load.txn} says: {status} {text}")

    # -- what is long done

    def ask_again(self, load):
        if load is None or not load.has_label:
            return
        self.pool.count("asked_again")
        if load.kind == "two_phase" and self.chance.randrange(2) == 0:
            self.operate_again(load)
        elif load.fate == VISIBLE:  # the same label again, even with other rows
            reply = self.server.load(b"1\t1\tother\n", load.table, label=load.label)
            if SHUTTING_DOWN in reply["Message"]:
                return
            told = RELATE.search(reply["Message"])
            if (reply["Status"], reply.get("ExistingJobStatus")) != ("Label Already Exists", "FINISHED") or not told:
                raise Wrong(f"{load.label} is visible, and sent again it was answered {reply}")
            if load.txn is not None and int(told.group(1)) != load.txn:
                raise Wrong(f"{load.label} was transaction {load.txn} and now is another: {reply['Message']}")


def states_of(server, loads):
    """What get_load_state says of each, on one connection."""
    connection, states = http.client.HTTPConnection("127.0.0.1", server.port, timeout=GIVE_UP_SECONDS), {}
    try:
        for load in loads:
            connection.request("GET", f"/api/db/get_load_state?label={load.label}", None, {"Authorization": server.auth_header()})
            states[load.number] = json.loads(connection.getresponse().read())["data"]
    finally:
        connection.close()
    return states

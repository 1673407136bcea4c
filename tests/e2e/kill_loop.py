#!/usr/bin/env python3
"""A server that is killed by SIGKILL again and again, under clients of every kind, over real sockets and a real disk. Every so
many kills a scan of everything is compared with what the clients were told: each acknowledged load is there once and whole,
nothing of what was aborted or given up, and a label's answer never changes.

  kill_loop.py                  20 kills
  kill_loop.py --kills 1000     the long form
  kill_loop.py --seed 7         the same choices again (not the same moments: the machine has its own)
  kill_loop.py --self-test      only shows that the judgement finds what is wrong with a scan

The server dies while it works, while it recovers, while transactions wait precommitted, while a commit is being synced, and
between SIGTERM and its end. The last line is the result; the exit code is 1 unless nothing was lost, duplicate or otherwise wrong.
"""

import argparse
import collections
import os
import random
import sys
import threading
import time

import penstock_e2e as e2e
from kill_clients import CLIENTS, GIVE_UP_SECONDS, Client, Pool, states_of
from kill_model import ABSENT, COLUMNS, PREPARED, TABLES, VISIBLE, check_states, check_that_it_can_fail, judge, self_test
from penstock_e2e import Failed, Server, expect

CONFIG = "[limits]\njournal_file_mib = 32\nlog_file_mib = 4\n"
CHECK_EVERY = 20
CHECKS_MAX = 10  # a scan reads all there is: in a long run it comes less often
STATES_EACH_CHECK = 300
WAITS_FOR_MOMENT = 1.0
PROGRESS_SECONDS = 10
MOMENTS = ("working", "working", "recovering", "prepared", "syncing", "syncing", "ending")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--self-test", action="store_true", help="only the judgement, on scans made up to be wrong")
    parser.add_argument("--binary", default=os.path.join(e2e.ROOT, "build", "release", "penstock"))
    parser.add_argument("--keep", action="store_true", help="keep the data folder and say where it is")
    return parser.parse_args()


class Loop:
    def __init__(self, kills, seed):
        self.kills, self.chance = kills, random.Random(seed)
        self.pool, self.stop, self.clients = Pool(random.Random(self.chance.random())), threading.Event(), []
        self.server = Server(shards=2, config=CONFIG)
        for table in TABLES:
            self.server.create(table, COLUMNS, buckets=3)
        self.killed, self.moments = 0, collections.Counter()
        self.began = self.said = time.monotonic()
        self.start_seconds = 0.1
        self.verdict = None

    # -- kills

    def kill_once(self):
        moment = self.chance.choice(MOMENTS)
        getattr(self, f"kill_{moment}")()
        self.moments[moment] += 1
        self.killed += 1
        if self.killed % 10 == 0 or time.monotonic() - self.said > PROGRESS_SECONDS:
            self.say_progress()

    def kill_working(self):
        time.sleep(self.chance.choice((0.05, 0.3, 0.8)) * self.chance.random() + 0.01)
        self.kill()

    def kill_recovering(self):
        """It has just died and is on its way up."""
        self.server.kill()
        self.server.spawn(self.shards())
        time.sleep(self.chance.random() * 1.3 * self.start_seconds)
        self.kill()

    def kill_prepared(self):
        self.pool.is_prepared.clear()
        self.pool.is_prepared.wait(WAITS_FOR_MOMENT)
        time.sleep(self.chance.choice((0, 0.001, 0.01)) * self.chance.random())
        self.kill()

    def kill_syncing(self):
        """A body has just ended or a commit was just sent: its record is being written or synced."""
        time.sleep(self.chance.random() * 0.1)
        self.pool.about_to_sync.clear()
        self.pool.about_to_sync.wait(WAITS_FOR_MOMENT)
        time.sleep(self.chance.random() * 0.004)
        self.kill()

    def kill_ending(self):
        """SIGTERM, and SIGKILL while it drains, syncs and closes."""
        time.sleep(self.chance.random() * 0.2)
        self.server.expect_alive("under load")
        self.server.terminate()
        time.sleep(self.chance.random() * 0.04)
        self.server.kill()

    def kill(self):
        self.server.expect_alive("by itself, under load")
        self.server.kill()

    def shards(self):
        return self.chance.choice((1, 2, 2, 3))

    def start(self):
        began = time.monotonic()
        self.server.start(self.shards())
        self.start_seconds = time.monotonic() - began

    # -- clients

    def start_clients(self, is_last=False):
        self.stop.clear()
        self.clients = [Client(self.server, self.pool, f"{self.killed}.{number}.{self.chance.random()}", self.stop, is_last)
                        for number in range(CLIENTS)]

    def join_clients(self):
        self.stop.set()
        for client in self.clients:
            client.thread.join(timeout=GIVE_UP_SECONDS + 30)
            expect(not client.thread.is_alive(), f"a client hangs:\n{self.server.log_tail()}")

    def finish_everything(self):
        """What is in doubt is sent again, what is prepared is committed or aborted, in peace."""
        self.start_clients(is_last=True)
        while any(client.thread.is_alive() for client in self.clients):
            self.server.expect_alive("by itself, while everything was finished")
            time.sleep(0.05)
        self.join_clients()
        status, _, body = self.server.request("POST", "/api/_transactions/abort?db=db&label_prefix=load-")
        expect(status == 200, f"abort of what clients left prepared: {status} {body[:200]}")

    # -- judgement

    def scans(self):
        return [(table, e2e.read_lines(self.server, table)) for table in TABLES]

    def check(self, is_last=False):
        loads = self.pool.loads
        verdict = judge(loads, self.scans(), {load.number for load in self.pool.again})
        known = [load for load in loads.values() if load.has_label and load.fate in (VISIBLE, ABSENT, PREPARED)
                 and not (load.fate == ABSENT and load.leaves and load.kind == "two_phase")
                 and not (load.fate == PREPARED and load.operation_sent)]
        if not is_last:
            known = self.chance.sample(known, min(len(known), STATES_EACH_CHECK))
        check_states(loads, states_of(self.server, known), verdict)
        verdict.wrong += self.pool.wrong
        self.verdict = verdict
        return verdict.is_clean()

    def run(self):
        every = max(CHECK_EVERY, self.kills // CHECKS_MAX)
        while self.killed < self.kills:
            self.start_clients()
            for _ in range(min(every, self.kills - self.killed)):
                self.kill_once()
                self.start()
            # The last kill of a round: nobody is left to be answered, so that all doubt can be looked at.
            self.join_clients()
            self.server.restart()
            if not self.check():
                return False
        self.finish_everything()
        for _ in range(2):  # and once more from the disk
            if not self.check(is_last=True):
                return False
            self.server.restart()
        problem = check_that_it_can_fail(self.pool.loads, self.scans())
        expect(not problem, f"the check does not find what is wrong: {problem}")
        return True

    # -- words

    def say_progress(self):
        self.said = time.monotonic()
        loads = self.pool.loads
        with self.pool.lock:
            told = sum(1 for load in self.pool.settled if load.fate == VISIBLE)
        print(f"  {self.killed} kills, {len(loads)} loads, {told} acknowledged, {len(self.pool.prepared)} precommitted, "
              f"start {self.start_seconds:.2f} s ({self.said - self.began:.0f} s)", flush=True)

    def say_counts(self):
        kinds = collections.Counter(load.kind for load in self.pool.loads.values() if load.fate == VISIBLE)
        absent = sum(1 for load in self.pool.loads.values() if load.fate == ABSENT)
        counts = self.pool.counts
        print("  killed while " + ", ".join(f"{name} {count}" for name, count in sorted(self.moments.items())))
        print("  visible: " + ", ".join(f"{name} {count}" for name, count in sorted(kinds.items())) +
              f"; {absent} aborted or given up; {counts['retried']} sent again, {counts['found_finished']} of them had come in; "
              f"{counts['operated_again']} commits and aborts repeated, {counts['asked_again']} old labels asked", flush=True)


def main():
    arguments = parse()
    Server.binary = os.path.realpath(os.environ.get("PENSTOCK_BINARY") or arguments.binary)
    Server.keep_folders = arguments.keep
    problems = self_test()
    for problem in problems:
        print(f"self-test: {problem}")
    print(f"self-test: {'FAILED' if problems else 'each wrong scan is found'}", flush=True)
    if problems or arguments.self_test:
        return 1 if problems else 0
    if not os.access(Server.binary, os.X_OK):
        print(f"there is no penstock binary at {Server.binary}: build it (tools/dev build), or name one by PENSTOCK_BINARY or --binary")
        return 1
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}, {arguments.kills} kills, {Server.binary}", flush=True)
    loop, is_good = None, False
    try:
        loop = Loop(arguments.kills, seed)
        is_good = loop.run()
        loop.say_counts()
    except Failed as error:
        print(f"FAILED: {error}")
    finally:
        if not is_good:
            Server.keep_folders = True
        Server.end_all()
    verdict = loop.verdict if loop else None
    for line in verdict.offences() if verdict else []:
        print(line)
    if not is_good:
        print(f"FAILED with seed {seed}")
    said = f"{verdict.loads} loads acknowledged, {verdict.rows} rows, {verdict.counts()}" if verdict else "nothing was compared"
    print(f"{loop.killed if loop else 0} kills: {said} ({time.monotonic() - loop.began if loop else 0:.0f} s)", flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())

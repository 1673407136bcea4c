#!/usr/bin/env python3
"""20 concurrent clients stream loads while the server is killed by SIGKILL at random moments, again and again. Every load
whose reply did not come is retried under its label. At the end a scan of everything shows that nothing acknowledged is
lost, nothing is there twice, nothing in part, and nothing at all of loads that their client gave up.

  test_kill.py                 6 rounds
  test_kill.py --rounds 30     the long form
  test_kill.py --seed 7        the same choices again (not the same moments: the machine has its own)
"""

import random
import sys
import threading
import time

import penstock_e2e as e2e
from penstock_e2e import Broken, Failed, Server, expect

CLIENTS = 20
TABLES = ("small_rows", "wide_rows")
COLUMNS = "k BIGINT NOT NULL, load_no INT NOT NULL, pad STRING NOT NULL"
KEYS_PER_LOAD = 1 << 20  # key = load number * this + row
LARGE_ONE_IN, ABANDONED_ONE_IN, EARLY_KILL_ONE_IN = 8, 12, 4
GIVE_UP_SECONDS = 60


def add_arguments(parser):
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=None)


suite = e2e.Suite(__doc__, add_arguments)


class Load:
    """What one load sends; the same bytes at every try."""

    def __init__(self, number, chance):
        self.number, self.label = number, f"load-{number}"
        self.is_abandoned = chance.randrange(ABANDONED_ONE_IN) == 0
        is_large = chance.randrange(LARGE_ONE_IN) == 0
        self.table = chance.choice(TABLES)
        self.pad = "p" * (chance.randrange(60, 140) if self.table == TABLES[0] else chance.randrange(700, 1200))
        size = chance.randrange(2_000_000, 6_000_000) if is_large else chance.randrange(100, 20_000)
        self.rows = max(1, size // (len(self.pad) + 20))
        self.tries = 0

    def body(self):
        first, number, pad = self.number * KEYS_PER_LOAD, self.number, self.pad
        return "".join([f"{first + i}\t{number}\t{pad}\n" for i in range(self.rows)]).encode()


class Trial:
    """The clients' shared state: what is done, what is in doubt, and whether the round is over."""

    def __init__(self, server, chance):
        self.server, self.chance, self.lock = server, chance, threading.Lock()
        self.made = 0
        self.done, self.in_doubt, self.abandoned = [], [], []
        self.retried = self.found_finished = self.waited_for_running = 0
        self.round_is_over = threading.Event()
        self.errors = []

    def next_load(self, retries_only):
        with self.lock:
            if self.in_doubt:
                return self.in_doubt.pop()
            if retries_only:
                return None
            self.made += 1
            return Load(self.made, self.chance)

    def run_client(self, seed, retries_only):
        chance = random.Random(seed)
        try:
            while retries_only or not self.round_is_over.is_set():
                load = self.next_load(retries_only)
                if load is None:
                    return
                self.attempt(load, chance)
        except Exception as error:  # told by the main thread
            self.errors.append(error)

    def attempt(self, load, chance):
        load.tries += 1
        if load.is_abandoned:
            self.give_up(load, chance)
            return
        body = load.body()
        deadline = time.monotonic() + GIVE_UP_SECONDS
        try:
            while True:
                reply = self.send(load, body, chance)
                if reply.get("ExistingJobStatus") != "RUNNING":
                    break
                expect(time.monotonic() < deadline, f"{load.label} is RUNNING for {GIVE_UP_SECONDS} s: {reply}")
                self.waited_for_running += 1
                time.sleep(0.02)
        except Broken:
            with self.lock:
                self.in_doubt.append(load)
            if not self.round_is_over.is_set():
                time.sleep(0.005)
            return
        is_success = reply["Status"] == "Success" and reply["NumberLoadedRows"] == load.rows
        was_finished = reply["Status"] == "Label Already Exists" and reply["ExistingJobStatus"] == "FINISHED"
        expect(is_success or (was_finished and load.tries > 1), f"{load.label}, try {load.tries}: {reply}")
        with self.lock:
            self.done.append(load)
            self.retried += load.tries > 1
            self.found_finished += was_finished

    def send(self, load, body, chance):
        stream = e2e.LoadStream(self.server, load.table, label=load.label)
        try:
            piece = chance.choice((1_000, 16_000, 65_524, 1_000_000))
            for at in range(0, len(body), piece):
                stream.send(body[at:at + piece])
                if chance.randrange(40) == 0:
                    time.sleep(0.01)
            return stream.finish()
        finally:
            stream.close()

    def give_up(self, load, chance):
        """A client that leaves in the middle and never comes back."""
        try:
            stream = e2e.LoadStream(self.server, load.table, label=load.label)
            body = load.body()
            stream.send(body[:chance.randrange(1, len(body) + 1)])
            e2e.reset(stream.connection)
        except (Broken, OSError):
            pass
        with self.lock:
            self.abandoned.append(load)

    def run_clients(self, number, retries_only=False):
        self.round_is_over.clear()
        seeds = [f"{number}.{client}.{self.chance.random()}" for client in range(CLIENTS)]
        threads = [threading.Thread(target=self.run_client, args=(seed, retries_only), daemon=True) for seed in seeds]
        for thread in threads:
            thread.start()
        return threads

    def join(self, threads):
        self.round_is_over.set()
        for thread in threads:
            thread.join(timeout=GIVE_UP_SECONDS + 30)
            expect(not thread.is_alive(), f"a client hangs:\n{self.server.log_tail()}")
        if self.errors:
            raise self.errors[0]


def compare(server, trial):
    """Reads every row; (lost, duplicate, partial) loads, and rows that no load explains."""
    wanted = {load.number: load for load in trial.done}
    lost = duplicate = partial = strange = 0
    seen = {}
    for table in TABLES:
        keys_of, pads = {}, {}
        for line in e2e.read_lines(server, table):
            key, number, pad = line.split(b"\t")
            keys_of.setdefault(int(number), []).append(int(key))
            pads[int(number)] = pad
        for number, keys in keys_of.items():
            load = wanted.get(number)
            if load is None or load.table != table or pads[number] != load.pad.encode():
                strange += 1
                continue
            seen[number] = True
            distinct = set(keys)
            if len(distinct) != len(keys):
                duplicate += 1
            first = number * KEYS_PER_LOAD
            if distinct != set(range(first, first + load.rows)):
                partial += 1
    lost = sum(1 for number in wanted if number not in seen)
    return lost, duplicate, partial, strange


@suite.test("kill -9 under load: nothing lost, duplicate or partial")
def kill_rounds():
    rounds = suite.arguments.rounds
    seed = suite.arguments.seed if suite.arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"        seed {seed}", flush=True)
    chance = random.Random(seed)
    server = Server(shards=2, config="[limits]\njournal_file_mib = 32\nlog_file_mib = 4\n")
    for table in TABLES:
        server.create(table, COLUMNS, buckets=3)
    trial = Trial(server, chance)
    for number in range(1, rounds + 1):
        threads = trial.run_clients(number)
        time.sleep(chance.choice((0.05, 0.3, 1.0)) * chance.random() + 0.02)
        server.expect_alive("under load")
        server.kill()
        trial.join(threads)
        if chance.randrange(EARLY_KILL_ONE_IN) == 0:  # a kill in the middle of recovery
            server.spawn()
            time.sleep(chance.random() * 0.1)
            server.kill()
        server.start(chance.choice((1, 2, 2, 3)))
    threads = trial.run_clients(rounds + 1, retries_only=True)
    while any(thread.is_alive() for thread in threads):
        for thread in threads:
            thread.join(timeout=0.05)
        server.expect_alive("while loads were retried")
    trial.join(threads)
    for when in ("", "after one more restart: "):
        lost, duplicate, partial, strange = compare(server, trial)
        rows = sum(load.rows for load in trial.done)
        print(f"        {when}{rounds} rounds: {len(trial.done)} loads, {lost} lost, {duplicate} duplicate, {partial} partial",
              flush=True)
        if lost or duplicate or partial or strange:
            raise Failed(f"seed {seed}: {lost} lost, {duplicate} duplicate, {partial} partial, {strange} that nobody "
                         "acknowledged or wanted")
        server.restart()
    return (f"{rows:,} rows in {len(TABLES)} tables; {trial.retried} loads retried, {trial.found_finished} of them had been "
            f"committed; {len(trial.abandoned)} given up, none of them visible")


if __name__ == "__main__":
    sys.exit(suite.run())

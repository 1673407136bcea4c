"""What every peer is to the runner, and how each is fetched, started, watched and ended."""

import json
import os
import select
import shutil
import socket
import subprocess
import sys
import time

TICK = os.sysconf("SC_CLK_TCK")
THREADS = 2
QUIET_SECONDS = 5
ANSWER_SECONDS = 900


class Unavailable(Exception):
    """It cannot run here; the text says why. Never fatal."""


class Broken(Exception):
    """It ran and failed."""


class Run:
    """One load: seconds from its first byte to the answer, CPU-seconds of the server's processes in that time."""

    def __init__(self, wall, cpu):
        self.wall, self.cpu = wall, cpu


class Setting:
    """What a run gives to every peer: where downloads are kept, where data goes, which ports may be taken."""

    def __init__(self, downloads, folder, ports=(0, 0)):
        self.downloads, self.folder, self.ports = os.path.abspath(downloads), folder, ports
        self.next_port = ports[0]
        os.makedirs(self.downloads, exist_ok=True)

    def port(self):
        """A free port, out of the given range if there is one."""
        first, last = self.ports
        for _ in range(last - first + 1):
            wanted = self.next_port
            self.next_port = first if wanted == last else wanted + 1
            try:
                with socket.create_server(("127.0.0.1", wanted)) as tried:
                    return tried.getsockname()[1]
            except OSError:
                continue
        raise Broken(f"no port from {first} to {last} is free")


class Peer:
    """A driver. The order of calls: available, prepare, then for each load create, load, check, drop; at last stop."""

    name = title = ""
    store = True  # keeps rows that can be asked for; what is none stands beside the others for comparison only
    durable = False  # when it answers
    streams = 1
    formats = ("csv", "json")

    def __init__(self, setting):
        self.setting = setting
        self.folder = os.path.join(setting.folder, self.name)
        self.version = ""

    def available(self):
        """Fetches it where that is needed; raises Unavailable."""

    def prepare(self):
        """Starts what must run before a load."""

    def create(self, rows):
        """An empty table for such rows."""

    def load(self, rows):
        """Takes the whole input; returns a Run. It is over when the peer says that the rows can be read."""
        raise NotImplementedError

    def check(self, rows):
        """Digest of the key column as the peer reads it back."""
        raise NotImplementedError

    def drop(self, rows):
        """Removes the table and waits until the peer is quiet."""

    def pids(self):
        return []

    def cpu_seconds(self):
        return sum(cpu_of(pid) for pid in self.pids())

    def settle(self):
        """Waits until nothing of it works in the background any more, so that it does not disturb who comes next."""
        deadline, before = time.monotonic() + QUIET_SECONDS, -1.0
        while time.monotonic() < deadline:
            now = self.cpu_seconds()
            if now - before < 0.02 and not any(waits_for_disk(pid) for pid in self.pids()):
                return
            before = now
            time.sleep(0.1)

    def stop(self):
        """Ends its processes. Safe to call at any time."""

    def timed(self, work):
        cpu, began = self.cpu_seconds(), time.perf_counter()
        work()
        wall = time.perf_counter() - began
        return Run(wall, self.cpu_seconds() - cpu)


# ------------------------------------------------------------------------------------------------ processes


def stat_fields(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def waits_for_disk(pid):
    """Whether a thread of it is blocked, as one that unlinks large files is: that costs no CPU time."""
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            if stat_fields(f"{pid}/task/{thread}")[0] == "D":
                return True
    except (FileNotFoundError, ProcessLookupError):
        pass
    return False


def cpu_of(pid, with_children=True):
    """User and system seconds of a process, and of the children that it has already waited for."""
    try:
        fields = stat_fields(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15] if with_children else fields[11:13])) / TICK


def family(pid):
    """A process and those that it has started."""
    found = [pid]
    for parent in found:
        try:
            with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as file:
                found += [int(child) for child in file.read().split()]
        except OSError:
            pass
    return found


def start(words, log, **how):
    """A server process whose output goes to a file."""
    with open(log, "ab") as file:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file, **how)


def end(process, seconds=10):
    """Ends a process that we started: politely, then not."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def log_tail(path, lines=6):
    with open(path, encoding="utf-8", errors="replace") as file:
        return " | ".join(line.strip() for line in file.readlines()[-lines:])


def wait_for(ready, process, log, seconds=60):
    """Until ready() is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return
        if process.poll() is not None:
            raise Broken(f"ended with {process.returncode} at its start: {log_tail(log)}")
        time.sleep(0.05)
    raise Broken(f"was not ready within {seconds} s: {log_tail(log)}")


# -------------------------------------------------------------------------------------------------- fetching


def run_quietly(words, why, **how):
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False, **how)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{why}: {error}") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable(f"{why}: {lines[-1] if lines else done.returncode}")
    return done.stdout


def debian_packages(folder, package):
    """Unpacks a Debian package, and what it needs that is not installed, into a folder; nothing is installed."""
    mark = os.path.join(folder, ".complete")
    if os.path.exists(mark):
        return
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise Unavailable("this system has no Debian packages")
    shutil.rmtree(folder, ignore_errors=True)
    archives = os.path.join(folder, "archives")
    os.makedirs(archives)
    planned = run_quietly(["apt-get", "install", "--print-uris", "-qq", "--no-install-recommends", package], f"apt knows no {package}")
    names = [line.split()[1].split("_")[0] for line in planned.splitlines() if line.startswith("'")]
    run_quietly(["apt-get", "download", "-q", *(names or [package])], f"apt-get download {package}", cwd=archives)
    for name in sorted(os.listdir(archives)):
        run_quietly(["dpkg", "-x", os.path.join(archives, name), folder], f"dpkg -x {name}")
    shutil.rmtree(archives)
    open(mark, "w", encoding="ascii").close()


def library_path(folder):
    """Environment for a program out of such a folder."""
    found = [path for path, _, names in os.walk(folder) if any(".so" in name for name in names)]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(found))}


def python_with(downloads, package):
    """The interpreter of the virtual environment that has the package; makes it, newest version, if there is none."""
    folder = os.path.join(downloads, "venv")
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        run_quietly([sys.executable, "-m", "venv", folder], "no virtual environment")
    # Outside of this folder: our own modules must not stand in for the package.
    if subprocess.run([python, "-P", "-c", f"import {package}"], capture_output=True, check=False, cwd=downloads).returncode:
        run_quietly([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", package], f"pip install {package}")
        run_quietly([python, "-P", "-c", f"import {package}"], f"{package} cannot be imported", cwd=downloads)
    return python


class Worker:
    """An engine that is a library: a process of its own that takes a line of JSON and answers with one."""

    def __init__(self, python, name, log, environment=None):
        script = os.path.join(os.path.dirname(os.path.realpath(__file__)), "workers", f"{name}_worker.py")
        with open(log, "ab") as file:
            self.process = subprocess.Popen([python, "-P", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file,
                                            env={**os.environ, **(environment or {})}, text=True)
        self.log = log

    def ask(self, **question):
        """What it answers; its own time and CPU-seconds for the work are in there."""
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            if not select.select([self.process.stdout], [], [], ANSWER_SECONDS)[0]:
                self.process.kill()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Broken(f"the worker ended: {log_tail(self.log)}")
        answer = json.loads(line)
        if "error" in answer:
            raise Broken(answer["error"])
        return answer

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

"""T4 to T6: shares of a yardstick that runs in the same process, out of the JSON report of a google-benchmark program."""

import json
import subprocess

from figures import Figure
from peers import base
from targets import BY_NAME, Outcome

# target: (our benchmark, its yardstick), by the names that `bench_micro --benchmark_list_tests` prints.
RATIOS = {
    "T4": None,
    "T5": None,
    "T6": None,
}


def run_program(program, names, repetitions, seconds):
    """Its report; repetitions are interleaved, so that drift falls on both sides of a ratio."""
    words = [program, "--benchmark_format=json", f"--benchmark_min_time={seconds}", f"--benchmark_repetitions={repetitions}",
             "--benchmark_enable_random_interleaving=true", "--benchmark_filter=^(" + "|".join(sorted(names)) + ")$"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise base.Broken(f"{program}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


def bytes_a_second(report, name):
    """One value a repetition, in order."""
    found = [one["bytes_per_second"] for one in report["benchmarks"]
             if one.get("run_name", one["name"]) == name and one.get("run_type", "iteration") == "iteration"]
    if not found:
        raise base.Broken(f"the report has no {name}")
    return found


def micro_ratio(report, target, ours, yardstick):
    """The outcome of a target: our bytes a second as a share of the yardstick's, repetition by repetition."""
    fast, mark = bytes_a_second(report, ours), bytes_a_second(report, yardstick)
    if len(fast) != len(mark):
        raise base.Broken(f"{ours} and {yardstick} have not the same number of repetitions")
    note = f"{ours} {Figure(fast).value / 1e9:.2f} GB/s v {yardstick} {Figure(mark).value / 1e9:.2f}"
    return Outcome(BY_NAME[target], Figure([our / their for our, their in zip(fast, mark)]), note)


def micro_targets(program, repetitions, seconds):
    """Yields T4, T5, T6."""
    wanted = {target: names for target, names in RATIOS.items() if names}
    for target in sorted(set(RATIOS) - set(wanted)):
        yield Outcome(BY_NAME[target], why="no benchmark is named for it yet")
    if not wanted:
        return
    report = run_program(program, {name for names in wanted.values() for name in names}, repetitions, seconds)
    for target, names in sorted(wanted.items()):
        yield micro_ratio(report, target, *names)

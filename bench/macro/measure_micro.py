"""T4 to T6: shares of a yardstick that runs in the same process, out of the JSON report of a google-benchmark program."""

import json
import os
import subprocess

from figures import Figure
from peers import base
from targets import BY_NAME, Outcome

# target: (our benchmark, its yardstick), by the names that `bench_micro --benchmark_list_tests` prints. Rates are of CPU time
# of one thread on both sides; simdjson_typed/log_many would have a second thread that it does not count.
RATIOS = {
    "T4 decode": ("decode_json_rows/log", "simdjson_typed/log"),
    "T4 stream": ("stream/log_json", "simdjson_typed/log"),
    "T5": ("decode_log_rows/simd:3", "find_marks"),  # simd:3 is the best level that the machine has, as in the server
}
# target: a benchmark that takes turns with its yardstick, and itself reports the median ratio as its counter `share`.
SHARES = {
    "T6": "receive_beside_sender/chunk:65536/real_time",
}


def run_program(program, names, repetitions, seconds, folder):
    """Its report; repetitions are interleaved, so that drift falls on both sides of a ratio."""
    words = [program, "--benchmark_format=json", f"--benchmark_min_time={seconds}", f"--benchmark_repetitions={repetitions}",
             "--benchmark_enable_random_interleaving=true", "--benchmark_filter=^(" + "|".join(sorted(names)) + ")$"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False,
                          env=os.environ | {"PENSTOCK_BENCH_DIR": folder})
    if done.returncode:
        raise base.Broken(f"{program}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


def values(report, name, key="bytes_per_second"):
    """One a repetition, in order."""
    found = [one[key] for one in report["benchmarks"]
             if one.get("run_name", one["name"]) == name and one.get("run_type", "iteration") == "iteration" and key in one]
    if not found:
        raise base.Broken(f"the report has no {key} of {name}")
    return found


def micro_ratio(report, target, ours, yardstick):
    """The outcome of a target: our bytes a second as a share of the yardstick's, repetition by repetition."""
    fast, mark = values(report, ours), values(report, yardstick)
    if len(fast) != len(mark):
        raise base.Broken(f"{ours} and {yardstick} have not the same number of repetitions")
    note = f"{ours} {Figure(fast).value / 1e9:.2f} GB/s v {yardstick} {Figure(mark).value / 1e9:.2f}"
    return Outcome(BY_NAME[target], Figure([our / their for our, their in zip(fast, mark)]), note)


def micro_share(report, target, name):
    """The outcome of a target that one benchmark measures beside its yardstick."""
    fast, mark = values(report, name, "bytes_per_cpu_second"), values(report, name, "raw_bytes_per_cpu_second")
    note = f"{name} {Figure(fast).value / 1e9:.2f} GB/s v {Figure(mark).value / 1e9:.2f}"
    return Outcome(BY_NAME[target], Figure(values(report, name, "share")), note)


def micro_targets(program, repetitions, seconds, folder):
    """Yields T4, T5, T6. What is written to a disk goes below `folder`."""
    names = {name for pair in RATIOS.values() for name in pair} | set(SHARES.values())
    report = run_program(program, names, repetitions, seconds, folder)
    for target, pair in RATIOS.items():
        yield micro_ratio(report, target, *pair)
    for target, name in SHARES.items():
        yield micro_share(report, target, name)

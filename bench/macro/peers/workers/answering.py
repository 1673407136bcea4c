"""The loop of a worker: a line of JSON in, a line of JSON out, with the seconds and CPU-seconds that the work took."""

import json
import os
import resource
import sys
import time


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def answer(actions):
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints goes to the log
    for line in sys.stdin:
        question = json.loads(line)
        cpu, began = cpu_seconds(), time.perf_counter()
        try:
            reply = actions[question.pop("do")](**question) or {}
        except BaseException as error:  # a panic of a library in Rust is no Exception
            reply = {"error": f"{type(error).__name__}: {error}"[:600]}
        reply["wall"], reply["cpu"] = time.perf_counter() - began, cpu_seconds() - cpu
        out.write(json.dumps(reply) + "\n")
        out.flush()

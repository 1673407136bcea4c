"""Helps tools/dev test: which programs a ctest selection runs, and how many tests ran.

  test_count.py targets BUILD_DIR CTEST-SELECTION..   ninja targets of the programs that the selected tests run
  test_count.py sum RESULTS_DIR                       "N passed, N failed, N skipped"; exit 1 if any failed

A GoogleTest program counts by its tests (from the JSON report it leaves), anything else counts as one test. A program
that died before it could report, or failed although all its tests passed (a leak, say), counts as one failure more.
"""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml


def selected_names(build_dir, selection):
    shown = subprocess.run(
        ["ctest", "--test-dir", build_dir, "--show-only=json-v1", *selection], check=True, capture_output=True, text=True)
    return {test["name"] for test in json.loads(shown.stdout)["tests"]}


def commands(build_dir):
    """Yields (test, words of its command). From the generated files: ctest itself hides commands that are not built."""
    for folder, _, names in os.walk(build_dir):
        if "CTestTestfile.cmake" in names:
            with open(os.path.join(folder, "CTestTestfile.cmake"), encoding="utf-8") as file:
                for line in file:
                    match = re.match(r"add_test\((?:\[=*\[(.+?)\]=*\]|(\S+)) (.*)\)$", line.strip())
                    if match:
                        yield match.group(1) or match.group(2), re.findall(r'"((?:\\.|[^"\\])*)"', match.group(3))


def print_targets(build_dir, selection):
    build_dir = os.path.realpath(build_dir)
    names, targets = selected_names(build_dir, selection), set()
    for name, words in commands(build_dir):
        for word in words if name in names else []:  # any word: a script may be given the program that it drives
            path = os.path.normpath(word)
            if path.startswith(build_dir + os.sep):
                targets.add(path[len(build_dir) + 1:])
    if targets:
        print("\n".join(sorted(targets)))


def gtest_counts(folder, programs):
    """Per program: [passed, failed, skipped], summed over its reports."""
    counts = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                report = json.load(file)
        except ValueError:  # killed while writing it: ctest knows that it failed
            continue
        program = name.removesuffix(".json")
        if program not in programs:  # a second run of one program leaves program_1.json
            program = re.sub(r"_\d+$", "", program)
        mine = counts.setdefault(program, [0, 0, 0])
        for suite in report.get("testsuites", []):
            for test in suite.get("testsuite", []):
                if test.get("failures"):
                    mine[1] += 1
                elif test.get("result") == "COMPLETED":
                    mine[0] += 1
                else:
                    mine[2] += 1
    return counts


def count_run(folder):
    """One ctest run: its folder holds build_dir (where it ran), ctest.xml and gtest/*.json."""
    with open(os.path.join(folder, "build_dir"), encoding="utf-8") as file:
        program_of = {name: os.path.basename(words[0]) for name, words in commands(file.read().strip()) if words}
    counts = gtest_counts(os.path.join(folder, "gtest"), set(program_of.values()))
    passed, failed, skipped = (sum(column) for column in zip(*counts.values())) if counts else (0, 0, 0)
    report = os.path.join(folder, "ctest.xml")
    if not os.path.exists(report):
        return passed, failed + 1, skipped
    for case in xml.parse(report).getroot().iter("testcase"):
        mine, status = counts.get(program_of.get(case.get("name"))), case.get("status")
        if status == "fail":
            if mine is None or mine[1] == 0:
                failed += 1
        elif mine is None:
            if status == "run":
                passed += 1
            else:  # notrun, disabled
                skipped += 1
    return passed, failed, skipped


def print_sum(results):
    total = [0, 0, 0]
    for name in sorted(os.listdir(results)):
        for place, number in enumerate(count_run(os.path.join(results, name))):
            total[place] += number
    print("{} passed, {} failed, {} skipped".format(*total))
    return 1 if total[1] or not total[0] else 0


def main(words):
    if len(words) >= 2 and words[0] == "targets":
        print_targets(words[1], words[2:])
        return 0
    if len(words) == 2 and words[0] == "sum":
        return print_sum(words[1])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""The Stream Load cases: restated checks of Doris's own regression suite, an oracle from outside this project. They lie
beside the project's folder (../shared/cases, or where PENSTOCK_CASES says), not in it; where they are absent this is
skipped.

Passes while no more than FAILURES_MAX cases that are not optional fail; each failure is printed.
"""

import json
import os
import re
import subprocess
import sys

import penstock_e2e as e2e
from penstock_e2e import Server, Skipped, expect

FAILURES_MAX = 2
NOT_YET = ("unique", "aggregate", "partial_update")  # tags of cases whose features come later
NO_FUNCTIONS_YET = ("x_csv_json_functions", )  # functions of JSON

suite = e2e.Suite(__doc__, lambda parser: parser.add_argument(
    "--strict", action="store_true", help="no case may fail at all"))


def git(*words):
    try:
        done = subprocess.run(["git", "-C", e2e.ROOT, *words], capture_output=True, check=False)
    except OSError:
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def cases_folder():
    """The folder with run_cases.py. A worktree or a clone may lie elsewhere than the project it belongs to."""
    if named := os.environ.get("PENSTOCK_CASES"):
        tried = [named]
    else:
        main, origin = git("rev-parse", "--path-format=absolute", "--git-common-dir"), git("remote", "get-url", "origin")
        roots = [e2e.ROOT, *([os.path.dirname(main)] if main else []), *([origin] if os.path.isdir(origin) else [])]
        tried = [os.path.join(os.path.dirname(os.path.realpath(root)), "shared", "cases") for root in roots]
    for folder in tried:
        if os.path.isfile(os.path.join(folder, "run_cases.py")):
            return os.path.realpath(folder)
    raise Skipped("the cases are not here (PENSTOCK_CASES names their folder)")


def run_cases(server, folder, *words):
    """(passed, failed, optional, the lines of failures)"""
    done = subprocess.run([sys.executable, os.path.join(folder, "run_cases.py"), "--url", f"http://127.0.0.1:{server.port}",
                           *words], capture_output=True, timeout=500, check=False)
    text = done.stdout.decode("utf-8", "replace")
    found = re.search(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", text, re.MULTILINE)
    expect(found, f"run_cases.py gave no count:\n{text}{done.stderr.decode()}")
    server.expect_alive("after the cases")
    return *(int(number) for number in found.groups()), text[:found.start()].rstrip()


@suite.test("the Stream Load cases restated from Doris's own suite")
def all_cases():
    folder = cases_folder()
    with Server() as server:
        passed, failed, optional, text = run_cases(server, folder, *(word for tag in NOT_YET for word in ("--skip-tag", tag)))
    if text:
        print("  " + text.replace("\n", "\n  "))
    allowed = 0 if suite.arguments.strict else FAILURES_MAX
    expect(failed <= allowed, f"{failed} cases fail, at most {allowed} may ({passed} pass)")
    expect(passed > 0, "no case passed")
    return f"{passed} passed, {failed} failed, {optional} optional ones failed"


def without_models(case):
    """The case on a table of plain rows: no key occurs twice in those files, so the result is the same."""
    for column in case["ddl"]["columns"]:
        column["aggregate"] = None
    case["ddl"].update(key_model="duplicate", merge_on_write=None)
    case["tags"] = [tag for tag in case["tags"] if tag not in NOT_YET]
    return case


@suite.test("the cases that need expressions, on tables of plain rows")
def expression_cases():
    folder = cases_folder()
    with open(os.path.join(folder, "doris", "cases.json"), encoding="utf-8") as file:
        book = json.load(file)
    if not book.get("needs_expressions"):
        raise Skipped("this set of cases has none")
    with Server() as server:
        path = os.path.join(server.folder, "cases.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"data_dir": os.path.join(folder, "doris", book["data_dir"]),
                       "cases": [without_models(case) for case in book["needs_expressions"]]}, file)
        passed, failed, _, text = run_cases(server, folder, "--cases", path, "-v")
    print("  " + text.replace("\n", "\n  "))
    wrong = [name for name in re.findall(r"^FAIL +(\S+)", text, re.MULTILINE) if name not in NO_FUNCTIONS_YET]
    expect(not wrong, f"wrong: {', '.join(wrong)}")
    return f"{passed} passed, {failed} want functions that are not there yet"


if __name__ == "__main__":
    sys.exit(suite.run())

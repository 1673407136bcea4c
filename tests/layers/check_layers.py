#!/usr/bin/env python3
"""The rules of the tree that a compiler does not check. `--self-test` shows that each of them can fail.

Rules, each a function below that yields findings:
  includes     tools -> net -> txn -> core; inside a top level a folder includes only itself and those listed before it
               in the CMakeLists.txt; every "..." include is a path from the root that exists
  headers      #pragma once; public headers carry the four labelled lines of the banner
  sizes        no file above 600 lines
  seam         clocks, threads, randomness and thread-locals only where the simulator does not run
  documents    every file that docs/architecture.md names exists
"""

import os
import re
import sys
import tempfile

TOP_LEVELS = ["core", "txn", "net", "tools"]  # in dependency order
UNORDERED = ["tests", "bench"]  # may include anything, may be included by nobody above
LINES_MAX = 600
LABELS = ["Journey:", "Shard:", "Promise:", "Failure:"]

SEAM_WORDS = [
    (re.compile(r"std::(this_)?thread\b|std::jthread\b|\bpthread_create\b|std::async\b"), "threads"),
    (re.compile(r"std::(recursive_|shared_|timed_)?mutex\b|std::condition_variable"), "locks"),
    (re.compile(r"std::chrono::\w+_clock\b|\bclock_gettime\b|\bgettimeofday\b|[^\w.>:]time\(\s*(nullptr|NULL|0|&)"), "clocks"),
    (re.compile(r"std::random_device\b|\bgetrandom\b|\bgetentropy\b|\bs?rand\(\s*\)|std::mt19937"), "randomness"),
    (re.compile(r"\bthread_local\b|\b__thread\b"), "thread-locals"),
]
SEAM_ALLOWED = ("core/kernel/", "core/shard/", "core/task/", "tools/", "tests/", "bench/")
SEAM_EXEMPT = {"core/base/log.cpp"}  # writes a line for people: its time stamp decides nothing

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def source_files(root):
    for top in TOP_LEVELS + UNORDERED:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
            for name in sorted(names):
                if name.endswith((".hpp", ".cpp", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def read_lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read().splitlines()


def without_comments(lines):
    """The code of each line: comments and string literals blanked, so that prose may name a clock."""
    inside = False
    for line in lines:
        code, at = [], 0
        while at < len(line):
            if inside:
                end = line.find("*/", at)
                inside = end < 0
                at = len(line) if inside else end + 2
            elif line.startswith("//", at):
                break
            elif line.startswith("/*", at):
                inside, at = True, at + 2
            elif line[at] == '"':
                literal = re.compile(r'"(?:\\.|[^"\\])*"?').match(line, at)
                code.append('""')
                at = literal.end()
            else:
                code.append(line[at])
                at += 1
        yield "".join(code)


def folder_orders(root):
    """Per top level: its second-level folders in the order in which its CMakeLists.txt lists them."""
    orders = {}
    for top in TOP_LEVELS:
        listing = os.path.join(root, top, "CMakeLists.txt")
        text = open(listing, encoding="utf-8").read() if os.path.exists(listing) else ""
        orders[top] = re.findall(r"^\s*penstock_folder\(\s*" + top + r"/(\w+)", text, re.MULTILINE)
    return orders


def check_includes(root, files):
    orders = folder_orders(root)
    for path in files:
        top, *rest = path.split("/")
        folder = rest[0] if len(rest) > 1 else ""
        if top in TOP_LEVELS and folder and orders[top] and folder not in orders[top]:
            yield path, 1, f"{top}/{folder} is not listed in {top}/CMakeLists.txt"
        for number, line in enumerate(read_lines(root, path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            included = match.group(1)
            if not os.path.exists(os.path.join(root, included)):
                yield path, number, f'"{included}" is not a file: include by full path from the root, <...> for libraries'
                continue
            its_top, *its_rest = included.split("/")
            if top in UNORDERED:
                continue
            if its_top not in TOP_LEVELS:
                yield path, number, f"{top} includes {included}: nothing points at {its_top}"
            elif TOP_LEVELS.index(its_top) > TOP_LEVELS.index(top):
                yield path, number, f"{top} includes {included}: the arrows go tools -> net -> txn -> core"
            elif its_top == top and folder in orders[top]:
                its_folder = its_rest[0] if len(its_rest) > 1 else ""
                if its_folder in orders[top] and orders[top].index(its_folder) > orders[top].index(folder):
                    yield path, number, f"{top}/{folder} includes {included}: {its_folder} comes later in {top}/CMakeLists.txt"


def check_headers(root, files):
    for path in files:
        if not path.endswith(".hpp"):
            continue
        lines = read_lines(root, path)
        if "#pragma once" not in lines:
            yield path, 1, "no #pragma once"
        if path.split("/")[0] not in ("core", "txn", "net"):
            continue
        banner = []
        for line in lines:
            if not line.startswith("//"):
                break
            banner.append(line)
        missing = [label for label in LABELS if not any(re.search(r"\b" + label, line) for line in banner)]
        if missing:
            yield path, 1, "the banner lacks " + " ".join(missing) + " (docs/style.md)"


def check_sizes(root, files):
    for path in files:
        lines = len(read_lines(root, path))
        if lines > LINES_MAX:
            yield path, lines, f"{lines} lines: split it, {LINES_MAX} is the limit"


def check_seam(root, files):
    for path in files:
        if path.startswith(SEAM_ALLOWED) or path in SEAM_EXEMPT:
            continue
        for number, code in enumerate(without_comments(read_lines(root, path)), 1):
            for pattern, what in SEAM_WORDS:
                match = pattern.search(code)
                if match:
                    yield path, number, f"{match.group(0).strip()}: {what} come through core/kernel and core/shard only"


def check_documents(root, files):
    page = "docs/architecture.md"
    if not os.path.exists(os.path.join(root, page)):
        return
    for number, line in enumerate(read_lines(root, page), 1):
        for name in re.findall(r"`([\w./-]+/[\w.-]+\.(?:hpp|cpp|py|md|txt|cmake|json|toml))`", line):
            if not os.path.exists(os.path.join(root, name)) and not os.path.exists(os.path.join(root, "docs", name)):
                yield page, number, f"names {name}, which does not exist"


RULES = [check_includes, check_headers, check_sizes, check_seam, check_documents]


def check(root):
    files = list(source_files(root))
    findings = [(rule.__name__.removeprefix("check_"), *finding) for rule in RULES for finding in rule(root, files)]
    return files, findings


# ------------------------------------------------------------------------------------------- self-test

BANNER = "// A.\n//\n// Journey:  a.\n// Shard:    a.\n// Promise:  a.\n// Failure:  a.\n#pragma once\n"
GOOD_TREE = {
    "core/CMakeLists.txt": "penstock_folder(core/base)\npenstock_folder(core/task DEPS core_base)\n",
    "txn/CMakeLists.txt": "penstock_folder(txn/store DEPS core_task)\n",
    "core/base/a.hpp": BANNER,
    "core/task/b.hpp": BANNER + '#include "core/base/a.hpp"\nthread_local int pool;\n',
    "txn/store/c.hpp": BANNER + '#include "core/task/b.hpp"\n',
    "txn/store/c.cpp": '#include "txn/store/c.hpp"\n// std::thread in prose is fine\nauto s = "std::thread";\n',
    "tests/core/a_test.cpp": '#include "txn/store/c.hpp"\n#include <thread>\nstd::thread t;\n',
    "docs/architecture.md": "Start at `core/base/a.hpp`.\n",
}
BAD_FILES = [  # (rule that must find it, path, content)
    ("includes", "core/base/up.cpp", '#include "txn/store/c.hpp"\n'),
    ("includes", "core/base/later.cpp", '#include "core/task/b.hpp"\n'),
    ("includes", "core/base/short.cpp", '#include "a.hpp"\n'),
    ("includes", "txn/store/test.cpp", '#include "tests/core/a_test.cpp"\n'),
    ("includes", "core/loose/x.cpp", "int x;\n"),
    ("headers", "core/base/once.hpp", BANNER.replace("#pragma once\n", "")),
    ("headers", "core/base/banner.hpp", BANNER.replace("// Promise:  a.\n", "")),
    ("sizes", "txn/store/long.cpp", "int x();\n" * (LINES_MAX + 1)),
    ("seam", "txn/store/thread.cpp", "void f() { std::thread t; }\n"),
    ("seam", "txn/store/mutex.cpp", "std::mutex m;\n"),
    ("seam", "txn/store/clock.cpp", "auto t = std::chrono::steady_clock::now();\n"),
    ("seam", "txn/store/random.cpp", "std::random_device d;\n"),
    ("seam", "core/base/local.cpp", "/* a */ thread_local int x;\n"),
    ("documents", "docs/architecture.md", "Start at `core/base/gone.hpp`.\n"),
]


def write_tree(root, tree):
    for path, text in tree.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


def self_test():
    failures = 0
    with tempfile.TemporaryDirectory() as root:
        write_tree(root, GOOD_TREE)
        for finding in check(root)[1]:
            print("self-test: found in a good tree:", finding)
            failures += 1
    for rule, path, content in BAD_FILES:
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, {**GOOD_TREE, path: content})
            found = {(finding[0], finding[1]) for finding in check(root)[1]}
            if found != {(rule, path)}:
                print(f"self-test: {path} must be found by '{rule}' and nothing else; found: {sorted(found)}")
                failures += 1
    print(f"self-test: {len(BAD_FILES) + 1} trees, {failures} wrong")
    return 1 if failures else 0


def main(words):
    if words == ["--self-test"]:
        return self_test()
    root = words[0] if words else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    root = os.path.realpath(root)
    files, findings = check(root)
    for rule, path, number, text in findings:
        print(f"{path}:{number}: [{rule}] {text}")
    print(f"{len(files)} files, {len(findings)} findings")
    if not files:
        print(f"no source files under {root}")
        return 1
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

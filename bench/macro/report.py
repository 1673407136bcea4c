"""What a run says: a text table for people, Markdown for docs/benchmarks, JSON for everything else."""

import json

from figures import median
from targets import all_outcomes


def figure_text(outcome):
    if outcome.figure is None:
        return f"- ({outcome.why if len(outcome.why) < 50 else 'see below'})"
    return outcome.figure.text(outcome.target.digits, outcome.target.unit)


def target_cells(outcome):
    target = outcome.target
    return [target.name, target.mark_text(target.floor), target.mark_text(target.moonshot), figure_text(outcome), outcome.verdict()]


def columns_text(rows, gap="  "):
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  " + gap.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def rate_table(runs):
    """Header and lines: median MB/s (server CPU-s/GB) of every peer on every input."""
    inputs = list(dict.fromkeys(run["input"] for run in runs))
    found = {}
    for run in runs:
        found.setdefault(run["title"], {}).setdefault(run["input"], []).append(run)
    lines = [["MB/s (server CPU-s/GB)", *inputs]]
    for title, by_input in found.items():
        cells = [title]
        for name in inputs:
            some = by_input.get(name)
            cells.append(f"{median([run['mb_s'] for run in some]):.0f} ({median([run['cpu_s_gb'] for run in some]):.1f})" if some else "-")
        lines.append(cells)
    return lines


def machine_text(result):
    machine, marks = result["machine"], result["yardsticks"]
    disk = f"{marks['direct_write_gb_s']:.2f} GB/s" if marks.get("direct_write_gb_s") else "not possible here"
    yield (f"machine: {machine['cpu']}, {machine['cores']} cores for servers and client, {machine['memory_gib']} GiB, "
           f"Linux {machine['kernel']}, {machine['system']}")
    if marks:
        yield (f"yardsticks: loopback receive {marks['loopback_receive_gb_s']:.2f} GB/s, 1 MiB direct writes {disk}, "
               f"4 KiB write and fdatasync p50 {marks['fdatasync_p50_us']:.0f} us, memory copy {marks['memory_copy_gb_s']:.1f} GB/s")
    yield "versions: " + ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    for name, why in result["unavailable"].items():
        yield f"not available: {name}: {why}"


def remarks(result):
    runs = result["runs"]
    flagged = sum(bool(run["flags"]) for run in runs)
    if runs:
        yield (f"checked: count, sum and xor of the key column after each of {len(runs)} loads; penstock once more after kill -9 on "
               f"{', '.join(result['confirmed']) or 'nothing'}")
    if flagged:
        yield f"disturbed: {flagged} of {len(runs)} blocks (more than 1 % stolen by the host, or 10 % used by others)"
    for failure in result["failures"]:
        yield f"failed: {failure['peer']}, {failure['what']}: {' '.join(failure['why'].split())}"


def headline(result):
    kind = "full" if result["official"] else f"{result['mode']}: not official"
    return f"penstock against its peers ({kind}), {result['began']}, commit {result['commit']}, {result['seconds']:.0f} s"


def as_text(result, outcomes):
    lines = [headline(result), "", *machine_text(result), ""]
    lines += columns_text([["target", "floor", "moonshot", "today", "verdict"], *map(target_cells, all_outcomes(outcomes))])
    notes = [[outcome.target.name, outcome.target.text + ":", outcome.note] for outcome in outcomes.values() if outcome.note]
    if notes:
        lines += ["", *columns_text(notes)]
    if result["runs"]:
        lines += ["", *columns_text(rate_table(result["runs"]))]
    return "\n".join([*lines, "", *remarks(result)])


def markdown_table(rows):
    yield "| " + " | ".join(rows[0]) + " |"
    yield "| " + " | ".join("---" for _ in rows[0]) + " |"
    for row in rows[1:]:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def as_markdown(result, outcomes):
    cells = [["", "figure", "floor", "moonshot", "today (95 % interval)", "verdict", "of it"]]
    for outcome in all_outcomes(outcomes):
        name, *rest = target_cells(outcome)
        cells.append([name, outcome.target.text, *rest, outcome.note])
    lines = [f"# {headline(result)}", "", "```", result["command"], "```", "", *(f"- {line}" for line in machine_text(result)), "",
             "## Targets", "", *markdown_table(cells), ""]
    if result["runs"]:
        lines += ["## Rates", "", *markdown_table(rate_table(result["runs"])), ""]
    return "\n".join([*lines, "## Checked", "", *(f"- {line}" for line in remarks(result)), ""])


def as_json(result, outcomes):
    return json.dumps({**result, "targets": [outcome.as_json() for outcome in all_outcomes(outcomes)]}, indent=1) + "\n"

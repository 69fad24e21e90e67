#!/usr/bin/env python3
"""The catalogue of faults as a page: which tests prove which row.

  catalogue.py write README.md TEST_BINARY...   writes the page
  catalogue.py check README.md TEST_BINARY...   fails if it is not up to date

Either fails if a row has no test. A test belongs to row 30 if its name, or its parameter's, begins with Row30_. Rows may
also name tests of tests/hostile, which has no such names. The rows are in catalogue.json, beside this file.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
HOSTILE = HERE.parent / "hostile"

CALLS = re.compile(r"_(Ask|AskWhole|Run|RunWhole|Search|List|Disconnect|Authorize)$")
ROW = re.compile(r"(?:^|/)Row(\d+|Sse)_")

INTRO = """# The catalogue of faults

What can go wrong around igptd, what must be seen when it does, and the tests that prove it. Each test runs a real igptd
between real gRPC clients and a scripted upstream. Most faults are lines in tables (see `fault_case.h` and
`fault_script.h`). Every such case checks what its line says, and also that

- the status is well formed;
- the log has exactly one line for the call, and the metrics exactly one increment, both with the call's code and reason;
- the key went to iGPT and nowhere else;
- neither the status nor the metrics nor the log at trace level hold the key, the user, the prompt or the answer.

Rows 47 and 48 end igptd itself, so there the log alone is checked: nothing is left to ask for metrics. Attacks, and faults
that need many connections or much memory, are in [tests/hostile](../hostile).

`catalogue.py write` makes this page from `catalogue.json` and from the names of the tests. The test
`fault_catalogue_test` fails if the page is out of date or if a row has no test.
"""


def tests_of(binary):
    """(row, name) for every test of that program."""
    listing = subprocess.run([binary, "--gtest_list_tests"], check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in listing.splitlines():
        if not line.startswith("  "):
            continue
        name = line.split("#")[0].strip()
        found = ROW.search(name)
        if found is None:
            sys.exit(f"{binary}: {name} belongs to no row")
        # Of a case in a table: the case. Of a test with parameters: both.
        head, _, parameter = name.partition("/")
        shown = parameter if ROW.match(parameter) else head
        yield found.group(1), re.sub(r"^Row(\d+|Sse)_", "", shown)


def check_hostile(key, program, names):
    """The tests exist. By their source: builds with sanitizers leave these programs out."""
    source = HOSTILE / f"{program}.cc"
    known = re.findall(r"^TEST(?:_[FP])?\(\w+, (\w+)\)", source.read_text(), re.MULTILINE) if source.exists() else []
    for name in names:
        if name not in known:
            sys.exit(f"row {key} names {program}: {name}, which tests/hostile doesn't have")


def collect(themes, binaries):
    """The tests of every row: {row: {program: {name: number of kinds of calls}}}."""
    tests = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    for theme in themes:
        for row in theme["rows"]:
            programs = tests[str(row["row"])]
            for program, names in row.get("hostile", {}).items():
                check_hostile(row["row"], program, names)
                programs[program].update(names)
    for binary in binaries:
        for row, name in tests_of(binary):
            if row not in tests:
                sys.exit(f"{binary}: {name} is of row {row}, which the catalogue does not have")
            tests[row][pathlib.Path(binary).name][CALLS.sub("", name)] += 1
    for row, programs in tests.items():
        if not programs:
            sys.exit(f"row {row} has no test")
    return tests


def number(row):
    return "SSE" if row["row"] == "Sse" else str(row["row"])


def section(theme, tests):
    """A theme's rows as a short table, and all their cases folded away below it."""
    table = ["| row | what goes wrong | what must be seen | cases |", "|---|---|---|---|"]
    cases = ["<details>", "<summary>The cases</summary>"]
    for row in theme["rows"]:
        programs = tests[str(row["row"])]
        count = sum(sum(names.values()) for names in programs.values())
        table.append(f"| {number(row)} | {row['fault']} | {row['expected']} | {count} |")
        for program, names in sorted(programs.items()):
            cases += ["", f"Row {number(row)}, `{program}`:", ""]
            cases += [f"- {name}" + (f", with {kinds} kinds of calls" if kinds > 1 else "") for name, kinds in names.items()]
    return "\n".join([f"## {theme['theme']}", "", *table, "", *cases, "", "</details>"])


def page(binaries):
    themes = json.loads((HERE / "catalogue.json").read_text())
    tests = collect(themes, binaries)
    return "\n".join([INTRO, "\n\n".join(section(theme, tests) for theme in themes), ""])


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    readme = pathlib.Path(sys.argv[2])
    text = page(sys.argv[3:])
    if sys.argv[1] == "write":
        readme.write_text(text)
    elif not readme.exists() or readme.read_text() != text:
        sys.exit(f"{readme} is out of date: run {' '.join(['catalogue.py', 'write'] + sys.argv[2:])}")


if __name__ == "__main__":
    main()

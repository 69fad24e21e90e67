#!/usr/bin/env python3
"""The catalogue of faults as a table: which tests prove which row.

  catalogue.py write README.md TEST_BINARY...   writes the table
  catalogue.py check README.md TEST_BINARY...   fails when it is not up to date

Either fails when a row has neither a test nor a reason why there is none. A test belongs to row 30 when its name, or
its parameter's, begins with Row30_. The rows are in catalogue.json, beside this file.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

CALLS = re.compile(r"_(Ask|AskWhole|Search|List|Disconnect|Authorize)$")
ROW = re.compile(r"(?:^|/)Row(\d+|Sse)_")

INTRO = """# The catalogue of faults

What will go wrong around igptd, what must be seen when it does, and which tests prove it. Each runs a real igptd between
real gRPC clients and a scripted upstream. Faults are lines in tables (`fault_case.h`, `fault_script.h`); beside what its
line says, every case proves that the status is well formed, that the log has exactly one line for the call with the same
code and reason, and the metrics exactly one increment with its method, code and reason, that the key went to iGPT and
nowhere else, and that neither the status, nor the log at trace level, nor the metrics hold the key, the user, the prompt
or the answer.

The table is written by `catalogue.py write`, from the rows in `catalogue.json` and the tests' own listing; a test fails
when it is out of date, or when a row has neither a test nor a reason. A number in parentheses says how many kinds of
calls a case is made with. What ends together with its igptd (row 47, 48) is seen in the log alone: nobody can ask it for
its metrics then.

"""


def tests_of(binary):
    """(row, name) for every test of that program."""
    listing = subprocess.run([binary, "--gtest_list_tests"], check=True, capture_output=True, text=True).stdout
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


def cell(tests):
    """The tests of a row: {program: {name: count}}."""
    parts = []
    for program, names in sorted(tests.items()):
        shown = [name if count == 1 else f"{name} ({count})" for name, count in names.items()]
        parts.append(f"`{program}`: " + ", ".join(shown))
    return "; ".join(parts)


def table(binaries):
    rows = json.loads(pathlib.Path(__file__).with_name("catalogue.json").read_text())
    known = {str(row["row"]) for row in rows}
    tests = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    for binary in binaries:
        for row, name in tests_of(binary):
            if row not in known:
                sys.exit(f"{binary}: {name} is of row {row}, which the catalogue does not have")
            tests[row][pathlib.Path(binary).name][CALLS.sub("", name)] += 1
    lines = ["| # | fault | what must be seen | tests |", "|---|---|---|---|"]
    for row in rows:
        key = str(row["row"])
        if key in tests and "why_none" in row:
            sys.exit(f"row {key} has tests, and a reason why it has none")
        if key not in tests and "why_none" not in row:
            sys.exit(f"row {key} has neither a test nor a reason why it has none")
        shown = cell(tests[key]) if key in tests else "none here: " + row["why_none"]
        note = f" ({row['note']})" if "note" in row else ""
        number = "SSE" if key == "Sse" else key
        lines.append(f"| {number} | {row['fault']} | {row['expected']}{note} | {shown} |")
    return INTRO + "\n".join(lines) + "\n"


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    readme = pathlib.Path(sys.argv[2])
    text = table(sys.argv[3:])
    if sys.argv[1] == "write":
        readme.write_text(text)
    elif not readme.exists() or readme.read_text() != text:
        sys.exit(f"{readme} is out of date: run {' '.join(['catalogue.py', 'write'] + sys.argv[2:])}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""README.md's tables say what is true: of flags, as `igptd --help` does; of RPCs and errors, as proto/ does. And
deploy/OPERATIONS.md says of every reason what to do, and its alerts ask for metrics that it lists.

    docs_test.py <igptd> <the project's directory>

A table is known by its header: one has a column "flag", one "RPC", one "reason". Other columns, and text around what is
compared, are free. Prints every difference and exits with 1 if there is one.
"""

import pathlib
import re
import subprocess
import sys

GRPC_CODES = {
    "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
}

# How README.md writes that a flag has no default.
NO_DEFAULT = {"", "–", "—", "-", "none", "off", "false"}

problems = []


def table(page, column, name="README.md"):
    """The rows of the page's table with this column, each a dict of column (lower case) to text."""
    rows, header = [], None
    for line in page.splitlines() + [""]:
        if not line.lstrip().startswith("|"):
            if header and column in header:
                return rows
            rows, header = [], None
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if header is None:
            header = [cell.lower().strip("`*") for cell in cells]
        elif not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            rows.append(dict(zip(header, cells)))
    problems.append(f'{name} has no table with a column "{column}"')
    return None


def compare(what, said, true, source):
    """Both are dicts: a name, and what is said of it."""
    for name in sorted(true.keys() - said.keys()):
        problems.append(f"README.md lacks the {what} {name}, which {source} has")
    for name in sorted(said.keys() - true.keys()):
        problems.append(f"README.md has the {what} {name}, which {source} lacks")
    for name in sorted(true.keys() & said.keys()):
        if said[name] != true[name]:
            problems.append(f"README.md says of the {what} {name}: {said[name] or 'nothing'}; {source}: {true[name] or 'nothing'}")


def check_flags(readme, help_text):
    """Names and defaults. A row may hold several flags, with one default for all or as many between commas."""
    rows = table(readme, "flag")
    if rows is None:
        return
    true = {}
    for name, rest in re.findall(r"^\s+--(\w+)(.*)$", help_text, re.MULTILINE):
        default = re.search(r"\(default (.*)\)$", rest)
        true["--" + name] = default.group(1) if default else ""
    said = {}
    for row in rows:
        names = re.findall(r"--\w+", row["flag"])
        defaults = [text.strip(" `") for text in row.get("default", "").split(",")]
        if len(defaults) == 1:
            defaults *= len(names)
        if len(defaults) != len(names):
            problems.append(f"README.md has {len(defaults)} defaults for the {len(names)} flags of the row {row['flag']}")
            continue
        for name, default in zip(names, defaults):
            if name in said:
                problems.append(f"README.md has the flag {name} twice")
            said[name] = "" if default in NO_DEFAULT else re.sub(r"(?<=\d) (?=[KMG]iB)", "", default)
    compare("flag", said, true, "igptd --help")


def check_rpcs(readme, protos):
    """Requests and responses, and which are streams."""
    rows = table(readme, "rpc")
    if rows is None:
        return
    true = {}
    for service in re.finditer(r"^service (\w+) \{(.*?)^\}", protos, re.MULTILINE | re.DOTALL):
        pattern = r"^\s*rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\)"
        for method, _, request, stream, response in re.findall(pattern, service.group(2), re.MULTILINE):
            true[f"{service.group(1)}.{method}"] = f"{request} → {stream}{response}"
    said = {}
    for row in rows:
        name = re.search(r"(\w+Service)[./](\w+)", row["rpc"])
        types = re.search(r"(\w+Request)\b.*?(stream\b.*?)?(\w+Response)", " | ".join(row.values()))
        if not name or not types:
            problems.append(f"README.md has no Service.Method or no XRequest → XResponse in the row {row['rpc']}")
            continue
        request, stream, response = types.groups()
        said[".".join(name.groups())] = f"{request} → {'stream ' if stream else ''}{response}"
    compare("RPC", said, true, "proto/")


def check_errors(readme, proto):
    """Reasons and their gRPC codes. A reason may be in several rows, and a row may hold several reasons."""
    rows = table(readme, "reason")
    if rows is None:
        return
    true = {}
    for comment, name in re.findall(r"((?:^\s*//.*\n)+)\s*ERROR_REASON_(\w+) = [1-9]\d*;", proto, re.MULTILINE):
        true[name] = codes_in(comment)
    said = {}
    for row in rows:
        reasons = re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", row["reason"])
        codes = codes_in(" ".join(text for column, text in row.items() if column != "reason"))
        for reason in reasons:
            # Of the codes of a row with several reasons each takes its own; one that is nobody's is everybody's fault.
            others = set().union(*(true.get(other, set()) for other in reasons if other != reason))
            said.setdefault(reason, set()).update(codes - (others - true.get(reason, set())))
    compare("reason", listed(said), listed(true), "error_reason.proto")


def check_operations(operations, proto):
    """Every reason has a row."""
    rows = table(operations, "reason", "deploy/OPERATIONS.md")
    said = {name for row in rows or [] for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", row["reason"])}
    true = set(re.findall(r"ERROR_REASON_(\w+) = [1-9]\d*;", proto))
    for name in sorted(said ^ true):
        have, lack = ("error_reason.proto", "deploy/OPERATIONS.md")[:: 1 if name in true else -1]
        problems.append(f"{lack} lacks the reason {name}, which {have} has")


def check_alerts(operations):
    """They ask for metrics that there are."""
    true = {row["metric"].strip("`") for row in table(operations, "metric", "deploy/OPERATIONS.md") or []}
    for rules in re.findall(r"^```yaml$(.*?)^```$", operations, re.MULTILINE | re.DOTALL):
        for name in sorted(set(re.findall(r"\b(?:igptd|grpc_server|process)_\w+", rules))):
            if re.sub(r"_(bucket|sum|count)$", "", name) not in true:
                problems.append(f"deploy/OPERATIONS.md has an alert on {name}, which its table of metrics lacks")


def codes_in(text):
    return GRPC_CODES & set(re.findall(r"\w+", text))


def listed(codes):
    return {name: ", ".join(sorted(found)) for name, found in codes.items()}


def main():
    igptd, root = sys.argv[1], pathlib.Path(sys.argv[2])
    readme = (root / "README.md").read_text()
    protos = {path.name: path.read_text() for path in sorted((root / "proto").rglob("*.proto"))}
    help_text = subprocess.run([igptd, "--help"], check=True, capture_output=True, text=True).stdout
    check_flags(readme, help_text)
    check_rpcs(readme, "\n".join(protos.values()))
    check_errors(readme, protos["error_reason.proto"])
    operations = (root / "deploy/OPERATIONS.md").read_text()
    check_operations(operations, protos["error_reason.proto"])
    check_alerts(operations)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

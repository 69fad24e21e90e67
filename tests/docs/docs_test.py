#!/usr/bin/env python3
"""The documents say what is true, and their links lead somewhere.

    docs_test.py <igptd> <the project's directory> <contract_tables>

- igptd's tables of methods and errors (contract_tables.cc prints them) agree with proto/, where the comments of each
  service and RPC list all of its errors, and with the methods that deploy/callers.schema.json allows.
- README.md lists the RPCs of proto/ and the gRPC codes of igptd's errors.
- docs/flags.md lists the flags of `igptd --help` with their defaults.
- docs/errors.md lists every reason with its gRPC codes and details, and says of every reason what operators do about it.
- docs/traces.md lists OpenTelemetry's variables that igptd reads. span_test compares its attributes with the program.
- The alerts are only on metrics that docs/metrics.md lists. docs/errors.md names the alert for each reason, and those
  alerts select it; nothing that iGPT does and no refusal of a caller is without one. metrics_docs_test.py compares
  metrics and alerts with a running igptd.
- Every relative link of every page leads to a file, and its #anchor to a heading.

A table is found by a column of its header: "flag", "rpc", "reason", and so on. Other columns are free, and so is the text
around what is compared. Prints every difference, and exits with 1 if there is one.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import alerts

GRPC_CODES = {
    "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
}

# How a page writes that a flag has no default.
NO_DEFAULT = {"", "–", "—", "-", "none", "off", "false"}

problems = []


class Page:
    """A document, by its path from the project's directory."""

    def __init__(self, root, name):
        self.name = name
        self.text = (root / name).read_text()

    def table(self, column):
        """The rows of the table with this column, each a dict of column (lower case) to text."""
        rows, header = [], None
        for line in self.text.splitlines() + [""]:
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
        problems.append(f'{self.name} has no table with a column "{column}"')
        return []

    def compare(self, what, said, true, source):
        """Both are dicts: a name, and what is said of it."""
        for name in sorted(true.keys() - said.keys()):
            problems.append(f"{self.name} lacks the {what} {name}, which {source} has")
        for name in sorted(said.keys() - true.keys()):
            problems.append(f"{self.name} has the {what} {name}, which {source} lacks")
        for name in sorted(true.keys() & said.keys()):
            if said[name] != true[name]:
                problems.append(f"{self.name} says of the {what} {name}: {said[name] or 'nothing'}; "
                                f"{source}: {true[name] or 'nothing'}")


def check_flags(page, help_text):
    """Names and defaults. A row may hold several flags, with one default for all or as many between commas."""
    true = {}
    for name, rest in re.findall(r"^\s+--(\w+)(.*)$", help_text, re.MULTILINE):
        default = re.search(r"\(default (.*)\)$", rest)
        true["--" + name] = default.group(1) if default else ""
    said = {}
    for row in page.table("flag"):
        names = re.findall(r"--\w+", row["flag"])
        defaults = [text.strip(" `") for text in row.get("default", "").split(",")]
        if len(defaults) == 1:
            defaults *= len(names)
        if len(defaults) != len(names):
            problems.append(f"{page.name} has {len(defaults)} defaults for the {len(names)} flags of the row {row['flag']}")
            continue
        for name, default in zip(names, defaults):
            if name in said:
                problems.append(f"{page.name} has the flag {name} twice")
            said[name] = "" if default in NO_DEFAULT else re.sub(r"(?<=\d) (?=[KMG]iB)", "", default)
    page.compare("flag", said, true, "igptd --help")


def check_rpcs(page, protos):
    """Requests and responses, and which are streams."""
    true = {}
    for service in re.finditer(r"^service (\w+) \{(.*?)^\}", protos, re.MULTILINE | re.DOTALL):
        pattern = r"^\s*rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\)"
        for method, _, request, stream, response in re.findall(pattern, service.group(2), re.MULTILINE):
            true[f"{service.group(1)}.{method}"] = f"{request} → {stream}{response}"
    said = {}
    for row in page.table("rpc"):
        name = re.search(r"(\w+Service)[./](\w+)", row["rpc"])
        types = re.search(r"(\w+Request)\b.*?(stream\b.*?)?(\w+Response)", " | ".join(row.values()))
        if not name or not types:
            problems.append(f"{page.name} has no Service.Method or no XRequest → XResponse in the row {row['rpc']}")
            continue
        request, stream, response = types.groups()
        said[".".join(name.groups())] = f"{request} → {'stream ' if stream else ''}{response}"
    page.compare("RPC", said, true, "proto/")


def read_contract(contract_tables):
    """The names of the methods, a dict per row of the error table, the errors that each method can end with, and
    OpenTelemetry's variables."""
    lines = subprocess.run([contract_tables], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    variables = [row[1] for row in rows if row[0] == "variable"]
    methods = [row[1] for row in rows if row[0] == "method"]
    errors = [dict(zip(("reason", "code", "metadata", "retry_info", "client_retry"), row[1:])) for row in rows if row[0] == "error"]
    ends = {method: {row[2] for row in rows if row[:2] == ["end", method]} for method in methods}
    return methods, errors, ends, variables


def check_variables(page, variables):
    """Each in a row that says something."""
    said = {}
    for row in page.table("variable"):
        names = re.findall(r"\bOTEL_\w+", row["variable"])
        if not names or not row.get("default") or not row.get(""):
            problems.append(f"{page.name} has no variable, no default or no text in the row {row['variable']}")
        for name in names:
            if name in said:
                problems.append(f"{page.name} has the variable {name} twice")
            said[name] = ""
    page.compare("variable", said, dict.fromkeys(variables, ""), "igptd")


def codes_of_reasons(errors):
    """Every reason with its gRPC codes."""
    codes = {}
    for error in errors:
        codes.setdefault(error["reason"], set()).add(error["code"])
    return codes


def check_proto(methods, codes, protos):
    """The protos have the same RPCs, and the comments of the reasons name the same codes."""
    declared = {f"igpt.v1.{service}/{method}" for proto in protos.values()
                for service, body in re.findall(r"^service (\w+) \{(.*?)^\}", proto, re.MULTILINE | re.DOTALL)
                for method in re.findall(r"^\s*rpc (\w+)\(", body, re.MULTILINE)}
    for name in sorted(declared ^ set(methods)):
        problems.append(f"{name} is in {'proto/' if name in declared else 'igptd'} alone")
    pattern = r"((?:^\s*//.*\n)+)\s*ERROR_REASON_(\w+) = [1-9]\d*;"
    said = {name: codes_in(comment) for comment, name in re.findall(pattern, protos["error_reason.proto"], re.MULTILINE)}
    for name in sorted(codes.keys() | said.keys()):
        if codes.get(name) != said.get(name):
            problems.append(f"error_reason.proto says of {name}: {said.get(name)}; igptd: {codes.get(name)}")


def check_ends(ends, protos):
    """The comments of a service and of an RPC together list what the RPC can end with, and nothing twice."""
    listed = lambda comment: re.findall(r"\b([A-Z_]+/[A-Z_]+)\b", "".join(re.findall(r"^\s*// ?(.*\n)", comment, re.MULTILINE)))
    for proto in protos.values():
        for comment, service, body in re.findall(r"((?:^//.*\n)+)^service (\w+) \{(.*?)^\}", proto, re.MULTILINE | re.DOTALL):
            for own_comment, method in re.findall(r"((?:^ +//.*\n)+)^ +rpc (\w+)\(", body, re.MULTILINE):
                name = f"igpt.v1.{service}/{method}"
                said = listed(comment) + listed(own_comment)
                true = ends.get(name, set())
                for error in sorted({error for error in said if said.count(error) > 1}):
                    problems.append(f"the comments of {name} list {error} twice")
                for error in sorted(true ^ set(said)):
                    problems.append(f"{error} is {'not ' if error in true else ''}in the comments of {name}, "
                                    f"{'and' if error in true else 'but not'} in igptd's table")


def check_schema(root, methods):
    """The callers file's schema allows the same methods as igptd, each service as a whole before its own."""
    allowed = []
    for method in methods:
        service = method.split("/")[0] + "/*"
        allowed += [method] if service in allowed else [service, method]
    schema = json.loads((root / "deploy/callers.schema.json").read_text())
    said = schema["$defs"]["caller"]["properties"]["methods"]["items"]["enum"]
    if said != allowed:
        problems.append(f"deploy/callers.schema.json allows the methods {said}, igptd {allowed}")


def check_errors(page, errors):
    """Reasons with their gRPC codes, their details, and whether a client may retry them."""
    said = {}
    for row in page.table("reason"):
        for reason in names_in(row["reason"]):
            said[reason] = " | ".join([", ".join(sorted(codes_in(row.get("grpc code", "")))),
                                       ", ".join(sorted(re.findall(r"`(\w+)`", row.get("details", "")))),
                                       row.get("a client retries", "")])
    true = {}
    for reason, codes in codes_of_reasons(errors).items():
        rows = [error for error in errors if error["reason"] == reason]
        details = {key for row in rows for key in row["metadata"].split(", ") if key}
        details |= {"RetryInfo"} if any(row["retry_info"] for row in rows) else set()
        details |= {"BadRequest"} if reason == "INVALID_REQUEST" else set()
        retries = " or ".join(dict.fromkeys(row["client_retry"] for row in rows))
        true[reason] = " | ".join([", ".join(sorted(codes)), ", ".join(sorted(details)), retries])
    page.compare("reason", said, true, "igptd")


def check_codes(page, true):
    """The gRPC codes that errors can have."""
    said = {code: "" for row in page.table("grpc code") for code in codes_in(row["grpc code"])}
    page.compare("gRPC code", said, {code: "" for codes in true.values() for code in codes}, "igptd")


def check_operators(page, true):
    """Every reason has a row, which says something."""
    said = {}
    for row in page.table("whose"):
        if not row.get("whose") or not row.get("what to do"):
            problems.append(f"{page.name} doesn't say whose {row['reason']} is, or what to do")
        said.update(dict.fromkeys(names_in(row["reason"]), ""))
    page.compare("reason", said, dict.fromkeys(true, ""), "igptd")


def metric_code(code):
    """A gRPC code as metrics write it: Go's spelling."""
    return "Canceled" if code == "CANCELLED" else "OK" if code == "OK" else code.title().replace("_", "")


def check_alerts(rules, page, errors_page, errors):
    """Their metrics exist. The operators' table says for which reasons there is an alert, and igptd's table agrees."""
    true = {row["metric"].strip("`") for row in page.table("metric")}
    if not rules:
        problems.append(f"{alerts.FILE} has no alerts")
    for name in sorted({name for alert in rules for name in alert.metrics()}):
        if re.sub(r"_(bucket|sum|count)$", "", name) not in true:
            problems.append(f"{alerts.FILE} has an alert on {name}, which the table of {page.name} lacks")

    selected = {error["reason"]: set() for error in errors}
    for alert in rules:
        for metric, matchers in alert.selectors:
            if metric != "igptd_errors_total":
                continue
            for error in errors:
                labels = {"reason": error["reason"], "grpc_code": metric_code(error["code"])}
                if alerts.match(matchers, labels):
                    selected[error["reason"]].add(alert.name)
    rows = [row for row in errors_page.table("whose")]
    said = {name: ", ".join(sorted(names_of_alerts(row))) for row in rows for name in names_in(row["reason"])}
    errors_page.compare("alert on", said, {reason: ", ".join(sorted(names)) for reason, names in selected.items()},
                        alerts.FILE)
    # Whoever is refused, or whatever iGPT does, is somebody's business.
    watched = {name for row in rows if row.get("whose", "").startswith("iGPT") for name in names_in(row["reason"])}
    watched |= {error["reason"] for error in errors if error["code"] in ("UNAUTHENTICATED", "PERMISSION_DENIED")}
    for reason in sorted(watched):
        if not selected.get(reason):
            problems.append(f"{alerts.FILE} has no alert that selects {reason}")


def names_of_alerts(row):
    """Those in the column "alert" of a row."""
    return re.findall(r"`(\w+)`", row.get("alert", ""))


def pages_of(root):
    """The paths of all Markdown files, but for what is built or cached."""
    for directory, subdirectories, files in os.walk(root):
        subdirectories[:] = sorted(name for name in subdirectories if name != "build" and not name.startswith("."))
        yield from (pathlib.Path(directory, name) for name in sorted(files) if name.endswith(".md"))


def prose_of(text):
    """The text without its code, where brackets are no links and # begins no heading."""
    text = re.sub(r"^( *)(```|~~~).*?^\1\2.*?$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(`+)(?!`).+?\1", lambda found: re.sub(r"[][()#]", "", found.group()), text)


def anchors_of(text):
    """The anchors that GitHub gives to the page's headings, and those that it sets itself."""
    prose = prose_of(text)
    anchors = set(re.findall(r'<a (?:id|name)="([^"]+)"', prose))
    for heading in re.findall(r"^#{1,6} +(.*?)[ #]*$", prose, re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        again = 0
        while (anchor := f"{slug}-{again}" if again else slug) in anchors:
            again += 1
        anchors.add(anchor)
    return anchors


def check_links(root):
    for path in pages_of(root):
        text = path.read_text()
        for link in re.findall(r"\]\(<?([^)>\s]+)", prose_of(text)):
            if re.match(r"[a-z][a-z0-9+.-]*:", link):
                continue
            file, _, anchor = link.partition("#")
            target = path.parent / file if file else path
            where = f"{path.relative_to(root)} links to {link}"
            if not target.exists():
                problems.append(f"{where}, which is not there")
            elif anchor and (target.suffix != ".md" or anchor not in anchors_of(target.read_text())):
                problems.append(f"{where}, but {file or 'it'} has no such heading")


def names_in(text):
    return re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", text)


def codes_in(text):
    return GRPC_CODES & set(re.findall(r"\w+", text))


def main():
    igptd, root, contract_tables = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    protos = {path.name: path.read_text() for path in sorted((root / "proto").rglob("*.proto"))}
    methods, errors, ends, variables = read_contract(contract_tables)
    reasons = codes_of_reasons(errors)
    help_text = subprocess.run([igptd, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    readme = Page(root, "README.md")
    check_rpcs(readme, "\n".join(protos.values()))
    check_codes(readme, reasons)
    check_flags(Page(root, "docs/flags.md"), help_text)
    check_variables(Page(root, "docs/traces.md"), variables)
    check_proto(methods, reasons, protos)
    check_ends(ends, protos)
    check_schema(root, methods)
    check_errors(Page(root, "docs/errors.md"), errors)
    check_operators(Page(root, "docs/errors.md"), reasons)
    rules = alerts.alerts_of((root / alerts.FILE).read_text())
    check_alerts(rules, Page(root, "docs/metrics.md"), Page(root, "docs/errors.md"), errors)
    check_links(root)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""docs/metrics.md says what /metrics of a running igptd says: its table names, types and labels. The alerts select
series that are there from the start. promtool finds nothing wrong with /metrics.

    metrics_docs_test.py <igptd> <the project's directory> <promtool>

Prints every difference and exits with 1 if there is one.
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

import alerts
import docs_test

PAGE = "docs/metrics.md"


def file_flags(directory):
    """Flags for every file that has metrics of its own, and the files."""
    certificate, key, secret, callers = (str(directory / name) for name in ("certificate", "key", "secret", "callers"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=igptd", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    pathlib.Path(secret).write_text("ak:test")
    pathlib.Path(callers).write_text('{"callers": []}')
    return [f"--tls_cert_file={certificate}", f"--tls_key_file={key}", f"--tls_client_ca_file={certificate}",
            f"--igpt_ca_file={certificate}", f"--igpt_api_key_file={secret}", f"--callers_file={callers}"]


def scrape(igptd):
    """What a fresh igptd's /metrics says."""
    with tempfile.TemporaryDirectory() as directory:
        return scrape_with(igptd, file_flags(pathlib.Path(directory)))


def scrape_with(igptd, flags):
    command = [igptd, "--igpt_base_url=http://127.0.0.1:1", "--listen=127.0.0.1:0", "--admin_listen=127.0.0.1:0",
               "--drain_delay=0s", "--log_format=json", *flags]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("IGPT", "OTEL_"))}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if port := json.loads(line).get("admin_port"):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
                    return answer.read().decode()
        sys.exit("igptd ended before it served")
    finally:
        process.terminate()
        process.communicate()


def families(text):
    """A dict of name to (type, labels in order), but for the label of a histogram's buckets."""
    types, labels = {}, collections.defaultdict(set)
    for line in text.splitlines():
        if found := re.fullmatch(r"# TYPE (\w+) (\w+)", line):
            types[found.group(1)] = found.group(2)
        elif not line.startswith("#"):
            name, pairs = re.match(r"(\w+)(?:\{(.*)\})? ", line).groups()
            stem = re.sub(r"_(bucket|sum|count)$", "", name)
            name = stem if types.get(stem) == "histogram" else name
            keys = re.findall(r'(\w+)="', pairs or "")
            labels[name].add(tuple(key for key in keys if key != "le"))
    for name, sets in labels.items():
        if len(sets) != 1:
            docs_test.problems.append(f"/metrics has {name} with several sets of labels: {sorted(sets)}")
    return {name: (kind, ", ".join(min(labels[name], default=()))) for name, kind in types.items()}


def described(page):
    """The same, of the table."""
    said = {}
    for row in page.table("metric"):
        name = row["metric"].strip("` ")
        if name in said:
            docs_test.problems.append(f"{PAGE} has the metric {name} twice")
        if not row.get("meaning"):
            docs_test.problems.append(f"{PAGE} doesn't say what {name} means")
        said[name] = (row.get("type", ""), ", ".join(re.findall(r"\w+", row.get("labels", ""))))
    return said


def check_alerts(rules, text):
    """Each of their selectors, and each alternative in it, matches a series of a fresh igptd."""
    series = [(name, dict(re.findall(r'(\w+)="([^"]*)"', pairs)))
              for name, pairs in re.findall(r"^(\w+)(?:\{(.*)\})? ", text, re.MULTILINE)]
    for alert in rules:
        for metric, matchers in alert.single_selectors():
            if not any(name == metric and alerts.match(matchers, labels) for name, labels in series):
                docs_test.problems.append(f"{alerts.FILE}: {alert.name} selects {metric} with {matchers}, "
                                          "of which a fresh igptd has no series")


def check_names(promtool, text):
    """As Prometheus' own conventions have them. Without promtool, only alerts_test.py says so."""
    if os.access(promtool, os.X_OK):
        said = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
        if said.returncode:
            docs_test.problems.append(f"promtool check metrics: {said.stdout}{said.stderr}")


def main():
    igptd, root, promtool = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    text = scrape(igptd)
    page = docs_test.Page(root, PAGE)
    true = families(text)
    said = described(page)
    check_alerts(alerts.alerts_of((root / alerts.FILE).read_text()), text)
    check_names(promtool, text)
    for name in sorted(true.keys() | said.keys()):
        if true.get(name) != said.get(name):
            docs_test.problems.append(f"{name}: {PAGE} says {said.get(name)}, /metrics {true.get(name)}")
    print("\n".join(docs_test.problems))
    return 1 if docs_test.problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""The published JSON Schema of the callers file agrees with igptd: on the cases of callers_test, and on the examples.

    callers_schema_test.py <the project's directory>
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import os

import jsonschema


def check_config(file_text):
    """igptd's objections to the file; empty: none."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "callers.json")
        path.write_text(file_text)
        # SANs need --tls_client_ca_file, which doesn't matter here.
        run = subprocess.run(
            [os.environ["IGPTD_BINARY"], "--check_config", "--sandbox", f"--callers_file={path}"],
            env={name: value for name, value in os.environ.items() if not name.startswith("IGPT")},
            capture_output=True, text=True, timeout=60)
        return "" if run.returncode == 0 or "needs --tls_client_ca_file" in run.stderr else run.stderr


def main():
    root = pathlib.Path(sys.argv[1])
    schema = json.loads((root / "deploy/callers.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    cases = json.loads((root / "tests/unit/service/callers_cases.json").read_text())
    examples = re.findall(r"^```json callers\n(.*?)^```", (root / "docs/callers.md").read_text(), re.MULTILINE | re.DOTALL)
    assert examples, "docs/callers.md shows no callers file"
    cases += [{"name": f"example {i} of docs/callers.md", "file": json.loads(text)} for i, text in enumerate(examples)]
    problems = []
    for case in cases:
        good = "mistakes" not in case
        by_schema = not list(validator.iter_errors(case["file"]))
        by_igptd = check_config(json.dumps(case["file"]))
        if by_schema != (good or not case.get("schema_finds_it", True)):
            problems.append(f"{case['name']}: the schema says it is {'good' if by_schema else 'wrong'}")
        if good != (by_igptd == ""):
            problems.append(f"{case['name']}: igptd says: {by_igptd or 'good'}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

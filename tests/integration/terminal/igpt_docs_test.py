"""docs/cli.md says what `igpt --help` and `igpt COMMAND --help` say: commands, flags, defaults, exit codes.

CLI_PAGE is the path of the page.
"""

import os
import re
import unittest

from igpt import run


def tables():
    """Every table of the page: its header, and its rows of cells, without backquotes."""
    with open(os.environ["CLI_PAGE"], encoding="utf-8") as page:
        blocks = re.findall(r"(?:^\|.*\n)+", page.read(), re.MULTILINE)
    for block in blocks:
        rows = [[cell.strip().replace("\\|", "|").replace("`", "") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
                for line in block.splitlines()]
        yield rows[0], rows[2:]


def table(*header):
    [rows] = [rows for found, rows in tables() if found == [*header, ""]]
    return rows


def flags_of(command):
    """Each flag of --help, as it is written there, and its default."""
    flags = {}
    for flag, default in re.findall(r"^  (--\S+)  .*?(?:\(([^() ]+)\))?$", run(command, "--help").stdout, re.MULTILINE):
        flags[flag] = default if default and default != "PEM" else "–"
    return flags


class Documents(unittest.TestCase):
    def setUp(self):
        self.help = run("--help").stdout
        self.names = re.findall(r"^  igpt (\w+)", self.help, re.MULTILINE)

    def test_commands(self):
        said = dict(table("command"))
        self.assertEqual({f"{usage} {text}" for usage, text in said.items()},
                         {re.sub("  +", " ", line.strip()) for line in re.findall(r"^  igpt .*$", self.help, re.MULTILINE)})
        for usage, text in said.items():
            self.assertTrue(run(usage.split()[1], "--help").stdout.startswith(f"usage: {usage} [flag...]\n{text}\n"), usage)

    def test_flags(self):
        said = {name: {} for name in self.names}
        for flag, default, text in table("flag", "default"):
            self.assertTrue(text)
            for name in self.names:
                own = re.search(rf"{name}: (\S+)", default)
                said[name][flag] = own.group(1) if own else default.split(",")[0]
        for names, flag, text in table("command", "flag"):
            self.assertTrue(text)
            for name in names.split(", "):
                said[name][flag] = "–"
        for name in self.names:
            self.assertEqual(said[name], flags_of(name), name)

    def test_exit_codes(self):
        said = "Exit codes:\n" + "".join(f"  {code:<3}  {text}\n" for code, text in table("exit code"))
        for text in (self.help, *(run(name, "--help").stdout for name in self.names)):
            self.assertTrue(text.endswith("\n" + said), text)


if __name__ == "__main__":
    unittest.main()

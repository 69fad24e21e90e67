"""Runs igpt: in pipes, or in a terminal with a screen that tests can read. IGPT_BINARY is its path."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata

# How long anything may take before a test fails. Nothing is asserted about time.
PATIENCE = 60

UNAVAILABLE_SERVER = "127.0.0.1:1"

ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# What the screen may be sent besides text: styles, and the line erased.
KNOWN_ESCAPES = {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[K"}


def environment(variables):
    """This process's environment, without what changes igpt's output, and with `variables`."""
    ours = {name: value for name, value in os.environ.items()
            if not name.startswith("IGPT") and name not in ("NO_COLOR", "TERM", "GRPC_VERBOSITY")}
    return {**ours, "TERM": "xterm-256color", **variables}


def start(*arguments, variables={}, **options):
    """igpt in pipes, as a process."""
    return subprocess.Popen([os.environ["IGPT_BINARY"], *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment(variables), **options)


def run(*arguments, variables={}, stdout=subprocess.PIPE):
    """igpt in pipes. The result has returncode, stdout and stderr."""
    return subprocess.run([os.environ["IGPT_BINARY"], *arguments], stdin=subprocess.DEVNULL, stdout=stdout,
                          stderr=subprocess.PIPE, text=True, env=environment(variables), timeout=PATIENCE, check=False)


def lines_of_json(text):
    return [json.loads(line) for line in text.splitlines()]


class InTerminal:
    """igpt in a terminal of so many columns."""

    def __init__(self, columns, *arguments, variables={}):
        self.columns, self.raw, self.returncode = columns, "", None
        self._master, slave = pty.openpty()
        try:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            self.process = subprocess.Popen([os.environ["IGPT_BINARY"], *arguments], stdin=slave, stdout=slave,
                                            stderr=slave, env=environment(variables), start_new_session=True)
        finally:
            os.close(slave)

    def read(self):
        """Reads more. False at the end."""
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # how Linux says that the other end is closed
            piece = b""
        self.raw += piece.decode(errors="surrogateescape")
        return bool(piece)

    def read_until(self, text):
        while text not in self.raw:
            assert self.read(), f"igpt ended without {text!r}: {self.raw!r}"

    def finish(self):
        while self.read():
            pass
        os.close(self._master)
        self.returncode = self.process.wait(PATIENCE)
        return self

    @property
    def lines(self):
        """What is on the screen in the end, if it were wide enough for any line."""
        return [show(line) for line in ESCAPE.sub(lambda found: found.group() * (found.group() == "\x1b[K"), self.raw).split("\n")]

    @property
    def screen(self):
        return "\n".join(self.lines)

    @property
    def escapes(self):
        return set(ESCAPE.findall(self.raw))

    def too_wide(self):
        """The lines that don't fit, but for those of a single word: addresses are to be copied."""
        return [line for line in self.lines if width(line) > self.columns and len(line.split()) > 1]


def in_terminal(columns, *arguments, variables={}):
    return InTerminal(columns, *arguments, variables=variables).finish()


def show(line):
    """The line after each carriage return and each erasing."""
    shown = ""
    for part in line.rstrip("\r").split("\r"):
        shown = part.removeprefix("\x1b[K") if part.startswith("\x1b[K") else part + shown[len(part):]
    return shown


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)

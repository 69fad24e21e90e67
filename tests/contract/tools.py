"""The generators and compilers: where they are installed, and what happens where they can't be."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache/contract"


class Unavailable(Exception):
    """Something is missing that this machine doesn't have and can't get. The test is skipped, except in CI."""


class Failed(Exception):
    """A command failed, or something else did."""

    def __init__(self, message, output=""):
        super().__init__(f"{message}\n{output}".rstrip())
        self.output = output


def run(command, cwd, path=(), env=None):
    """Runs the command, with these directories first on PATH, and returns its output. May raise Failed."""
    environment = {**os.environ, **(env or {})}
    environment["PATH"] = os.pathsep.join([*map(str, path), environment["PATH"]])
    program = shutil.which(str(command[0]), path=environment["PATH"])
    if program is None:
        raise Unavailable(f"{command[0]} is not installed")
    done = subprocess.run([program, *map(str, command[1:])], cwd=cwd, env=environment, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))} exited with {done.returncode}:", done.stdout)
    return done.stdout


def require(command, least):
    """Raises Unavailable unless the command prints at least this version, such as "20" or "1.85"."""
    output = re.sub(r"\x1b\[[\d;]*m", "", run(command, HERE))  # mvn's colours
    found = re.search(r"\d+(\.\d+)*", output)
    if found is None or _numbers(found.group()) < _numbers(least):
        raise Unavailable(f"needs {command[0]} {least}, and this is {found.group() if found else output}")


def _numbers(version):
    return [int(number) for number in version.split(".")]


def directory(language):
    """Where the language's tools are. Its name has a hash of the pins, so each change of them makes a new one."""
    pins = hashlib.sha256()
    for name in language.pins:
        pins.update((HERE / language.name / name).read_bytes())
    return CACHE / f"{language.name}-{pins.hexdigest()[:12]}"


def install(language):
    """Installs the language's tools, unless they are there already."""
    target = directory(language)
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / f"{language.name}.lock"):
        if (target / "installed").exists():
            return
        language.require()
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        try:
            language.install(target)
        except Failed as failed:
            raise Unavailable(f"its tools can't be installed; can their registry be reached? {failed}")
        (target / "installed").touch()


def installed(language):
    """The directory of the language's tools."""
    target = directory(language)
    if not (target / "installed").exists():
        raise Unavailable(f"its tools are not installed; see the test contract_{language.name}_tools")
    return target


@contextlib.contextmanager
def _locked(path):
    """Waits for another preset's tests that install the same."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""Processes of a benchmark: pinned to cores, and accounted for by the kernel."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

START_LIMIT_S = 30
STOP_LIMIT_S = 15
LOG_LINES = 20  # the most of a log that is shown


class Cores:
    """Assigns cores: the server under test gets its own if there are enough."""

    def __init__(self):
        available = sorted(os.sched_getaffinity(0))
        self.count = len(available)
        self.all = set(available)
        self.server = {available[0]}
        self.upstream = {available[1 % self.count]}
        self.load = {available[2 if self.count > 2 else 1 % self.count]}

    def servers(self, count):
        """`count` cores for the server; on a small machine the upstream and the load share them."""
        return set(sorted(self.all)[:count])


def output_of(command):
    """Runs the command to its end, and returns what it wrote to stdout. If it fails, shows all that it wrote."""
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if ran.returncode != 0:
        sys.stderr.write(ran.stdout + ran.stderr)
    ran.check_returncode()
    return ran.stdout


class Process:
    """A server that says where it listens in a file, or a client that says on stdout what it saw."""

    def __init__(self, command, cores, environment=None, port_file=None, stdout=subprocess.DEVNULL):
        self.started_at = time.monotonic()
        self.port_file = pathlib.Path(port_file) if port_file else None
        if self.port_file:
            self.port_file.unlink(missing_ok=True)
        self.log = open("/dev/null" if port_file is None else f"{port_file}.log", "wb")
        self.popen = subprocess.Popen(
            [str(word) for word in command],
            stdout=stdout,
            stderr=self.log if port_file else None,
            env={**os.environ, **(environment or {})},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
            text=True,
        )

    def find_once_started(self, pattern, file):
        """Waits until `pattern` matches in the file, and returns its group."""
        limit = self.started_at + START_LIMIT_S
        while not (file.exists() and (found := re.search(pattern, file.read_text()))):
            if self.popen.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"{self.popen.args[0]} did not start")
            time.sleep(0.0005)
        return found[1]

    def port(self):
        """Waits until the port is listening, and returns it."""
        return int(self.find_once_started(r"(\d+)", self.port_file))

    def admin_port(self):
        """The port of igptd's metrics, which its log names last at start."""
        return int(self.find_once_started(r'"admin_port":(\d+)', pathlib.Path(self.log.name)))

    def cpu_s(self):
        """User and system time of all its threads so far, as the kernel counts it, in seconds."""
        clock = (~self.popen.pid << 3) | 2  # the process's CPU clock, as clock_getcpuclockid(3) makes it
        return time.clock_gettime(clock)

    def ended_threads_cpu_s(self):
        """The part of cpu_s of threads that have ended."""
        tasks = pathlib.Path(f"/proc/{self.popen.pid}/task")
        running = sum(int(task.read_text().split()[0]) for task in tasks.glob("*/schedstat")) / 1e9
        return self.cpu_s() - running

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.popen.pid}/fd"))

    def rss_bytes(self):
        for line in pathlib.Path(f"/proc/{self.popen.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def stop(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        self.stop()
        if failure:
            log = pathlib.Path(self.log.name).read_text(errors="replace").splitlines()[-LOG_LINES:]
            print(f"{self.popen.args[0]} exited with {self.popen.returncode}", *log, sep="\n", file=sys.stderr)

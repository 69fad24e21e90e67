"""Runs one case against one system: fresh processes, and the figures of the measured interval."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request

STARTS = 10


def run_case(case, name, systems):
    """The figures of `name` (a system, or "direct" for the upstream itself) under the load of `case`."""
    cores = systems.cores.servers(case.cores) if case.cores > 1 else systems.cores.server
    with contextlib.ExitStack() as upstreams:
        upstream = upstreams.enter_context(systems.upstream(case.tls_upstream))
        scheme = "https" if case.tls_upstream or case.front else "http"
        arguments = [*case.load, f"--seconds={case.seconds}", f"--warmup_s={case.warmup_s}"]
        if name == "direct":
            return measure(systems.load(upstream.port(), "http", arguments), {"upstream": upstream}, case)
        igpt = upstreams.enter_context(systems.front(upstream.port())) if case.front else upstream.port()
        url = f"{scheme}://127.0.0.1:{igpt}/v1"
        with systems.server(name, url, cores, case.flags) as server:
            port = server.port()
            rss = server.rss_bytes()
            with contextlib.ExitStack() as beside:
                scraper = None
                if case.scrapes_per_s:
                    scraper = beside.enter_context(Scraper(server, case.scrapes_per_s))
                if case.beside:
                    forever = [*case.beside, "--seconds=3600"]
                    beside.enter_context(systems.load(port, "grpc", forever, stdout=subprocess.DEVNULL))
                figures = measure(systems.load(port, "grpc", arguments), {"server": server, "upstream": upstream}, case)
            if scraper:
                figures["scrape_ms"] = scraper.cpu_s / scraper.scrapes * 1e3
            figures["rss_bytes"] = server.rss_bytes()
            if case.streams:
                figures["bytes_per_stream"] = (figures["rss_bytes"] - rss) / case.streams
            return figures


class Scraper:
    """Asks igptd for its metrics all the while. A thread of igptd's answers each time and ends: what threads that have
    ended took of the CPU is what scrapes cost."""

    def __init__(self, server, per_s):
        self.server, self.period_s = server, 1 / per_s
        self.url = f"http://127.0.0.1:{server.admin_port()}/metrics"
        self.scrapes, self.cpu_s = 0, 0.0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        before = self.server.ended_threads_cpu_s()
        while not self.stopping.wait(self.period_s):
            with urllib.request.urlopen(self.url) as page:
                page.read()
            self.scrapes += 1
        self.cpu_s = self.server.ended_threads_cpu_s() - before

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


def measure(load, processes, case):
    with load:
        line = load.popen.stdout.readline()
        if '"measure"' not in line:
            raise RuntimeError(f"the load generator said {line!r} in place of the beginning of its measurement")
        began = time.monotonic()
        descriptors = processes["server"].descriptors() if "server" in processes else None
        cpu = {name: process.cpu_s() for name, process in processes.items()}
        line = load.popen.stdout.readline()
        wall = time.monotonic() - began
        cpu = {name: process.cpu_s() - cpu[name] for name, process in processes.items()}
        if not line:
            raise RuntimeError("the load generator ended without a result")
        figures = json.loads(line)
    count = {"call": figures["calls_ok"], "event": figures["events"], "second": wall}[case.per]
    figures["descriptors"] = descriptors
    figures["server_share"] = cpu.get("server", 0) / wall
    figures["upstream_share"] = cpu["upstream"] / wall
    figures["load_share"] = figures["cpu_seconds"] / wall
    if "server" in cpu and count:
        figures["cpu_us"] = cpu["server"] / count * 1e6
    figures["failed"] = sum(figures["calls_failed"].values())
    return figures


def start_times_ms(name, systems):
    """The time from exec until the port is listening."""
    times = []
    with systems.upstream(tls=False) as upstream:
        url = f"http://127.0.0.1:{upstream.port()}/v1"
        for _ in range(STARTS):
            with systems.server(name, url, systems.cores.server) as server:
                server.port()
                times.append((time.monotonic() - server.started_at) * 1e3)
    return sorted(times)


def binary_sizes(systems):
    """The size of igptd's binary in bytes, as linked and stripped."""
    binary = systems.build / "service/igptd"
    with tempfile.TemporaryDirectory() as directory:
        stripped = os.path.join(directory, "igptd")
        shutil.copy(binary, stripped)
        subprocess.run(["strip", stripped], check=True)
        return {"igptd": binary.stat().st_size, "igptd_stripped": os.stat(stripped).st_size}

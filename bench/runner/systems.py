"""The systems: igptd, the peers that a team would write instead, and the floor that gRPC itself sets."""

import contextlib
import os
import pathlib
import socket
import subprocess
import time

from processes import Process, output_of

HERE = pathlib.Path(__file__).resolve().parents[1]
KEY = "bench-key-0123456789abcdef"
# Needs two descriptors for each connection.
HAPROXY = """global
  nbthread 1
  maxconn 9900
  tune.h2.fe.max-concurrent-streams 100
defaults
  mode http
  option http-no-delay
  timeout connect 5s
  timeout client 5m
  timeout server 5m
frontend front
  bind 127.0.0.1:{port} ssl crt {certificate} alpn h2,http/1.1
  default_backend upstream
backend upstream
  server upstream 127.0.0.1:{upstream}
"""
NOT_HERE = 77  # how a build exits where the peer's language or packages can't be had


class Systems:
    """Starts processes from `build`, the CMake build directory; other files that they need are created in `work`."""

    def __init__(self, build, work, cores):
        self.build = pathlib.Path(build)
        self.work = pathlib.Path(work)
        self.cores = cores
        self.ca = self.work / "upstream.pem"

    def prepare(self, peers):
        """Makes the upstream's certificate and builds the peers, unless they are there. Returns the peers that can't be
        built on this machine."""
        self.work.mkdir(parents=True, exist_ok=True)
        if not self.ca.exists():
            output_of(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "3650", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                 "-keyout", self.work / "upstream.key", "-out", self.ca])
        builds = {"go": [HERE / "peers/go/build", self.work / "go-peer", self.work / "go"],
                  "python": [HERE / "peers/python/build", self.work / "python"]}
        (self.work / "front.pem").write_text(self.ca.read_text() + (self.work / "upstream.key").read_text())
        missing = []
        if "igptd-http2" in peers and not self.has_http2():
            missing.append("igptd-http2")
        for peer in sorted(peers & builds.keys()):
            built = subprocess.run(builds[peer])
            if built.returncode == NOT_HERE:
                missing.append(peer)
            else:
                built.check_returncode()
        return missing

    def has_http2(self):
        """Whether igptd's libcurl can be trusted with it."""
        check = [self.build / "service/igptd", "--check_config", "--listen=127.0.0.1:0", "--igpt_http=2"]
        return subprocess.run(check, env={**os.environ, "IGPT_API_KEY": KEY}, capture_output=True).returncode == 0

    @contextlib.contextmanager
    def front(self, upstream_port):
        """The port of haproxy before the upstream."""
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        file = self.work / "haproxy.cfg"
        file.write_text(HAPROXY.format(port=port, upstream=upstream_port, certificate=self.work / "front.pem"))
        with Process(["/usr/sbin/haproxy", "-db", "-f", file], self.cores.upstream) as haproxy:
            while haproxy.popen.poll() is None:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.01)
            else:
                raise RuntimeError("haproxy did not start")
            yield port

    def upstream(self, tls):
        command = [self.build / "bench/bench_upstream", f"--port_file={self.work}/upstream.port"]
        if tls:
            command += [f"--tls_cert={self.ca}", f"--tls_key={self.work}/upstream.key"]
        return Process(command, self.cores.upstream, port_file=self.work / "upstream.port")

    def server(self, name, upstream_url, cores, flags=()):
        port_file = self.work / f"{name}.port"
        ca = str(self.ca) if upstream_url.startswith("https") else ""
        if name.startswith("igptd"):
            flags = (*flags, *(f"--igpt_http={version}" for version in name.split("-http")[1:]))
            command = [self.build / "service/igptd", "--listen=127.0.0.1:0", "--admin_listen=127.0.0.1:0",
                       f"--port_file={port_file}",
                       f"--igpt_base_url={upstream_url}", "--drain_delay=0s", "--drain_timeout=1s", *flags]
            command += [f"--igpt_ca_file={ca}"] if ca else []
        elif name == "go":
            command = [self.work / "go-peer", "-listen=127.0.0.1:0", f"-port_file={port_file}",
                       f"-base_url={upstream_url}", f"-ca_file={ca}"]
        elif name == "python":
            command = [self.work / "python/venv/bin/python", HERE / "peers/python/server.py", "--listen=127.0.0.1:0",
                       f"--port_file={port_file}", f"--base_url={upstream_url}", f"--ca_file={ca}"]
        elif name == "echo":
            command = [self.build / "bench/bench_echo", "--listen=127.0.0.1:0", f"--port_file={port_file}"]
        else:
            raise ValueError(name)
        environment = {"IGPT_API_KEY": KEY, "PYTHONPATH": str(self.work / "python/gen")}
        return Process(command, cores, environment=environment, port_file=port_file)

    def load(self, port, protocol, arguments, stdout=subprocess.PIPE):
        command = [self.build / "bench/bench_load", f"--target=127.0.0.1:{port}", f"--protocol={protocol}"]
        return Process(command + arguments, self.cores.load, stdout=stdout)

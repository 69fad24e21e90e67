"""The systems: igptd, the peers that a team would write instead, and the floor that gRPC itself sets."""

import pathlib
import subprocess

from processes import Process, output_of

HERE = pathlib.Path(__file__).resolve().parents[1]
KEY = "bench-key-0123456789abcdef"
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
        missing = []
        for peer in sorted(peers & builds.keys()):
            built = subprocess.run(builds[peer])
            if built.returncode == NOT_HERE:
                missing.append(peer)
            else:
                built.check_returncode()
        return missing

    def upstream(self, tls):
        command = [self.build / "bench/bench_upstream", f"--port_file={self.work}/upstream.port"]
        if tls:
            command += [f"--tls_cert={self.ca}", f"--tls_key={self.work}/upstream.key"]
        return Process(command, self.cores.upstream, port_file=self.work / "upstream.port")

    def server(self, name, upstream_url, cores, flags=()):
        port_file = self.work / f"{name}.port"
        ca = str(self.ca) if upstream_url.startswith("https") else ""
        if name == "igptd":
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

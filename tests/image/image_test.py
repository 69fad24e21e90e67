#!/usr/bin/env python3
"""Builds the image of deploy/Dockerfile and looks at what is in it, starts it as Kubernetes would, and asks it.

    ./dev image --test [--apt=DIRECTORY] [--twice]

No registry is asked: the image that the Dockerfile starts from is made by debootstrap. Needs root, buildah and runc, and
takes some minutes: igptd is built in the image, from its packages on. --apt: files to put into that base's /etc/apt, for
a machine that reaches Debian in a way of its own. --twice: build it again, from nothing, and compare.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TAG = "igptd:" + (ROOT / "sdk/cpp/version.txt").read_text().strip()
BASE = re.search(r"^ARG BASE=(\S+)", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)[1]
ADDRESS = "127.0.0.1:50051"
USER = 65532
MAX_BYTES = 60_000_000
MEMORY = 128 << 20
PATIENCE = 60  # seconds, where something is waited for

options = argparse.Namespace()


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, text=True, **more)


def output(*command):
    return run(*command, stdout=subprocess.PIPE).stdout


def make_base(directory):
    """The image that the Dockerfile starts from, as far as it matters: a minimal Debian 12 with its apt."""
    run("debootstrap", "--variant=minbase", "bookworm", directory, stdout=subprocess.DEVNULL)
    if options.apt:
        run("cp", "--recursive", f"{options.apt}/.", directory / "etc/apt")
    container = output("buildah", "from", "scratch").strip()
    run("buildah", "add", "--quiet", container, directory, "/", stdout=subprocess.DEVNULL)
    run("buildah", "commit", "--quiet", "--rm", container, BASE, stdout=subprocess.DEVNULL)
    run("rm", "--recursive", "--one-file-system", directory)


def build():
    """The image's id."""
    run(ROOT / "dev", "image", "--engine=buildah")
    return output("buildah", "images", "--no-trunc", "--quiet", TAG).strip()


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as stack:
            cls.directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="igptd-image-", dir="/var/tmp")))
            # A storage of the test's own, and ways that work inside containers and virtual machines too.
            storage = cls.directory / "storage.conf"
            storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{cls.directory}/graph"\nrunroot = "{cls.directory}/run"\n')
            os.environ.update(CONTAINERS_STORAGE_CONF=str(storage), BUILDAH_ISOLATION="chroot")
            make_base(cls.directory / "base")
            cls.id = build()
            cls.config = json.loads(output("buildah", "inspect", "--type=image", TAG))["OCIv1"]
            container = output("buildah", "from", "--pull-never", TAG).strip()
            stack.callback(run, "buildah", "rm", container, stdout=subprocess.DEVNULL)
            cls.rootfs = pathlib.Path(output("buildah", "mount", container).strip())
            cls.cleanup = stack.pop_all()
        cls.addClassCleanup(cls.cleanup.close)

    def test_is_small(self):
        size = sum(path.lstat().st_size for path in self.rootfs.rglob("*") if not path.is_dir() or path.is_symlink())
        print(f"{size / 1e6:.1f} MB", file=sys.stderr)
        self.assertLess(size, MAX_BYTES)

    def test_says_what_it_is(self):
        config = self.config["config"]
        self.assertEqual(config["User"], f"{USER}:{USER}")
        self.assertEqual(config["Entrypoint"], ["/usr/bin/igptd"])
        self.assertEqual({port.partition("/")[0] for port in config["ExposedPorts"]}, {"50051", "9091"})
        labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
        self.assertEqual(labels["version"], TAG.partition(":")[2])
        self.assertEqual(labels["licenses"], "MIT")
        self.assertRegex(labels["revision"], r"^[0-9a-f]{40}(-dirty)?$")
        self.assertEqual(labels["created"], self.config["created"])

    def test_holds_no_more_than_it_needs(self):
        programs = [path.name for path in self.rootfs.rglob("*bin/*")]
        self.assertEqual(programs, ["igptd"])
        for path in [self.rootfs, *self.rootfs.rglob("*")]:
            status = path.lstat()
            self.assertEqual((status.st_uid, status.st_gid), (0, 0), path)
            self.assertTrue(path.is_symlink() or not status.st_mode & 0o6022, path)  # no setuid, writable by root alone
        authorities = (self.rootfs / "etc/ssl/certs/ca-certificates.crt").read_text()
        self.assertGreater(authorities.count("BEGIN CERTIFICATE"), 100)

    def test_is_hardened(self):
        parts = ("--file-header", "--program-headers", "--dynamic", "--sections", "--dyn-syms")
        elf = output("readelf", "--wide", *parts, self.rootfs / "usr/bin/igptd")
        for what, pattern in {
            "at a random address": r"Type:\s+DYN",
            "bound at once": r"FLAGS_1\)\s+Flags: NOW PIE",
            "read-only where it was bound": r"GNU_RELRO",
            "without code on the stack": r"GNU_STACK\s+(0x\w+\s+){5}RW ",
            "with a guarded stack": r" __stack_chk_fail@",
            "fortified": r" __\w+_chk@",
        }.items():
            self.assertTrue(re.search(pattern, elf), f"igptd is not {what}")
        for section in (".symtab", ".debug_info", ".gnu.lto"):
            self.assertFalse(re.search(re.escape(section) + "[ .]", elf), f"igptd has {section}")

    def test_lists_its_packages(self):
        text = (self.rootfs / "usr/share/doc/igptd/sbom.spdx.json").read_text()
        self.assertEqual(text, (ROOT / "build/image/sbom.spdx.json").read_text())
        sbom = json.loads(text)
        self.assertEqual(sbom["spdxVersion"], "SPDX-2.3")
        packages = {package["name"]: package for package in sbom["packages"]}
        self.assertEqual(packages["igptd"]["versionInfo"], TAG.partition(":")[2])
        self.assertLessEqual({"libc6", "libcurl4", "libgrpc++1.51", "libssl3", "libstdc++6", "nlohmann-json3-dev"}, set(packages))
        ids = [package["SPDXID"] for package in sbom["packages"]]
        self.assertEqual(len(ids), len(set(ids)))
        related = {relation["relatedSpdxElement"] for relation in sbom["relationships"]}
        self.assertEqual(related, set(ids))
        # Each with its licence, and as scanners look for it.
        for name, package in packages.items():
            self.assertTrue((self.rootfs / "usr/share/doc" / name / "copyright").is_file(), name)
            if name != "igptd":
                status = (self.rootfs / "var/lib/dpkg/status.d" / name).read_text()
                self.assertIn(f"\nVersion: {package['versionInfo']}\n", status)

    @unittest.skipUnless("--twice" in sys.argv, "only with --twice")
    def test_is_the_same_again(self):
        self.assertEqual(build(), self.id)

    @contextlib.contextmanager
    def container(self, *flags, environment=()):
        """A running container: a root that is read-only, no capability, little memory, and a network of its own that has
        nothing but a loopback."""
        with tempfile.TemporaryDirectory(prefix="bundle-", dir=self.directory) as bundle:
            hosts = pathlib.Path(bundle, "hosts")
            hosts.write_text("127.0.0.1 localhost\n")
            mounts = [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
                {"destination": "/etc/hosts", "type": "bind", "source": str(hosts), "options": ["bind", "ro"]},
            ]
            pathlib.Path(bundle, "config.json").write_text(json.dumps({
                "ociVersion": "1.0.2",
                "root": {"path": str(self.rootfs), "readonly": True},
                "process": {
                    "args": [*self.config["config"]["Entrypoint"], *flags],
                    "env": [*self.config["config"].get("Env", []), *environment],
                    "user": {"uid": USER, "gid": USER},
                    "cwd": "/",
                    "capabilities": {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")},
                    "noNewPrivileges": True,
                },
                "mounts": mounts,
                "linux": {
                    "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
                    "resources": {"memory": {"limit": MEMORY}},
                },
            }))
            name = pathlib.Path(bundle).name
            process = subprocess.Popen(["runc", "run", "--bundle", bundle, name],
                                       text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                yield Container(name, process)
            finally:
                subprocess.run(["runc", "delete", "--force", name], check=False, capture_output=True)
                process.communicate(timeout=PATIENCE)

    def test_serves_and_stops(self):
        # By name: the resolver has what it needs.
        flags = ["--sandbox", "--listen=localhost:50051", "--drain_delay=0s"]
        with self.container(*flags, environment=["IGPTD_LOG_LEVEL=info"]) as container:
            container.await_health(0)
            status = dict(line.split(":\t", 1) for line in container.proc("status").splitlines() if ":\t" in line)
            self.assertEqual(status["Uid"].split(), [str(USER)] * 4)
            self.assertEqual(int(status["CapEff"], 16) | int(status["CapBnd"], 16), 0)
            self.assertEqual(status["NoNewPrivs"], "1")
            root = [line.split() for line in container.proc("mountinfo").splitlines() if line.split()[4] == "/"]
            self.assertIn("ro", root[-1][5].split(","))

            answer = container.beside(options.igpt, "ask", f"--server={ADDRESS}", "What did we decide about the budget?")
            self.assertIn("412,000 euros", answer)
            self.assertEqual(container.execute("/usr/bin/igptd", "health", "--address=localhost:50051").stdout, "serving\n")
            probe = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:9091/readyz').read().decode())"
            self.assertIn("ready", container.beside(sys.executable, "-c", probe))
            missing = container.execute("/usr/bin/igptd", "health", "--service=igpt.v1.Nothing")
            self.assertEqual(missing.returncode, 1, missing.stderr)
            container.stop()
            _, log = container.process.communicate(timeout=PATIENCE)
            self.assertEqual(container.process.returncode, 0, log)
            self.assertIn("stopped", log)

    def test_checks_its_configuration(self):
        for flags, environment, code, said in [
            (["--check_config", "--allow_any_caller"], ["IGPT_API_KEY=ak:test"], 0, "the configuration is good"),
            (["--check_config"], ["IGPT_API_KEY=ak:test"], 2, "no callers file"),
            (["--check_config"], [], 2, "no iGPT key"),
            (["--version"], [], 0, TAG.partition(":")[2]),
        ]:
            with self.container(*flags, environment=environment) as container:
                out, err = container.process.communicate(timeout=PATIENCE)
                self.assertEqual(container.process.returncode, code, err)
                self.assertIn(said, out + err)


class Container:
    def __init__(self, name, process):
        self.name, self.process = name, process

    def execute(self, *command):
        return subprocess.run(["runc", "exec", self.name, *command], check=False, capture_output=True, text=True)

    def await_health(self, code):
        deadline = time.monotonic() + PATIENCE
        while (health := self.execute("/usr/bin/igptd", "health")).returncode != code:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"igptd health: {health.stderr}; igptd: {self.process.communicate()[1]}")
            time.sleep(0.1)

    def pid(self):
        return json.loads(output("runc", "state", self.name))["pid"]

    def proc(self, file):
        return pathlib.Path(f"/proc/{self.pid()}/{file}").read_text()

    def beside(self, *command):
        """What a program of this machine prints, run in the container's network."""
        return output("nsenter", f"--net=/proc/{self.pid()}/ns/net", "--", *command)

    def stop(self):
        run("runc", "kill", self.name, "TERM")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--igpt", required=True, type=os.path.abspath, help="igpt, of this machine")
    parser.add_argument("--apt", help="files for the base's /etc/apt")
    parser.add_argument("--twice", action="store_true", help="build it twice and compare")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("image_test: needs root, to make a base with debootstrap and to run containers")
    unittest.main(argv=sys.argv[:1], verbosity=2)

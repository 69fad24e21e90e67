"""Tokens and TLS."""

import hashlib
import json
import pathlib
import subprocess
import tempfile
import unittest

from igpt import run
from igptd_sandbox import start_igptd

TOKEN = "token-of-somebody-0001"


def scratch(test, name, text=""):
    """A file of the test's own."""
    directory = tempfile.TemporaryDirectory()
    test.addCleanup(directory.cleanup)
    path = pathlib.Path(directory.name, name)
    path.write_text(text, encoding="utf-8")
    return path


def issue(directory, name, *options):
    """Makes `name`.key and `name`.pem, for 127.0.0.1, with openssl."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-keyout", f"{directory}/{name}.key", "-out", f"{directory}/{name}.pem", "-subj", f"/CN={name}", *options],
                   check=True, capture_output=True)


def callers(test):
    """The flag of a file with a caller who may list, for the user ada."""
    entry = {"name": "somebody", "token_sha256": [hashlib.sha256(TOKEN.encode()).hexdigest()],
             "users": {"exact": ["ada"]}, "methods": ["igpt.v1.DatasourcesService/List"]}
    return f"--callers_file={scratch(test, 'callers', json.dumps({'callers': [entry]}))}"


class Secure(unittest.TestCase):
    def list(self, server, *flags, code, text="", variables={}, user="ada"):
        result = run("list", f"--server={server}", f"--user={user}", *flags, variables=variables)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(text, result.stderr)
        self.assertNotIn(TOKEN, result.stdout + result.stderr)

    def test_tokens(self):
        _, server = start_igptd(self.addCleanup, callers(self))
        good = {"IGPT_TOKEN": TOKEN}
        good_file = f"--token-file={scratch(self, 'token', TOKEN + chr(10))}"
        self.list(server, code=0, text="Nothing is connected", variables=good)
        self.list(server, good_file, code=0)
        self.list(server, good_file, code=0, variables={"IGPT_TOKEN": "wrong"})
        self.list(server, code=0, variables={**good, "http_proxy": "http://127.0.0.1:1", "grpc_proxy": "http://127.0.0.1:1"})
        self.list(server, code=1, text="what to do: give a token (--token-file)")
        self.list(server, code=1, text="CALLER_UNAUTHENTICATED", variables={"IGPT_TOKEN": "wrong"})
        self.list(server, code=1, text="what to do: name another --user", variables=good, user="grace")
        result = run("search", f"--server={server}", "--user=ada", variables=good)
        self.assertEqual(result.returncode, 1)
        self.assertIn("reason: METHOD_NOT_ALLOWED", result.stderr)

    def test_tokens_that_are_not_sent(self):
        flags = ["--timeout=1s"]
        for server in ("igptd.example:50051", "10.0.0.1:50051", "localhost.example:1"):
            self.list(server, *flags, code=2, text=f"could be read on its way to {server}; use --tls",
                      variables={"IGPT_TOKEN": TOKEN})
        self.list("127.0.0.1:1", *flags, code=3, variables={"IGPT_TOKEN": TOKEN})
        self.list("127.0.0.1:1", *flags, code=2, text="IGPT_TOKEN holds something that is no token",
                  variables={"IGPT_TOKEN": f"{TOKEN}\n{TOKEN}"})
        self.list("127.0.0.1:1", f"--token-file={scratch(self, 'token', chr(10))}", code=2, text="holds no token")

    def test_tls(self):
        with tempfile.TemporaryDirectory() as directory:
            issue(directory, "server", "-addext", "subjectAltName=IP:127.0.0.1")
            issue(directory, "client", "-addext", "extendedKeyUsage=clientAuth")
            issue(directory, "other")
            tls = [f"--tls_cert_file={directory}/server.pem", f"--tls_key_file={directory}/server.key"]
            ca = f"--ca-file={directory}/server.pem"
            impatient = "--timeout=1s"

            _, server = start_igptd(self.addCleanup, *tls, callers(self))
            self.list(server, ca, code=0, variables={"IGPT_TOKEN": TOKEN})
            self.list(server, "--tls", ca, code=0, variables={"IGPT_TOKEN": TOKEN})
            self.list(server, f"--ca-file={directory}/other.pem", impatient, code=3, text="UNAVAILABLE")
            self.list(server, "--tls", impatient, code=3, text="UNAVAILABLE")  # the system's authorities
            self.list(server, impatient, code=3, text="UNAVAILABLE")
            # One object, without what gRPC logs.
            result = run("list", f"--server={server}", "--tls", impatient, "--output=json")
            self.assertEqual(json.loads(result.stderr)["code"], "UNAVAILABLE")

            _, server = start_igptd(self.addCleanup, *tls, f"--tls_client_ca_file={directory}/client.pem")
            mine = [f"--cert-file={directory}/client.pem", f"--key-file={directory}/client.key"]
            self.list(server, ca, *mine, code=0)
            self.list(server, ca, impatient, code=3)


if __name__ == "__main__":
    unittest.main()

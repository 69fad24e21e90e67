"""Errors and exit codes, for people and for programs."""

import json
import socket
import tempfile
import unittest

from igpt import UNAVAILABLE_SERVER, run
from igptd_sandbox import start_igptd
from scripted_igpt import ScriptedIgpt


def setUpModule():
    global SERVER
    _, address = start_igptd(unittest.addModuleCleanup)
    SERVER = f"--server={address}"


class Errors(unittest.TestCase):
    def fail_with(self, code, *arguments, variables={}):
        """What igpt prints to stderr."""
        result = run(*arguments, variables=variables)
        self.assertEqual((result.returncode, result.stdout), (code, ""), result.stderr)
        self.assertNotIn("\x1b", result.stderr)
        self.assertTrue(result.stderr.endswith("\n"))
        return result.stderr

    def test_wrong_usage(self):
        with tempfile.NamedTemporaryFile() as empty:
            cases = [
                ([], "the command is missing"),
                (["answer"], "there is no command answer"),
                (["ask"], "the question is missing"),
                (["ask", "What", "now?"], "put the question in quotes"),
                (["ask", "--nothing", "What?"], "cannot understand --nothing"),
                (["run", "--json", f"--schema={empty.name}", "What?"], "--json and --schema cannot be combined"),
                (["run", f"--schema={empty.name}", "What?"], "is empty or cannot be read"),
                (["ask", "--timeout=60", "What?"], "--timeout must be a duration"),
                (["search", "--max-results=many"], "--max-results must be a whole number"),
                (["authorize", "spike"], "needs a service and a scope"),
                (["list", "everything"], "takes no arguments"),
                (["list", "--output=xml"], "--output must be text or json"),
                (["list", "--cert-file=cert"], "--cert-file and --key-file need each other"),
                (["list", "--ca-file=/nowhere/ca"], "/nowhere/ca is empty or cannot be read"),
                (["list", f"--token-file={empty.name}"], "is empty or cannot be read"),
                (["disconnect"], "needs one id"),
            ]
            for arguments, text in cases:
                with self.subTest(arguments):
                    err = self.fail_with(2, *arguments)
                    command = f"igpt {arguments[0]}" if arguments and arguments != ["answer"] else "igpt"
                    self.assertTrue(err.startswith(f"{command}: "), err)
                    self.assertIn(text, err)
                    self.assertTrue(err.endswith(f"; see {command} --help\n"), err)

    def test_invalid_fields(self):
        arguments = ["search", "--from=2026-02-30", "--max-results=-1", "--user=", SERVER]
        err = self.fail_with(1, *arguments)
        self.assertTrue(err.startswith("igpt search: INVALID_ARGUMENT\n  reason: INVALID_REQUEST (igptd)\n  user: "), err)
        for field in ("user", "date_from", "max_results"):
            self.assertRegex(err, rf"\n  {field}: must ")
        self.assertTrue(err.endswith("\n  what to do: correct the fields above\n"), err)

        error = json.loads(self.fail_with(1, *arguments, "--output=json"))
        self.assertEqual((error["code"], error["reason"]), ("INVALID_ARGUMENT", "INVALID_REQUEST"))
        self.assertEqual([violation["field"] for violation in error["violations"]], ["user", "date_from", "max_results"])

    def test_not_found(self):
        err = self.fail_with(1, "disconnect", "spike/nothing/messages", SERVER)
        self.assertIn("reason: IGPT_NOT_FOUND (igptd)\n  attempts: 1\n  http_status: 404\n", err)
        self.assertIn("what to do: use an id that igpt list shows", err)
        error = json.loads(self.fail_with(1, "disconnect", "spike/nothing/messages", "--output=json", SERVER))
        self.assertEqual(error["metadata"], {"attempts": "1", "http_status": "404"})

    def test_nothing_listens(self):
        arguments = ["list", f"--server={UNAVAILABLE_SERVER}", "--timeout=1s"]
        err = self.fail_with(3, *arguments)
        self.assertIn("UNAVAILABLE: ", err)
        self.assertIn(f"no igptd answers at {UNAVAILABLE_SERVER}: start one with ./dev run, ", err)
        self.assertEqual(json.loads(self.fail_with(3, *arguments, "--output=json"))["code"], "UNAVAILABLE")

    def test_time_passes(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:  # accepts connections, and no more
            err = self.fail_with(1, "list", "--server=127.0.0.1:%d" % mute.getsockname()[1], "--timeout=100ms")
        self.assertIn("DEADLINE_EXCEEDED", err)
        self.assertIn("allow more time with --timeout", err)

    def test_for_now(self):
        statuses = {"list": 503, "search": 429}

        def answer(exchange):
            [status] = [status for name, status in statuses.items() if name in exchange.path]
            exchange.reply(status, {}, Retry_After="7")

        _, address = start_igptd(self.addCleanup, "--max_retries=1", upstream=ScriptedIgpt(self.addCleanup, answer).url)
        self.assertIn("reason: IGPT_UNAVAILABLE", self.fail_with(3, "list", f"--server={address}"))
        err = self.fail_with(3, "search", f"--server={address}")
        self.assertRegex(err, r"\n  try again in: \d.*s\n  what to do: try again later\n")
        error = json.loads(self.fail_with(3, "search", "--output=json", f"--server={address}"))
        self.assertRegex(error["retry_after"], r"^\d.*s$")

    def test_stdout_is_full(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = run("list", SERVER, stdout=full)
        self.assertEqual((result.returncode, result.stderr), (1, "igpt: cannot write to stdout\n"))


if __name__ == "__main__":
    unittest.main()

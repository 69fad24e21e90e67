"""Every command in pipes, as text and as JSON, against igptd with its sandbox."""

import re
import unittest
import urllib.request
import uuid

from igpt import PATIENCE, lines_of_json, run, start
from igptd_sandbox import start_igptd

QUESTION = "What did we decide about the budget?"


def setUpModule():
    global SERVER
    _, address = start_igptd(unittest.addModuleCleanup)
    SERVER = f"--server={address}"


class Commands(unittest.TestCase):
    def succeed(self, *arguments):
        """What igpt prints to stdout and stderr."""
        result = run(*arguments, SERVER)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        return result.stdout, result.stderr

    def test_ask_and_run(self):
        for command in (["ask"], ["run", "--reasoning-effort=low", "--instructions=In one paragraph."]):
            out, err = self.succeed(*command, QUESTION)
            self.assertIn("412,000 euros", out)
            self.assertIn("- Decision: second-half budget, Elena Petrova, 2026-06-11\n", out)
            self.assertGreater(max(map(len, out.splitlines())), 200)  # not wrapped
            self.assertEqual(err, "")
            self.assertEqual(self.succeed(*command, "--whole", QUESTION), (out, ""))

    def test_verbose(self):
        _, err = self.succeed("ask", "--verbose", QUESTION)
        steps = ["turn 1", "tool call: search_messages {", "tool output: search_messages, 4 sources", "turn 2",
                 "reasoning: I found 4 messages to answer from.", "usage: "]
        for line, step in zip(err.splitlines(), steps, strict=True):
            self.assertTrue(line.startswith(step), line)

    def test_answers_in_json(self):
        for flags in (["--json"], ["--json", "--whole"]):
            [answer] = lines_of_json(self.succeed("ask", *flags, QUESTION)[0])
            self.assertIn("412,000 euros", answer["answer"])

    def test_events_as_json(self):
        for command in ("ask", "run"):
            out, err = self.succeed(command, "--output=json", QUESTION)
            events = lines_of_json(out)
            self.assertEqual([event["seq"] for event in events], list(range(len(events))))
            self.assertIn("output_format_json", events[0]["started"])
            self.assertEqual("".join(event.get("delta", "") for event in events), events[-1]["completed"]["text"])
            self.assertEqual(err, "")

    def test_search(self):
        out, err = self.succeed("search", "budget", "allocation", "--people=Emma", "--from=2026-06-01", "--to=2026-06-30",
                                "--max-results=2")
        self.assertEqual([line for line in out.splitlines() if line and not line.startswith("  ")],
                         ["Final budget allocation for July to December", "Decision: second-half budget"])
        self.assertIn("\n  Emma Clarke <emma@example.com> to Elena", out)
        self.assertEqual(err, "")
        self.assertEqual(self.succeed("search", "--from=2030-01-01"), ("", "Nothing found.\n"))

        [response] = lines_of_json(self.succeed("search", "--max-results=3", "--output=json")[0])
        self.assertEqual(len(response["results"]), 3)
        self.assertIn("thread_id", response["results"][0])

    def test_list(self):
        out, err = self.succeed("list")
        self.assertRegex(out, r"^Sandbox mailbox, maya@example.com\n  spike/mailbox-1/messages\n  enabled, 20.*\n  100 %\n$")
        self.assertEqual(err, "")
        [response] = lines_of_json(self.succeed("list", "--output=json")[0])
        self.assertEqual(response["datasources"][0]["progress"], 100)
        self.assertIn("newest_item_time", response["datasources"][0])

    def test_authorize_wait_and_disconnect(self):
        user = f"--user={uuid.uuid4()}"
        self.assertEqual(self.succeed("list", user), ("", "Nothing is connected; igpt authorize connects a datasource.\n"))
        for output in ("text", "json"):
            with self.subTest(output), start("authorize", "spike", "messages", "files", "--wait", f"--output={output}",
                                             "--redirect-uri=http://127.0.0.1:1/", user, SERVER) as igpt:
                printed = igpt.stdout.readline()
                [url] = re.findall(r"http://127[^\"\s]*", printed)
                with self.assertRaisesRegex(OSError, "refused"):  # connected, then redirected to where nothing is
                    urllib.request.urlopen(url, timeout=PATIENCE)
                out, err = igpt.communicate(timeout=PATIENCE)
                self.assertEqual(igpt.returncode, 0, err)
            if output == "text":
                self.assertEqual(printed, url + "\n")
                found = re.fullmatch("Open this page to connect spike:\nConnected: Sandbox mailbox, (\\S+)\n", err)
                self.assertTrue(found, err)
                connected = found.group(1)
            else:
                [datasource] = lines_of_json(out)
                self.assertEqual(datasource["service"], "spike")
                connected = datasource["id"]
                self.assertEqual(err, "")
            listed = self.succeed("list", user)[0]
            self.assertIn(f"  {connected}\n", listed)
            ids = re.findall(r"^  (spike/\S+)$", listed, re.MULTILINE)
            self.assertEqual(len(ids), 2)
            self.assertEqual(self.succeed("disconnect", ids[0], user), ("", f"Disconnected {ids[0]}\n"))
            out, err = self.succeed("disconnect", ids[1], user, "--output=json")
            self.assertEqual((lines_of_json(out), err), ([{"raw_json": '{"disconnected":true}'}], ""))

    def test_authorize_waits_as_long_as_it_may(self):
        result = run("authorize", "spike", "messages", "--wait", "--timeout=1s", f"--user={uuid.uuid4()}", SERVER)
        self.assertEqual(result.returncode, 1)
        self.assertIn("DEADLINE_EXCEEDED: ", result.stderr)
        self.assertIn("--timeout", result.stderr)

    def test_passes_on_what_comes_back_later(self):
        out, _ = self.succeed("authorize", "spike", "messages", "--state=a&b", "--redirect-uri=https://app.example/cb")
        no_redirect = urllib.request.build_opener(type("Stay", (urllib.request.HTTPRedirectHandler,),
                                                       {"redirect_request": lambda *_: None}))
        with self.assertRaises(urllib.error.HTTPError) as raised:
            no_redirect.open(out.strip(), timeout=PATIENCE)
        self.assertEqual(raised.exception.headers["Location"], "https://app.example/cb?state=a%26b")


if __name__ == "__main__":
    unittest.main()

"""igpt in terminals of different widths and kinds."""

import socket
import unittest
import urllib.request
import uuid

from igpt import KNOWN_ESCAPES, PATIENCE, UNAVAILABLE_SERVER, InTerminal, in_terminal
from igptd_sandbox import start_igptd
from scripted_igpt import ScriptedIgpt

QUESTION = "What did we decide about the budget?"


def setUpModule():
    global SERVER
    _, address = start_igptd(unittest.addModuleCleanup)
    SERVER = f"--server={address}"


class Terminals(unittest.TestCase):
    def check(self, igpt, returncode=0):
        self.assertEqual(igpt.returncode, returncode, igpt.screen)
        self.assertEqual(igpt.too_wide(), [], igpt.columns)
        self.assertLessEqual(igpt.escapes, KNOWN_ESCAPES)
        return igpt

    def test_everything_fits(self):
        commands = [
            (["ask", QUESTION, SERVER], 0, "412,000"),
            (["ask", QUESTION, "--verbose", SERVER], 0, "search_messages"),
            (["ask", QUESTION, "--whole", SERVER], 0, "412,000"),
            (["run", QUESTION, SERVER], 0, "412,000"),
            (["search", "budget", SERVER], 0, "Final budget allocation"),
            (["list", SERVER], 0, "█"),
            (["list", f"--user={uuid.uuid4()}", SERVER], 0, "Nothing is connected"),
            (["authorize", "spike", "messages", SERVER], 0, "http://"),
            (["disconnect", "spike/nothing/messages", SERVER], 1, "IGPT_NOT_FOUND"),
            (["search", "--from=2026-02-30", "--max-results=-1", "--user=", SERVER], 1, "date_from"),
            (["list", f"--server={UNAVAILABLE_SERVER}", "--timeout=1s"], 3, "./dev run"),
            (["ask", "--timeout=soon", QUESTION], 2, "--timeout must be"),
            (["--help"], 0, "Exit codes"),
            (["authorize", "--help"], 0, "--redirect-uri"),
        ]
        for columns in (60, 120):
            for arguments, code, text in commands:
                with self.subTest(columns=columns, arguments=arguments):
                    self.assertIn(text, self.check(in_terminal(columns, *arguments), code).screen)

    def test_wraps_only_as_much_as_it_must(self):
        for columns in (60, 120):
            igpt = self.check(in_terminal(columns, "ask", QUESTION, SERVER))
            self.assertGreater(max(map(len, igpt.lines)), columns - 15)

    def test_bars_fill_the_width(self):
        bars = {columns: [line for line in in_terminal(columns, "list", SERVER).lines if "█" in line] for columns in (20, 40)}
        self.assertEqual({columns: len(bar) for columns, [bar] in bars.items()}, {20: 20, 40: 40})

    def test_colours(self):
        for variables, escapes in [
            ({}, {"\x1b[1m", "\x1b[0m"}),
            ({"NO_COLOR": ""}, {"\x1b[1m", "\x1b[0m"}),
            ({"NO_COLOR": "1"}, set()),
            ({"TERM": "dumb"}, set()),
            ({"TERM": ""}, set()),
        ]:
            self.assertEqual(in_terminal(80, "list", SERVER, variables=variables).escapes, escapes, variables)

    def test_progress_is_shown_and_erased(self):
        for command in ("ask", "run"):
            igpt = self.check(in_terminal(60, command, QUESTION, SERVER))
            for step in ("asking …", "thinking …", "calling search_messages …", "search_messages, 4 sources",
                         "thinking: I found 4 messages to answer from."):
                self.assertIn(step, igpt.raw)
                self.assertNotIn(step, igpt.screen)
            self.assertTrue(igpt.lines[0].startswith("Sandbox answer"), igpt.lines[0])
            without = in_terminal(60, command, QUESTION, SERVER, variables={"TERM": "dumb"})
            self.assertNotIn("\x1b", without.raw)
            self.assertEqual(without.screen, igpt.screen)

    def test_verbose_progress_stays(self):
        igpt = self.check(in_terminal(60, "ask", "--verbose", QUESTION, SERVER))
        self.assertNotIn("\x1b[K", igpt.raw)
        self.assertEqual(igpt.lines[0], "turn 1")

    def test_long_progress_is_cut(self):
        def answer(exchange):
            exchange.start_stream()
            exchange.send("run.tool_call_item", item={"type": "function_call", "name": "漢" * 50, "callId": "c"})
            exchange.delta("Done.")
            exchange.send("run.done", output="Done.")
            exchange.end_stream()

        igptd = start_igptd(self.addCleanup, upstream=ScriptedIgpt(self.addCleanup, answer).url)
        igpt = self.check(in_terminal(30, "ask", "?", f"--server={igptd[1]}"))
        self.assertIn("calling " + "漢" * 10 + "…", igpt.raw)
        self.assertEqual(igpt.lines, ["Done.", ""])

    def test_authorize_waits_with_a_line(self):
        igpt = InTerminal(60, "authorize", "spike", "messages", "--wait", f"--user={uuid.uuid4()}", SERVER)
        igpt.read_until("waiting until spike is connected …")
        [url] = [line for line in igpt.lines if line.startswith("http://")]
        urllib.request.urlopen(url, timeout=PATIENCE).close()
        self.check(igpt.finish())
        self.assertNotIn("waiting", igpt.screen)
        self.assertIn("Connected: Sandbox mailbox, spike/", igpt.screen)

    def test_waits_for_an_igptd_that_is_starting(self):
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            address = "127.0.0.1:%d" % reserved.getsockname()[1]
        igpt = InTerminal(60, "list", f"--server={address}")
        igpt.read_until(f"waiting for igptd at {address} …")
        start_igptd(self.addCleanup, listen=address)
        self.check(igpt.finish())
        self.assertTrue(igpt.lines[0].startswith("Sandbox mailbox"), igpt.screen)

    def test_the_server_cannot_send_escapes(self):
        evil = "\x1b]0;owned\x07\x1b[2J\x9b5mevil\x7f\r\n"

        def answer(exchange):
            path = exchange.path.strip("/")
            if path.endswith("search"):
                return exchange.reply(200, {"results": [{key: evil for key in ("id", "subject", "content", "from", "date")}]})
            if path.endswith("list"):
                return exchange.reply(200, {"datasources": [{key: evil for key in (
                    "id", "service", "type", "status", "title", "subtitle")}]})
            if path.endswith("authorize"):
                return exchange.reply(200, {"url": "http://" + evil})
            source = {"id": evil, "title": evil, "provider": evil}
            exchange.start_stream()
            exchange.send("run.start", id=evil, context={"quality": evil})
            exchange.send("run.reasoning_summary_part.done", text=evil)
            exchange.send("run.reasoning_item.done",
                          item={"type": "reasoning", "summary": [{"type": "summary_text", "text": evil}]})
            exchange.send("run.tool_call_item", item={"type": "function_call", "name": evil, "arguments": evil, "callId": "c"})
            exchange.send("run.tool_call_output_item", item={"type": "function_call_result", "name": evil, "callId": "c"})
            exchange.delta(evil)
            output = {"answer": evil} if "output_format" in exchange.request_json else evil
            exchange.send("run.done", output=output, metadata={"sources": [source]})
            exchange.end_stream()

        _, address = start_igptd(self.addCleanup, upstream=ScriptedIgpt(self.addCleanup, answer).url)
        commands = [["ask", "?"], ["ask", "?", "--verbose"], ["run", "?"], ["search"], ["list"], ["authorize", "a", "b"],
                    ["ask", "?", "--json"], ["ask", "?", "--output=json"], ["list", "--output=json"]]
        for command in commands:
            with self.subTest(command):
                igpt = in_terminal(80, *command, f"--server={address}")
                self.assertIn("evil", igpt.screen)
                self.assertLessEqual(igpt.escapes, KNOWN_ESCAPES)
                rest = "".join(igpt.lines)
                self.assertEqual([c for c in rest if c < " " or "\x7f" <= c < "\xa0"], [])


if __name__ == "__main__":
    unittest.main()

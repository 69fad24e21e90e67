"""Streams that end before their time: interrupted, with nobody to read them, or broken by iGPT."""

import os
import queue
import signal
import subprocess
import unittest

from igpt import PATIENCE, InTerminal, lines_of_json, run, start
from igptd_sandbox import start_igptd
from scripted_igpt import ScriptedIgpt


class Streams(unittest.TestCase):
    def setUp(self):
        self.closed = queue.Queue()  # gets a value for each request that igptd has aborted
        self.go_on = queue.Queue()

        def answer(exchange):
            exchange.start_stream()
            exchange.send("run.start", id="r")
            exchange.delta("one ")
            if "stall" in exchange.request_json["input"]:
                exchange.await_close()
                self.closed.put(True)
            elif "endless" in exchange.request_json["input"]:
                try:
                    while True:
                        exchange.delta("more\n")
                except OSError:
                    exchange.close_connection = True
                    self.closed.put(True)
            elif "cut" in exchange.request_json["input"]:
                exchange.close_connection = True
            elif "slow" in exchange.request_json["input"]:
                for _ in range(20):  # igptd sends a heartbeat in each pause
                    exchange.delta(".")
                    self.pause(0.03)
                exchange.send("run.done", output="one " + 20 * ".")
                exchange.end_stream()

        self.upstream = ScriptedIgpt(self.addCleanup, answer)
        _, address = start_igptd(self.addCleanup, "--heartbeat_interval=10ms", upstream=self.upstream.url)
        self.server = f"--server={address}"

    def pause(self, seconds):
        with self.assertRaises(queue.Empty):
            self.go_on.get(timeout=seconds)

    def test_interrupted(self):
        for command in ("ask", "run"):
            with start(command, "stall", "--output=json", self.server) as igpt:
                igpt.stdout.readline()
                igpt.send_signal(signal.SIGINT)
                _, err = igpt.communicate(timeout=PATIENCE)
            self.assertEqual((igpt.returncode, err), (130, ""))
            self.closed.get(timeout=PATIENCE)

    def test_interrupted_in_a_terminal(self):
        igpt = InTerminal(60, "ask", "stall", self.server)
        igpt.read_until("one")
        igpt.process.send_signal(signal.SIGINT)
        igpt.finish()
        self.assertEqual((igpt.returncode, igpt.screen), (130, "one\n"))
        self.closed.get(timeout=PATIENCE)

    def test_interrupted_while_it_waits_for_igptd(self):
        igpt = InTerminal(60, "ask", "?", "--server=127.0.0.1:1")
        igpt.read_until("waiting for igptd")
        igpt.process.send_signal(signal.SIGINT)
        igpt.finish()
        self.assertEqual((igpt.returncode, igpt.screen), (130, ""))

    def test_interrupted_twice_with_nobody_reading(self):
        with start("ask", "endless", self.server) as igpt:
            igpt.stdout.readline()
            # The pipe fills up, and igpt waits in a write.
            while igpt.poll() is None:
                igpt.send_signal(signal.SIGINT)
                try:
                    igpt.wait(0.05)
                except subprocess.TimeoutExpired:
                    pass
            self.assertEqual(igpt.returncode, 130)
            self.closed.get(timeout=PATIENCE)

    def test_nobody_reads_on(self):
        for output in ("text", "json"):
            with start("ask", "endless", f"--output={output}", self.server) as igpt:
                igpt.stdout.readline()
                igpt.stdout.close()
                self.assertEqual(igpt.stderr.read(), "")
                self.assertEqual(igpt.wait(PATIENCE), -signal.SIGPIPE)
            self.closed.get(timeout=PATIENCE)

    def test_closed_from_the_start(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as stdout:
            result = run("ask", "endless", self.server, stdout=stdout)
        self.assertEqual((result.returncode, result.stderr), (-signal.SIGPIPE, ""))
        self.closed.get(timeout=PATIENCE)

    def test_truncated(self):
        result = run("ask", "cut", self.server)
        self.assertEqual((result.returncode, result.stdout), (3, "one \n"))
        self.assertIn("STREAM_TRUNCATED", result.stderr)
        self.assertIn("events_delivered: 2", result.stderr)
        result = run("ask", "cut", "--output=json", self.server)
        self.assertEqual([event["type"] for event in lines_of_json(result.stdout)], ["run.start", "run.output_text.delta"])
        [error] = lines_of_json(result.stderr)
        self.assertEqual((error["code"], error["reason"]), ("UNAVAILABLE", "STREAM_TRUNCATED"))

    def test_heartbeats_are_left_out(self):
        result = run("ask", "slow", "--output=json", self.server)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = lines_of_json(result.stdout)
        self.assertEqual([event["seq"] for event in events], list(range(23)))


if __name__ == "__main__":
    unittest.main()

"""The examples of the SDK, run as its README says: against the sandbox, and against a server that never answers.

    igptd_sandbox.py sdk_examples_test.py <tour> <thread_pool> <epoll_loop>
"""

import json
import os
import signal
import socket
import subprocess
import sys
import unittest

TOUR, THREAD_POOL, EPOLL_LOOP = sys.argv[1:4]
del sys.argv[1:4]


QUESTION = "What did we decide about the budget?"


def start(program, url, *arguments):
    return subprocess.Popen([program, "demo", *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, "IGPT_API_KEY": "ak:sandbox", "IGPT_BASE_URL": url})


class TourTest(unittest.TestCase):
    def test_goes_through_all_its_stops(self):
        tour = start(TOUR, os.environ["IGPT_SANDBOX_URL"], QUESTION)
        out, err = tour.communicate(timeout=60)
        self.assertEqual(tour.returncode, 0, err)
        answer, shaped = out.split("\n{", 1)
        self.assertGreater(len(answer), 20)
        shaped, *found, last = ("{" + shaped).splitlines()
        self.assertIn("answer", json.loads(shaped))
        self.assertTrue(found)
        for line in found:
            self.assertTrue(line.startswith("- "), line)
        self.assertEqual(last, "20 answers")

    def test_ctrl_c_ends_it_while_it_waits(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            tour = start(TOUR, f"http://127.0.0.1:{silent.getsockname()[1]}/v1", QUESTION)
            connection, _ = silent.accept()
            with connection:
                self.assertTrue(connection.recv(1))  # it has asked
                tour.send_signal(signal.SIGINT)
                _, err = tour.communicate(timeout=60)
        self.assertEqual(tour.returncode, 130, err)
        self.assertEqual(err, "tour: the caller cancelled\n")


class OtherExamplesTest(unittest.TestCase):
    def run_on_sandbox(self, program, *arguments):
        process = start(program, os.environ["IGPT_SANDBOX_URL"], *arguments)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        return out

    def test_a_thread_pool_of_the_programs_own(self):
        found = self.run_on_sandbox(THREAD_POOL, "budget", "offsite", "no such words at all").splitlines()
        self.assertEqual(len(found), 3)
        for line in found:
            self.assertRegex(line, r"^(budget|offsite|no such words at all): \d+ found$")

    def test_an_epoll_loop_of_the_programs_own(self):
        self.assertGreater(len(self.run_on_sandbox(EPOLL_LOOP, QUESTION)), 20)

    def test_errors_are_told(self):
        for program in THREAD_POOL, EPOLL_LOOP:
            process = start(program, "foo://nowhere", QUESTION)
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 1)
            self.assertIn("base_url", err)


if __name__ == "__main__":
    unittest.main()

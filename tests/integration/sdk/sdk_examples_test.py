"""The examples of the SDK, run as its README says: against the sandbox, and against a server that never answers.

    igptd_sandbox.py sdk_examples_test.py <tour>
"""

import json
import os
import signal
import socket
import subprocess
import sys
import unittest

TOUR = sys.argv.pop()


def start_tour(url):
    return subprocess.Popen([TOUR, "demo", "What did we decide about the budget?"], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env={**os.environ, "IGPT_API_KEY": "ak:sandbox", "IGPT_BASE_URL": url})


class TourTest(unittest.TestCase):
    def test_goes_through_all_its_stops(self):
        tour = start_tour(os.environ["IGPT_SANDBOX_URL"])
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
            tour = start_tour(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
            connection, _ = silent.accept()
            with connection:
                self.assertTrue(connection.recv(1))  # it has asked
                tour.send_signal(signal.SIGINT)
                _, err = tour.communicate(timeout=60)
        self.assertEqual(tour.returncode, 130, err)
        self.assertEqual(err, "tour: the caller cancelled\n")


if __name__ == "__main__":
    unittest.main()

"""The command line: a server process, and calls against it."""

import json
import os
import subprocess
import sys
import tempfile
import unittest


class CommandLine(unittest.TestCase):
    def test_all(self):
        with tempfile.TemporaryDirectory() as folder:
            key = os.path.join(folder, "key")
            with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
                file.write(os.urandom(32))
            base = [sys.executable, "-m", "sealwire"]
            with subprocess.Popen([*base, "serve", "--key-file", key, "--stats"], stdout=subprocess.PIPE, text=True) as server:
                to = f"127.0.0.1:{json.loads(server.stdout.readline())['port']}"

                def run(command, *args):
                    done = subprocess.run([*base, command, "--key-file", key, to, *args], capture_output=True, text=True)
                    return done.returncode, [json.loads(each) for each in done.stdout.splitlines()]

                try:
                    self.assertEqual(run("send", "echo", '{"a":[1]}'), (0, [{"a": [1]}]))
                    self.assertEqual(run("stream", "count", "3"), (0, [0, 1, 2]))
                    self.assertEqual(run("emit", "note", '"x"'), (0, [{"acknowledged": True}]))
                    self.assertEqual(run("send", "notes"), (0, [["x"]]))
                    self.assertEqual(run("send", "fail", "1"), (1, [{"error": 1}]))
                    self.assertEqual(run("send", "echo", "--fill-bytes", "200000", "--key-bytes", "1")[1][0]["bytes"], 200000)
                    self.assertEqual(run("send", "slow", "--timeout", "100")[0], 2)
                    self.assertEqual(run("send", "cancels"), (0, [1]))
                    self.assertEqual(run("send", "echo", "--service", "other")[0], 2)
                finally:
                    server.terminate()
                    last = json.loads(server.stdout.read().splitlines()[-1])
            self.assertEqual((server.returncode, last["failures"]), (0, ["does not open"]))


if __name__ == "__main__":
    unittest.main()

"""The command line: a server process, and calls against it."""

import json
import os
import subprocess
import sys
import tempfile
import unittest


class CommandLine(unittest.TestCase):
    def calls(self, command):
        """What several calls in one process print, by their ids. The last one has no answer: the end of the input ends it."""
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            for call in (
                {"id": 1, "pattern": "echo", "data": {"a": 1}},
                {"id": 2, "pattern": "echo", "raw": "05"},
                {"id": 3, "pattern": "count", "data": 9, "take": 2},
                {"id": 4, "pattern": "slow"},
            ):
                client.stdin.write(json.dumps({"do": "send", **call}) + "\n")
            client.stdin.flush()
            printed, ended = {}, 0
            for text in client.stdout:
                each = json.loads(text)
                printed.setdefault(each.pop("id"), []).append(each)
                ended += "value" not in each
                if ended == 3:
                    client.stdin.close()
            return printed

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
                    self.assertEqual(self.calls([*base, "calls", "--key-file", key, to]), {
                        1: [{"value": {"a": 1}}, {"done": True}],
                        2: [{"code": "ERR_MESSAGE_MALFORMED", "message": "The message is malformed"}],
                        3: [{"value": 0}, {"value": 1}, {"done": True}],
                        4: [{"cancelled": True}],
                    })
                finally:
                    server.terminate()
                    last = json.loads(server.stdout.read().splitlines()[-1])
            self.assertEqual((server.returncode, last["failures"]), (0, ["does not open"]))


if __name__ == "__main__":
    unittest.main()

"""The other end of the fork server."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Server:
    """Asks the fork server.

    Parameters
    ----------
    folder
        Where a process that is killed may leave what it was about to upload.
    """

    def __init__(self, folder, **environment):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kill.server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(folder), "NO_PROXY": "127.0.0.1"} | environment,
        )

    def ask(self, do, lake, **others):
        asked = {"do": do, "lake": str(lake)} | others
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def run(self, verb, lake, about, **how):
        told = self.ask("run", lake, verb=verb, about=about, **how)
        assert "error" not in (told["answer"] or {"error": "ended"}), (verb, told)
        return told

    def look(self, lake):
        told = self.ask("look", lake)
        assert told["answer"] is not None, "the lake cannot be read"
        return told["answer"]

    def states(self, verb, lake, about, **how):
        told = self.ask("states", lake, verb=verb, about=about, **how)
        assert told["answer"] is not None, (verb, told)
        return told["answer"]

    def stop(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

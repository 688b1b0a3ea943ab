"""`tidewaiter audit stand-in` serves on loopback, really compares, and ends politely."""

import json
import signal
import subprocess
import sys
import urllib.request

import pytest

pytest.importorskip("dlib", reason="dlib-bin is not installed; see the extra `audit`")

COMMAND = (sys.executable, "-c", "from tidewaiter.cli import main; main()", "audit", "stand-in")


def test_the_command_serves_until_it_is_asked_to_end():
    process = subprocess.Popen(
        [*COMMAND, "--adapter", "azure", "--port", "0", "--fault", "throttled=0.5"],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        line = process.stdout.readline()
        assert "test kit" in line
        address = line.split(" at ")[1].split()[0]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{address}/stand-in/bill", timeout=5) as answer:
            assert json.load(answer) == {"billed": {}, "requests": 0}
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "0 calls billed for 0 trials\n"
    assert process.returncode == 0

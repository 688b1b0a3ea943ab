"""Tasks that behave and misbehave in a worker, for the tests of the supervisor."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

from tidewaiter.errors import CorruptMedia


def handle(payload: dict) -> dict:
    return ACTIONS[payload["do"]](payload)


def echo(payload: dict) -> dict:
    return {"value": payload["value"]}


def secrets_seen(payload: dict) -> dict:
    return {"seen": [name for name in payload["names"] if name in os.environ]}


def nap(payload: dict) -> dict:
    time.sleep(0.1)
    return {"value": payload["value"]}


def kill_self(_payload: dict) -> dict:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def kill_self_once(payload: dict) -> dict:
    flag = Path(payload["flag"])
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {}


def interrupt_self_once(payload: dict) -> dict:
    flag = Path(payload["flag"])
    if not flag.exists():
        flag.touch()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return {}


def grow(_payload: dict) -> dict:
    hoard = []
    while True:
        hoard.append(b"x" * 5_000_000)
        time.sleep(0.005)


def bomb(_payload: dict) -> dict:
    return {"length": len(bytearray(40_000_000_000))}


def sleep(_payload: dict) -> dict:
    time.sleep(60)
    return {}


def input_error(_payload: dict) -> dict:
    raise CorruptMedia("broken at byte 7")


def value_error(_payload: dict) -> dict:
    raise ValueError("something unforeseen")


def connect(_payload: dict) -> dict:
    with socket.create_connection(("127.0.0.1", 9), timeout=1):
        return {}


ACTIONS = {
    "secrets_seen": secrets_seen,
    "echo": echo,
    "nap": nap,
    "abort": lambda _payload: os.abort(),
    "kill-self": kill_self,
    "kill-self-once": kill_self_once,
    "interrupt-self-once": interrupt_self_once,
    "grow": grow,
    "bomb": bomb,
    "sleep": sleep,
    "input-error": input_error,
    "value-error": value_error,
    "connect": connect,
}

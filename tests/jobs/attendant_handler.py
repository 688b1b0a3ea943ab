"""Answers and misbehaves in an attendant's process, for the tests of the attendant."""

from __future__ import annotations

import os
import sys
import time

from tidewaiter.errors import CorruptMedia


def handle(question: bytes) -> dict:
    return ACTIONS.get(question, _echo)(question)


def _echo(question: bytes) -> dict:
    sys.stdout.write("words of a library")
    sys.stderr.write("more words")
    return {"length": len(question), "pid": os.getpid()}


def _grow(_question: bytes) -> dict:
    hoard = []
    while True:
        hoard.append(b"x" * 5_000_000)
        time.sleep(0.005)


def _refuse(_question: bytes) -> dict:
    raise CorruptMedia("broken at byte 7")


def _stumble(_question: bytes) -> dict:
    raise ValueError("something unforeseen")


def _shout(_question: bytes) -> dict:
    return {"words": "x" * 5_000_000}


ACTIONS = {
    b"abort": lambda _question: os.abort(),
    b"leave": lambda _question: os._exit(0),
    b"sleep": lambda _question: time.sleep(60),
    b"grow": _grow,
    b"bomb": lambda _question: {"length": len(bytearray(40_000_000_000))},
    b"refuse": _refuse,
    b"stumble": _stumble,
    b"shout": _shout,
}

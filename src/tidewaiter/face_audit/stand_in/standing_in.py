"""Answer requests in the shape of a service: faults on schedule, bills counted, all stamped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tidewaiter.face_audit.service import TEST_KIT_HEADER, TRIAL_HEADER, Request
from tidewaiter.face_audit.stand_in.faults import UNBILLED, Fault, fault_at

BILL_PATH = "/stand-in/bill"
STAMP = "stand-in; test kit, not a service"
NO_TRIAL = "(none)"


@dataclass(frozen=True)
class Sent:
    """What goes back: `cut` bytes of it after `delay_s`, or all where `cut` is None."""

    status: int
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    billed: bool = False
    delay_s: float = 0.0
    cut: int | None = None
    body: bytes | None = None

    def encoded(self) -> bytes:
        """The body as sent."""
        if self.body is not None:
            return self.body
        return b"" if self.content is None else json.dumps(self.content).encode()


class Shape(Protocol):
    """The words of one service: how it answers, and how it says no."""

    def answer(self, request: Request, now_s: float) -> Sent:
        """Do what is asked; header names of the request are in lower case."""

    def refusal(self, fault: Fault) -> Sent:
        """How this service says that it is throttled, broken or not approved."""


@dataclass(frozen=True)
class Script:
    """What is to go wrong, and how."""

    shares: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 1
    slow_s: float = 2.0
    retry_after_s: float = 1.0


class StandIn:
    """One service in memory. Not safe for several threads: the server holds a lock."""

    def __init__(self, shape: Shape, script: Script | None = None) -> None:
        self._shape, self._script = shape, script or Script()
        self._number = 0
        self._bill: Counter[str] = Counter()

    @property
    def bill(self) -> dict[str, int]:
        """Billed calls by trial id."""
        return dict(sorted(self._bill.items()))

    def answer(self, request: Request, now_s: float) -> Sent:
        """Answer one request at that time; faults strike before or after the work is billed."""
        path = request.url.partition("?")[0]
        if path == BILL_PATH:
            return _stamped(Sent(200, {"billed": self.bill, "requests": self._number}))
        fault = fault_at(self._number, self._script.shares, self._script.seed)
        self._number += 1
        if fault in UNBILLED:
            return _stamped(self._refused(fault))
        sent = self._shape.answer(request, now_s)
        if sent.billed:
            self._bill[_header(request, TRIAL_HEADER) or NO_TRIAL] += 1
        return _stamped(self._spoiled(sent, fault))

    def _refused(self, fault: Fault) -> Sent:
        sent = self._shape.refusal(fault)
        if fault is not Fault.THROTTLED:
            return sent
        wait = f"{self._script.retry_after_s:g}"
        return replace(sent, headers={**sent.headers, "Retry-After": wait})

    def _spoiled(self, sent: Sent, fault: Fault | None) -> Sent:
        if fault is Fault.SLOW:
            return replace(sent, delay_s=self._script.slow_s)
        if fault is Fault.TRUNCATED:
            return replace(sent, cut=len(sent.encoded()) // 2)
        if fault is Fault.NOT_JSON:
            return replace(sent, body=b"<html><body>It works!</body></html>", status=200)
        return replace(sent, cut=0) if fault is Fault.DROPPED else sent


def _stamped(sent: Sent) -> Sent:
    return replace(sent, headers={**sent.headers, TEST_KIT_HEADER: STAMP})


def _header(request: Request, name: str) -> str:
    return request.headers.get(name.lower(), "")

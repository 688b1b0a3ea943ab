"""What the use cases need from the machinery below the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Outcome:
    """What became of one exhibit: where its report is, or why there is none.

    `verdicts` maps proposition to verdict; `speaking`, `silent` count findings; `error`
    is (class name, message).
    """

    key: str
    name: str
    path: str
    sha256: str | None = None
    kind: str | None = None
    verdicts: dict[str, str] = field(default_factory=dict)
    facts: Sequence[str] = ()
    line: str = ""
    json_file: str | None = None
    html_file: str | None = None
    error: tuple[str, str] | None = None


class Crew(Protocol):
    """Workers over a durable record of tasks."""

    def fingerprint(self) -> str | None:
        """The plan the record was filled for; None when it is empty."""
        ...

    def start_over(self, fingerprint: str) -> None:
        """Forget all tasks; the record is now for this plan."""
        ...

    def take_on(self, tasks: Sequence[tuple[str, dict[str, Any]]]) -> list[Outcome]:
        """Record tasks by key; returns the outcomes of those already finished."""
        ...

    def work(self, on_outcome: Callable[[Outcome], None]) -> None:
        """Finish every open task, calling back once for each."""
        ...

    def outcomes(self, keys: Sequence[str]) -> list[Outcome]:
        """The outcomes of these tasks, in this order."""
        ...


class ReportStore(Protocol):
    """Where reports are kept."""

    def save(self, name: str, sha256: str, *, as_json: str, as_html: str) -> tuple[str, str]:
        """Keep both forms, whole or not at all; returns their file names."""
        ...

"""What every detector is: traces in, one finding out.

A detector is one file below this folder and needs one method, `examine`. It checks its
validity gate first and declines with `not_applicable` outside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from tidewaiter.traces.base import Traces, Untaken
from tidewaiter.vocabulary import (
    Check,
    Evidence,
    Finding,
    MediaKind,
    Proposition,
    Status,
    Text,
    tr,
)


class Detector(ABC):
    """Observes one kind of trace of manipulation and says what it saw.

    `id` is `<folder>.<file>`, `version` changes whenever scores change (calibrations are
    tied to it). `may_clear` says whether a calibration of this detector may ever support
    "as issued"; `cap` limits |log10 LR| by design, whatever a calibration says.
    `weighs` is False for detectors that state facts and never carry a likelihood ratio.
    """

    id: ClassVar[str]
    version: ClassVar[str]
    proposition: ClassVar[Proposition]
    media: ClassVar[frozenset[MediaKind]]
    needs: ClassVar[frozenset[str]]
    looks_for: ClassVar[Text]
    speaks_when: ClassVar[Text]
    score_unit: ClassVar[Text]
    limitations: ClassVar[tuple[Text, ...]]
    weighs: ClassVar[bool] = True
    may_clear: ClassVar[bool] = False
    cap: ClassVar[float | None] = None

    @abstractmethod
    def examine(self, traces: Traces) -> Finding:
        """Judge the traces named in `needs`; all of them were taken. Pure: no I/O, no clock."""

    def find(self, traces: Traces) -> Finding:
        """`examine`, or the reason why it could not be called. A crash is a failed finding."""
        if traces.kind not in self.media:
            return self._silent(
                Status.NOT_APPLICABLE, tr("does not examine a {kind}", kind=traces.kind.value)
            )
        for name in sorted(self.needs):
            taken = traces.get(name)
            if taken is None:
                return self._silent(Status.FAILED, tr("the trace {name} was not taken", name=name))
            if isinstance(taken, Untaken):
                return self._silent(taken.status, taken.reason)
        try:
            return self.examine(traces)
        except Exception as error:  # noqa: BLE001 - the other detectors still speak
            reason = tr("{kind}: {problem}", kind=type(error).__name__, problem=str(error))
            return self._silent(Status.FAILED, reason)

    def examined(
        self,
        score: float | None = None,
        *,
        concludes: Text | None = None,
        gate: Sequence[Check] = (),
        evidence: Sequence[Evidence] = (),
        features: Mapping[str, float] | None = None,
        limitations: Sequence[Text] = (),
    ) -> Finding:
        """A finding of this detector, with its standing limitations first."""
        return Finding(
            detector=self.id,
            version=self.version,
            proposition=self.proposition,
            status=Status.EXAMINED,
            score=None if score is None else float(score),
            score_unit=self.score_unit,
            concludes=concludes,
            gate=tuple(gate),
            evidence=tuple(evidence),
            features=dict(features or {}),
            limitations=(*self.limitations, *limitations),
        )

    def not_applicable(
        self, reason: Text, *, gate: Sequence[Check] = (), evidence: Sequence[Evidence] = ()
    ) -> Finding:
        """Decline: what was found and what was needed. Evidence may still be shown."""
        return self._silent(Status.NOT_APPLICABLE, reason, gate, evidence)

    def _silent(
        self,
        status: Status,
        reason: Text,
        gate: Sequence[Check] = (),
        evidence: Sequence[Evidence] = (),
    ) -> Finding:
        return Finding(
            detector=self.id,
            version=self.version,
            proposition=self.proposition,
            status=status,
            reason=reason,
            gate=tuple(gate),
            evidence=tuple(evidence),
            limitations=self.limitations,
        )

"""Does an opinion survive re-shipping? Where it flips, it becomes "cannot tell"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from tidewaiter.vocabulary import Opinion, Proposition, ReshippedOpinion, Verdict, tr

Change = Literal["same", "attenuated", "strengthened", "flipped"]

# Smaller moves of log10 LR are not worth a word: a factor of 1.26.
SAME_WITHIN = 0.1

_SIDE = {
    Verdict.SUPPORTS_MANIPULATED: 1,
    Verdict.SUPPORTS_AS_ISSUED: -1,
    Verdict.CANNOT_TELL: 0,
}


def compare(
    received: Sequence[Opinion], reshipped: Mapping[str, Sequence[Opinion]]
) -> tuple[ReshippedOpinion, ...]:
    """What became of every opinion after each transform (by name, in the given order).

    A proposition nobody speaks about after the transform has log10 LR 0.
    """
    return tuple(
        _outcome(transform, opinion, _same_proposition(opinion.proposition, after))
        for transform, after in reshipped.items()
        for opinion in received
    )


def change(before: Opinion, after: Opinion | None) -> Change:
    """How an opinion moved.

    Flipped: support changes sides, or support for manipulation appears that the exhibit as
    received did not give. Attenuated, the usual case, is expected: gates close.
    """
    later = 0.0 if after is None else after.log10_lr
    side = _SIDE[before.verdict]
    side_after = 0 if after is None else _SIDE[after.verdict]
    if side * side_after < 0 or (side_after > 0 and side <= 0):
        return "flipped"
    if abs(later - before.log10_lr) <= SAME_WITHIN and side == side_after:
        return "same"
    return "attenuated" if abs(later) < abs(before.log10_lr) else "strengthened"


def apply(opinions: Sequence[Opinion], outcomes: Sequence[ReshippedOpinion]) -> tuple[Opinion, ...]:
    """The opinions, those that flipped turned into "cannot tell" with the transform named."""
    return tuple(_settled(opinion, outcomes) for opinion in opinions)


def _outcome(transform: str, before: Opinion, after: Opinion | None) -> ReshippedOpinion:
    return ReshippedOpinion(
        transform=transform,
        proposition=before.proposition,
        log10_lr=0.0 if after is None else after.log10_lr,
        verdict=Verdict.CANNOT_TELL if after is None else after.verdict,
        change=change(before, after),
    )


def _same_proposition(proposition: Proposition, opinions: Sequence[Opinion]) -> Opinion | None:
    return next((entry for entry in opinions if entry.proposition is proposition), None)


def _settled(opinion: Opinion, outcomes: Sequence[ReshippedOpinion]) -> Opinion:
    flips = [
        outcome.transform
        for outcome in outcomes
        if outcome.proposition is opinion.proposition and outcome.change == "flipped"
    ]
    if not flips:
        return opinion
    reason = tr(
        "the opinion does not survive re-shipping: {transforms} turned it",
        transforms=", ".join(flips),
    )
    verbal = tr("no support for either side: the opinion changes with the way of shipping")
    return opinion.model_copy(
        update={"verdict": Verdict.CANNOT_TELL, "verbal": verbal, "reason": reason}
    )

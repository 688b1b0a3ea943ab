"""Likelihood ratios in words: the ENFSI scale and the sentence with its numbers.

ENFSI Guideline for Evaluative Reporting in Forensic Science (2015): the words describe
the strength of the findings for one proposition against the other, never a probability
that something is true.
"""

from __future__ import annotations

from tidewaiter.vocabulary import Opinion, Proposition, Text, tr

# ENFSI 2015: below a likelihood ratio of 2 the findings support neither proposition.
NO_SUPPORT_BELOW = 0.30103
# Upper ends of the steps in log10 LR with the words for each side.
_STEPS: tuple[tuple[float, Text, Text], ...] = (
    (
        1.0,
        tr("weak support for manipulation over the exhibit being as issued"),
        tr("weak support for the exhibit being as issued over manipulation"),
    ),
    (
        2.0,
        tr("moderate support for manipulation over the exhibit being as issued"),
        tr("moderate support for the exhibit being as issued over manipulation"),
    ),
    (
        3.0,
        tr("moderately strong support for manipulation over the exhibit being as issued"),
        tr("moderately strong support for the exhibit being as issued over manipulation"),
    ),
    (
        4.0,
        tr("strong support for manipulation over the exhibit being as issued"),
        tr("strong support for the exhibit being as issued over manipulation"),
    ),
    (
        6.0,
        tr("very strong support for manipulation over the exhibit being as issued"),
        tr("very strong support for the exhibit being as issued over manipulation"),
    ),
)
_STRONGEST = (
    tr("extremely strong support for manipulation over the exhibit being as issued"),
    tr("extremely strong support for the exhibit being as issued over manipulation"),
)
_NEITHER = tr("no support for either side")

_MORE: dict[Proposition, Text] = {
    Proposition.FACE_MANIPULATED: tr(
        "The findings are about {times} times more probable if a face was manipulated "
        "than if it is as recorded ({sureness})."
    ),
    Proposition.IMAGE_ALTERED: tr(
        "The findings are about {times} times more probable if the picture was altered "
        "than if it is as recorded ({sureness})."
    ),
    Proposition.IMAGE_GENERATED: tr(
        "The findings are about {times} times more probable if the picture was generated "
        "than if a camera recorded it ({sureness})."
    ),
    Proposition.VIDEO_ALTERED: tr(
        "The findings are about {times} times more probable if the video was altered "
        "than if it is as recorded ({sureness})."
    ),
    Proposition.AUDIO_SYNTHETIC: tr(
        "The findings are about {times} times more probable if the voice is synthetic "
        "than if a person spoke it ({sureness})."
    ),
    Proposition.AUDIO_ALTERED: tr(
        "The findings are about {times} times more probable if the sound was altered "
        "than if it is as recorded ({sureness})."
    ),
    Proposition.DOCUMENT_ALTERED: tr(
        "The findings are about {times} times more probable if the document was altered "
        "than if it is as issued ({sureness})."
    ),
    Proposition.SEAL_COPIED: tr(
        "The findings are about {times} times more probable if the seal was copied "
        "than if it is the original impression ({sureness})."
    ),
    Proposition.SIGNATURE_FORGED: tr(
        "The findings are about {times} times more probable if the signature was forged "
        "than if it is the signatory's own ({sureness})."
    ),
}
_LESS: dict[Proposition, Text] = {
    Proposition.FACE_MANIPULATED: tr(
        "The findings are about {times} times less probable if a face was manipulated "
        "than if it is as recorded ({sureness})."
    ),
    Proposition.IMAGE_ALTERED: tr(
        "The findings are about {times} times less probable if the picture was altered "
        "than if it is as recorded ({sureness})."
    ),
    Proposition.IMAGE_GENERATED: tr(
        "The findings are about {times} times less probable if the picture was generated "
        "than if a camera recorded it ({sureness})."
    ),
    Proposition.VIDEO_ALTERED: tr(
        "The findings are about {times} times less probable if the video was altered "
        "than if it is as recorded ({sureness})."
    ),
    Proposition.AUDIO_SYNTHETIC: tr(
        "The findings are about {times} times less probable if the voice is synthetic "
        "than if a person spoke it ({sureness})."
    ),
    Proposition.AUDIO_ALTERED: tr(
        "The findings are about {times} times less probable if the sound was altered "
        "than if it is as recorded ({sureness})."
    ),
    Proposition.DOCUMENT_ALTERED: tr(
        "The findings are about {times} times less probable if the document was altered "
        "than if it is as issued ({sureness})."
    ),
    Proposition.SEAL_COPIED: tr(
        "The findings are about {times} times less probable if the seal was copied "
        "than if it is the original impression ({sureness})."
    ),
    Proposition.SIGNATURE_FORGED: tr(
        "The findings are about {times} times less probable if the signature was forged "
        "than if it is the signatory's own ({sureness})."
    ),
}
_UNDECIDED: dict[Proposition, Text] = {
    Proposition.FACE_MANIPULATED: tr(
        "The findings are about as probable if a face was manipulated as if it is as recorded "
        "({sureness})."
    ),
    Proposition.IMAGE_ALTERED: tr(
        "The findings are about as probable if the picture was altered as if it is as recorded "
        "({sureness})."
    ),
    Proposition.IMAGE_GENERATED: tr(
        "The findings are about as probable if the picture was generated as if a camera recorded "
        "it ({sureness})."
    ),
    Proposition.VIDEO_ALTERED: tr(
        "The findings are about as probable if the video was altered as if it is as recorded "
        "({sureness})."
    ),
    Proposition.AUDIO_SYNTHETIC: tr(
        "The findings are about as probable if the voice is synthetic as if a person spoke it "
        "({sureness})."
    ),
    Proposition.AUDIO_ALTERED: tr(
        "The findings are about as probable if the sound was altered as if it is as recorded "
        "({sureness})."
    ),
    Proposition.DOCUMENT_ALTERED: tr(
        "The findings are about as probable if the document was altered as if it is as issued "
        "({sureness})."
    ),
    Proposition.SEAL_COPIED: tr(
        "The findings are about as probable if the seal was copied as if it is the original "
        "impression ({sureness})."
    ),
    Proposition.SIGNATURE_FORGED: tr(
        "The findings are about as probable if the signature was forged as if it is the "
        "signatory's own ({sureness})."
    ),
}


def scale(log10_lr: float) -> Text:
    """The words of the ENFSI scale for a log10 likelihood ratio."""
    size = abs(log10_lr)
    if size < NO_SUPPORT_BELOW:
        return _NEITHER
    for upper, manipulated, as_issued in _STEPS:
        if size < upper:
            return manipulated if log10_lr > 0 else as_issued
    return _STRONGEST[0] if log10_lr > 0 else _STRONGEST[1]


def sentence(opinion: Opinion) -> Text:
    """The opinion as one sentence with number, interval and limit."""
    value = opinion.log10_lr
    if opinion.calibration is None:
        return tr("Nothing that speaks about this has a calibration; the findings weigh nothing.")
    if abs(value) < NO_SUPPORT_BELOW:
        return _filled(_UNDECIDED[opinion.proposition], sureness=_about_even(opinion))
    if value > 0:
        return _numbers(_MORE, opinion, (opinion.lower, opinion.upper), opinion.bound_upper)
    lower_bound = None if opinion.bound_lower is None else -opinion.bound_lower
    return _numbers(_LESS, opinion, (-opinion.upper, -opinion.lower), lower_bound)


def ratio_of(log10_lr: float) -> str:
    """A likelihood ratio rounded to what a reader can use: 0.3, 1.4, 9, 40, 1200."""
    ratio = 10.0**log10_lr
    if ratio < 0.01:
        return "0.01"
    digits = 1 if ratio < 1 or ratio >= 3 else 2
    rounded = float(f"{ratio:.{digits}g}") if ratio < 100 else float(f"{ratio:.2g}")
    return f"{rounded:.0f}" if rounded >= 3 else f"{rounded:g}"


def _numbers(
    sentences: dict[Proposition, Text],
    opinion: Opinion,
    interval: tuple[float, float],
    bound: float | None,
) -> Text:
    return _filled(
        sentences[opinion.proposition],
        times=ratio_of(abs(opinion.log10_lr)),
        sureness=_sureness(interval, interval[1] if bound is None else bound),
    )


def _sureness(interval: tuple[float, float], bound: float) -> Text:
    """Interval and limit. An interval cut to one value by its limit would pose as certainty."""
    if bound <= interval[0]:
        return tr(
            "the most that the validation data allow; the whole 95 % interval lies at this limit "
            "or beyond"
        )
    return tr(
        "95 % interval {low}–{high}, limited to {limit} by the validation data",
        low=ratio_of(interval[0]),
        high=ratio_of(interval[1]),
        limit=ratio_of(bound),
    )


def _about_even(opinion: Opinion) -> Text:
    ratio = ratio_of(opinion.log10_lr)
    if opinion.upper == opinion.bound_lower:
        return tr(
            "likelihood ratio {ratio}, the least that the methods used here may say", ratio=ratio
        )
    return tr(
        "likelihood ratio {ratio}, 95 % interval {low}–{high}",
        ratio=ratio,
        low=ratio_of(opinion.lower),
        high=ratio_of(opinion.upper),
    )


def _filled(sentence_of: Text, **values: str | Text) -> Text:
    return Text(template=sentence_of.template, values=dict(values))

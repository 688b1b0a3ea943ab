"""A trained network's answers about every person's face through a video."""

from __future__ import annotations

import numpy as np

from tidewaiter.detectors.base import Detector
from tidewaiter.detectors.gates import failed_condition
from tidewaiter.traces.base import Traces
from tidewaiter.traces.face_manipulation_video import (
    LEAST_USABLE_LOOKS,
    FaceManipulationVideo,
    Moment,
    TrackAnswer,
)
from tidewaiter.traces.face_quality import LEAST_FACE_PIXELS
from tidewaiter.vocabulary import (
    MAX_SERIES_POINTS,
    Check,
    Evidence,
    Fact,
    Facts,
    Finding,
    HeatMap,
    MediaKind,
    Proposition,
    Regions,
    Series,
    Span,
    Text,
    Timeline,
    tr,
)

# Below this error rates were not measured (benchmarks/detection/face_network).
LEAST_BITS_PER_PIXEL = 0.005
# Curves of more people would bury the page.
MOST_CURVES = 3


class ManipulationNetworkVideo(Detector):
    """Takes the stretch of any person's track that speaks most for manipulation."""

    id = "face.manipulation_network_video"
    version = "2"
    proposition = Proposition.FACE_MANIPULATED
    media = frozenset({MediaKind.VIDEO})
    needs = frozenset({"face_manipulation"})
    looks_for = tr("faces that are swapped or driven by another person, also for a second only")
    speaks_when = tr(
        "a face at least {pixels:.0f} pixels long is sharp, in view and turned to the camera "
        "for {seconds:.0f} s",
        pixels=LEAST_FACE_PIXELS,
        seconds=2.0,
    )
    score_unit = tr("mean score of the strongest stretch, less what chance gives")
    limitations = (
        tr("A method of forging that it was not trained on may leave it silent."),
        tr("It looks at the two largest faces at a time, about three times a second."),
        tr("Of a video of more than 20 minutes it sees evenly spread blocks of 30 s."),
        tr("Whoever has the network can change a video so that it is misled."),
        tr("It never speaks for a video: a low score is not a sign of an untouched face."),
    )

    def examine(self, traces: Traces) -> Finding:
        """The largest score among the tracks with enough looks that may count."""
        answers: FaceManipulationVideo = traces["face_manipulation"]
        finding = self._finding(answers)
        return finding.model_copy(update={"version": self.version + answers.network_mark})

    def _finding(self, answers: FaceManipulationVideo) -> Finding:
        best = max(answers.tracks, key=_looks)
        gate = _gate(answers, best)
        if not all(check.passed for check in gate):
            return self.not_applicable(
                _reason(answers, best), gate=gate, evidence=[_table(answers)]
            )
        strongest = answers.tracks[0]
        return self.examined(
            _score(strongest),
            gate=gate,
            evidence=_evidence(answers),
            features=_features(answers, strongest),
        )


def _looks(track: TrackAnswer) -> int:
    return int(track.usable.sum())


def _score(track: TrackAnswer) -> float | None:
    return None if track.windows is None else track.windows.best.score


def _gate(answers: FaceManipulationVideo, best: TrackAnswer) -> list[Check]:
    return [
        Check(
            name=tr("looks at a face fit to be examined"),
            found=tr("{found} of {looks}", found=_looks(best), looks=best.time_s.size),
            needed=tr("at least {least}", least=LEAST_USABLE_LOOKS),
            passed=_looks(best) >= LEAST_USABLE_LOOKS,
        ),
        Check(
            name=tr("compression"),
            found=tr("{found:.3f} bits per pixel", found=answers.bits_per_pixel),
            needed=tr("at least {least:.3f} bits per pixel", least=LEAST_BITS_PER_PIXEL),
            passed=answers.bits_per_pixel >= LEAST_BITS_PER_PIXEL,
        ),
    ]


def _reason(answers: FaceManipulationVideo, best: TrackAnswer) -> Text:
    if _looks(best) >= LEAST_USABLE_LOOKS:
        return tr(
            "{found:.3f} bits per pixel; {least:.3f} needed",
            found=answers.bits_per_pixel,
            least=LEAST_BITS_PER_PIXEL,
        )
    failures = best.lacking()
    if not failures:
        least = LEAST_USABLE_LOOKS
        return tr("{found} looks at a face; {least} needed", found=_looks(best), least=least)
    commonest = max(failures, key=lambda name: failures[name])
    return tr(
        "{found} of {looks} looks at a face can be examined, {least} needed; {count} fail "
        "{condition}",
        found=_looks(best),
        looks=best.time_s.size,
        least=LEAST_USABLE_LOOKS,
        count=failures[commonest],
        condition=failed_condition(commonest),
    )


def _features(answers: FaceManipulationVideo, strongest: TrackAnswer) -> dict[str, float]:
    windows = strongest.windows
    features = {
        "people": float(len(answers.tracks)),
        "people_examined": float(len(_examined(answers))),
        "looks": float(_looks(strongest)),
        "mean_score": float(strongest.score[strongest.usable].mean()),
        "bits_per_pixel": answers.bits_per_pixel,
    }
    if windows is not None:
        features["stretch_s"] = windows.best.end_s - windows.best.start_s
        features["stretch_mean"] = windows.best.mean
    return features


def _examined(answers: FaceManipulationVideo) -> list[TrackAnswer]:
    return [track for track in answers.tracks if track.windows is not None]


def _evidence(answers: FaceManipulationVideo) -> list[Evidence]:
    shown: list[Evidence] = []
    if answers.tracks[0].strongest is not None:
        shown += _strongest_moment(answers, answers.tracks[0].strongest)
    spans = tuple(
        Span(start_s=start, end_s=end, label=_name(index + 1))
        for index, track in enumerate(answers.tracks)
        if track.windows is not None
        for start, end in track.windows.standing_out
    )
    if spans:
        shown.append(
            Timeline(
                caption=tr("Stretches in which the network sees more alteration than chance gives"),
                duration_s=max(answers.duration_s, *(span.end_s for span in spans)),
                spans=spans,
            )
        )
    curves = enumerate(_examined(answers)[:MOST_CURVES])
    shown += [_curve(track, index + 1) for index, track in curves]
    return [*shown, _table(answers)]


def _strongest_moment(answers: FaceManipulationVideo, moment: Moment) -> list[Evidence]:
    return [
        Regions(
            caption=tr(
                "The strongest moment, at {time:.1f} s: score {score:.2f}",
                time=moment.time_s,
                score=moment.score,
            ),
            boxes=(answers.area.model_copy(update={"label": _name(1)}),),
            time_s=moment.time_s,
        ),
        HeatMap(
            caption=tr("Where the network sees alteration at that moment"),
            trace="face_manipulation",
            field="heat",
            low=0.0,
            high=1.0,
            unit=tr("share of alteration the network sees"),
            area=answers.area,
        ),
    ]


def _curve(track: TrackAnswer, number: int) -> Evidence:
    step = max(1, -(-track.time_s.size // MAX_SERIES_POINTS))
    score = np.where(track.usable, track.score, np.nan)[::step]
    marks = track.windows.standing_out if track.windows is not None else ()
    return Series(
        caption=tr(
            "Score of face {number} through the video; gaps are looks that may not count",
            number=number,
        ),
        x=tuple(np.round(track.time_s[::step], 3).tolist()),
        y=tuple(None if np.isnan(y) else round(float(y), 3) for y in score),
        x_label=tr("time in seconds"),
        y_label=tr("score of the network"),
        marks=tuple(Span(start_s=start, end_s=end) for start, end in marks),
    )


def _table(answers: FaceManipulationVideo) -> Evidence:
    return Facts(
        caption=tr("People seen and the network's answers"),
        rows=tuple(
            Fact(name=_name(index + 1), value=_described(track))
            for index, track in enumerate(answers.tracks)
        ),
    )


def _name(number: int) -> Text:
    return tr("face {number}", number=number)


def _described(track: TrackAnswer) -> Text:
    if track.windows is None:
        return tr(
            "seen for {seen:.1f} s; {usable} of {looks} looks may count, too few to examine",
            seen=track.seen_s,
            usable=_looks(track),
            looks=track.time_s.size,
        )
    best = track.windows.best
    return tr(
        "seen for {seen:.1f} s, {usable} of {looks} looks may count; strongest from {start:.1f} to "
        "{end:.1f} s with score {score:.2f}",
        seen=track.seen_s,
        usable=_looks(track),
        looks=track.time_s.size,
        start=best.start_s,
        end=best.end_s,
        score=best.score,
    )

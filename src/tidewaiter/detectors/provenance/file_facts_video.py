"""What a video file says about itself, and where its statements contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.file_facts import VideoFacts
from tidewaiter.traces.mp4_boxes import Mp4Layout, Mp4Track
from tidewaiter.traces.software import names_video_program
from tidewaiter.vocabulary import Check, Fact, Facts, Finding, MediaKind, Proposition, Text, tr

ZONE_SLACK = timedelta(hours=26)
"""Local times of two clocks differ by at most 26 hours when they mean the same moment."""
HIDDEN_S = 1.0
"""Recorded time that an edit list may leave out before it is a cut: reordered frames and
audio priming take at most a few tenths of a second."""
LENGTH_SLACK_S = 0.5
LENGTH_SLACK_SHARE = 0.02
"""Lengths stated twice may differ by both of these: rounding and the longest track."""
MAX_ROWS = 60

_CAMERA_WORDS = frozenset(
    {
        "©mak",
        "©mod",
        "com.apple.quicktime.make",
        "com.apple.quicktime.model",
        "com.android.manufacturer",
        "com.android.model",
    }
)
_PROGRAM_WORDS = frozenset({"©too", "©swr", "©enc", "com.apple.quicktime.software"})
_RECORDED = "com.apple.quicktime.creationdate"


class VideoFileFacts(Detector):
    """A table of the file's own statements, contradictions marked; never a likelihood ratio."""

    id = "provenance.file_facts_video"
    version = "1"
    proposition = Proposition.VIDEO_ALTERED
    media = frozenset({MediaKind.VIDEO})
    needs = frozenset({"file.facts"})
    looks_for = tr("contradictions between what a video file says about itself and what it is")
    speaks_when = tr("the container is MP4, QuickTime, Matroska, WebM or AVI, or names its encoder")
    score_unit = tr("none: a fact")
    limitations = (
        tr("All of this can be written by anyone with common tools; agreement proves nothing."),
        tr("Messengers and web sites write every video anew: then only their own traces remain."),
    )
    weighs = False

    def examine(self, traces: Traces) -> Finding:
        """All statements as rows, the number of contradictions as a feature."""
        facts: VideoFacts = traces["file.facts"]
        rows = list(_rows(facts))[:MAX_ROWS]
        gate = Check(
            name=tr("statements of the file"),
            found=tr("{count}", count=len(rows)),
            needed=tr("at least one"),
            passed=bool(rows),
        )
        if not rows:
            return self.not_applicable(
                tr("the container says nothing that can be read; at least one statement needed"),
                gate=[gate],
            )
        contradictions = sum(row.contradicts is not None for row in rows)
        return self.examined(
            concludes=_conclusion(facts, contradictions),
            gate=[gate],
            evidence=[Facts(caption=tr("What the file says about itself"), rows=tuple(rows))],
            features={
                "contradictions": float(contradictions),
                "program": float(bool(_program(facts))),
            },
        )


def _conclusion(facts: VideoFacts, contradictions: int) -> Text:
    program = _program(facts)
    if contradictions:
        return tr(
            "What the file says does not fit together. Contradictions marked: {count}.",
            count=contradictions,
        )
    if program:
        return tr(
            "The file names a program that writes video without a camera ({program}); nothing "
            "it says contradicts anything else.",
            program=program,
        )
    return tr("Nothing the file says about itself contradicts anything else. That proves nothing.")


def _rows(facts: VideoFacts) -> Iterator[Fact]:
    against = None
    camera = _camera(facts)
    if camera:
        yield Fact(name=tr("camera"), value=_plain(camera))
        against = tr("a program wrote this, while the file names a camera: {camera}", camera=camera)
    for name in facts.marks.names:
        yield Fact(name=tr("encoder in the stream"), value=_plain(name), contradicts=against)
    if facts.marks.signed_stream:
        value = tr("present (ONVIF media signing); not checked here")
        yield Fact(name=tr("signature in the stream"), value=value)
    if facts.mp4:
        yield from _mp4_rows(facts, facts.mp4, against)
    if facts.matroska:
        written = (
            (tr("container written by"), facts.matroska.muxer),
            (tr("program"), facts.matroska.writer),
            (tr("title"), facts.matroska.title),
        )
        yield from (Fact(name=name, value=_plain(words)) for name, words in written if words)
        if facts.matroska.created:
            yield Fact(name=tr("created"), value=_moment(facts.matroska.created))
    for name, words in facts.riff.words if facts.riff else ():
        yield Fact(name=tr("AVI entry {name}", name=name), value=_plain(words))
    for event in facts.xmp.history if facts.xmp else ():
        step = (event.action, event.when, event.software, event.details)
        yield Fact(name=tr("editing step"), value=_plain(" · ".join(word for word in step if word)))
    for problem in facts.problems:
        yield Fact(name=tr("structure"), value=problem)


def _mp4_rows(facts: VideoFacts, mp4: Mp4Layout, against: Text | None) -> Iterator[Fact]:
    if mp4.brand:
        yield Fact(name=tr("file brand"), value=_plain(" ".join((mp4.brand, *mp4.brands))))
    order = " ".join(name for name, _ in mp4.top[:14])
    yield Fact(name=tr("order of boxes"), value=_plain(order), contradicts=_ends_early(facts, mp4))
    for name, words in mp4.words:
        marked = name in _PROGRAM_WORDS and names_video_program(words) and _from_telephone(mp4)
        contradicts = against if marked else None
        yield Fact(name=_plain(name), value=_plain(words), contradicts=contradicts)
    yield from _time_rows(mp4)
    if mp4.span_s:
        value = tr("{span_s:.2f} s", span_s=mp4.span_s)
        yield Fact(name=tr("length stated"), value=value, contradicts=_other_length(mp4))
    for track in mp4.tracks:
        words = " · ".join(
            w for w in (track.kind, track.codec, track.handler, track.compressor) if w
        )
        yield Fact(name=tr("track"), value=_plain(words), contradicts=_lying_track(mp4, track))
        hidden = _hidden_s(track)
        if hidden > HIDDEN_S and not mp4.fragmented:
            yield Fact(
                name=tr("edit list"),
                value=tr("leaves out {hidden_s:.1f} s that were recorded", hidden_s=hidden),
                contradicts=tr(
                    "the video was cut without re-encoding; the rest is still in the file"
                ),
            )


def _time_rows(mp4: Mp4Layout) -> Iterator[Fact]:
    if mp4.created:
        yield Fact(name=tr("created"), value=_moment(mp4.created), contradicts=_other_birth(mp4))
    if mp4.modified and mp4.modified != mp4.created:
        against = None
        if mp4.created and mp4.modified < mp4.created - ZONE_SLACK:
            against = tr("changed before it was created")
        yield Fact(name=tr("last changed"), value=_moment(mp4.modified), contradicts=against)


def _camera(facts: VideoFacts) -> str:
    words = [
        words for name, words in (facts.mp4.words if facts.mp4 else ()) if name in _CAMERA_WORDS
    ]
    return " ".join(dict.fromkeys(words))


def _from_telephone(mp4: Mp4Layout) -> bool:
    """Telephones write their containers themselves; some drones and car cameras use FFmpeg."""
    return any(name.startswith(("com.apple.", "com.android.")) for name, _ in mp4.words)


def _program(facts: VideoFacts) -> str:
    """The first program named that writes video without a camera, or an empty string."""
    named = [*facts.marks.names]
    if facts.mp4:
        named += [words for name, words in facts.mp4.words if name in _PROGRAM_WORDS]
        named += [track.handler for track in facts.mp4.tracks]
    if facts.matroska:
        named += [facts.matroska.muxer, facts.matroska.writer]
    if facts.riff:
        named += [words for _, words in facts.riff.words]
    named += [event.software for event in (facts.xmp.history if facts.xmp else ())]
    return next((words for words in named if names_video_program(words)), "")[:60]


def _ends_early(facts: VideoFacts, mp4: Mp4Layout) -> Text | None:
    if mp4.promised_end is not None and mp4.promised_end > facts.byte_length:
        missing = mp4.promised_end - facts.byte_length
        return tr("the file ends {missing} bytes before its own boxes do", missing=missing)
    return None


def _other_birth(mp4: Mp4Layout) -> Text | None:
    """Creation times of the whole, of its tracks and of the recording, more than a day apart."""
    births = [track.created for track in mp4.tracks if track.created]
    if mp4.created and any(abs(born - mp4.created) > ZONE_SLACK for born in births):
        return tr("its tracks were created on another day")
    stated = next((words for name, words in mp4.words if name == _RECORDED), "")
    try:
        recorded = datetime.fromisoformat(stated[:19]) if stated else None
    except ValueError:
        return None
    if mp4.created and recorded and abs(mp4.created - recorded) > ZONE_SLACK:
        return tr("the recording itself is dated {recorded}", recorded=stated)
    return None


def _other_length(mp4: Mp4Layout) -> Text | None:
    longest = max((track.span_s or 0.0 for track in mp4.tracks), default=0.0)
    if mp4.fragmented or not longest or not _differ(mp4.span_s or 0.0, longest):
        return None
    return tr("the longest track has {span_s:.2f} s", span_s=longest)


def _lying_track(mp4: Mp4Layout, track: Mp4Track) -> Text | None:
    stated, summed = track.media_span_s, track.samples_span_s
    if mp4.fragmented or not stated or not summed or not _differ(stated, summed):
        return None
    return tr(
        "states {stated:.2f} s; its frames add up to {summed:.2f} s", stated=stated, summed=summed
    )


def _differ(first: float, second: float) -> bool:
    apart = abs(first - second)
    return apart > LENGTH_SLACK_S and apart > LENGTH_SLACK_SHARE * max(first, second)


def _hidden_s(track: Mp4Track) -> float:
    """Recorded seconds that no edit shows; zero for tracks without an edit list."""
    shown_parts = [(edit.media_s, edit.span_s) for edit in track.edits if edit.media_s is not None]
    if track.kind != "vide" or not shown_parts or not track.media_span_s:
        return 0.0
    covered, reached = 0.0, 0.0
    for start, span in sorted(shown_parts):
        begin = max(start, reached)
        covered += max(0.0, start + span - begin)
        reached = max(reached, start + span)
    return max(0.0, track.media_span_s - covered)


def _moment(moment: datetime) -> Text:
    return _plain(moment.strftime("%Y-%m-%d %H:%M:%S"))


def _plain(words: str) -> Text:
    return tr("{words}", words=words)

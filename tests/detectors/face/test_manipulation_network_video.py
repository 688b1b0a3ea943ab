"""The strongest stretch of any person's track counts; too few fit looks are declined."""

import numpy as np
import pytest

from tidewaiter.detectors.face.manipulation_network_video import (
    MOST_CURVES,
    ManipulationNetworkVideo,
)
from tidewaiter.traces.base import Traces
from tidewaiter.traces.face_manipulation_video import (
    LEAST_USABLE_LOOKS,
    FaceManipulationVideo,
    Moment,
    TrackAnswer,
)
from tidewaiter.traces.face_quality import FaceQuality
from tidewaiter.traces.face_windows import windows_of
from tidewaiter.vocabulary import (
    MAX_SERIES_POINTS,
    Box,
    Facts,
    HeatMap,
    MediaKind,
    Regions,
    Series,
    Status,
    Timeline,
)

GOOD = FaceQuality(150, 0.3, 45, 120, 5, -5, 0.99, 0.0)
BLURRED = FaceQuality(150, 0.01, 45, 120, 5, -5, 0.99, 0.0)


def track(number, scores, unfit=0):
    """A track with a look every 0.3 s, the last `unfit` of which are blurred."""
    scores = np.array(scores, np.float32)
    times = np.arange(scores.size) * 0.3
    usable = np.arange(scores.size) < scores.size - unfit
    rows = [(GOOD if fit else BLURRED).as_row() for fit in usable]
    windows = moment = None
    if usable.sum() >= LEAST_USABLE_LOOKS:
        windows = windows_of(times[usable], scores[usable].astype(float))
        moment = Moment(float(times[0]), 1.0, np.zeros((10, 10), "f"), np.zeros((3, 2), "f"))
    return TrackAnswer(number, times, scores, np.float32(rows), usable, times[-1], windows, moment)


def find(*tracks, bits_per_pixel=0.1, mark=""):
    """Tracks are given the strongest first, as the trace sorts them."""
    area = Box(left=0, top=0, width=200, height=200)
    answers = FaceManipulationVideo(tracks, np.zeros((8, 8), "f"), area, 60.0, bits_per_pixel, mark)
    return ManipulationNetworkVideo().find(Traces(MediaKind.VIDEO, {"face_manipulation": answers}))


def of(kind, finding):
    return [item for item in finding.evidence if isinstance(item, kind)]


def test_the_score_is_that_of_the_strongest_track():
    finding = find(track(3, [2.0] * 40), track(0, [-3.0] * 40))
    assert finding.status is Status.EXAMINED
    assert finding.score == pytest.approx(2.0)
    assert finding.features["people_examined"] == 2
    assert finding.features["stretch_s"] == pytest.approx(11.7)


def test_the_strongest_moment_comes_first_so_that_its_frame_bears_the_map():
    finding = find(track(0, [2.0] * 40))
    assert isinstance(finding.evidence[0], Regions)
    assert isinstance(finding.evidence[1], HeatMap)
    assert finding.evidence[0].time_s == 0.0
    assert finding.evidence[1].area == Box(left=0, top=0, width=200, height=200)


def test_a_short_forgery_is_marked_on_timeline_and_curve():
    scores = [-2.0] * 100 + [5.0] * 5 + [-2.0] * 100
    finding = find(track(0, scores))
    (line,) = of(Timeline, finding)
    (span,) = line.spans
    assert 29 < span.start_s < span.end_s < 33
    (curve,) = of(Series, finding)
    assert len(curve.marks) == 1


def test_a_calm_track_has_no_timeline():
    finding = find(track(0, [-3.0] * 40))
    assert finding.score < 0
    assert of(Timeline, finding) == []


def test_looks_that_may_not_count_are_gaps_in_the_curve():
    (curve,) = of(Series, find(track(0, [1.0] * 20, unfit=5)))
    assert curve.y[-5:] == (None,) * 5
    assert None not in curve.y[:-5]


def test_people_are_told_apart():
    finding = find(*(track(n, [-1.0 - n] * 40) for n in range(5)), track(9, [1.0] * 4))
    assert len(of(Series, finding)) == MOST_CURVES
    (table,) = of(Facts, finding)
    assert [str(row.name) for row in table.rows] == [f"face {n}" for n in range(1, 7)]
    assert "too few to examine" in str(table.rows[-1].value)


def test_a_long_video_fits_on_the_curve():
    (curve,) = of(Series, find(track(0, [0.0] * 5000)))
    assert len(curve.x) <= MAX_SERIES_POINTS


def test_too_few_fit_looks_are_declined_with_the_commonest_reason():
    finding = find(track(0, [5.0] * 20, unfit=17))
    assert finding.status is Status.NOT_APPLICABLE
    assert "3 of 20 looks" in str(finding.reason)
    assert "17 fail sharpness" in str(finding.reason)
    assert find(track(0, [5.0] * 3)).reason is not None


def test_a_starved_stream_is_declined():
    finding = find(track(0, [5.0] * 20), bits_per_pixel=0.001)
    assert finding.status is Status.NOT_APPLICABLE
    assert "0.001 bits per pixel" in str(finding.reason)


def test_another_network_is_another_version():
    version = ManipulationNetworkVideo.version
    assert find(track(0, [1.0] * 20), mark="+0123abcd").version == f"{version}+0123abcd"
    assert find(track(0, [1.0] * 2), mark="+0123abcd").version == f"{version}+0123abcd"


def test_it_may_never_clear_a_video():
    assert not ManipulationNetworkVideo.may_clear

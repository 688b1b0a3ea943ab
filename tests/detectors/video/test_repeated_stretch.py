from dataclasses import replace

import numpy as np
import pytest

from tidewaiter.detectors.video.repeated_stretch import RepeatedStretch
from tidewaiter.testing.scenes import ArrayVideo, conveyor_belt, moving_shapes
from tidewaiter.traces.base import Traces, collect_video
from tidewaiter.traces.repeats import ExactRun, RepeatedRun, RepeatSearch
from tidewaiter.vocabulary import MediaKind, Series, Status
from tidewaiter.vocabulary import Timeline as TimelineEvidence

RUN = RepeatedRun(start=150, end=200, lag=110, likeness=0.97, outside=0.1, moving_frames=48)
SEARCH = RepeatSearch(
    runs=(RUN,),
    exact=(),
    background_high=0.3,
    background_decade=0.08,
    comparisons=5000,
    window_frames=20,
    moving_windows=20,
    spacing=1,
    noise=0.3,
    window_time_s=np.arange(20) * 0.4,
    window_likeness=np.full(20, 0.2, np.float32),
)


@pytest.fixture(scope="module")
def timeline():
    return collect_video(ArrayVideo(moving_shapes(250, seed=1)), {"timeline"})["timeline"]


def find(timeline, **changes):
    traces = {"timeline": timeline, "repeats": replace(SEARCH, **changes)}
    return RepeatedStretch().find(Traces(MediaKind.VIDEO, traces))


def test_an_alike_run_with_an_edge_scores_and_is_shown(timeline):
    finding = find(timeline)
    assert finding.status is Status.EXAMINED
    assert finding.score == pytest.approx(48 / 20 * 12.0 - np.log10(5001), abs=0.1)
    spans = next(e for e in finding.evidence if isinstance(e, TimelineEvidence)).spans
    assert [(round(s.start_s, 2), round(s.end_s, 2)) for s in spans] == [(1.6, 3.6), (6.0, 8.0)]
    assert any(isinstance(e, Series) for e in finding.evidence)


def test_a_longer_and_a_more_alike_run_score_more(timeline):
    score = find(timeline).score
    assert find(timeline, runs=(replace(RUN, moving_frames=96),)).score > score
    assert find(timeline, runs=(replace(RUN, likeness=0.7),)).score < score


def test_no_run_scores_below_zero(timeline):
    assert find(timeline, runs=()).score < 0


def test_equal_pictures_score_three_each(timeline):
    exact = (ExactRun(start=150, end=160, lag=100, edged=True),)
    assert find(timeline, runs=(), exact=exact).score == pytest.approx(30.0)


def test_equal_pictures_without_noise_or_edge_count_nothing(timeline):
    exact = (ExactRun(start=50, end=250, lag=50, edged=False),)
    assert find(timeline, runs=(), exact=exact, noise=0.0).score < 0
    assert find(timeline, runs=(), exact=exact, noise=0.3).score > 100


def test_an_endless_repetition_is_declined_and_shown(timeline):
    endless = replace(RUN, start=110, end=250, outside=float("nan"))
    finding = find(timeline, runs=(endless,))
    assert finding.status is Status.NOT_APPLICABLE
    assert "4.4 s" in str(finding.reason)
    assert finding.evidence


def test_too_little_motion_is_declined_with_what_was_found(timeline):
    finding = find(timeline, runs=(), moving_windows=5)
    assert finding.status is Status.NOT_APPLICABLE
    assert "2.0 s of motion found; 3 s needed" in str(finding.reason)
    assert not finding.gate[0].passed


def test_a_thinned_search_says_so(timeline):
    assert len(find(timeline, spacing=5).limitations) == len(find(timeline).limitations) + 1


def test_a_conveyor_belt_is_not_called_a_loop():
    for seed, alike in ((1, 1.0), (2, 0.8), (3, 0.5)):
        clip = conveyor_belt(250, seed=seed, alike=alike)
        traces = collect_video(ArrayVideo(clip), RepeatedStretch.needs)
        finding = RepeatedStretch().find(traces)
        assert finding.status is Status.NOT_APPLICABLE or finding.score <= 3.0

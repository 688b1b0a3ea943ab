"""What workers made and judged is shown and believed; what they failed on is rejected."""

from __future__ import annotations

from tests.face_audit.making import audit, show
from tidewaiter.errors import UnfitFaces
from tidewaiter.face_audit.gate import GateAnswer
from tidewaiter.jobs.queue import Task
from tidewaiter.wiring_makers import Made, _answer


class Shows:
    """A material that shows names instead of pictures."""

    show = staticmethod(show)


def attack():
    for trial in audit().trials:
        if trial.species:
            try:
                return trial.probe, show(trial.probe).picture
            except UnfitFaces:
                continue
    raise AssertionError("no attack can be forged")


def task(state, *, result=None, error=None):
    return Task(1, "k", {}, state, 1, None, None, result, error, 1)


def test_the_gate_is_not_asked_again_about_what_a_worker_judged():
    probe, picture = attack()
    asked = []

    def gate(shown):
        asked.append(shown.sha256)
        return GateAnswer(9.0)

    made = Made(Shows(), gate, {probe.key: GateAnswer(0.5)})
    assert made.show(probe).picture == picture
    assert made.judge(picture) == made.judge(picture) == GateAnswer(0.5)
    assert not asked
    unknown = Made(Shows(), gate)
    unknown.show(probe)
    assert unknown.judge(picture) == GateAnswer(9.0)


def test_an_answer_comes_back_from_a_worker_as_it_was():
    said = {"score": None, "problem": "turned away", "declined": True, "unavailable": False}
    assert _answer(task("done", result=said)) == GateAnswer(None, "turned away", declined=True)


def test_a_picture_on_which_a_worker_failed_has_no_score_and_says_why():
    failed = _answer(task("failed", error={"type": "LimitExceeded", "message": "over 30 s"}))
    assert failed == GateAnswer(None, "over 30 s")
    assert _answer(task("done", result={})).score is None

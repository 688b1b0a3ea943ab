"""One suite over every adapter: it compares, tells outcomes apart, keeps limits and secrets."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from PIL import Image

from tests.conformance.made_faces import (
    GREY,
    KEY,
    LOCAL,
    REMOTE,
    SCALE,
    MadeFaces,
    bench,
    blank,
    encoded,
    made,
    morph,
)
from tidewaiter.errors import ConfigurationError
from tidewaiter.face_audit.embedding import FaceMemory
from tidewaiter.face_audit.service import COMPARED, Outcome, Picture
from tidewaiter.face_audit.services.azure import FACE_ID_LIFE_S
from tidewaiter.face_audit.services.dlib import DlibRecogniser
from tidewaiter.face_audit.stand_in.faults import Fault
from tidewaiter.face_audit.stand_in.standing_in import Script
from tidewaiter.outlets import opening

__all__ = ["bench"]
EMBEDDED = ("dlib", "faceres")


@pytest.mark.parametrize("adapter", [*LOCAL, *REMOTE])
def test_mated_pictures_beat_impostors_and_a_morph_lies_between(adapter, bench):
    recogniser = bench(adapter).open()
    mated = recogniser.compare(made(1), made(1, 1), trial="t1")
    impostor = recogniser.compare(made(1), made(2), trial="t2")
    between = recogniser.compare(made(1), morph(1, 2), trial="t3")
    assert mated.outcome is Outcome.MATCH
    assert impostor.outcome is Outcome.NO_MATCH
    assert mated.score > between.score > impostor.score
    assert mated.score >= recogniser.card.given_threshold > impostor.score


@pytest.mark.parametrize("adapter", [*LOCAL, *REMOTE])
def test_the_same_comparison_gives_the_same_score(adapter, bench):
    recogniser = bench(adapter).open()
    first, second = (recogniser.compare(made(1), made(3), trial="t").score for _ in range(2))
    assert first == second


@pytest.mark.parametrize("adapter", [*LOCAL, *REMOTE])
def test_a_search_names_the_enrolled_person_and_nobody_else(adapter, bench):
    recogniser = bench(adapter).open("identify")
    names = ("ann 1", "bo/b", "zoë")
    for number, name in enumerate(names):
        replies = recogniser.enrol(name, [made(number), made(number, 1)])
        assert [reply.outcome for reply in replies] == [Outcome.ENROLLED] * 2
    (faceless,) = recogniser.enrol("nobody", [blank()])
    assert faceless.outcome is Outcome.NO_FACE
    for number, name in enumerate(names):
        found = _patient(lambda number=number: recogniser.search(made(number, 2), trial="s"))
        assert found.outcome is Outcome.MATCH
        assert found.returned == (name,)
        assert found.candidates[0] == (name, found.score)
    stranger = recogniser.search(made(9), trial="s")
    assert stranger.outcome is Outcome.NO_MATCH
    assert stranger.returned == ()
    assert recogniser.search(blank(), trial="s").outcome is Outcome.NO_FACE


def _patient(search):
    """As the driver does: ask again while the service says to wait."""
    reply = search()
    while reply.outcome is Outcome.THROTTLED:
        reply = search()
    return reply


@pytest.mark.parametrize("adapter", [*LOCAL, *REMOTE])
@pytest.mark.parametrize("which", ["reference", "probe"])
def test_no_face_is_not_no_match(adapter, which, bench):
    pictures = {"reference": made(1), "probe": made(1, 1), which: blank()}
    reply = bench(adapter).open().compare(**pictures, trial="t")
    assert reply.outcome is Outcome.NO_FACE
    assert reply.score is None


@pytest.mark.parametrize("adapter", ["rekognition", "azure", "rest"])
def test_a_face_below_the_minimum_is_neither_sent_nor_paid(adapter, bench):
    place = bench(adapter)
    reply = place.open().compare(made(1), made(1, side=24, noise=0), trial="t")
    assert reply.outcome is Outcome.TOO_SMALL
    assert reply.calls == 0
    assert place.stand_in.bill == {}


@pytest.mark.parametrize("adapter", REMOTE)
def test_a_picture_beyond_the_limits_is_neither_sent_nor_paid(adapter, bench):
    place = bench(adapter)
    recogniser = place.open()
    large = Picture("large.png", made(1).content + bytes(6 * 1024 * 1024))
    webm = encoded(np.full((200, 200, 3), GREY, np.uint8), "page.jp2", "JPEG2000")
    for picture, code in ((large, "file-too-large"), (webm, "format-not-taken")):
        reply = recogniser.compare(made(1), picture, trial="t")
        assert (reply.outcome, reply.service_code, reply.calls) == (Outcome.REFUSED, code, 0)
    assert place.stand_in.bill == {}


FAULTS = [
    (Fault.THROTTLED, Outcome.THROTTLED, 0),
    (Fault.SERVER_ERROR, Outcome.ERROR, 0),
    (Fault.LIMITED_ACCESS, Outcome.DENIED, 0),
    (Fault.SLOW, Outcome.ERROR, 1),
    (Fault.TRUNCATED, Outcome.ERROR, 1),
    (Fault.NOT_JSON, Outcome.ERROR, 1),
    (Fault.DROPPED, Outcome.ERROR, 1),
]


@pytest.mark.parametrize("adapter", REMOTE)
@pytest.mark.parametrize(("fault", "outcome", "billed"), FAULTS, ids=[f[0] for f in FAULTS])
def test_every_fault_has_its_outcome(adapter, fault, outcome, billed, bench):
    place = bench(adapter, Script({fault: 1.0}, slow_s=1.0, retry_after_s=7.0))
    reply = place.open(timeout_s=0.4).compare(made(1), made(1, 1), trial="t1")
    assert reply.outcome is outcome
    assert reply.score is None
    assert reply.calls == 1
    assert reply.retry_after_s == (7.0 if fault is Fault.THROTTLED else None)
    assert place.stand_in.bill == ({"t1": billed} if billed else {})


@pytest.mark.parametrize("adapter", REMOTE)
@pytest.mark.parametrize(("fault", "outcome", "billed"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_while_enrolling_or_searching_is_no_missing_face(
    adapter, fault, outcome, billed, bench
):
    script = Script({fault: 1.0}, slow_s=1.0)
    recogniser = bench(adapter, script).open("identify", timeout_s=0.4)
    (enrolled,) = recogniser.enrol("ann", [made(1)])
    assert enrolled.outcome is outcome
    assert recogniser.search(made(1), trial="t").outcome is outcome


@pytest.mark.parametrize("adapter", REMOTE)
def test_calls_are_billed_by_trial_as_the_replies_say(adapter, bench):
    place = bench(adapter)
    recogniser = place.open()
    told = {
        trial: recogniser.compare(made(1), made(2, shot), trial=trial).calls
        for shot, trial in enumerate(("aa", "bb", "cc"))
    }
    assert place.stand_in.bill == told
    assert max(told.values()) <= recogniser.price.most_calls_per_trial


@pytest.mark.parametrize("adapter", REMOTE)
def test_an_expired_key_stops_the_run(adapter, bench, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "EXPIREDKEY")
    place = bench(adapter)
    place.folder.joinpath("key").write_text("expired\n")
    keyed = {} if adapter == "rekognition" else {"key_env": "", "key_file": "key"}
    reply = place.open(**keyed).compare(made(1), made(1, 1), trial="t")
    assert reply.outcome is Outcome.DENIED


@pytest.mark.parametrize("adapter", REMOTE)
@pytest.mark.parametrize("fault", [None, *Fault])
def test_no_secret_is_in_anything_that_is_said(adapter, fault, bench, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    place = bench(adapter, Script({fault: 1.0} if fault else {}, slow_s=1.0))
    recogniser = place.open(timeout_s=0.4)
    reply = recogniser.compare(made(1), made(1, 1), trial="t")
    said = [repr(recogniser), repr(vars(recogniser)), repr(recogniser.card), repr(reply)]
    said += [caplog.text, *capfd.readouterr()]
    assert not any(KEY in text for text in said)


@pytest.mark.parametrize("adapter", REMOTE)
def test_a_stand_in_stamps_the_card(adapter, bench):
    recogniser = bench(adapter).open()
    assert not recogniser.card.test_kit
    recogniser.compare(made(1), made(2), trial="t")
    assert recogniser.card.test_kit
    assert recogniser.card.remote


@pytest.mark.parametrize("adapter", ["compreface", "azure", "rest"])
def test_nobody_at_the_address_is_an_error_that_may_pass(adapter, bench):
    place = bench(adapter)
    place.address = "http://127.0.0.1:9"
    reply = place.open().compare(made(1), made(2), trial="t")
    assert (reply.outcome, reply.service_code) == (Outcome.ERROR, "connection")


def test_azure_detects_again_when_its_face_ids_are_a_day_old(bench, monkeypatch):
    clock = [1_000_000.0]
    monkeypatch.setattr("tidewaiter.outlets.opening.time.time", lambda: clock[0])
    place = bench("azure", now=lambda: clock[0])
    recogniser = place.open()
    calls = []
    for wait_s in (0, 60, FACE_ID_LIFE_S):
        clock[0] += wait_s
        reply = recogniser.compare(made(1), made(1, 1), trial="t")
        assert reply.outcome is Outcome.MATCH
        calls.append(reply.calls)
    assert calls == [3, 1, 3]


def test_azure_without_approval_is_denied_by_name(bench):
    reply = bench("azure", approved=False).open().compare(made(1), made(2), trial="t")
    assert (reply.outcome, reply.service_code) == (Outcome.DENIED, "UnsupportedFeature")
    assert reply.http == 403


def test_azure_goes_on_with_a_group_that_is_there(bench):
    place = bench("azure")
    place.open("identify").enrol("ann", [made(1)])
    again = place.open("identify")
    assert again.enrol("bob", [made(2)])[0].outcome is Outcome.ENROLLED
    assert _patient(lambda: again.search(made(1, 1))).returned == ("ann",)


def test_rekognition_tells_a_bad_request_from_a_missing_face(bench, monkeypatch):
    place = bench("rekognition")
    recogniser = place.open()
    # The service finds no face where ours does: the same code, but not our word for it.
    monkeypatch.setattr(MadeFaces, "embed", lambda self, pixels: None)
    reply = recogniser.compare(made(1), made(1, 1), trial="t")
    assert (reply.outcome, reply.service_code) == (Outcome.REFUSED, "InvalidParameterException")


@pytest.mark.parametrize("trial", ["die", "hang", "memory"])
def test_a_program_that_fails_is_started_again_and_reminded(trial, bench):
    recogniser = bench("exec").open("identify", timeout_s=2.0, memory_mib=1024)
    recogniser.enrol("ann", [made(1)])
    failed = recogniser.search(made(1, 1), trial=trial)
    assert failed.outcome is Outcome.ERROR
    found = recogniser.search(made(1, 2), trial="fine")
    assert found.returned == ("ann",)


def test_a_program_sees_no_environment_but_what_is_named(bench):
    plain = bench("exec").open().compare(made(1), made(2), trial="secrets")
    assert "THE_KEY" not in plain.service_code
    assert "OTHER" not in plain.service_code
    named = bench("exec").open(environment=["OTHER"]).compare(made(1), made(2), trial="secrets")
    assert "OTHER" in named.service_code


def test_a_program_that_is_not_there_is_a_mistake_of_the_protocol(bench):
    recogniser = bench("exec").open(command=["no-such-program"])
    with pytest.raises(ConfigurationError, match="cannot be started"):
        recogniser.compare(made(1), made(2))


@pytest.mark.parametrize("adapter", [*LOCAL, *REMOTE])
def test_what_is_free_and_what_is_not(adapter, bench):
    recogniser = bench(adapter).open()
    local = adapter in LOCAL
    assert recogniser.card.remote is not local
    assert recogniser.card.keeps_gallery is not local
    assert (recogniser.price.per_call == 0) is (adapter in EMBEDDED)
    assert recogniser.card.adapter == adapter


def test_the_largest_distance_accepted_is_a_threshold_of_similarity():
    strict = DlibRecogniser(MadeFaces(), given=-0.1)
    loose = DlibRecogniser(MadeFaces(), given=-1.99)
    assert strict.compare(made(1), made(2)).outcome is Outcome.NO_MATCH
    assert loose.compare(made(1), made(2)).outcome is Outcome.MATCH


@pytest.mark.shared
def test_of_several_faces_the_largest_counts_and_is_flagged(shared_data):
    pytest.importorskip("dlib", reason="dlib-bin is not installed; see the extra `audit`")
    from tidewaiter.face_audit.embedding import dlib_embedder

    folder = shared_data / "lfw_deepfunneled"
    first, second = (
        np.asarray(Image.open(folder / name / f"{name}_0001.jpg"))
        for name in ("Adrien_Brody", "Alan_Greenspan")
    )
    large = np.asarray(Image.fromarray(first).resize((400, 400)))
    both = np.full((400, 650, 3), GREY, np.uint8)
    both[:, :400], both[:250, 400:] = large, second
    recogniser = DlibRecogniser(dlib_embedder())
    alone, crowd = encoded(first, "one.png"), encoded(both, "two.png")
    reply = recogniser.compare(alone, crowd)
    assert (reply.outcome, reply.service_code) == (Outcome.MATCH, "several-faces")
    assert recogniser.compare(alone, alone).service_code == ""


@pytest.mark.shared
def test_the_embedded_recogniser_tells_people_apart(shared_data):
    pytest.importorskip("dlib", reason="dlib-bin is not installed; see the extra `audit`")
    from tidewaiter.face_audit.embedding import dlib_embedder

    recogniser = DlibRecogniser(dlib_embedder())
    folder = shared_data / "lfw_deepfunneled"
    shots = {
        name: [Picture(path.name, path.read_bytes()) for path in sorted((folder / name).iterdir())]
        for name in ("Adrien_Brody", "Al_Sharpton", "Alan_Greenspan")
    }
    for name, pictures in shots.items():
        mated = recogniser.compare(pictures[0], pictures[1])
        assert mated.outcome in COMPARED
        for other in shots.keys() - {name}:
            assert recogniser.compare(pictures[0], shots[other][0]).score < mated.score


@pytest.mark.shared
@pytest.mark.parametrize("adapter", REMOTE)
def test_real_faces_are_told_apart_over_http(adapter, bench, shared_data, monkeypatch):
    pytest.importorskip("dlib", reason="dlib-bin is not installed; see the extra `audit`")
    from tidewaiter.face_audit.embedding import dlib_embedder

    monkeypatch.setattr(opening, "dlib_embedder", dlib_embedder)
    folder = shared_data / "lfw_deepfunneled"
    mine, more, other = (
        Picture(name, (folder / name).read_bytes())
        for name in (
            "Adrien_Brody/Adrien_Brody_0001.jpg",
            "Adrien_Brody/Adrien_Brody_0002.jpg",
            "Al_Sharpton/Al_Sharpton_0001.jpg",
        )
    )
    recogniser = bench(adapter, embedder=dlib_embedder()).open(timeout_s=20.0)
    mated, impostor = recogniser.compare(mine, more), recogniser.compare(mine, other)
    assert mated.score > 0.9 * SCALE.get(adapter, 1) > impostor.score


def test_a_picture_is_decoded_once(monkeypatch):
    faces, looked = MadeFaces(), []
    monkeypatch.setattr(faces, "embed", lambda pixels: looked.append(1) or None, raising=False)
    memory = FaceMemory(faces)
    picture = made(1)
    assert memory.template(picture) is memory.template(picture) is None
    assert looked == [1]

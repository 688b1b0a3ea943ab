"""What the scores of both networks come to: a decision, calibrations, a card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tidewaiter.casework.face_card import Made, card_of, card_page
from tidewaiter.casework.face_choice import (
    FORGED,
    PICTURE_DETECTOR,
    VIDEO_DETECTOR,
    decide,
)
from tidewaiter.casework.plan import calibrations_here, terms_here
from tidewaiter.errors import InputError
from tidewaiter.opinion import network_choice
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED, read_scores

LEFT_OUT = ("morph", "swap")
MADE = Made(
    genuine_sources=50,
    crops=400,
    forged_files=0,
    held_out_sources=40,
    left_out=LEFT_OUT,
    pairs=4000,
    rate=6e-5,
    seed=0,
    base_sha256="0" * 64,
)


def folder(path: Path, content: bytes) -> Path:
    """A site's network as far as versions are told by it."""
    path.mkdir(parents=True)
    (path / "face_manipulation.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    card = {"network": {"file": "face_manipulation.onnx", "sha256": digest}}
    (path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return path


@pytest.fixture(scope="module", autouse=True)
def _few_draws():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(network_choice, "DRAWS", 100)
        yield


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks")
    return folder(path / "in use", b"old"), folder(path / "candidate", b"new")


@pytest.fixture(scope="module")
def better(networks):
    return decide(rows(networks, videos=True), networks, LEFT_OUT, Path("site"))


@pytest.fixture(scope="module")
def worse(networks):
    return decide(rows(networks, shift=-1.0), networks, LEFT_OUT, Path("site"))


def rows(networks, *, shift=1.0, sources=60, species=LEFT_OUT, videos=False):
    """Forged scores 2 above genuine ones in use, `shift` more with the candidate."""
    rng = np.random.default_rng(3)
    found = []
    for source in range(sources):
        for name, ways in ((PICTURE_DETECTOR, ("saved", "jpeg 50")), (VIDEO_DETECTOR, ("clip",))):
            if name == VIDEO_DETECTOR and not videos:
                continue
            for kind in ("", *species):
                for way in ways:
                    score = rng.normal() + 2 * bool(kind)
                    found += [
                        entry(networks[0], name, source, kind, way, score),
                        entry(networks[1], name, source, kind, way, score + shift * bool(kind)),
                    ]
    return found


def entry(network, detector, source, species, way, score):
    return {
        "detector": detector,
        "version": terms_here(network)[detector].version,
        "item": f"{source}/{species}",
        "source": f"person {source}",
        "label": MANIPULATED if species else AS_ISSUED,
        "species": species,
        "shipping": way,
        "status": "examined",
        "score": score,
    }


def test_a_better_network_is_accepted_with_a_calibration_of_its_version(better, networks):
    assert better.accepted, better.choice.sentence
    calibration = better.calibrations[0]
    assert calibration.members[0].version == terms_here(networks[1])[PICTURE_DETECTOR].version
    assert calibration.origin == "site"
    assert calibration.spoken_upper <= np.log10(61)


def test_its_calibration_speaks_where_the_network_is_used_and_nowhere_else(better, networks):
    for name, text in better.files.items():
        path = networks[1] / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".csv":
            assert read_scores(text).detectors
        path.write_text(text, encoding="utf-8")
    ids = {entry.id for entry in better.calibrations}
    assert ids <= {entry.id for entry in calibrations_here(face_network=networks[1]).usable}
    assert not ids & {entry.id for entry in calibrations_here(face_network=networks[0]).usable}


def test_each_left_out_family_is_compared_and_all_together(better):
    compared = [comparison.forgery for comparison in better.choice.comparisons]
    assert compared == ["morph + swap", "morph", "swap"]


def test_forged_files_of_the_site_count_from_ten_sources(networks, tmp_path):
    few = rows(networks, sources=40) + rows(networks, sources=9, species=(FORGED,))
    many = rows(networks, sources=40) + rows(networks, sources=12, species=(FORGED,))
    for given, counts in ((few, False), (many, True)):
        compared = decide(given, networks, LEFT_OUT, tmp_path / "site").choice.comparisons
        assert any(entry.forgery == FORGED for entry in compared) is counts


def test_a_worse_network_is_refused(worse):
    assert not worse.accepted
    assert str(worse.choice.sentence).startswith("refused: on held-out forgeries")


def test_a_network_that_could_not_support_manipulation_is_refused(networks, tmp_path):
    """Nine sources support a likelihood ratio of ten at the very most."""
    given = rows(networks, sources=8, shift=8.0)
    decision = decide(given, networks, LEFT_OUT, tmp_path / "site")
    assert not decision.accepted
    assert "10 is needed to support manipulation" in str(decision.choice.sentence)


def test_clips_give_the_video_detector_its_calibration(better, worse):
    assert {entry.members[0].detector for entry in better.calibrations} == {
        PICTURE_DETECTOR,
        VIDEO_DETECTOR,
    }
    assert str(better.sentences[-1]).startswith("videos: likelihood ratio at most")
    assert "no calibration" in str(worse.sentences[-1])


def test_the_same_network_again_is_no_fit(networks, tmp_path):
    with pytest.raises(InputError, match="changed nothing"):
        decide(rows(networks), (networks[0], networks[0]), LEFT_OUT, tmp_path / "site")


def test_items_that_nobody_could_examine_decide_nothing(networks, tmp_path):
    silent = [{**row, "status": "not_applicable", "score": None} for row in rows(networks)]
    with pytest.raises(InputError, match="could be examined"):
        decide(silent, networks, LEFT_OUT, tmp_path / "site")


def test_the_card_says_what_was_decided_and_on_what(better):
    card = json.loads(json.dumps(card_of(MADE, better, "ab" * 32)))
    page = card_page(card)
    assert card["network"] == {"file": "face_manipulation.onnx", "sha256": "ab" * 32}
    assert card["accepted"] is True
    for needed in ("morph, swap", "50 sources", "seed 0", "ab" * 32, "## What it does not show"):
        assert needed in page
    lead = better.choice.comparisons[0]
    assert f"{lead.auc_after.value:.3f} ({lead.auc_after.lower:.3f}" in page
    assert page.count("\n| ") == 1 + len(better.choice.comparisons)


def test_the_card_of_a_refused_network_begins_with_the_refusal(worse):
    page = card_page(card_of(replace(MADE, pairs=16), worse, "ab" * 32))
    assert page.splitlines()[2].startswith("**Refused: on held-out forgeries")

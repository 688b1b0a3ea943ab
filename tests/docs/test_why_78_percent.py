"""Every figure in the words of the page is one of the committed replay."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

from tidewaiter.face_audit.replay import Replay

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/why-78-percent.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.replace("*", "").split())
REPLAY = Replay.model_validate_json(
    (ROOT / "benchmarks/face_audit/results/replay.json").read_bytes()
)
VOX1, VOX2, FOM, CELEBDF, FACEAPP, AZURE, AMAZON = REPLAY.files


def test_the_rates_in_the_words_are_those_of_the_replay():
    naive = 196 * math.sqrt(VOX1.hits.percent / 100 * (1 - VOX1.hits.percent / 100) / VOX1.answers)
    rates = sorted(file.hits.percent for file in REPLAY.files)
    for sentence in (
        f"{VOX1.hits.count:,} of {VOX1.answers:,}",
        f"Counted strictly it is {VOX1.hits.percent:.2f} %",
        f"any name at all, {VOX1.any_name.percent:.2f} %",
        f"The others run from {rates[0]:.2f} % to {rates[-2]:.2f} %",
        f"{VOX1.hits.percent:.2f} % would be known to ± {naive:.1f} points",
        f"between {VOX1.clustered.lower:.2f} and {VOX1.clustered.upper:.2f} %",
        f"from {FACEAPP.clustered.lower:.2f} to {FACEAPP.clustered.upper:.2f} %",
        f"with {FACEAPP.people} people",
        f"{AZURE.hits.percent:.2f} % named by one vendor, {AMAZON.hits.percent:.2f} % by the other",
        f"another person's name to {AMAZON.wrong_names.percent:.2f} %",
        f"called {AZURE.similarity[0].share.percent:.2f} % of them similar",
        f"the second {AMAZON.similarity[0].share.percent:.2f} %",
        f"score of 80, and {AMAZON.similarity[3].share.percent:.2f} % at 99",
        f"from {VOX2.hits.percent:.2f} to {VOX2.alias_hits.percent:.2f} %",
        f"“{VOX1.people_hit + VOX2.people_hit} of {VOX1.people + VOX2.people} celebrities”",
        f"its {CELEBDF.similarity[0].share.percent:.2f} % is no success",
    ):
        assert sentence in WORDS, sentence
    assert CELEBDF.similarity_with_host
    assert FOM.hits.percent == rates[-2]


def test_no_rate_in_the_words_is_without_its_row():
    known = {
        f"{value:.2f}"
        for file in REPLAY.files
        for value in (
            file.hits.percent,
            file.any_name.percent,
            file.wrong_names.percent,
            file.clustered.lower,
            file.clustered.upper,
            *([file.alias_hits.percent] if file.alias_hits else []),
            *(share.share.percent for share in file.similarity),
        )
    }
    assert set(re.findall(r"\d+\.\d\d\b", PAGE)) <= known


def test_the_coverage_in_the_words_is_the_measured_one():
    file = ROOT / "benchmarks/face_audit/results/coverage.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    own, published, naive = (
        record["order"].index(name) for name in ("clustered", "Korn-Graubard", "naive")
    )
    equal, unequal = (
        [shares for name, shares in record["one-way"].items() if name.startswith(kind)]
        for kind in ("equal,", "unequal,")
    )
    short = [shares[naive] for shares in equal]
    said = (
        f"the textbook interval held the truth in {min(short):.0f} to {max(short):.0f} % of cases"
    )
    assert said in WORDS
    least = min(shares[published] for shares in equal)
    assert f"the interval by person in at least {least:.0f} %" in WORDS
    least = min(shares[published] for shares in unequal)
    assert f"differ as they do here it holds in at least {least:.0f} %" in WORDS
    least = min(shares[own] for shares in unequal)
    assert f"in at least {least:.0f} % there too" in WORDS

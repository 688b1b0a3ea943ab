"""The reference follows from the code, everything public is in it, and examples run."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest

from tidewaiter.detectors.registry import all_detectors
from tidewaiter.settings import Settings
from tidewaiter.vocabulary import Noun, Proposition, Report, Status, Verdict
from tidewaiter.weights.own import shipped_network

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def regenerated() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("regenerate", DOCS / "regenerate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize(
    "name",
    [
        "reference/cli.md",
        "reference/settings.md",
        "reference/exit-codes.md",
        "detectors.md",
        "explanation/why-78-percent.md",
    ],
)
def test_a_generated_page_is_what_the_code_says(name):
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == regenerated()[name], f"run: python docs/regenerate.py ({name})"


def test_the_example_of_the_settings_page_is_accepted():
    page = (DOCS / "reference/settings.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", page, re.DOTALL).group(1)
    assert Settings.model_validate(tomllib.loads(example)).language == "fr"


def test_every_detector_has_its_section():
    page = (DOCS / "detectors.md").read_text(encoding="utf-8")
    for detector in all_detectors():
        assert f"## `{detector}`" in page


def test_the_glossary_holds_every_noun_of_the_vocabulary():
    glossary = (DOCS / "glossary.md").read_text(encoding="utf-8").lower()
    nouns = {"exhibit", "trace", "finding", "proposition", "opinion", "report", "verdict"}
    nouns |= {"calibration", "validity domain", "likelihood ratio", "stability", "evidence"}
    for noun in nouns:
        assert f"**{noun}**" in glossary, noun
    for word in [*Proposition, *Status, *Verdict]:
        assert f"`{word.value}`" in glossary, word.value


def test_the_json_page_names_every_field_of_a_report():
    page = (DOCS / "reference/report-json.md").read_text(encoding="utf-8")
    schema = Report.model_json_schema(mode="serialization")
    wanted = {"Exhibit", "Finding", "Opinion", "Stability", "Versions", "Contribution", "Check"}
    for name in wanted:
        for field in schema["$defs"][name]["properties"]:
            assert f"`{field}`" in page, f"{name}.{field}"
    assert issubclass(Report, Noun)


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_adr_records_are_short_and_say_how_they_could_be_wrong():
    records = sorted((DOCS / "adr").glob("*.md"))
    assert records
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert text.count("\n") <= 60, record.name
        assert "## How this could be wrong" in text, record.name


def test_benchmark_results_are_valid_json():
    results = sorted((ROOT / "benchmarks").rglob("results/*.json"))
    assert results
    for file in results:
        json.loads(file.read_text(encoding="utf-8"))


def test_the_page_of_results_is_what_the_results_say():
    path = ROOT / "benchmarks" / "results_page.py"
    spec = importlib.util.spec_from_file_location("results_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    assert written == module.page(), "run: python benchmarks/results_page.py"


def test_the_card_of_the_face_network_is_what_the_results_say():
    path = ROOT / "benchmarks" / "detection" / "face_network" / "card.py"
    spec = importlib.util.spec_from_file_location("card", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = {file.name: file.read_text(encoding="utf-8") for file in module.CARDS.iterdir()}
    assert written == module.pages(), "run: python benchmarks/detection/face_network/card.py"
    shipped = json.loads((module.RESULTS / "network.json").read_text(encoding="utf-8"))
    assert shipped["sha256"] == shipped_network().sha256, "the figures are of another network"

"""One suite that holds every detector to the same rules."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tidewaiter.detectors as folder
from tidewaiter.detectors.registry import all_detectors
from tidewaiter.media.material import Picture
from tidewaiter.opinion.loading import load_calibrations
from tidewaiter.opinion.weighing import weigh
from tidewaiter.traces.base import (
    Traces,
    Untaken,
    collect_picture,
    in_order,
    picture_traces,
    video_traces,
)
from tidewaiter.vocabulary import Exhibit, MediaKind, Status, Text, tr

DETECTORS = list(all_detectors().values())
IDS = [detector.id for detector in DETECTORS]
every_detector = pytest.mark.parametrize("detector", DETECTORS, ids=IDS)


def picture(rgb: np.ndarray) -> Picture:
    exhibit = Exhibit(
        sha256="0" * 64, byte_length=1, name="x.png", kind=MediaKind.PICTURE, media_type="image/png"
    )
    return Picture(exhibit, b"", "PNG", rgb)


@every_detector
def test_the_file_names_the_detector(detector):
    path = Path(inspect.getfile(type(detector)))
    assert detector.id == f"{path.parent.name}.{path.stem}"


@every_detector
def test_it_says_what_a_reader_needs(detector):
    for text in (detector.looks_for, detector.speaks_when, detector.score_unit):
        assert isinstance(text, Text)
        assert text.template.strip()
    assert detector.limitations, "every detector has limits"
    assert not re.search(r"\bfake\b", " ".join(str(t) for t in detector.limitations), re.IGNORECASE)
    assert re.fullmatch(r"[0-9]+", detector.version)


@every_detector
def test_it_needs_traces_that_exist_for_its_kinds(detector):
    assert detector.needs
    for kind in detector.media:
        known = picture_traces() if kind is MediaKind.PICTURE else video_traces()
        assert detector.needs <= known.keys(), kind
        assert set(in_order(detector.needs, known)) >= detector.needs


@every_detector
@pytest.mark.parametrize("status", [Status.UNAVAILABLE, Status.FAILED, Status.NOT_APPLICABLE])
def test_an_untaken_trace_is_passed_on_with_its_reason(detector, status):
    reason = tr("because of {x}", x=1)
    for kind in detector.media:
        traces = Traces(kind, {name: Untaken(status, reason) for name in detector.needs})
        finding = detector.find(traces)
        assert (finding.status, finding.reason) == (status, reason)


@every_detector
def test_a_crash_is_a_failed_finding_with_a_reason(detector):
    kind = min(detector.media)
    finding = detector.find(Traces(kind, {name: object() for name in detector.needs}))
    assert finding.status is Status.FAILED
    assert finding.reason is not None


@every_detector
def test_another_kind_of_material_is_not_applicable(detector):
    assert detector.find(Traces(MediaKind.SOUND, {})).status is Status.NOT_APPLICABLE


@every_detector
def test_it_has_a_test_of_its_own(detector):
    group, name = detector.id.split(".")
    tests = Path(__file__).parents[1] / "detectors" / group
    texts = [path.read_text(encoding="utf-8") for path in tests.glob("test_*.py")]
    pattern = rf"from tidewaiter\.detectors\.{group}(\.{name}\b| import .*\b{name}\b)"
    assert any(re.search(pattern, text) for text in texts), f"no test imports {detector.id}"


@every_detector
def test_it_opens_nothing_and_asks_no_clock(detector):
    source = Path(inspect.getfile(type(detector))).read_text(encoding="utf-8")
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
    }
    assert not imported & {"os", "time", "random", "socket", "subprocess", "av", "PIL", "cv2"}


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        np.full((40, 300, 3), 255, np.uint8),
        np.full((200, 200, 3), 128, np.uint8),
        np.random.default_rng(1).integers(0, 256, (150, 151, 3)).astype(np.uint8),
    ],
    ids=["one pixel", "black", "white strip", "grey", "noise"],
)
def test_degenerate_pictures_end_in_a_status_and_support_nothing(rgb):
    detectors = [d for d in DETECTORS if MediaKind.PICTURE in d.media]
    needs = {need for detector in detectors for need in detector.needs}
    traces = collect_picture(picture(rgb), needs)
    findings = [detector.find(traces) for detector in detectors]
    assert not [f for f in findings if f.status is Status.FAILED]
    versions = {d.id: d.version for d in DETECTORS}
    opinions = weigh(findings, load_calibrations(versions).usable, kind=MediaKind.PICTURE)
    assert {o.verdict.value for o in opinions} <= {"cannot tell"}


def test_every_file_below_the_folder_is_found():
    root = Path(folder.__file__).parent
    files = {f"{p.parent.name}.{p.stem}" for p in root.glob("*/*.py") if p.stem != "__init__"}
    assert files == set(IDS)


def test_importing_detectors_loads_nothing_heavy():
    program = (
        "import sys; from tidewaiter.detectors.registry import all_detectors; all_detectors();"
        "print(sorted({'cv2', 'av', 'openvino', 'c2pa', 'scipy.stats'} & set(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert out.stdout.strip() == "[]", out.stdout + out.stderr

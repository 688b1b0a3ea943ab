"""A site's own face network takes the place of the shipped one, calibrations included."""

import hashlib
import json
import shutil

import pytest

from tests.opinion.making import calibration
from tidewaiter.casework.listing import list_detectors
from tidewaiter.casework.plan import (
    Plan,
    calibrations_of,
    installed_versions,
    plan_for,
    terms_here,
    trace_options,
    versions_of,
)
from tidewaiter.errors import ConfigurationError
from tidewaiter.opinion.calibration import Member
from tidewaiter.opinion.loading import dump_calibration, load_calibrations
from tidewaiter.settings import Settings
from tidewaiter.traces.face_network import FACE_NETWORK
from tidewaiter.vocabulary import Proposition
from tidewaiter.weights.own import site_network

RUN_BY_IT = ("face.manipulation_network", "face.manipulation_network_video")


@pytest.fixture
def site(untrained_site, tmp_path):
    return shutil.copytree(untrained_site, tmp_path / "site")


def calibrate(site, version):
    entry = calibration(
        origin="site",
        proposition=Proposition.FACE_MANIPULATED,
        members=(Member(detector=RUN_BY_IT[0], version=version),),
        may_clear=False,
        cap=None,
    )
    (site / "calibrations").mkdir(exist_ok=True)
    (site / "calibrations" / "one.json").write_text(dump_calibration(entry), encoding="utf-8")
    return entry


def test_traces_get_the_network_the_settings_name(site):
    plan = plan_for(Settings(face_network=site))
    assert trace_options(plan)[FACE_NETWORK] == site_network(site)
    assert FACE_NETWORK not in trace_options(Plan())


def test_only_detectors_that_run_it_are_marked(site):
    plain, marked = installed_versions(), installed_versions(site)
    mark = site_network(site).mark
    assert {name for name in plain if plain[name] != marked[name]} == set(RUN_BY_IT)
    assert all(marked[name] == plain[name] + mark for name in RUN_BY_IT)
    assert {terms.version for terms in terms_here(site).values()} >= {
        marked[name] for name in RUN_BY_IT
    }
    listed = {entry.id: entry.version for entry in list_detectors(face_network=site)}
    assert listed == marked


def test_the_report_names_the_networks_digest(site):
    models = versions_of(Plan(face_network=site)).models
    assert models["face_manipulation"] == site_network(site).sha256
    assert "yunet" in models


def test_its_own_calibration_speaks_and_one_of_another_network_does_not(site):
    mark = site_network(site).mark
    version = installed_versions()[RUN_BY_IT[0]]
    entry = calibrate(site, f"{version}{mark}")
    assert entry in calibrations_of(Plan(face_network=site)).usable
    calibrate(site, f"{version}+00000000")
    found = calibrations_of(Plan(face_network=site))
    assert entry.id not in {usable.id for usable in found.usable}
    assert "fitted on" in str(found.ignored[0].reason)


def test_shipped_calibrations_of_a_replaced_detector_are_not_asked_for():
    detector = "image.jpeg_grid"
    versions = installed_versions()
    known = load_calibrations(versions)
    left = load_calibrations(versions, replaced=(detector,))
    gone = {c.id for c in known.usable} - {c.id for c in left.usable}
    assert [name for name in gone if not name.startswith(detector)] == []
    assert gone
    assert left.ignored == known.ignored


def test_another_network_is_another_plan(site):
    before = Plan(face_network=site).fingerprint()
    assert before != Plan().fingerprint()
    path = site / "face_manipulation.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ConfigurationError, match="its card says"):
        Plan(face_network=site).fingerprint()
    card = json.loads((site / "card.json").read_text(encoding="utf-8"))
    card["network"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (site / "card.json").write_text(json.dumps(card), encoding="utf-8")
    assert Plan(face_network=site).fingerprint() != before

"""Enter examinations into the custody log: which exhibit, which report, made with what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from tidewaiter.casework.custody_site import Site
from tidewaiter.casework.ports import Outcome
from tidewaiter.custody.record import canonical
from tidewaiter.wiring_custody import Outcome as Confirmed
from tidewaiter.wiring_custody import confirm
from tidewaiter.wiring_custody_site import SitePlace, opened_site


def log_examinations(place: SitePlace, folder: Path, outcomes: Sequence[Outcome]) -> list[int]:
    """An entry for every exhibit that has a report in `folder`; gives their indices in the log.

    The entry holds the SHA-256 of the exhibit and of its JSON report, and the versions in the
    report. An exhibit in custody is named by its recording.
    """
    with opened_site(place) as site:
        entries = [
            site.say("examination", _fields(site, folder / one.json_file))
            for one in outcomes
            if one.json_file
        ]
        confirm(place, site, Confirmed())
    return [one.index for one in entries]


def _fields(site: Site, path: Path) -> dict[str, str]:
    text = path.read_bytes()
    report = json.loads(text)
    exhibit = str(report["exhibit"]["sha256"])
    versions = {str(name): str(value) for name, value in report["versions"].items()}
    fields = {
        "exhibit": exhibit,
        "report": hashlib.sha256(text).hexdigest(),
        "software": canonical(versions).decode("utf-8"),
    }
    recording = site.agent.taken(exhibit)
    return fields | ({"recording": recording} if recording else {})

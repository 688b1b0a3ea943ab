"""Read calibrations: those of the package and a site's own, which go first."""

from __future__ import annotations

import importlib.resources
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from tidewaiter.errors import ConfigurationError
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.cues import Terms
from tidewaiter.vocabulary import Text, tr

# No calibration needs more; a larger file is not one.
MAX_FILE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Ignored:
    """A calibration that was read but must not be used here, and why."""

    id: str
    reason: Text


@dataclass(frozen=True)
class Calibrations:
    """The calibrations that may speak on this installation, and those that may not."""

    usable: tuple[Calibration, ...]
    ignored: tuple[Ignored, ...] = ()


def load_calibrations(
    versions: Mapping[str, str],
    *sites: Path,
    shipped: bool = True,
    terms: Mapping[str, Terms] | None = None,
    replaced: Collection[str] = (),
) -> Calibrations:
    """The shipped calibrations and those of the site folders.

    `versions` is every installed detector's version; a calibration of another version, or
    of a detector that is not installed, is ignored with its reason. So is one that lets a
    detector say more than its `terms` allow (`terms_of` every detector). A site calibration
    replaces a shipped one of the same id; shipped ones of `replaced` detectors, to which a
    site gave another network, are not asked for. Raises `ConfigurationError` naming the file that
    cannot be read.
    """
    entries = {
        entry.id: entry
        for entry in (_read_folder(_shipped()) if shipped else ())
        if not any(member.detector in replaced for member in entry.members)
    }
    for site in sites:
        entries |= {entry.id: entry for entry in _read_folder(_site_folder(site))}
    usable: list[Calibration] = []
    ignored: list[Ignored] = []
    for entry in sorted(entries.values(), key=lambda e: (e.origin != "site", e.id)):
        reason = _unfit(entry, versions) or (_beyond(entry, terms) if terms is not None else None)
        if reason is None:
            usable.append(entry)
        else:
            ignored.append(Ignored(entry.id, reason))
    return Calibrations(tuple(usable), tuple(ignored))


def parse_calibration(text: str, name: str) -> Calibration:
    """A calibration from its JSON; `name` is for the message of the `ConfigurationError`."""
    try:
        return Calibration.model_validate_json(text)
    except (ValidationError, RecursionError) as error:
        raise ConfigurationError(
            f"calibration {name} cannot be used: {_first_problem(error)}; "
            "make it anew with its recipe or with `tidewaiter calibrate`, or remove the file"
        ) from error


def dump_calibration(calibration: Calibration) -> str:
    """The JSON of a calibration file, the same for the same calibration."""
    return calibration.model_dump_json(indent=1) + "\n"


def _shipped() -> Traversable:
    return importlib.resources.files("tidewaiter.opinion") / "calibrations"


def _site_folder(site: Path) -> Path:
    if not site.is_dir():
        raise ConfigurationError(
            f"{site} is not a folder; the setting `calibrations` needs the folder that "
            "`tidewaiter calibrate --out` wrote"
        )
    return site


def _read_folder(folder: Traversable) -> Iterable[Calibration]:
    if not folder.is_dir():
        return
    try:
        files = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise ConfigurationError(
            f"the folder of calibrations {folder.name} cannot be listed ({error.strerror}); "
            "ask for the permission or correct the setting `calibrations`"
        ) from error
    for file in files:
        if file.name.endswith(".json"):
            yield parse_calibration(_text(file), file.name)


def _text(file: Traversable) -> str:
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise ConfigurationError(
                f"calibration {file.name} has more than {MAX_FILE_BYTES} bytes; "
                "no calibration needs that many, remove the file"
            )
        return raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"calibration {file.name} cannot be read: {error}; UTF-8 JSON is needed"
        ) from error


def _first_problem(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{place}: {first['msg']}"


def _unfit(entry: Calibration, versions: Mapping[str, str]) -> Text | None:
    for member in entry.members:
        installed = versions.get(member.detector)
        if installed is None:
            return tr("{detector} is not installed", detector=member.detector)
        if installed != member.version:
            return tr(
                "{detector} has version {installed}; this calibration was fitted on {needed}",
                detector=member.detector,
                installed=installed,
                needed=member.version,
            )
    return None


def _beyond(entry: Calibration, terms: Mapping[str, Terms]) -> Text | None:
    """Why a calibration says more than its detectors may by their design; None if it does not."""
    own = {member.detector: terms.get(member.detector) for member in entry.members}
    for detector, granted in own.items():
        if granted is None or granted.proposition is not entry.proposition:
            return tr(
                "{detector} carries no likelihood ratio about {proposition}",
                detector=detector,
                proposition=entry.proposition.value,
            )
    if entry.may_clear and not any(granted and granted.may_clear for granted in own.values()):
        return tr("{detector} may never speak for a file", detector=", ".join(own))
    caps = [granted.cap for granted in own.values() if granted and granted.cap is not None]
    if not entry.is_fusion and caps and max(entry.spoken_upper, -entry.spoken_lower) > caps[0]:
        return tr(
            "{detector} may never say more than log10 LR {cap:.2f}; this calibration says "
            "up to {found:.2f}",
            detector=entry.members[0].detector,
            cap=caps[0],
            found=max(entry.spoken_upper, -entry.spoken_lower),
        )
    return None

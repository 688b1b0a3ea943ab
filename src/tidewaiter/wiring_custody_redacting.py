"""Check a redacted copy against its recording, and log it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidewaiter import __version__
from tidewaiter.casework.custody_redacting import PARTS_OF_A_WHOLE, Redaction, ask_to_redact
from tidewaiter.casework.custody_site import Placed, Site, manifest_entry
from tidewaiter.casework.custody_taking import plain_parts
from tidewaiter.custody.differences import Comparison
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.masks import Mask
from tidewaiter.custody.record import parse_record
from tidewaiter.errors import ExaminationError, InputError, IntegrityError, TidewaiterError
from tidewaiter.settings import Settings
from tidewaiter.storage.reports import write_parts
from tidewaiter.wiring_compare import MANIFEST_SUFFIX, compare_files
from tidewaiter.wiring_custody_deciding import Decided, settle
from tidewaiter.wiring_custody_files import handed_in
from tidewaiter.wiring_custody_site import SitePlace, opened_site, readable_site


@dataclass(frozen=True)
class Wanted:
    """A redacted copy that somebody wants logged: of which recording, what it hides, why."""

    recording: str
    copy: Path
    masks: tuple[Mask, ...]
    basis: str


def redact_copy(
    place: SitePlace, wanted: Wanted, settings: Settings, approvers: Sequence[Path] = ()
) -> Decided:
    """Log a redacted copy of a recording once two people approve.

    Raises IntegrityError where something differs outside the masks, ExaminationError where that
    cannot be told, InputError for a copy that hides nothing.
    """
    with opened_site(place) as site:
        found = _compared(site, wanted, settings)
        _must_be_faithful(wanted.copy.name, found)
        (handed,) = handed_in([wanted.copy], settings)
        redaction = Redaction(
            source=wanted.recording,
            masks=[_logged(mask) for mask in wanted.masks],
            basis=wanted.basis,
            tool=f"checked by tidewaiter {__version__}, thresholds {found.thresholds or 'none'}",
        )
        return settle(place, site, ask_to_redact(site, redaction, handed), approvers)


def audit_redactions(place: SitePlace, settings: Settings) -> tuple[list[Discrepancy], list[str]]:
    """Compare every redacted copy that can be opened with the manifest of its recording.

    Gives what is not faithful, and a line on each copy that could not be compared. The copy's
    fingerprints are taken anew: a manifest that was kept with it is its maker's word.
    """
    found: list[Discrepancy] = []
    untold: list[str] = []
    with readable_site(place) as site:
        for placed in _derivations(site):
            name = str(placed.record.fields["result"])
            try:
                verdict = _judged(site, placed, settings)
            except TidewaiterError as error:
                untold.append(f"{name}: {error}")
                continue
            if verdict.verdict == "altered":
                found.append(_unfaithful(placed, verdict))
            elif verdict.verdict == "cannot_tell":
                untold.append(f"{name}: {'; '.join(verdict.notes) or 'no fingerprints'}")
    return found, untold


def parse_mask(text: str) -> Mask:
    """A mask `FROM-TO,LEFT,TOP,RIGHT,BOTTOM` in seconds and percent. Raises InputError."""
    try:
        span, *box = text.split(",")
        start, end = (float(part) for part in span.split("-"))
        left, top, right, bottom = (float(part) / 100 for part in box)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no mask like 2.5-8,10,20,40,60: seconds from and to, then left, top, "
            "right and bottom in percent of the picture"
        ) from error
    if not (0 <= start < end and 0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise InputError(f"{text!r}: a mask ends after it begins, within the picture")
    return Mask(start, end, left, top, right, bottom)


def _compared(site: Site, wanted: Wanted, settings: Settings) -> Comparison:
    record = manifest_entry(site.store, wanted.recording)
    with tempfile.TemporaryDirectory(prefix="tidewaiter-redaction-") as folder:
        manifest = Path(folder) / f"original{MANIFEST_SUFFIX}"
        write_parts(manifest, plain_parts(site, wanted.recording, record, "manifest"))
        return compare_files(manifest, wanted.copy, settings, masks=wanted.masks).comparison


def _derivations(site: Site) -> list[Placed]:
    """Entries of redacted copies that were not erased, nor their recordings."""
    return [
        Placed(leaf.index, record)
        for leaf in site.store.leaves_with([b'"kind":"derive"'])
        if (record := parse_record(leaf.body)).kind == "derive"
        and site.secrets.wrapped_key(record.recording) is not None
        and site.secrets.wrapped_key(record.fields["result"]) is not None
    ]


def _judged(site: Site, placed: Placed, settings: Settings) -> Comparison:
    record = placed.record
    with tempfile.TemporaryDirectory(prefix="tidewaiter-redaction-") as folder:
        copy = Path(folder) / "copy"
        write_parts(copy, plain_parts(site, record.fields["result"], record, "media"))
        masks = tuple(_mask_of(fields) for fields in record.fields.get("masks", ()))
        return _compared(site, Wanted(record.recording, copy, masks, ""), settings)


def _unfaithful(placed: Placed, found: Comparison) -> Discrepancy:
    fields, index = placed.record.fields, placed.index
    text = (
        f"the redacted copy {fields['result']} differs from {placed.record.recording} outside "
        f"its masks ({_where(found)})"
    )
    return Discrepancy("redaction-not-faithful", text, index, index, (placed.record.device,))


def _where(found: Comparison) -> str:
    return "; ".join(
        f"{one.kind} at {one.copy.start_s:.1f} to {one.copy.end_s:.1f} s"
        for one in found.differences[:5]
    )


def _must_be_faithful(name: str, found: Comparison) -> None:
    if found.verdict == "altered":
        raise IntegrityError(
            f"redaction-not-faithful: {name} differs from its recording outside the masks "
            f"({_where(found)}); it was not logged"
        )
    if found.verdict == "unchanged" or found.carrier == "sound_re_encoded":
        raise InputError(
            f"{name} holds the recording's own coded pictures: nothing in it is hidden"
        )
    if found.verdict != "transcoded":
        raise ExaminationError(
            f"whether {name} differs outside its masks cannot be told "
            f"({'; '.join(found.notes) or 'no fingerprints'}); it was not logged"
        )


def _mask_of(fields: Mapping[str, int]) -> Mask:
    whole = PARTS_OF_A_WHOLE
    return Mask(
        fields["from_ms"] / 1000,
        fields["to_ms"] / 1000,
        fields["x"] / whole,
        fields["y"] / whole,
        (fields["x"] + fields["width"]) / whole,
        (fields["y"] + fields["height"]) / whole,
    )


def _logged(mask: Mask) -> dict[str, int]:
    """A mask as its entry says it: milliseconds, and ten thousandths of the picture."""
    left, top = round(mask.left * PARTS_OF_A_WHOLE), round(mask.top * PARTS_OF_A_WHOLE)
    return {
        "from_ms": round(1000 * mask.start_s),
        "to_ms": round(1000 * mask.end_s),
        "x": left,
        "y": top,
        "width": round(mask.right * PARTS_OF_A_WHOLE) - left,
        "height": round(mask.bottom * PARTS_OF_A_WHOLE) - top,
    }

"""The card of a site's own face network: what it was made of and what it reached."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tidewaiter.casework.face_choice import Decision
from tidewaiter.evaluation.intervals import Interval
from tidewaiter.opinion.network_choice import Comparison
from tidewaiter.weights.own import NETWORK_FILE

LIBRARIES = ("tidewaiter", "torch", "onnx", "numpy", "opencv-python-headless")


@dataclass(frozen=True)
class Made:
    """What a network was fitted on, and how."""

    genuine_sources: int
    crops: int
    forged_files: int
    held_out_sources: int
    left_out: tuple[str, ...]
    pairs: int
    rate: float
    seed: int
    base_sha256: str


def card_of(made: Made, decision: Decision, sha256: str) -> dict[str, Any]:
    """The card as plain values; `network.sha256` is what the product checks the file against."""
    support = decision.choice.false_support
    return {
        "network": {"file": NETWORK_FILE, "sha256": sha256},
        "accepted": decision.accepted,
        "decision": str(decision.choice.sentence),
        "made": {**asdict(made), "left_out": list(made.left_out)},
        "figures": [_figures(entry) for entry in decision.choice.comparisons],
        "false_support": {
            "before": support.before,
            "after": support.after,
            "genuine_items": support.items,
        },
        "calibrations": [
            {
                "id": entry.id,
                "detector": entry.members[0].detector,
                "genuine_sources": entry.as_issued.sources,
                "forged_sources": entry.manipulated.sources,
                "most": 10.0**entry.spoken_upper,
            }
            for entry in decision.calibrations
        ],
        "versions": {name: version_of(name) for name in LIBRARIES}
        | {"python": platform.python_version()},
    }


def card_page(card: Mapping[str, Any]) -> str:
    """The card for a reader, in Markdown."""
    return "\n".join([*_origin(card), *_table(card["figures"]), *_rest(card)]) + "\n"


def _origin(card: Mapping[str, Any]) -> Iterator[str]:
    made = card["made"]
    yield "# A face network fitted to this site"
    yield ""
    yield f"**{card['decision'][:1].upper()}{card['decision'][1:]}.**"
    yield ""
    yield (
        f"Fitted by `tidewaiter fit face` on {made['crops']} faces of {made['genuine_sources']} "
        f"sources ({made['forged_files']} forged files given), {made['pairs']} pairs at a rate of "
        f"{made['rate']:g}, seed {made['seed']}, from the network with SHA-256 "
        f"`{made['base_sha256'][:16]}…`. The file `{card['network']['file']}` has SHA-256 "
        f"`{card['network']['sha256']}`."
    )
    yield ""
    yield (
        f"Judged on {made['held_out_sources']} sources that were held out, with forgeries of "
        f"families the fit was never shown ({', '.join(made['left_out'])}), genuine and forged "
        "pictures re-shipped alike (saved, JPEG 50, half size, H.264). The network it started "
        "from may have met those families; it is compared on the same items."
    )
    yield ""


def _table(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| forgeries | genuine | forged | sources | AUC in use | AUC fitted | change | found at 1 % false alarms, in use | fitted |"  # noqa: E501
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in figures:
        cells = [row["forgery"], row["genuine_items"], row["forged_items"], row["sources"]]
        names = ("auc_before", "auc_after", "gain", "found_before", "found_after")
        cells += [_spoken(row[name]) for name in names]
        yield "| " + " | ".join(str(cell) for cell in cells) + " |"
    yield ""
    yield "Brackets: 95 % intervals over sources; the change is paired, item by item."
    yield ""


def _rest(card: Mapping[str, Any]) -> Iterator[str]:
    support = card["false_support"]
    yield (
        f"False support for manipulation among {support['genuine_items']} held-out genuine items, "
        f"both networks calibrated alike: {100 * support['before']:.2f} % before, "
        f"{100 * support['after']:.2f} % after."
    )
    yield ""
    for entry in card["calibrations"]:
        yield (
            f"- `{entry['detector']}`: likelihood ratio at most {entry['most']:.1f}, from "
            f"{entry['genuine_sources']} genuine and {entry['forged_sources']} forged sources."
        )
    yield ""
    yield "## What it does not show"
    yield ""
    yield "- Forgeries were made by Tidewaiter from held-out pictures: no tool of a real forger."
    yield "- Real forgeries it was tried on are only those given with `--forged`."
    yield "- Its likelihood ratios reach no further than this site's held-out sources support."
    yield "- Whoever has the network can change a picture so that it is misled."
    yield ""
    spoken = ", ".join(f"{name} {found}" for name, found in card["versions"].items())
    yield f"Made with {spoken}."


def _figures(entry: Comparison) -> dict[str, Any]:
    return {
        name: asdict(value) if isinstance(value, Interval) else value
        for name, value in vars(entry).items()
    }


def _spoken(interval: Mapping[str, float]) -> str:
    return f"{interval['value']:.3f} ({interval['lower']:.3f} to {interval['upper']:.3f})"


def version_of(name: str) -> str:
    """The installed version of a library."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"

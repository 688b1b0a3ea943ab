"""The card of a gate's network: what it was made of, what passed it, what it does not show."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from tidewaiter.casework.face_card import LIBRARIES, version_of
from tidewaiter.casework.gate_choice import CUT_BPCER, GateDecision
from tidewaiter.weights.own import GATE, NETWORK_FILE


def gate_card(made: Mapping[str, Any], decision: GateDecision, sha256: str) -> dict[str, Any]:
    """The card as plain values; its purpose keeps the network out of examinations."""
    return {
        "network": {"file": NETWORK_FILE, "sha256": sha256},
        "purpose": GATE,
        "accepted": decision.accepted,
        "decision": str(decision.sentence),
        "made": dict(made),
        "people": decision.people,
        "genuine": decision.genuine,
        "bpcer": asdict(decision.bpcer),
        "cut_bpcer": CUT_BPCER,
        "passing": [asdict(one) for one in decision.passing],
        "areas": [
            {
                "family": one.forgery,
                "before": asdict(one.auc_before),
                "after": asdict(one.auc_after),
                "gain": asdict(one.gain),
            }
            for one in decision.comparisons
        ],
        "versions": {name: version_of(name) for name in LIBRARIES}
        | {"python": platform.python_version()},
    }


def gate_page(card: Mapping[str, Any]) -> str:
    """The card for a reader, in Markdown."""
    return "\n".join([*_origin(card), *_table(card), *_limits(card)]) + "\n"


def _origin(card: Mapping[str, Any]) -> Iterator[str]:
    made = card["made"]
    yield "# A network for a gate before face recognition"
    yield ""
    yield f"**{card['decision'][:1].upper()}{card['decision'][1:]}.**"
    yield ""
    left_out = f", without {', '.join(made['left_out'])}" if made["left_out"] else ""
    yield (
        f"Fitted by `tidewaiter fit gate` on {made['crops']} faces of {made['genuine_sources']} "
        f"sources ({made['forged_files']} forged files given) and on attacks made from "
        f"them{left_out}: {made['pairs']} pairs at a rate of {made['rate']:g}, seed "
        f"{made['seed']}, from the network with SHA-256 `{made['base_sha256'][:16]}…`. The file "
        f"`{card['network']['file']}` has SHA-256 `{card['network']['sha256']}`."
    )
    yield ""


def _table(card: Mapping[str, Any]) -> Iterator[str]:
    bpcer = card["bpcer"]
    yield (
        f"Judged on {card['genuine']} genuine pictures of {card['people']} people who were held "
        f"out. Each half of them fitted a cut at {100 * card['cut_bpcer']:g} % for the other; "
        f"these turned away {_share(bpcer)} of genuine pictures."
    )
    yield ""
    yield "| attacks | learned | tried | pass, network in use | pass, this network |"
    yield "|---|---|---|---|---|"
    for row in card["passing"]:
        learned = "no" if row["is_held_out"] else "yes"
        cells = [row["family"], learned, row["attacks"], _share(row["before"])]
        yield f"| {' | '.join(str(cell) for cell in cells)} | {_share(row['after'])} |"
    yield ""
    yield "Brackets: 95 % intervals over people."
    yield ""


def _limits(card: Mapping[str, Any]) -> Iterator[str]:
    yield "## What it does not show"
    yield ""
    yield (
        "- The attacks were made by Tidewaiter: its screens and prints are computed, and a real "
        "screen before the real camera may look otherwise. Give recordings of real attacks with "
        "`--forged`, and audit the gate with them."
    )
    yield "- An attack of a kind that it never saw may pass; fit with `--leave-out` to see how far."
    yield "- It speaks for the camera whose pictures it was fitted on."
    yield "- No examination may use it: it answers to a replay as to an altered face."
    yield "- Whoever has the network can make a picture that passes it."
    yield ""
    spoken = ", ".join(f"{name} {found}" for name, found in card["versions"].items())
    yield f"Made with {spoken}."


def _share(interval: Mapping[str, float]) -> str:
    value, low, high = (100 * interval[name] for name in ("value", "lower", "upper"))
    return f"{value:.1f} % ({low:.1f} to {high:.1f})"

"""Write the card of the face network: `python benchmarks/detection/face_network/card.py`.

Every figure of docs/cards comes from a results file or a shipped calibration; tests/docs
compares the pages with what this writes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(ROOT / "recipes")]

from card_plots import plots  # noqa: E402
from card_tables import (  # noqa: E402
    attack_rows,
    found,
    gate_rows,
    genuine_attack_rows,
    goal_rows,
    group_rows,
    laundering_rows,
    percent,
    species_rows,
    table,
    trivial_rows,
)

RESULTS = HERE / "results"
ATTACKS = HERE.parent / "attacks" / "results"
CALIBRATIONS = ROOT / "src" / "tidewaiter" / "opinion" / "calibrations"
CARDS = ROOT / "docs" / "cards"
NOTE = "<!-- written by benchmarks/detection/face_network/card.py; run it after new results -->"
DOMAINS = {
    "any": "Ordinary photo (used unless another domain is named)",
    "standard_portrait": "Standard portrait",
    "compressed_video": "Compressed video",
}

Results = Mapping[str, Any]


def pages() -> dict[str, str]:
    """Every file of docs/cards by its name."""
    results = {file.stem: _read(file) for file in sorted(RESULTS.glob("*.json"))}
    attacks = {file.stem: _read(file) for file in sorted(ATTACKS.glob("*.json"))}
    own = {entry["domain"]: entry for entry in map(_read, _calibration_files())}
    files = {}
    for domain, calibration in own.items():
        for kind, drawing in plots(calibration).items():
            files[f"face_manipulation-{domain}-{kind}.svg"] = drawing
    text = "\n".join(_card(results, attacks, own))
    return {"face_manipulation.md": text + "\n", **files}


def main() -> None:
    CARDS.mkdir(exist_ok=True)
    for stale in CARDS.glob("face_manipulation*"):
        stale.unlink()
    for name, text in pages().items():
        (CARDS / name).write_text(text, encoding="utf-8")


def _card(results: Results, attacks: Results, own: Results) -> Iterator[str]:
    yield from _head(results["network"])
    yield from _material(results["network"])
    yield "\n## What it reaches\n"
    yield "Measured on sources that neither training nor the choice of a checkpoint has seen."
    yield "Values with their 95 % intervals; intervals draw originals, people or pairs of people.\n"
    yield table(("what", "goal", "reached", "goal reached"), goal_rows(results))
    yield from _forgeries(results)
    yield from _false_support(results["false_support"])
    yield from _calibrated(results["calibrations"], own)
    yield from _evidence(results)
    yield from _limits(results)
    yield from _attacked(attacks)


def _head(network: Results) -> Iterator[str]:
    size = network["byte_length"] / 1e6
    yield "# Card: face manipulation network\n"
    yield NOTE
    yield ""
    yield (
        "A network that looks at one face and answers how much it resembles faces that were\n"
        "swapped, merged, reshaped, driven by another person, or blended in. It speaks through\n"
        "`face.manipulation_network` (pictures) and `face.manipulation_network_video` (videos)."
    )
    yield ""
    yield f"- File: `face_manipulation.onnx`, {size:.1f} MB, SHA-256 `{network['sha256']}`"
    yield "- Architecture: two networks trained apart and asked together, each EfficientNet-Lite0"
    yield "  up to its last block, with a score and a 10 × 10 map"
    yield "- Made by `recipes/make_face_network.py`; see `benchmarks/detection/face_network`"
    yield "- It never speaks for a file: a low score is no sign of an untouched face."


def _material(network: Results) -> Iterator[str]:
    yield "\n## What it was made from\n"
    yield (
        "ImageNet weights of the backbone (Apache-2.0); genuine faces and DFDC forgeries below;\n"
        "self-blended faces and forgeries made by `tidewaiter.forgeries` out of the genuine ones.\n"
        "FaceForensics++ was never trained on.\n"
    )
    rows = [
        (name, *(str(entry[k]) for k in ("train", "validate", "report")), entry["licence"])
        for name, entry in network["material"].items()
    ]
    yield table(("set", "files to train", "to choose", "to report", "terms"), rows)
    yield (
        "\nDFDC, LFW, UTKFace and FaceForensics++ come with research-type terms, and a network\n"
        "trained on such faces inherits that question: whoever uses it commercially must settle\n"
        "it. `tidewaiter fit face` makes a network from an administration's own faces. DFDC\n"
        "originals may share people between the parts, because the set does not name them."
    )


def _forgeries(results: Results) -> Iterator[str]:
    yield "\n## By forgery\n"
    yield "AUC against genuine faces that were saved alike.\n"
    yield table(("forgery", "forged items", "AUC"), species_rows(results["development"]))
    yield "\n## By compression and treatment\n"
    yield (
        "AUC of the same faces before and after; DFDC crops as single pictures, FaceForensics++\n"
        "clips re-encoded as videos.\n"
    )
    yield table(
        ("treatment", "items", "AUC before", "AUC after", "loss"),
        laundering_rows(results["launderings"]),
    )


def _false_support(rates: Results) -> Iterator[str]:
    yield "\n## Genuine faces that would be called manipulated\n"
    yield (
        "Share of genuine items whose likelihood ratio reaches 10 (“supports manipulated”), each\n"
        "weighed without its own source, before the re-shipping battery withdraws anything.\n"
        "Intervals are exact and count sources.\n"
    )
    yield table(("genuine items", "items", "sources", "share"), group_rows(rates))
    worst = rates["any"].get("worst UTKFace group")
    if worst:
        rate = percent(worst["rate"])
        yield f"\nThe worst UTKFace group of at least 100 is **{worst['group']}**: {rate}."


def _calibrated(domains: Results, own: Results) -> Iterator[str]:
    yield "\n## Calibrations\n"
    for domain, title in DOMAINS.items():
        if domain not in own or domain not in domains:
            yield f"### {title}\n"
            yield "None is shipped: the material did not support one.\n"
            continue
        yield from _one_calibration(title, domain, domains[domain])


def _one_calibration(title: str, domain: str, entry: Results) -> Iterator[str]:
    yield f"### {title}\n"
    yield f"`{entry['calibration']}`: {FORGED_SIDE[domain]}\n"
    low, high = entry["spoken"]
    counts = entry["fitted on"]
    yield (
        f"- Fitted on {counts['as_issued']['items']} genuine items of "
        f"{counts['as_issued']['sources']} sources and {counts['manipulated']['items']} forged "
        f"items of {counts['manipulated']['sources']}."
    )
    yield f"- Likelihood ratios it gives: {10**low:.0f} to {10**high:.0f}."
    for name in ("untouched sources", "all held out", "real clips, other pairs of people"):
        measures = entry.get(name, {})
        if "cllr" in measures:
            yield (
                f"- {name.capitalize()} ({measures['sources']} sources): Cllr "
                f"{found(measures['cllr'])}, Cllr − Cllr_min {found(measures['cllr_cal'])}, AUC "
                f"{found(measures['auc'])}; found {percent(measures['found'])}, false support "
                f"{percent(measures['false_support'])}."
            )
    yield ""
    for kind in ("tippett", "reliability", "cost"):
        yield f"![{kind}](face_manipulation-{domain}-{kind}.svg)"
    yield ""


FORGED_SIDE = {
    "any": "forged faces are DFDC's and our own, from the same sources as the genuine ones.",
    "standard_portrait": (
        "frontal faces of LFW and UTKFace; **every forged one is of our own making**, because no "
        "other forged portraits were at hand. It says how our morphs, swaps and retouching look, "
        "not how a criminal's do."
    ),
    "compressed_video": (
        "FaceForensics++ clips of four pairs of people, as received and re-encoded, and short "
        "clips made of single DFDC faces, which do not move by themselves. Eight people are far "
        "too few: on a pair of them left out the likelihood ratios cost about as much as silence, "
        "so their bound is kept low by fitting on few of the short clips."
    ),
}


def _evidence(results: Results) -> Iterator[str]:
    heat, short = results["localisation"]["all"], results["short_forgery"]
    yield "\n## Where the heat map points, and how short a forgery is found\n"
    inside = percent(heat["mass inside the mask"])
    yield (
        f"On {heat['items']} forgeries with a known mask, {inside} of the map's mass lies inside "
        f"it; {100 * heat['expected by chance']:.0f} % would by chance, "
        f"and {100 * heat['more than chance']:.0f} % of the maps do better than chance.\n"
    )
    yield "Share of short forgeries found in a clip of a minute (four pairs of people only):\n"
    rows = []
    for rule, entry in short["found"].items():
        for alarms in ("at 5% false alarms", "at 1% false alarms"):
            lengths = [percent(v) for k, v in entry[alarms].items() if k.endswith(" s")]
            rows.append((rule, alarms.replace("%", " %"), *lengths))
    told = results.get("short_forgery_told", {})
    if told:
        lengths = [percent(v) for k, v in told.items() if k.endswith(" s")]
        alarms = f"told as support (false alarms {100 * told['false alarms met']:.1f} %)"
        rows.append(("product", alarms, *lengths))
    lengths = [k for k in short["found"]["product"]["at 5% false alarms"] if k.endswith(" s")]
    yield table(("rule", "limit", *lengths), rows)


def _limits(results: Results) -> Iterator[str]:
    yield "\n## What simple features achieve\n"
    yield "AUC of what has nothing to do with faces; where it is high, a set gives itself away.\n"
    yield table(("set", "best feature alone", "all together", "network"), trivial_rows(results))
    yield "\n## By size, sharpness and turn of the face\n"
    yield "Ranges with at least 25 genuine and 25 forged faces to report on.\n"
    yield table(("condition", "range", "genuine", "forged", "AUC"), gate_rows(results["gates"]))
    yield "\n## What it cannot do\n"
    yield (
        "- It was not trained to find faces that a generator drew whole: see “diffusion”.\n"
        "- Methods newer than those above may pass; its silence never speaks for a face.\n"
        "- Only eight people stand behind the figures on real videos.\n"
        "- Beauty filters and heavy retouching alter a face too."
    )


def _attacked(attacks: Results) -> Iterator[str]:
    yield "\n## Under attack\n"
    rows = list(attack_rows(attacks))
    if not rows:
        yield "No results yet: run `benchmarks/detection/attacks`."
        return
    yield (
        "Forgeries that were found before, changed until they pass: success on the network alone,\n"
        "and what `tidewaiter examine` still says of the files, its re-shipping battery included.\n"
    )
    head = ("attack", "success on the network", "not “as issued”", "still “supports manipulated”")
    yield table(head, rows)
    yield "\nGenuine faces, as they are and changed to look manipulated:\n"
    head = ("treatment", "above the network's threshold", "“supports manipulated”")
    yield table(head, genuine_attack_rows(attacks))


def _calibration_files() -> list[Path]:
    return sorted(CALIBRATIONS.glob("face.manipulation_network*.json"))


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()

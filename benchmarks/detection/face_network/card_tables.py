"""Rows of the card's tables, from the results files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Results = Mapping[str, Any]

CONDITIONS = {
    "side": "length of the face in pixels",
    "yaw": "turn sideways in degrees",
    "pitch": "turn up or down in degrees",
    "outside": "share of the crop outside the picture",
    "face_contrast": "contrast of the face",
    "face_brightness": "brightness of the face",
    "presence": "sureness of the mesh",
    "sharpness": "sharpness of the face",
}
ENDLESS = 1e6


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def found(entry: Results, digits: int = 3) -> str:
    """A value with its interval."""
    value, lower, upper = (f"{entry[k]:.{digits}f}" for k in ("value", "lower", "upper"))
    return f"{value} ({lower} to {upper})"


def percent(entry: Results) -> str:
    """A share with its interval, in per cent."""
    value, lower, upper = (f"{100 * entry[k]:.1f}" for k in ("value", "lower", "upper"))
    return f"{value} % ({lower} to {upper})"


def goal_rows(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """The goals of the network with what was reached."""
    dev, loss = results["development"], results["launderings"]
    clips = dev["FaceForensics++ clips"]
    crops = dev["DFDC crops"]["report originals"]["auc"]
    yield _at_least("DFDC crops, AUC, held-out originals", 0.96, crops)
    yield _at_least(
        "FaceForensics++ clips, never trained on, AUC", 0.90, clips["all methods"]["auc"]
    )
    for method in ("Deepfakes", "FaceSwap", "Face2Face"):
        yield _at_least(f"… {method}", 0.85, clips[method]["auc"])
    yield from _variant_rows(results.get("variants", {}))
    for where, way in (
        ("DFDC crops", "jpeg 50"),
        ("DFDC crops", "half size"),
        ("FaceForensics++ clips", "half size"),
        ("FaceForensics++ clips", "h264 crf 32"),
    ):
        yield _at_most(f"loss of AUC, {where}, {way}", 0.05, loss[where][way]["loss"])
    wrong = results["false_support"]
    yield _at_most(
        "false support, genuine faces as received", 0.01, wrong["any"]["as received"]["rate"]
    )
    worst = wrong["any"]["worst UTKFace group"]
    if worst:
        yield _at_most(f"false support, worst group ({worst['group']})", 0.02, worst["rate"])
    video = results["calibrations"].get("compressed_video", {})
    for name in ("untouched sources", "real clips, other pairs of people"):
        if "cllr" in video.get(name, {}):
            yield _at_most(f"Cllr, video, {name}", 0.45, video[name]["cllr"])
            yield _at_most(f"Cllr − Cllr_min, video, {name}", 0.05, video[name]["cllr_cal"])
    photo = results["calibrations"].get("any", {}).get("untouched sources", {})
    if "cllr" in photo:
        yield _at_most("Cllr − Cllr_min, pictures, untouched sources", 0.05, photo["cllr_cal"])


def species_rows(development: Results) -> Iterator[tuple[str, str, str]]:
    """AUC of every kind of forgery."""
    yield _species(
        "DFDC (several methods, not named)", development["DFDC crops"]["report originals"]
    )
    for name, entry in development["FaceForensics++ clips"].items():
        if name != "copies":
            yield _species(f"FaceForensics++ clips: {name}", entry)
    for name, entry in development["forgeries of ours"].items():
        yield _species(f"ours: {name}", entry)
    yield _species("diffusion, two people", development["diffusion (two people)"])


def laundering_rows(losses: Results) -> Iterator[tuple[str, ...]]:
    """AUC before and after every treatment."""
    for where, ways in losses.items():
        for way, entry in ways.items():
            if "loss" in entry:
                yield (
                    f"{where}: {way}",
                    str(entry["items"]),
                    f"{entry['auc before']:.3f}",
                    found(entry["auc after"]),
                    found(entry["loss"]),
                )


def group_rows(rates: Results) -> Iterator[tuple[str, ...]]:
    """False support per set, treatment and group."""
    photos = rates["any"]
    yield _rate("all pictures as received", photos["as received"])
    for name, entry in photos["per set"].items():
        yield _rate(f"{name} as received", entry)
    yield _rate("pictures re-shipped", photos["re-shipped"])
    for name, entry in rates.get("compressed_video", {}).items():
        yield _rate(f"clips: {name}", entry)
    for name, entry in photos["UTKFace groups"].items():
        yield _rate(f"UTKFace: {name}", entry)


def trivial_rows(results: Results) -> Iterator[tuple[str, ...]]:
    """The best simple feature, all together, and the network, per set."""
    for name, entry in results["trivial"].items():
        best = max(entry["each alone"], key=entry["each alone"].__getitem__)
        yield (
            name,
            f"{entry['each alone'][best]:.3f} ({best})",
            f"{entry['all together']:.3f}",
            found(entry["network"]),
        )


def gate_rows(gates: Results) -> Iterator[tuple[str, ...]]:
    """AUC per bin of every condition, on the report part."""
    for condition, bins in gates["report"].items():
        for entry in bins:
            if entry["auc"] is not None:
                yield (
                    CONDITIONS[condition],
                    f"{entry['from']:g} to {entry['to']:g}" if entry["to"] < ENDLESS else "more",
                    str(entry["genuine"]),
                    str(entry["forged"]),
                    f"{entry['auc']:.3f}",
                )


def attack_rows(attacks: Results) -> Iterator[tuple[str, ...]]:
    """Per attack: success on the network alone, and what a whole examination still says."""
    opinion = attacks.get("opinion", {})
    network = {**attacks.get("network", {}), **attacks.get("laundering", {})}
    for cell, entry in network.items():
        told = opinion.get(cell, {})
        yield (
            cell,
            _share(entry["missed"]),
            _share(told.get("not as issued")),
            _share(told.get("any")),
        )


def genuine_attack_rows(attacks: Results) -> Iterator[tuple[str, ...]]:
    """Genuine faces that an attack, or none, made the network or the opinion misjudge."""
    genuine = attacks.get("genuine", {"network": {}, "opinion": {}})
    for cell, entry in genuine["network"].items():
        yield (
            cell,
            _share(entry["above threshold"]),
            _share(genuine["opinion"].get(cell, {}).get("any")),
        )


def _variant_rows(variants: Results) -> Iterator[tuple[str, str, str, str]]:
    name = "FaceForensics++ clips, other pairs trained on, AUC"
    if "FaceForensics++ halves" in variants:
        entry = variants["FaceForensics++ halves"]
        yield _at_least(f"{name} ({_trained(entry)})", 0.94, entry["auc"])
    else:
        yield (name, "≥ 0.94", "not measured", "no")
    families = variants.get("families left out", {})
    for family, entry in families.items():
        what = f"family left out of training: {family}, AUC ({_trained(entry)})"
        yield _at_least(what, 0.85, entry["auc"])
    if not families:
        yield ("a family left out of training, AUC", "≥ 0.85", "not measured", "no")


def _trained(entry: Results) -> str:
    return f"trained on {entry['trained']}"


def _species(name: str, entry: Results) -> tuple[str, str, str]:
    auc = "too few" if entry.get("auc") is None else found(entry["auc"])
    return name, str(entry["forged"]), auc


def _rate(name: str, entry: Results) -> tuple[str, str, str, str]:
    return name, str(entry["items"]), str(entry["sources"]), percent(entry["rate"])


def _at_least(name: str, goal: float, entry: Results) -> tuple[str, str, str, str]:
    return name, f"≥ {goal:g}", found(entry), "yes" if entry["value"] >= goal else "**no**"


def _at_most(name: str, goal: float, entry: Results) -> tuple[str, str, str, str]:
    return name, f"≤ {goal:g}", found(entry), "yes" if entry["value"] <= goal else "**no**"


def _share(entry: Results | None) -> str:
    return percent(entry) if entry and "value" in entry else "not examined"

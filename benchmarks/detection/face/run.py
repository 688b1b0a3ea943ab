"""Measure locating, blinks, pulse and eye geometry on rendered and on real faces.

    python benchmarks/detection/face/run.py [--data ../shared/data] [--only rendered …]

Writes results/<part>.json; protocol.toml says what is asked. Real media stay where they are.
"""

from __future__ import annotations

import argparse
import json
import random
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.detectors.face.blink import Blink
from tidewaiter.detectors.face.eye_geometry import EyeGeometry
from tidewaiter.detectors.face.pulse import Pulse
from tidewaiter.evaluation.intervals import source_bootstrap, wilson
from tidewaiter.evaluation.rates import auc
from tidewaiter.media import Packet, open_media
from tidewaiter.testing.rendered import (
    EyeScript,
    SkinScript,
    blinking_eyes,
    face_track,
    one_face,
    skin_colours,
    skin_pictures,
)
from tidewaiter.traces import face_models
from tidewaiter.traces.base import Traces, collect_picture, collect_video
from tidewaiter.traces.eyelids import read_eyelids
from tidewaiter.traces.face_eyes import eye_square, opening_of
from tidewaiter.traces.face_geometry import EYE_CORNERS, mesh_square
from tidewaiter.traces.pulse import measured
from tidewaiter.vocabulary import Finding, MediaKind, Status

HERE = Path(__file__).parent
PROTOCOL = tomllib.loads((HERE / "protocol.toml").read_text())
# Soukupova & Cech 2016, p1..p6, at the mesh's points.
MESH_EYES = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))


def main() -> None:
    parts = {
        "rendered": rendered,
        "videos": videos,
        "blink_sight": blink_sight,
        "pictures": pictures,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[2] / "../shared/data")
    parser.add_argument("--only", nargs="*", choices=list(parts), default=list(parts))
    options = parser.parse_args()
    (HERE / "results").mkdir(exist_ok=True)
    for name in options.only:
        result = {"protocol": PROTOCOL[name], **parts[name](options.data)}
        text = json.dumps(result, indent=1, ensure_ascii=False)
        (HERE / "results" / f"{name}.json").write_text(text + "\n")
        print(f"{name}:\n{text[:6000]}")


# -- rendered


def rendered(_: Path) -> dict[str, Any]:
    return {
        "blinks_by_sampling_rate": [
            blink_row(looks, noise) for looks in (5, 8, 10, 12, 15, 25) for noise in (0.008, 0.014)
        ],
        "pulse_by_noise": [pulse_row(snr) for snr in (-20, -3, 0, 3, 6, 10, 15)],
        "pulse_by_signal_quality": pulse_quality_rows(),
        "forged": [forged_row("in step"), forged_row("out of step")],
    }


def seeds() -> range:
    first = PROTOCOL["rendered"]["first_seed"]
    return range(first, first + PROTOCOL["rendered"]["sequences"])


def blink_row(looks_per_s: float, noise: float) -> dict[str, Any]:
    hits = found = true = 0
    for seed in seeds():
        script = EyeScript(looks_per_s=looks_per_s, noise=noise)
        eyes = blinking_eyes(np.random.default_rng(seed), script)
        track = face_track(eyes=eyes)
        blinks = read_eyelids(track, one_face(track)).blinks
        hits += sum(
            any(start - 0.05 <= blink.lowest_s <= end + 0.05 for blink in blinks)
            for start, end in eyes.blinks
        )
        found, true = found + len(blinks), true + len(eyes.blinks)
    recall = wilson(hits, true)
    return {
        "looks_per_s": looks_per_s,
        "noise": noise,
        "blinks": true,
        "recall": [round(v, 4) for v in (recall.value, recall.lower, recall.upper)],
        "precision": round(hits / max(found, 1), 4),
        "f1": round(2 * hits / max(found + true, 1), 4),
    }


def rendered_pulse(seed: int, snr_db: float, **script: Any) -> tuple[float, Any, Finding]:
    rng = np.random.default_rng(seed)
    bpm = float(rng.uniform(45, 160))
    skin = skin_colours(rng, SkinScript(bpm=bpm, snr_db=snr_db, **script))
    pulse = measured(face_track(skin=skin), 1)
    finding = Pulse().find(Traces(MediaKind.VIDEO, {"pulse": pulse}))
    return bpm, pulse, finding


def pulse_row(snr_db: float) -> dict[str, Any]:
    items = [rendered_pulse(seed, snr_db) for seed in seeds()]
    errors = np.array([[abs(p.pos.bpm - bpm), abs(p.chrom.bpm - bpm)] for bpm, p, _ in items])
    spoken = np.array([f.status is Status.EXAMINED for _, _, f in items])
    share = wilson(int((~spoken).sum()), len(items))
    return {
        "input_snr_db": snr_db,
        "mean_error_bpm": {"pos": mean(errors[:, 0]), "chrom": mean(errors[:, 1])},
        "measured_quality_db": mean([p.quality_db for _, p, _ in items]),
        "declined": [round(v, 3) for v in (share.value, share.lower, share.upper)],
        "mean_error_bpm_where_it_speaks": mean(errors[spoken, 0]),
        "largest_error_bpm_where_it_speaks": largest(errors[spoken, 0]),
        "agreement": mean([p.agreement for _, p, _ in items]),
    }


def pulse_quality_rows() -> list[dict[str, Any]]:
    """Errors by the SNR of the handbook's definition, from an 8-bit camera with grain."""
    rows = defaultdict(list)
    for seed in seeds():
        rng = np.random.default_rng(seed)
        bpm, snr = float(rng.uniform(45, 160)), float(rng.uniform(-5, 18))
        script = SkinScript(bpm=bpm, snr_db=snr, duration_s=12)
        pulse = measured(face_track(skin=skin_pictures(rng, script)), 1)
        rows[int(np.clip(np.floor(pulse.quality_db / 3) * 3, -6, 6))].append(
            abs(pulse.pos.bpm - bpm)
        )
    return [
        {"quality_db_from": level, "n": len(errors), "mean": mean(errors), "max": largest(errors)}
        for level, errors in sorted(rows.items())
    ]


def forged_row(kind: str) -> dict[str, Any]:
    """A foreign pulse: in step it must not clear, out of step it should stand out."""
    phases = (0.0, 0.0, 0.0) if kind == "in step" else (0.0, 120.0, -120.0)
    scores = []
    for seed in seeds():
        _, _, finding = rendered_pulse(seed, 20, phases_degrees=phases)
        if finding.score is not None:
            scores.append(finding.score)
    return {
        "foreign_pulse": kind,
        "spoken": len(scores),
        "scores": quantiles(scores),
        "may_clear": Pulse.may_clear,
        "cap_log10_lr": Pulse.cap,
    }


# -- videos


def videos(data: Path) -> dict[str, Any]:
    rows = [video_row(path) for path in sorted((data / "ffpp_c23").rglob("*.mp4"))]
    return {"items": rows, "summary": [summary(rows, name) for name in ("blink", "pulse")]}


def video_row(path: Path) -> dict[str, Any]:
    traces = collect_video(open_media(path), ["faces", "eyelids", "pulse"])
    faces, pulse = traces["faces"], traces["pulse"]
    row: dict[str, Any] = {
        "item": path.stem,
        "kind": path.parent.name,
        "found_share": round(faces.found_share, 3),
        "tracks": len(faces.tracks),
        "seen_s": round(faces.tracks[0].seen_s, 1) if faces.tracks else 0,
        "looked_at_s": round(faces.looked_at_s, 1),
        "pulse_quality_db": round(getattr(pulse, "quality_db", float("nan")), 1),
        "pulse_agreement": round(getattr(pulse, "agreement", float("nan")), 3),
    }
    for detector in (Blink(), Pulse()):
        name = detector.id.rpartition(".")[2]
        finding = detector.find(traces)
        row[name] = None if finding.score is None else round(finding.score, 3)
        row[f"{name}_reason"] = str(finding.reason) if finding.reason else None
        if name == "blink":
            row["features"] = {key: round(value, 3) for key, value in finding.features.items()}
    print(json.dumps(row, ensure_ascii=False))
    return row


def summary(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    kinds = sorted({row["kind"] for row in rows} - {"real"})
    return {
        "cue": name,
        "declined": {
            kind: f"{sum(r[name] is None for r in rows if r['kind'] == kind)}"
            f" of {sum(r['kind'] == kind for r in rows)}"
            for kind in ("real", *kinds)
        },
        "auc_by_kind": {kind: compared(rows, name, {kind}) for kind in kinds},
        "auc_all": compared(rows, name, set(kinds)),
    }


def compared(rows: list[dict[str, Any]], name: str, kinds: set[str]) -> Any:
    chosen = [r for r in rows if r[name] is not None and r["kind"] in {"real", *kinds}]
    labels = np.array([r["kind"] != "real" for r in chosen], bool)
    if labels.size == 0 or labels.all() or not labels.any():
        return None
    scores = np.array([r[name] for r in chosen], float)
    pairs = ["_".join(sorted(r["item"].split("_"))) for r in chosen]
    people = {person: pair for pair in pairs if "_" in pair for person in pair.split("_")}
    codes = np.unique([people.get(pair, pair) for pair in pairs], return_inverse=True)[1]
    interval = source_bootstrap(
        lambda weights: auc(scores, labels, weights), labels, codes, np.random.default_rng(1)
    )
    return [round(v, 3) for v in (interval.value, interval.lower, interval.upper)]


# -- what sees a blink


def blink_sight(data: Path) -> dict[str, Any]:
    rows = [sight_row(path) for path in sorted((data / "ffpp_c23/real").glob("*.mp4"))]
    return {"items": rows}


def sight_row(path: Path) -> dict[str, Any]:
    """Openings by mesh and by contour in the same frames; how deep the mesh falls in blinks."""
    series = np.array(list(openings(path, until_s=10.0)))
    contour, mesh = (series[:, i] / np.percentile(series[:, i], 80) for i in (0, 1))
    shut = contour < 0.4
    return {
        "item": path.stem,
        "frames": len(series),
        "frames_shut_by_contour": int(shut.sum()),
        "contour_there": mean(contour[shut]),
        "mesh_there": mean(mesh[shut]),
        "mesh_elsewhere": mean(mesh[~shut]),
    }


def openings(path: Path, until_s: float) -> Any:
    square = None
    for item in open_media(path).play():
        if isinstance(item, Packet):
            continue
        if item.time_s > until_s:
            return
        if square is None:
            small = item.thumbnail(180)
            located = face_models.locate(small)
            if not located:
                continue
            square = located[0].scaled(item.height / small.shape[0]).square()
        mesh = face_models.mesh(item.crop(square, 192, 192), square)
        square = mesh_square(mesh.points)
        yield (
            np.mean([contour_opening(item, mesh.points, s) for s in (0, 1)]),
            mesh_ear(mesh.points),
        )


def contour_opening(frame: Any, points: np.ndarray, side: int) -> float:
    square = eye_square(*(points[corner] for corner in EYE_CORNERS[side]))
    contour, _ = face_models.eye(frame.crop(square, 64, 64), square, mirrored=side == 1)
    return opening_of(contour)


def mesh_ear(points: np.ndarray) -> float:
    ratios = []
    for eye in MESH_EYES:
        p1, p2, p3, p4, p5, p6 = (points[i, :2] for i in eye)
        heights = np.linalg.norm(p2 - p6) + np.linalg.norm(p3 - p5)
        ratios.append(heights / (2 * np.linalg.norm(p1 - p4)))
    return float(np.mean(ratios))


# -- pictures


def pictures(data: Path) -> dict[str, Any]:
    rng = random.Random(PROTOCOL["pictures"]["seed"])  # noqa: S311 - a sample, not a secret
    rows = {}
    for name in ("lfw_deepfunneled", "utkface", "ecuador_lora/real", "ecuador_lora/fake"):
        paths = sorted(p for p in (data / name).rglob("*") if p.suffix in {".jpg", ".png"})
        chosen = rng.sample(paths, min(PROTOCOL["pictures"]["sample"], len(paths)))
        rows[name] = [picture_row(path) for path in chosen]
    scores = {
        name: [r["score"] for r in kind if r["score"] is not None] for name, kind in rows.items()
    }
    real, fake = scores["ecuador_lora/real"], scores["ecuador_lora/fake"]
    labels = np.array([False] * len(real) + [True] * len(fake))
    return {
        "sets": {name: picture_summary(kind) for name, kind in rows.items()},
        "eye_geometry_auc_lora": round(auc(np.array(real + fake), labels), 3),
        "auc_caution": "two people only: no interval over sources can be given",
        "auc_of_each_measure_lora": {
            key: measure_auc(rows, key) for key in ("convergence", "height", "highlight", "pupil")
        },
    }


def picture_row(path: Path) -> dict[str, Any]:
    traces = collect_picture(open_media(path), ["faces", "eyes"])
    finding = EyeGeometry().find(traces)
    row: dict[str, Any] = {
        "faces": len(traces["faces"].faces),
        "score": finding.score,
        "declined": str(finding.reason.template) if finding.reason else None,
    }
    if row["faces"]:
        pair = traces["eyes"]
        row["frontal"] = abs(pair.pose[0]) <= 15 and abs(pair.pose[1]) <= 20
        row["along"], row["across"] = map(float, pair.divergence)
        row["convergence"], row["height"] = abs(row["along"] + 0.13), abs(row["across"])
        row["highlight"] = 1 - pair.highlight_overlap
        row["pupil"] = (pair.left.pupil_residual + pair.right.pupil_residual) / 2
    return row


def picture_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = wilson(sum(row["faces"] > 0 for row in rows), len(rows))
    reasons: dict[str, int] = defaultdict(int)
    for row in rows:
        reasons[row["declined"] or "spoke"] += 1
    frontal = [row for row in rows if row.get("frontal")]
    return {
        "pictures": len(rows),
        "located": [round(v, 4) for v in (found.value, found.lower, found.upper)],
        "eye_geometry": dict(reasons),
        "scores": quantiles([row["score"] for row in rows if row["score"] is not None]),
        "frontal": len(frontal),
        "convergence_median_and_spread": centre([row["along"] for row in frontal]),
        "height_median_and_spread": centre([row["across"] for row in frontal]),
    }


def measure_auc(rows: dict[str, list[dict[str, Any]]], key: str) -> Any:
    sides = [
        [r[key] for r in rows[f"ecuador_lora/{kind}"] if r["faces"] and np.isfinite(r[key])]
        for kind in ("real", "fake")
    ]
    labels = np.repeat([False, True], [len(side) for side in sides])
    return round(auc(np.concatenate(sides), labels), 3)


def centre(values: list[float]) -> list[float] | None:
    if not values:
        return None
    median = float(np.median(values))
    return [
        round(median, 4),
        round(1.4826 * float(np.median(np.abs(np.array(values) - median))), 4),
    ]


def quantiles(values: list[float]) -> list[float] | None:
    """Least, lower quartile, median, upper quartile and largest."""
    return np.round(np.percentile(values, [0, 25, 50, 75, 100]), 3).tolist() if values else None


def mean(values: Any) -> float | None:
    values = np.asarray(values, float)
    return round(float(values.mean()), 3) if values.size else None


def largest(values: Any) -> float | None:
    values = np.asarray(values, float)
    return round(float(values.max()), 3) if values.size else None


if __name__ == "__main__":
    main()

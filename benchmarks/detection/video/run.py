"""Detection and false alarms of the video detectors on altered and on unaltered copies.

Every source is cut to a short excerpt, altered in every way of `forgeries.videos` and
copied without alteration. Thresholds are chosen on the unaltered items of one fold of
sources and applied to the other, both ways round; nothing is tuned on what is reported.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.detectors.registry import all_detectors
from tidewaiter.errors import InputError
from tidewaiter.evaluation.intervals import wilson
from tidewaiter.forgeries.videos import (
    ALTERATIONS,
    Encoding,
    copy_cut,
    copy_drop,
    make_plan,
    read_excerpt,
    remux,
    write_frames,
)
from tidewaiter.media import open_media
from tidewaiter.traces.base import collect_video
from tidewaiter.vocabulary import Finding, Timeline

HERE = Path(__file__).parent
UNALTERED = "unaltered"


def main() -> None:
    arguments = _arguments()
    protocol = tomllib.loads((HERE / "protocol.toml").read_text())
    folds = protocol["folds"]
    items = []
    for fold in sorted(folds):
        for group in folds[fold]:
            for name in group:
                other = folds[fold][-1 if group is not folds[fold][-1] else 0][0]
                items += _examine_source(arguments.data, name, other, fold, protocol)
                print(f"{name}: {len(items)} items")
    summary = summarise(items, protocol)
    out = HERE / "results"
    out.mkdir(exist_ok=True)
    (out / "items.json").write_text(_lines(items))
    (out / "summary.json").write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n")
    print(json.dumps(summary, indent=1, sort_keys=True))


def summarise(items: list[dict[str, Any]], protocol: dict[str, Any]) -> dict[str, Any]:
    """Rates per detector: detection per class, false alarms per copy, edges, share declined."""
    summary: dict[str, Any] = {}
    for detector in sorted(items[0]["scores"]):
        thresholds = {
            fold: _threshold(items, detector, fold, protocol["false_alarm_rate"])
            for fold in sorted(protocol["folds"])
        }
        rows: dict[str, list[dict[str, Any]]] = {}
        for item in items:
            rows.setdefault(f"{item['class']}/{item['copy']}", []).append(item)
        summary[detector] = {
            "threshold_from_fold": thresholds,
            "rates": {
                name: _rates(row, detector, thresholds, protocol) for name, row in rows.items()
            },
            "all_unaltered": _rates(
                [item for item in items if item["class"] == UNALTERED],
                detector,
                thresholds,
                protocol,
            ),
        }
    return summary


def _rates(
    items: list[dict[str, Any]],
    detector: str,
    thresholds: dict[str, float],
    protocol: dict[str, Any],
) -> dict[str, Any]:
    """Found, placed and declined among items; intervals treat items as independent."""
    spoken = [item for item in items if item["scores"][detector] is not None]
    found = [item for item in spoken if _above(item, detector, thresholds)]
    edges = [item["edges"][detector] for item in found if item["edges"][detector] is not None]
    placed = sum(edge <= protocol["tolerance_frames"] for edge in edges)
    interval = wilson(len(found), len(items))
    rates: dict[str, Any] = {
        "items": len(items),
        "declined": len(items) - len(spoken),
        "found": len(found),
        "rate": [round(v, 3) for v in (interval.value, interval.lower, interval.upper)],
    }
    if items and items[0]["class"] != UNALTERED:
        rates["placed"] = placed
        rates["median_edge_error_frames"] = float(np.median(edges)) if edges else None
    return rates


def _above(item: dict[str, Any], detector: str, thresholds: dict[str, float]) -> bool:
    from_other = thresholds["b" if item["fold"] == "a" else "a"]
    return bool(item["scores"][detector] > from_other)


def _threshold(items: list[dict[str, Any]], detector: str, fold: str, rate: float) -> float:
    """The score that at most `rate` of the fold's unaltered items exceed."""
    scores = [
        item["scores"][detector]
        for item in items
        if item["fold"] == fold
        and item["class"] == UNALTERED
        and item["scores"][detector] is not None
    ]
    return float(np.quantile(scores, 1.0 - rate, method="higher")) if scores else 0.0


def _examine_source(
    data: Path, name: str, other: str, fold: str, protocol: dict[str, Any]
) -> list[dict[str, Any]]:
    items = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, copy, path, truth in _copies(data, name, other, protocol, Path(folder)):
            scores, edges = _examine(path, truth)
            items.append(
                {
                    "source": name,
                    "fold": fold,
                    "class": kind,
                    "copy": copy,
                    "truth": truth,
                    "scores": scores,
                    "edges": edges,
                }
            )
    return items


def _copies(
    data: Path, name: str, other: str, protocol: dict[str, Any], folder: Path
) -> Iterator[tuple[str, str, Path, list[int]]]:
    """Class, kind of copy, path and truth (frame numbers of the edges) of every item."""
    source, start_end = data / name, protocol["excerpt_s"]
    yield UNALTERED, "native", source, []
    yield UNALTERED, "remux", remux(source, folder / "remux.mkv"), []
    frames, fps = read_excerpt(source, *start_end, height=protocol["height"])
    for copy in protocol["unaltered"]["copies"]:
        small, _ = read_excerpt(source, *start_end, height=copy["height"])
        path = folder / f"{copy['name']}.mp4"
        write_frames(path, iter(small), fps=fps, encoding=Encoding(crf=copy["crf"]))
        yield UNALTERED, copy["name"], path, []
    size = (frames[0].width, frames[0].height)
    foreign, _ = read_excerpt(data / other, *start_end, size=size)
    for index, alteration in enumerate(sorted(ALTERATIONS)):
        plan = make_plan(alteration, len(frames), fps, seed=protocol["seed"] + 97 * index)
        for crf in protocol["altered_crf"]:
            path = folder / f"{alteration}-{crf}.mp4"
            pools = (frames, foreign)
            chosen = (pools[s.clip][s.index % len(pools[s.clip])] for s in plan.steps)
            write_frames(path, chosen, fps=fps, encoding=Encoding(crf=crf, gop=protocol["gop"]))
            yield alteration, f"crf{crf}", path, sorted({e for span in plan.altered for e in span})
    yield from _uncoded(source, folder, fps, protocol["seed"])


def _uncoded(
    source: Path, folder: Path, fps: float, seed: int
) -> Iterator[tuple[str, str, Path, list[int]]]:
    for kind, make in (("copy_cut", copy_cut), ("copy_drop", copy_drop)):
        try:
            path, at_s = make(source, folder / f"{kind}.mp4", seed=seed)
        except InputError:
            continue
        yield kind, "packets", path, [round(at_s * fps)]


def _examine(
    path: Path, truth: list[int]
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    own = {k: d for k, d in all_detectors().items() if k.startswith("video.")}
    video: Any = open_media(path)
    traces = collect_video(video, {need for d in own.values() for need in d.needs})
    findings = {name: detector.find(traces) for name, detector in own.items()}
    times = traces["timeline"].time_s
    scores = {n: None if f.score is None else round(f.score, 3) for n, f in findings.items()}
    return scores, {name: _edge_error(f, truth, times) for name, f in findings.items()}


def _edge_error(finding: Finding, truth: list[int], times: Any) -> float | None:
    """Frames between the true edges and the nearest marked ones, the worst of them."""
    marks = [
        edge
        for evidence in finding.evidence
        if isinstance(evidence, Timeline)
        for span in evidence.spans
        for edge in (span.start_s, span.end_s)
    ]
    if not marks or not truth:
        return None
    places = np.searchsorted(times, np.array(marks) - 1e-6)
    return float(max(np.abs(places - edge).min() for edge in truth))


def _lines(items: list[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(json.dumps(item, sort_keys=True) for item in items) + "\n]\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parents[2].parent / "shared" / "data")
    return parser.parse_args()


if __name__ == "__main__":
    main()

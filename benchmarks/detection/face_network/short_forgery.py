"""How short a forgery in a long clip is still found, by rule of aggregation.

A forged FaceForensics++ clip and its original show the same frames, so that a forgery of a
second is the original's looks with that second's looks taken from the forged clip. Long
clips are made of the original's own looks in blocks drawn at random: they vary as that
person's looks do, but show nobody new. Limits of false alarm are taken from such genuine
clips of one half of the pairs and applied to the other half, in turn.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from face_splits import FFPP_FOLDS, pair_of
from numpy.typing import NDArray

from tidewaiter.evaluation.intervals import percentile_interval
from tidewaiter.traces import face_windows

Numbers = NDArray[np.float64]
Rule = Callable[[Numbers, Numbers], float]

FORGED_S = (0.5, 1.0, 2.0, 4.0)
LONG_S = 60.0
BLOCK_S = 2.0
GENUINE_DRAWS = 60
FORGED_DRAWS = 12
FALSE_ALARMS = (0.05, 0.01)
# A look of the forged clip stands for one of the original at most this far away.
SAME_MOMENT_S = 0.35
SEED = 90210
TUNED = {"LOOK_SPREAD": (1.0, 1.5), "STRETCH_SPREAD": (0.4, 0.7), "REST_SHARE": (0.0, 0.5)}


@dataclass(frozen=True)
class Clip:
    """The usable looks at the main face of a clip."""

    host: str
    method: str
    time_s: Numbers
    logit: Numbers

    @property
    def fold(self) -> int:
        """Which half of the pairs of people it belongs to."""
        return next(k for k, pairs in enumerate(FFPP_FOLDS) if pair_of(self.host) in pairs)


def figures(looks: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Share of short forgeries found per length, rule and rate of false alarms."""
    clips = list(main_clips(looks))
    rules = {"product": _product, **OTHER_RULES}
    return {
        "clips": {
            "genuine": sum(not c.method for c in clips),
            "forged": sum(bool(c.method) for c in clips),
        },
        "length of the clip in s": LONG_S,
        "found": {name: _found(clips, rule) for name, rule in rules.items()},
        "spread of genuine looks": _spreads(clips),
        "tuning": _tuning(clips),
    }


def at_limit(looks: list[Mapping[str, Any]], limit: float) -> dict[str, Any]:
    """The same for the product's rule with the score from which support is told."""
    clips = list(main_clips(looks))
    genuine = {c.host: c for c in clips if not c.method}
    limits = dict.fromkeys((0, 1), limit)
    return {
        "limit": round(limit, 3),
        "false alarms met": _alarms(genuine, _product, limits),
        **{
            f"{length:g} s": _share(clips, genuine, _product, limits, length) for length in FORGED_S
        },
    }


def main_clips(looks: list[Mapping[str, Any]]) -> Iterator[Clip]:
    """The longest-seen track of every development clip as received."""
    best: dict[str, Mapping[str, Any]] = {}
    for entry in looks:
        ours = entry["item"].startswith("ffpp/") and entry["shipping"] == "as_received"
        if ours and entry["seen_s"] > best.get(entry["item"], {"seen_s": 0})["seen_s"]:
            best[entry["item"]] = entry
    for item, entry in sorted(best.items()):
        _, folder, stem = item.split("/")
        usable = np.array(entry["usable"], bool)
        yield Clip(
            host=stem.split("_")[0],
            method="" if folder == "real" else folder,
            time_s=np.array(entry["time_s"], np.float64)[usable],
            logit=np.array(entry["score"], np.float64)[usable],
        )


def _product(times: Numbers, logits: Numbers) -> float:
    found = face_windows.window_score(times, logits)
    return -np.inf if found is None else found


OTHER_RULES: dict[str, Rule] = {
    "mean of the clip": lambda _, logits: float(logits.mean()),
    "largest look": lambda _, logits: float(logits.max()),
    "mean of the highest tenth": lambda _, logits: float(
        np.sort(logits)[-max(1, logits.size // 10) :].mean()
    ),
}


def _found(clips: list[Clip], rule: Rule) -> dict[str, Any]:
    genuine = {c.host: c for c in clips if not c.method}
    limits = {
        fold: [s for c in genuine.values() if c.fold != fold for s in _genuine_scores(c, rule)]
        for fold in (0, 1)
    }
    own = [s for c in genuine.values() for s in _genuine_scores(c, rule)]
    result: dict[str, Any] = {
        "spread of genuine scores": [
            round(float(q), 2) for q in np.quantile(own, (0.05, 0.5, 0.95))
        ]
    }
    for rate in FALSE_ALARMS:
        limit = {fold: float(np.quantile(values, 1 - rate)) for fold, values in limits.items()}
        result[f"at {rate:.0%} false alarms"] = {
            "false alarms met": _alarms(genuine, rule, limit),
            **{f"{length:g} s": _share(clips, genuine, rule, limit, length) for length in FORGED_S},
        }
    return result


def _alarms(genuine: dict[str, Clip], rule: Rule, limit: dict[int, float]) -> float:
    met = [s >= limit[c.fold] for c in genuine.values() for s in _genuine_scores(c, rule)]
    return round(float(np.mean(met)), 4)


def _share(
    clips: list[Clip], genuine: dict[str, Clip], rule: Rule, limit: dict[int, float], length: float
) -> dict[str, Any]:
    """Share found, interval by drawing pairs of people."""
    by_pair: dict[str, list[bool]] = {pair: [] for fold in FFPP_FOLDS for pair in fold}
    for clip in clips:
        if clip.method:
            hits = [s >= limit[clip.fold] for s in _spliced(clip, genuine[clip.host], rule, length)]
            by_pair[pair_of(clip.host)] += hits
    rates = np.array([np.mean(hits) for hits in by_pair.values() if hits])
    rng = np.random.default_rng(SEED)
    drawn = rates[rng.integers(rates.size, size=(1000, rates.size))].mean(axis=1)
    found = percentile_interval(float(rates.mean()), drawn)
    return {
        "value": round(found.value, 3),
        "lower": round(found.lower, 3),
        "upper": round(found.upper, 3),
    }


def _genuine_scores(clip: Clip, rule: Rule) -> list[float]:
    rng = np.random.default_rng([SEED, int(clip.host)])
    return [rule(*_long(clip, rng)) for _ in range(GENUINE_DRAWS)]


def _spliced(forged: Clip, original: Clip, rule: Rule, length: float) -> Iterator[float]:
    rng = np.random.default_rng([SEED, int(forged.host), len(forged.method)])
    for _ in range(FORGED_DRAWS):
        times, logits = _long(original, rng)
        start = float(rng.uniform(times[0], times[-1] - length))
        at = float(rng.uniform(original.time_s[0], original.time_s[-1] - length))
        chosen = (times >= start) & (times < start + length)
        wanted = times[chosen] - start + at
        nearest = np.abs(forged.time_s[:, None] - wanted).argmin(axis=0)
        close = np.abs(forged.time_s[nearest] - wanted) <= SAME_MOMENT_S
        taken = logits[chosen]
        taken[close] = forged.logit[nearest[close]]
        logits[chosen] = taken
        yield rule(times, logits)


def _long(clip: Clip, rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Looks of LONG_S seconds: the clip's own, in blocks of BLOCK_S."""
    step = float(np.median(np.diff(clip.time_s)))
    block = max(1, round(BLOCK_S / step))
    count = int(LONG_S / step)
    starts = rng.integers(max(clip.logit.size - block, 1), size=-(-count // block))
    logits = np.concatenate([clip.logit[s : s + block] for s in starts])[:count]
    return np.arange(logits.size) * step, logits


def _spreads(clips: list[Clip]) -> dict[str, float]:
    """Of one look about its stretch of BLOCK_S, and of such stretches about their clip."""
    within, between = [], []
    for clip in clips:
        if clip.method:
            continue
        block = max(1, round(BLOCK_S / float(np.median(np.diff(clip.time_s)))))
        whole = clip.logit[: clip.logit.size // block * block].reshape(-1, block)
        within.append(whole.var(axis=1, ddof=1).mean())
        noise = whole.var(axis=1, ddof=1).mean() / block
        between.append(max(float(whole.mean(axis=1).var(ddof=1) - noise), 0.0))
    return {
        "look": round(float(np.sqrt(np.mean(within))), 3),
        "stretch": round(float(np.sqrt(np.mean(between))), 3),
    }


def _tuning(clips: list[Clip]) -> dict[str, Any]:
    """The product's constants against others: share of 1 s found at 5 % false alarms, by half."""
    genuine = {c.host: c for c in clips if not c.method}
    result: dict[str, Any] = {}
    for values in product(*TUNED.values()):
        settings = dict(zip(TUNED, values, strict=True))
        with _constants(settings):
            by_half = []
            for fold in (0, 1):
                scores = [
                    s
                    for c in genuine.values()
                    if c.fold == fold
                    for s in _genuine_scores(c, _product)
                ]
                limit = dict.fromkeys((0, 1), float(np.quantile(scores, 0.95)))
                half = [c for c in clips if c.fold == fold]
                by_half.append(_share(half, genuine, _product, limit, 1.0)["value"])
        result[", ".join(f"{k} {v}" for k, v in settings.items())] = by_half
    return result


@contextlib.contextmanager
def _constants(settings: Mapping[str, float]) -> Iterator[None]:
    before = {name: getattr(face_windows, name) for name in settings}
    try:
        for name, value in settings.items():
            setattr(face_windows, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(face_windows, name, value)

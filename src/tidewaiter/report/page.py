"""A report as one self-contained HTML page: answer first, then findings, then the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from markupsafe import Markup

from tidewaiter.messages import SOURCE_LANGUAGE, translator
from tidewaiter.opinion.verbal import sentence
from tidewaiter.report import svg, words
from tidewaiter.report.advice import advice, contradicting_facts
from tidewaiter.report.rates import Summary, ece_lines, rate_rows, tippett_lines
from tidewaiter.report.rendering import data_uri, rendered, style_sheet
from tidewaiter.report.rounding import rounded
from tidewaiter.report.scale import legend
from tidewaiter.vocabulary import (
    Contribution,
    Finding,
    Opinion,
    Proposition,
    Report,
    ReshippedOpinion,
    Status,
    Text,
    Verdict,
    tr,
)

TONES = {
    Verdict.SUPPORTS_MANIPULATED: "manipulated",
    Verdict.SUPPORTS_AS_ISSUED: "issued",
    Verdict.CANNOT_TELL: "unsure",
}

SILENT_ORDER = (Status.NOT_APPLICABLE, Status.UNAVAILABLE, Status.FAILED)


def html_report(
    report: Report,
    pictures: Mapping[str, bytes],
    language: str = SOURCE_LANGUAGE,
    *,
    calibrations: Sequence[Summary] = (),
    looks_for: Mapping[str, Text] | None = None,
    preview: bytes | None = None,
) -> str:
    """The page. It needs no network, no script and no other file; same input, same bytes.

    `pictures` are PNG files by digest (from `finish_evidence`), `calibrations` the
    serialised calibrations that spoke, `looks_for` one sentence per detector id,
    `preview` a small PNG or JPEG of the exhibit. Raises ConfigurationError for a
    language without a catalogue.
    """
    report = rounded(report)
    context = {
        **_words(),
        **_answer(report, language),
        **_record(report, calibrations),
        **_drawings(language),
        "title": partial(_title, looks_for or {}),
        "pictures": {digest: data_uri(png) for digest, png in pictures.items()},
        "preview": data_uri(preview) if preview else None,
    }
    return rendered("report.html.j2", language, style_sheet(report.exhibit.sha256), context)


def _words() -> dict[str, Any]:
    return {
        "kinds": words.KINDS,
        "propositions": words.PROPOSITIONS,
        "statuses": words.STATUSES,
        "verdicts": words.VERDICTS,
        "changes": words.CHANGES,
        "transform_name": words.transform_name,
        "tones": TONES,
        "colours": legend(),
    }


def _answer(report: Report, language: str) -> dict[str, Any]:
    """What the head of the page and the sections of findings show."""
    examined = [f for f in report.findings if f.status is Status.EXAMINED]
    declined = [f for f in report.findings if f.status is not Status.EXAMINED]
    parts = {
        (o.proposition, part.detector): part for o in report.opinions for part in o.contributors
    }
    return {
        "exhibit": report.exhibit,
        "file_size": words.file_size(report.exhibit.byte_length),
        "opinions": report.opinions,
        "sentence": sentence,
        "stable": partial(_stable, report, translator(language)),
        "silent": _grouped(declined),
        "advice": advice(report),
        "contradictions": contradicting_facts(report),
        "examined": sorted(examined, key=lambda finding: _weight(parts, finding), reverse=True),
        "declined_with_evidence": [f for f in declined if f.evidence or f.gate],
        "contributions": lambda f: [
            p for key, p in parts.items() if key == (f.proposition, f.detector)
        ],
    }


def _record(report: Report, calibrations: Sequence[Summary]) -> dict[str, Any]:
    """What the tables at the end show."""
    columns = [p for p in Proposition if any(o.proposition is p for o in report.stability.outcomes)]
    return {
        "report_stability": report.stability,
        "stability_columns": columns,
        "stability_rows": _stability_rows(report, columns),
        "calibrations": sorted(calibrations, key=lambda summary: str(summary["id"])),
        "calibration_rows": lambda summary: list(rate_rows(summary)),
        "versions": report.versions,
    }


def _drawings(language: str) -> dict[str, Any]:
    translate = translator(language)

    def plots(summary: Summary, name: str) -> list[Markup]:
        lines, costs = tippett_lines(summary), ece_lines(summary)
        caption = tr(
            "Tippett plot: share of held-out items whose log10 likelihood ratio is x or more"
        )
        labels = (tr("log10 likelihood ratio"), tr("share of items"))
        cost_caption = tr(
            "Cost in bits on held-out items, over the prior odds (ECE plot); below the dashed "
            "line the ratios help"
        )
        cost_labels = (tr("log10 prior odds"), tr("bits"))
        if not lines:
            return []
        return [
            svg.rates_svg(caption, lines, labels, translate, name),
            svg.rates_svg(cost_caption, costs, cost_labels, translate, f"{name}e"),
        ]

    return {
        "series_svg": lambda item, name: svg.series_svg(item, translate, name),
        "timeline_svg": lambda item, name: svg.timeline_svg(item, translate, name),
        "strength_svg": lambda opinion, name: svg.strength_svg(opinion, translate, name),
        "calibration_plots": plots,
        "said": lambda text: text.render(translate).rstrip("."),
    }


def _title(looks_for: Mapping[str, Text], finding: Finding) -> Text:
    """What the detector looks for; without that, its id made readable."""
    folder, _, file = finding.detector.rpartition(".")
    plain = tr("{folder}: {file}", folder=folder, file=file.replace("_", " "))
    return looks_for.get(finding.detector, plain)


def _grouped(declined: Sequence[Finding]) -> list[tuple[Status, list[Finding]]]:
    groups = [(status, [f for f in declined if f.status is status]) for status in SILENT_ORDER]
    return [(status, group) for status, group in groups if group]


def _weight(
    parts: Mapping[tuple[Proposition, str], Contribution], finding: Finding
) -> tuple[bool, float, bool]:
    """Findings that speak first, the strongest before; then stated facts."""
    part = parts.get((finding.proposition, finding.detector))
    speaks = part is not None and part.speaks
    strength = abs(part.log10_lr or 0.0) if part else 0.0
    return speaks, strength, finding.concludes is not None


def _stable(report: Report, translate: Callable[[str], str], opinion: Opinion) -> Text:
    """One sentence on whether this opinion survives re-shipping."""
    outcomes = [o for o in report.stability.outcomes if o.proposition is opinion.proposition]
    if not outcomes:
        tried = report.stability.state == "examined"
        return tr("not tested for this question") if tried else report.stability.reason
    flipped = [
        words.transform_name(outcome.transform).render(translate)
        for outcome in outcomes
        if outcome.change == "flipped"
    ]
    if flipped:
        return tr("Not stable; what turned it: {transforms}.", transforms="; ".join(flipped))
    kept = sum(outcome.verdict is opinion.verdict for outcome in outcomes)
    return tr(
        "The verdict is the same after {kept} of {count} ways of re-shipping; none turns it to "
        "the other side.",
        kept=kept,
        count=len(outcomes),
    )


def _stability_rows(
    report: Report, columns: Sequence[Proposition]
) -> list[tuple[str, list[ReshippedOpinion | None]]]:
    cells = {(o.transform, o.proposition): o for o in report.stability.outcomes}
    return [
        (transform, [cells.get((transform, proposition)) for proposition in columns])
        for transform in report.stability.transforms
    ]

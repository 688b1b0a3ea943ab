"""The report of an audit as one page: verdict first, then every table, then the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from tidewaiter.face_audit.results import AuditResults, Curve, ThresholdUsed
from tidewaiter.face_audit.verdict import threshold_said
from tidewaiter.messages import SOURCE_LANGUAGE, translator
from tidewaiter.report import svg
from tidewaiter.report.audit_tables import (
    attack_table,
    detection_tables,
    further_table,
    gated_table,
    generation_table,
    group_table,
    licit_table,
    morph_table,
    outcome_table,
    person_table,
    plan_table,
    potential_table,
)
from tidewaiter.report.rendering import data_uri, rendered, style_sheet
from tidewaiter.report.replay import Table
from tidewaiter.vocabulary import Text, tr


def audit_page(
    results: AuditResults, thumbnails: Mapping[str, bytes], language: str = SOURCE_LANGUAGE
) -> str:
    """The page. It needs no network, no script and no other file; same input, same bytes.

    `thumbnails` are small PNG or JPEG pictures of the worst attacks, by file name. Raises
    ConfigurationError for a language without a catalogue.
    """
    context = {
        "results": results,
        "verdict": results.verdict,
        "sections": [
            (_heading(at.threshold, distance=is_distance(results)), tables)
            for at, tables in zip(results.at, _tables(results), strict=True)
        ],
        "gate": _gate(results),
        "detection": [] if results.gate is None else list(detection_tables(results.gate)),
        "plots": [*_plots(results, language), *_spoofability(results, language)],
        "people": [person_table(results.at[0]), *group_table(results.at[0])],
        "worst": [
            (picture, data_uri(thumbnails[picture.file]) if picture.file in thumbnails else None)
            for picture in results.worst
        ],
        "outcomes": [
            outcome_table(results.spent),
            *plan_table(results.spent),
            *generation_table(results.spent),
        ],
        "not_covered": results.not_covered,
        "reading": _reading(),
    }
    return rendered("audit.html.j2", language, style_sheet(results.protocol_sha256), context)


def _tables(results: AuditResults) -> Iterator[list[Table]]:
    for at in results.at:
        yield [
            licit_table(at.licit, results.fte),
            attack_table(at.attacks, at.licit.frr),
            *([gated_table(at.attacks, at.licit.frr_gated)] if results.gate is not None else []),
            *(
                [morph_table(at.morphs, at.licit.fnmr), potential_table(at.morphs)]
                if at.morphs
                else []
            ),
            *further_table(at),
        ]


def is_distance(results: AuditResults) -> bool:
    """Whether the service's own scores are distances, of which ours are the opposite."""
    target = results.protocol.get("target")
    return results.service.adapter == "dlib" or (
        isinstance(target, dict) and target.get("score") == "distance"
    )


def _heading(used: ThresholdUsed, *, distance: bool) -> Text:
    named = threshold_said(used)
    if used.value is None:
        return tr("At {threshold}: the service’s own verdict", threshold=named)
    said = (
        tr("distance at most {value:.4g}", value=-used.value)
        if distance
        else tr("similarity at least {value:.4g}", value=used.value)
    )
    if not used.supported:
        return tr(
            "At {threshold} ({said}): not reportable, fewer than 30 errors behind it",
            threshold=named,
            said=said,
        )
    return tr("At {threshold} ({said})", threshold=named, said=said)


def _gate(results: AuditResults) -> Text | None:
    gate = results.gate
    if gate is None:
        return None
    return tr(
        "{gate}, its cut fitted on {count} genuine pictures of calibration people at BPCER ≤ "
        "{wanted:.1f} % (it rejects {found} of them; {failures} could not be judged, which rejects "
        "them). A picture on which it declines to speak {declined}. No attack was used to fit it.",
        gate=gate.name,
        count=gate.calibration_pictures,
        wanted=100 * gate.bpcer_wanted,
        found=round(gate.calibration_bpcer * gate.calibration_pictures),
        failures=gate.failures,
        declined=tr("is let through") if gate.on_decline == "pass" else tr("is rejected"),
    )


Plots = tuple[Text, list[Markup]]
"""What a row of plots shows, and the plots."""


def _plots(results: AuditResults, language: str) -> Iterator[Plots]:
    """Two lines a plot, so that dashes tell them apart: each attack beside FMR; DET in pairs."""
    translate = translator(language)
    across = tr("threshold (minus the distance)") if is_distance(results) else None
    labels = (across or tr("threshold (similarity)"), tr("share of trials"))
    caption = tr(
        "Shares over the threshold: honest people refused, or impostors and attacks accepted"
    )
    fmr = [curve for curve in results.sweep if curve.name == "FMR"]
    others = [curve for curve in results.sweep if curve.name != "FMR"]
    sweeps = [
        svg.rates_svg(caption, _lines([*fmr, curve]), labels, translate, f"sweep{number}")
        for number, curve in enumerate(others)
    ]
    if sweeps:
        yield caption, sweeps
    caption = tr(
        "Detection error trade-off (DET); both axes as normal deviates: 0 is 50 %, −1 is 16 %, "
        "−2 is 2.3 %"
    )
    labels = (tr("accepted wrongly"), tr("refused wrongly"))
    pairs = [results.det[number : number + 2] for number in range(0, len(results.det), 2)]
    if pairs:
        yield (
            caption,
            [
                svg.rates_svg(caption, _lines(pair), labels, translate, f"det{2 * number}")
                for number, pair in enumerate(pairs)
            ],
        )


def _spoofability(results: AuditResults, language: str) -> Iterator[Plots]:
    """EPSC of the most successful attack, beside that of the next."""
    caption = tr(
        "Expected errors if attackers come (EPSC): the least half of FNMR and false accepts, over "
        "the share of attacks among impostors; without the gate"
    )
    labels = (tr("share of attacks among impostors"), tr("expected error"))
    worst = sorted(results.spoofability, key=lambda curve: -curve.y[-1])[:2]
    if worst:
        yield (
            caption,
            [svg.rates_svg(caption, _lines(worst), labels, translator(language), "epsc")],
        )


def _lines(curves: Sequence[Curve]) -> list[svg.Line]:
    return [
        svg.Line(
            label=tr("{name} (n = {trials})", name=curve.name, trials=curve.trials),
            points=tuple(zip(curve.x, curve.y, strict=True)),
            dashed=number % 2 == 1,
        )
        for number, curve in enumerate(curves)
    ]


def _reading() -> Sequence[Text]:
    return (
        tr(
            "Every rate reads: events of trials = rate [95 % interval over people]. The interval "
            "is clustered by the person attacked and by the person who attacks, since attempts of "
            "one person resemble each other; the exact interval takes every attempt for "
            "independent and is too short."
        ),
        tr(
            "† fewer than 30 events: by the rule of 30 the rate is uncertain by more than 30 %. "
            "‡ more than 5 % of the trials have no answer: no headline. (≤ …) after 0.0 %: the "
            "most that it may be, since none was seen among so few people."
        ),
        tr(
            "IAPAR: share of attacks accepted by the whole system. APCER: share of attacks that "
            "the gate lets pass. BPCER: share of genuine pictures that the gate rejects. RIAPAR: "
            "IAPAR plus the honest turned away. RMMR: morphs accepted for both, plus the honest "
            "not recognised. P_morph: what honest comparisons of the same pairs foretell of "
            "morphs. Lift: IAPAR minus the acceptance of the same attackers’ own pictures; "
            "anybody can hold up a recapture, so everybody else’s own pictures stand beside it."
        ),
    )

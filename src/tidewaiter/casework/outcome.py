"""From a report to its two written forms and the one line that sums it up."""

from __future__ import annotations

from typing import Any

from tidewaiter.casework.batch import Summary
from tidewaiter.casework.examination import Examination
from tidewaiter.casework.ports import Outcome
from tidewaiter.detectors.registry import all_detectors
from tidewaiter.messages import translator
from tidewaiter.report.advice import contradicting_facts
from tidewaiter.report.index import Row
from tidewaiter.report.page import html_report
from tidewaiter.report.record import json_report
from tidewaiter.report.words import PROPOSITIONS
from tidewaiter.vocabulary import MediaKind, Proposition, Report, Status, Verdict, tr


def reports_of(examination: Examination, language: str) -> tuple[str, str]:
    """JSON and HTML of an examination."""
    as_json = json_report(examination.report, language)
    as_html = html_report(
        examination.report,
        examination.pictures,
        language,
        calibrations=[c.model_dump(mode="json") for c in examination.calibrations],
        looks_for={detector.id: detector.looks_for for detector in all_detectors().values()},
        preview=examination.preview,
    )
    return as_json, as_html


def outcome_of(report: Report, language: str, files: tuple[str, str]) -> dict[str, Any]:
    """What a run keeps of one report: its files, verdicts and one line of words."""
    return {
        "name": report.exhibit.name,
        "sha256": report.exhibit.sha256,
        "kind": report.exhibit.kind.value,
        "verdicts": {o.proposition.value: o.verdict.value for o in report.opinions},
        "facts": [fact.render(translator(language)) for fact in contradicting_facts(report)],
        "line": one_line(report, language),
        "json_file": files[0],
        "html_file": files[1],
    }


def outcome_of_error(key: str, name: str, path: str, error: dict[str, Any]) -> Outcome:
    """An exhibit that could not be examined."""
    shown = name.encode("utf-8", "replace").decode("utf-8")
    return Outcome(key=key, name=shown, path=path, error=(error["type"], error["message"]))


def summary_rows(summary: Summary) -> list[Row]:
    """The rows of the index of a folder of reports."""
    return [
        Row(
            name=outcome.name,
            href=outcome.html_file,
            sha256=outcome.sha256,
            kind=MediaKind(outcome.kind) if outcome.kind else None,
            verdicts={Proposition(p): Verdict(v) for p, v in outcome.verdicts.items()},
            facts=outcome.facts,
            error=outcome.error[1] if outcome.error else None,
        )
        for outcome in summary.outcomes
    ]


def one_line(report: Report, language: str) -> str:
    """The report in one line: what the evidence supports, and how much was examined."""
    translate = translator(language)
    if report.exhibit.kind in (MediaKind.SOUND, MediaKind.DOCUMENT):
        return tr("recognised, but not examined yet").render(translate)
    told = [o for o in report.opinions if o.verdict is not Verdict.CANNOT_TELL]
    examined = sum(finding.status is Status.EXAMINED for finding in report.findings)
    count = tr(
        "{examined} of {all} detectors could speak", examined=examined, all=len(report.findings)
    ).render(translate)
    facts = "".join(f" · {fact.render(translate)}" for fact in contradicting_facts(report))
    if not told:
        return f"{translate(CANNOT_TELL)} ({count}){facts}"
    parts = [
        f"{PROPOSITIONS[o.proposition].render(translate)} {translate(VERDICTS[o.verdict])} "
        f"(log10 LR {o.log10_lr:.1f})"
        for o in told
    ]
    return f"{'; '.join(parts)} ({count}){facts}"


CANNOT_TELL = tr("cannot tell").template
VERDICTS = {
    Verdict.SUPPORTS_MANIPULATED: tr("supports manipulated").template,
    Verdict.SUPPORTS_AS_ISSUED: tr("supports as issued").template,
}

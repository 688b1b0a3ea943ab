"""What to do next: advice that follows from the opinions and from who kept silent."""

from __future__ import annotations

from collections.abc import Iterator

from tidewaiter.vocabulary import Facts, Finding, MediaKind, Report, Status, Text, Verdict, tr

EXAMINED_KINDS = (MediaKind.PICTURE, MediaKind.VIDEO)


def advice(report: Report) -> tuple[Text, ...]:
    """Steps in the order in which to take them; never empty."""
    return (
        *_because_of_opinions(report),
        *_because_of_facts(report),
        *_because_of_silence(report),
        *_because_of_stability(report),
        tr("Keep the file as it is. The SHA-256 above identifies it; one changed byte changes it."),
    )


def _because_of_opinions(report: Report) -> Iterator[Text]:
    verdicts = {opinion.verdict for opinion in report.opinions}
    if Verdict.SUPPORTS_MANIPULATED in verdicts:
        yield tr(
            "Do not decide on this report alone: refer the exhibit, with this report, to a "
            "forensic examiner, and weigh it with the other papers and the goods."
        )
    else:
        yield tr(
            "Nothing found does not prove that the file is as issued: weigh it with the other "
            "papers and the goods."
        )
    if Verdict.SUPPORTS_AS_ISSUED in verdicts:
        yield tr(
            "Support for “as issued” concerns only the question it stands beside. It says "
            "nothing about the other questions, nor about what the picture claims to show."
        )


def _because_of_facts(report: Report) -> Iterator[Text]:
    if any(_contradicts(finding) for finding in report.findings):
        yield tr(
            "Ask whoever handed in the file to explain the facts marked as contradictions below."
        )


def _because_of_silence(report: Report) -> Iterator[Text]:
    silent = {finding.status for finding in report.findings}
    if report.exhibit.kind not in EXAMINED_KINDS:
        yield tr("Files of this kind are not examined yet; have a person examine it.")
        return
    if Status.NOT_APPLICABLE in silent:
        yield tr(
            "Ask for the original file, as it left the camera or telephone: not a screenshot, not "
            "sent through a messenger, not shortened. Some methods had too little to work on here."
        )
    if Status.UNAVAILABLE in silent:
        yield tr(
            "Have the missing parts installed (they are named below), then examine the file again."
        )
    if Status.FAILED in silent:
        yield tr(
            "A method broke down on this file. Send the JSON form of this report to whoever "
            "maintains your installation."
        )


def _because_of_stability(report: Report) -> Iterator[Text]:
    stability = report.stability
    if any(outcome.change == "flipped" for outcome in stability.outcomes):
        yield tr(
            "An opinion changed sides when the file was sent on as messengers and web sites do. "
            "Get a copy closer to the source before relying on any result here."
        )
    if stability.state == "failed":
        yield tr("The test of stability failed; treat every result here as not yet confirmed.")
    if stability.state == "not_asked" and report.opinions:
        yield tr("Examine again with the test of stability before relying on this report.")


def contradicting_facts(report: Report) -> tuple[Text, ...]:
    """What detectors concluded from facts that do not fit; facts carry no likelihood ratio."""
    return tuple(
        finding.concludes
        for finding in report.findings
        if finding.concludes is not None and _contradicts(finding)
    )


def _contradicts(finding: Finding) -> bool:
    tables = (item for item in finding.evidence if isinstance(item, Facts))
    return any(row.contradicts is not None for table in tables for row in table.rows)

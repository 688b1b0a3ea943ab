"""A report as JSON: the form that other programs read and that is kept as the record."""

from __future__ import annotations

import json

from tidewaiter.messages import SOURCE_LANGUAGE, translator
from tidewaiter.report.rounding import rounded
from tidewaiter.report.showing import escaped_json
from tidewaiter.vocabulary import Report


def json_report(report: Report, language: str = SOURCE_LANGUAGE) -> str:
    """The report as one JSON object, ending in a new line; same report, same bytes.

    Sentences are in `language`; numbers have six significant digits. The text reads
    back with `Report.model_validate_json`. Raises ConfigurationError for a language
    without a catalogue.
    """
    document = rounded(report).model_dump(mode="json", context={"translate": translator(language)})
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    return escaped_json(text) + "\n"

"""Message catalogues: the words a user reads, by language."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from tidewaiter.errors import ConfigurationError

SOURCE_LANGUAGE = "en"
"""The language the templates are written in; it needs no catalogue."""


def languages() -> tuple[str, ...]:
    """Every language a report can be written in, the source language first."""
    compiled = (entry.name for entry in files(__package__).iterdir() if entry.name.endswith(".mo"))
    return (SOURCE_LANGUAGE, *sorted(name.removesuffix(".mo") for name in compiled))


@cache
def translator(language: str) -> Callable[[str], str]:
    """From an English template to the template of `language`, with the same placeholders.

    A template that the catalogue does not hold stays English. Raises ConfigurationError
    for a language without a catalogue.
    """
    if language not in languages():
        raise ConfigurationError(
            f"there are no messages in the language {language!r}; "
            f"choose one of: {', '.join(languages())}"
        )
    if language == SOURCE_LANGUAGE:
        return str
    with files(__package__).joinpath(f"{language}.mo").open("rb") as catalogue:
        messages = gettext.GNUTranslations(catalogue)
    # The catalogue keeps its own description under the empty string.
    return lambda template: messages.gettext(template) if template else ""

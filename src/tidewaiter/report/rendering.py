"""The template engine of all pages: everything escaped, translated and made visible."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache, partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tidewaiter.messages import translator
from tidewaiter.report.showing import visible
from tidewaiter.report.words import between, clock, likelihood_ratio
from tidewaiter.vocabulary import Text

MIME = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def rendered(template: str, language: str, style: Markup, context: dict[str, Any]) -> str:
    """A page from a template and what it shows, with its style and its policy inline.

    Any `Text` given to the template comes out in `language`; any string comes out
    escaped, its unseen characters written out.
    """
    return (
        _environment(language)
        .get_template(template)
        .render(language=language, style=style, policy=policy(style), **context)
    )


def style_sheet(print_header: str = "") -> Markup:
    """The style of every page; `print_header` (a digest) stands on top of printed sheets."""
    shared = files("tidewaiter.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    letters = "".join(character for character in print_header if character.isalnum())
    running = (
        f'@page {{ @top-right {{ content: "{letters}"; font: 7pt monospace; }} '
        '@bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; } }\n'
    )
    return Markup(shared + running)  # noqa: S704 - our own file and letters only


def policy(style: str) -> str:
    """A content security policy that allows this very style, pictures within, nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def data_uri(picture: bytes) -> str:
    """A PNG or JPEG for the `src` of an image; ValueError for anything else."""
    for magic, mime in MIME.items():
        if picture.startswith(magic):
            return f"data:{mime};base64,{base64.b64encode(picture).decode('ascii')}"
    raise ValueError(f"a picture begins with {picture[:4]!r}; PNG or JPEG is needed")


@cache
def _environment(language: str) -> Environment:
    translate = translator(language)
    environment = Environment(
        loader=PackageLoader("tidewaiter.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=partial(_shown, language),
    )
    environment.globals["_"] = lambda template, **values: _kept_together(
        visible(Text(template=template, values=values).render(translate))
    )
    environment.globals |= {
        "between": between,
        "clock": clock,
        "number": _number,
        "ratio": likelihood_ratio,
    }
    return environment


def _shown(language: str, value: Any) -> Any:
    if value is None:
        raise ValueError("a template shows something that is not there")
    if isinstance(value, Text):
        value = value.render(translator(language))
    if isinstance(value, str) and not isinstance(value, Markup):
        return _kept_together(visible(value))
    return value


def _kept_together(words: str) -> str:
    """A percent sign stays on the line of its number."""
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", words)


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")

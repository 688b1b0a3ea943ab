"""Refresh the message catalogues: extract from the source, update, compile.

    python recipes/messages.py            write tidewaiter.pot, *.po and *.mo
    python recipes/messages.py --missing  print what a translator has still to do

Sentences come from `tr("…")` in Python and from `_("…")` in the Jinja templates. A
translated sentence whose English original changed is dropped, not guessed: a wrong
translation in evidence is worse than an English one, and the test names what is missing.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

SOURCE = Path(__file__).parents[1] / "src" / "tidewaiter"
CATALOGUES = SOURCE / "messages"
POT = CATALOGUES / "tidewaiter.pot"
WIDTH = 100

Sentence = tuple[str, str]
"""The English template and the file it stands in, relative to the package."""


class TidyCatalog(Catalog):
    """A catalogue whose header holds neither clock nor tool versions: same words, same bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The header lines that gettext needs, and no others."""
        return [
            ("Project-Id-Version", "tidewaiter"),
            ("Language", str(self.locale or "")),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def main() -> None:
    """Write every catalogue, or list the gaps."""
    sentences = sorted(extract(SOURCE))
    if "--missing" in sys.argv[1:]:
        for language in languages():
            for template in missing(sentences, read_catalogue(language)):
                print(f"{language}: {template!r}")
        return
    POT.write_bytes(pot_bytes(sentences))
    for language in languages():
        updated = update(sentences, read_catalogue(language), language)
        po_path(language).write_bytes(po_bytes(updated))
        po_path(language).with_suffix(".mo").write_bytes(mo_bytes(updated))
        print(f"{language}: {len(missing(sentences, updated))} of {len(updated)} not translated")


def languages() -> list[str]:
    """Every language that has a catalogue."""
    return sorted(path.stem for path in CATALOGUES.glob("*.po"))


def po_path(language: str) -> Path:
    """Where the translations of a language are kept."""
    return CATALOGUES / f"{language}.po"


def extract(root: Path) -> Iterator[Sentence]:
    """Every sentence below `root`; ValueError where a template is not a literal."""
    for path in sorted(root.rglob("*.py")):
        yield from ((text, str(path.relative_to(root))) for text in sentences_of_python(path))
    for path in sorted(root.rglob("*.j2")):
        yield from ((text, str(path.relative_to(root))) for text in sentences_of_template(path))


def sentences_of_python(path: Path) -> Iterator[str]:
    """The first argument of every call of `tr` in one file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
            template = node.args[0] if node.args else None
            if not (isinstance(template, ast.Constant) and isinstance(template.value, str)):
                raise ValueError(
                    f"{path}:{node.lineno}: tr() without a literal template; "
                    "write the sentence in the call so that it can be translated"
                )
            yield template.value


def sentences_of_template(path: Path) -> Iterator[str]:
    """The first argument of every call of `_` in one Jinja template."""
    tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "_":
            template = call.args[0] if call.args else None
            if not (isinstance(template, nodes.Const) and isinstance(template.value, str)):
                raise ValueError(f"{path}:{call.lineno}: _() without a literal template")
            yield template.value


def read_catalogue(language: str) -> Catalog:
    """The translations as they are on disk."""
    return read_po(io.BytesIO(po_path(language).read_bytes()), locale=language)


def update(sentences: list[Sentence], known: Catalog, language: str) -> TidyCatalog:
    """A catalogue of exactly `sentences`, with the translations that are `known`."""
    updated = TidyCatalog(locale=language, header_comment="", fuzzy=False)
    for text, path in sentences:
        if text:
            old = known.get(text)
            updated.add(text, old.string if old else "", locations=[(path, None)])
    return updated


def missing(sentences: list[Sentence], known: Catalog) -> list[str]:
    """Templates that have words but no translation."""
    wanted = sorted({text for text, _ in sentences if has_words(text)})
    return [text for text in wanted if not (known.get(text) and known[text].string)]


def has_words(template: str) -> bool:
    """Whether there is anything to translate besides values, figures and signs."""
    literals = (literal for literal, *_ in Formatter().parse(template))
    return any(character.isalpha() for literal in literals for character in literal)


def pot_bytes(sentences: list[Sentence]) -> bytes:
    """The catalogue of all sentences, untranslated."""
    pot = TidyCatalog(header_comment="", fuzzy=False)
    for text, path in sentences:
        if text:
            pot.add(text, locations=[(path, None)])
    return po_bytes(pot)


def po_bytes(catalogue: Catalog) -> bytes:
    """A catalogue as text, sorted, without line numbers (they would change with every edit)."""
    written = io.BytesIO()
    write_po(written, catalogue, width=WIDTH, sort_output=True, include_lineno=False)
    return written.getvalue()


def mo_bytes(catalogue: Catalog) -> bytes:
    """A catalogue as gettext reads it."""
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


if __name__ == "__main__":
    main()

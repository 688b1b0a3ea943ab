"""Print report pages to PDF with the browser that is installed here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tidewaiter.errors import StorageError
from tidewaiter.outlets.browser import find_browser, print_page


def check_printing(named: Path | None) -> Path:
    """The browser that will print. Raises ConfigurationError before any work is done."""
    return find_browser(named)


def print_pages(browser: Path, pages: Iterable[Path]) -> list[Path]:
    """A PDF beside each HTML page, under the same name. Raises ExaminationError, StorageError."""
    made = []
    for page in pages:
        pdf = page.with_suffix(".pdf")
        try:
            print_page(browser, page, pdf)
        except OSError as error:
            raise StorageError(
                f"{pdf.name!r} could not be written ({error.strerror}); free disk space or choose "
                "another --out folder"
            ) from error
        made.append(pdf)
    return made

"""Find an installed Chromium, print a page with it, or let it visit a page with a fake camera.

Each time with a profile of its own that is thrown away, and with everything switched off by
which a browser talks to its maker.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tidewaiter.errors import ConfigurationError, ExaminationError

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge")
LONGEST_PRINT_S = 120.0
LONGEST_START_S = 30.0
QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-default-browser-check",
    "--no-first-run",
    "--hide-scrollbars",
    "--mute-audio",
)


def find_browser(named: Path | None = None) -> Path:
    """The browser named, else the first of NAMES on the search path.

    Raises ConfigurationError where there is none.
    """
    if named is not None:
        found = shutil.which(str(named))
    else:
        found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        what = f"{named.name!r} cannot be run" if named else "no Chromium was found"
        raise ConfigurationError(
            f"{what}; install Chromium or Chrome, or name it with --browser; everything else "
            "works without it"
        )
    return Path(found)


def browser_version(browser: Path) -> str:
    """Name and version as the browser gives them, such as "Chromium 130.0.6723.58"."""
    with _run(browser, ["--version"], LONGEST_START_S) as done:
        words = done.stdout.decode("utf-8", "replace").split()
    return " ".join(words[:3] if words[:1] == ["Google"] else words[:2]) or browser.name


def print_page(browser: Path, page: Path, pdf: Path) -> None:
    """Print an HTML file to PDF; the old PDF stays where that fails. Raises ExaminationError."""
    with tempfile.TemporaryDirectory(prefix="tidewaiter-print-") as folder:
        made = Path(folder) / "page.pdf"
        arguments = [
            *_usual(Path(folder)),
            "--no-pdf-header-footer",
            f"--print-to-pdf={made}",
            page.resolve().as_uri(),
        ]
        with _run(browser, arguments, LONGEST_PRINT_S):
            pass
        if not made.is_file() or not made.read_bytes().startswith(b"%PDF"):
            raise ExaminationError(
                f"{browser.name} did not print {page.name!r}; the page itself is whole: open it "
                "and print it by hand"
            )
        beside = pdf.with_name(f".{pdf.name}.{os.getpid()}.part")
        shutil.copyfile(made, beside)
        beside.replace(pdf)


@contextmanager
def visiting(browser: Path, url: str, camera: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A browser at `url` for the block, its only camera the film in the file `camera`.

    The file is opened anew each time the page asks for the camera.
    """
    with tempfile.TemporaryDirectory(prefix="tidewaiter-browser-") as folder:
        arguments = [
            *_usual(Path(folder)),
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera.resolve()}",
            url,
        ]
        with _started(browser, arguments, subprocess.DEVNULL) as process:
            yield process


def _usual(folder: Path) -> list[str]:
    """Flags of every start. The sandbox refuses to work for root, as in most containers."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*QUIET, *(["--no-sandbox"] if as_root else []), f"--user-data-dir={folder / 'profile'}"]


@contextmanager
def _run(
    browser: Path, arguments: Sequence[str], longest_s: float
) -> Iterator[subprocess.CompletedProcess[bytes]]:
    with _started(browser, arguments, subprocess.PIPE) as process:
        try:
            output, _ = process.communicate(timeout=longest_s)
        except subprocess.TimeoutExpired:
            raise ExaminationError(
                f"{browser.name} did not end within {longest_s:g} s; see that it runs on this "
                "machine at all, then try again"
            ) from None
        yield subprocess.CompletedProcess(process.args, process.returncode, output)


@contextmanager
def _started(
    browser: Path, arguments: Sequence[str], output: int
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, with all that it started ended at the end of the block."""
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; an installed browser
            [str(browser), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigurationError(
            f"{browser.name} cannot be started ({error.strerror}); name another with --browser"
        ) from error
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

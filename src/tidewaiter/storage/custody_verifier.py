"""The stand-alone verifier, made from the modules that are installed here."""

from __future__ import annotations

from pathlib import Path

from tidewaiter.custody.stand_alone import PACKAGE, join_modules
from tidewaiter.errors import StorageError

VERIFIER_NAME = "tidewaiter_verify.py"


def stand_alone_verifier() -> str:
    """The text of the one-file verifier. Raises StorageError where the sources are not there."""
    try:
        return join_modules(verifier_sources())
    except (OSError, KeyError) as error:
        raise StorageError(
            f"the verifier's sources are not beside the program ({error}); install Tidewaiter "
            f"from its wheel, or take {VERIFIER_NAME} from the release"
        ) from error


def verifier_sources() -> dict[str, str]:
    """The sources, by module name, among which those of the verifier are. Raises OSError."""
    root = Path(__file__).parents[1]
    folders = (root, root / "custody", root / "storage")
    return {
        ".".join((PACKAGE, *path.relative_to(root).with_suffix("").parts)): path.read_text(
            encoding="utf-8"
        )
        for folder in folders
        for path in folder.glob("*.py")
    }

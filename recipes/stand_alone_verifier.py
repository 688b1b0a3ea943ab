"""Write verifier/tidewaiter_verify.py anew, after any change to the modules it joins."""

from __future__ import annotations

from pathlib import Path

from tidewaiter.storage.custody_verifier import VERIFIER_NAME, stand_alone_verifier

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Write the file where the tests compare it."""
    target = ROOT / "verifier" / VERIFIER_NAME
    target.parent.mkdir(exist_ok=True)
    target.write_text(stand_alone_verifier(), encoding="utf-8")
    print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()

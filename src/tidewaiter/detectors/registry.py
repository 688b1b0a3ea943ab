"""Find all detectors: those in this folder, and third parties' by entry point."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

import tidewaiter.detectors as folder
from tidewaiter.detectors.base import Detector
from tidewaiter.errors import ConfigurationError

ENTRY_POINT_GROUP = "tidewaiter.detectors"


@cache
def all_detectors() -> dict[str, Detector]:
    """Every detector by id, sorted; each file below this folder holds exactly one."""
    found: dict[str, Detector] = {}
    for module_info in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}."):
        if module_info.ispkg or module_info.name.count(".") < 3:
            continue
        _add(found, _detector_of(module_info.name))
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda p: p.name):
        _add(found, point.load()())
    return dict(sorted(found.items()))


def _detector_of(module_name: str) -> Detector:
    module = importlib.import_module(module_name)
    own = [
        item
        for item in vars(module).values()
        if isinstance(item, type)
        and issubclass(item, Detector)
        and item is not Detector
        and item.__module__ == module_name
    ]
    if len(own) != 1:
        raise ConfigurationError(f"{module_name} holds {len(own)} detectors; exactly one is needed")
    return own[0]()


def _add(found: dict[str, Detector], detector: Detector) -> None:
    if detector.id in found:
        raise ConfigurationError(
            f"two detectors are named {detector.id}; remove or rename the one installed last"
        )
    found[detector.id] = detector

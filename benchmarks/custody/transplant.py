"""Puts the contents of a changed module into the one that everybody has already imported."""

from __future__ import annotations

import sys
from enum import Enum
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

_PLAIN = (bool, int, str, bytes, tuple, frozenset, set, dict, list)


def replace_module(old: ModuleType, new: ModuleType) -> None:
    """Make the loaded module behave as the new one: functions change, and keep their identity.

    What was computed from it when other modules were imported stays as it was.
    """
    for name, value in vars(new).items():
        before = vars(old).get(name)
        if isinstance(value, FunctionType) and value.__module__ == old.__name__:
            _replace_function(before, value)
        elif isinstance(value, type) and value.__module__ == old.__name__:
            _replace_class(before, value)
        elif not name.startswith("__") and value is not before:
            _replace_value(name, before, value)


def _replace_function(old: Any, new: FunctionType) -> None:
    old.__code__ = new.__code__
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
    # What a decorator wraps, such as the representation that a dataclass generates.
    for cell, changed in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
        if isinstance(changed.cell_contents, FunctionType):
            cell.cell_contents = changed.cell_contents


def _replace_class(old: Any, new: type) -> None:
    for name, value in vars(new).items():
        before = vars(old).get(name)
        function, changed = _function_of(before), _function_of(value)
        if function is not None and changed is not None:
            _replace_function(function, changed)
        elif isinstance(value, _PLAIN) and not name.startswith("__") and not issubclass(old, Enum):
            setattr(old, name, value)


def _function_of(member: Any) -> FunctionType | None:
    if isinstance(member, property):
        member = member.fget
    elif isinstance(member, cached_property):
        member = member.func
    elif isinstance(member, classmethod | staticmethod):
        member = member.__func__
    return member if isinstance(member, FunctionType) else None


def _replace_value(name: str, old: Any, new: Any) -> None:
    """Also where the value was imported by its name."""
    for module in list(sys.modules.values()):
        if vars(module).get(name) is old and module.__name__.startswith(("tidewaiter", "tests")):
            setattr(module, name, new)

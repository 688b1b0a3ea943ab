"""Joins the verifier's modules into one file that anybody can read, keep and run.

What a court runs is this text, the standard library and `cryptography`. The join only drops the
imports between the modules: no line of theirs is rewritten, so two of them must not use one name.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Mapping

PACKAGE = "tidewaiter"
ENTRY_MODULE = "tidewaiter.storage.custody_bundle"
_ALLOWED_OUTSIDE = {"cryptography"}
_HEADER = '''#!/usr/bin/env python3
"""Tidewaiter's custody verifier in one file: Python 3.11 or later and `cryptography` suffice.

    python -m pip install cryptography
    python tidewaiter_verify.py PROOF-OR-BUNDLE [FILE …] --policy POLICY

Made by joining the modules below, unaltered but for the imports between them; their SHA-256 are
those of the release they came from. Licence: Apache-2.0.

{modules}
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):
    sys.stderr.write("Python 3.11 or later is needed; this is " + sys.version.split()[0] + "\\n")
    raise SystemExit(3)

{imports}
'''
_FOOTER = """

if __name__ == "__main__":
    raise SystemExit(run_verifier())
"""


def modules_needed(sources: Mapping[str, str], entry: str = ENTRY_MODULE) -> list[str]:
    """The modules that the entry module imports, itself last, each after those it imports."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        for node in ast.parse(sources[name]).body:
            if isinstance(node, ast.ImportFrom) and _is_ours(node):
                visit(str(node.module))
        order.append(name)

    visit(entry)
    return order


def join_modules(sources: Mapping[str, str], entry: str = ENTRY_MODULE) -> str:
    """The text of one program from the sources by module name.

    Raises ValueError for two modules that define one name, and for an import that neither the
    standard library nor `cryptography` satisfies.
    """
    names = modules_needed(sources, entry)
    owners: dict[str, str] = {}
    imports: dict[str, set[str]] = {}
    parts: list[str] = []
    for name in names:
        tree = ast.parse(sources[name])
        _claim_names(name, tree, owners)
        for line, names_imported in _outside_imports(name, tree):
            imports.setdefault(line, set()).update(names_imported)
        parts.append(_without_imports(name, sources[name], tree))
    digests = [f"{hashlib.sha256(sources[name].encode()).hexdigest()}  {name}" for name in names]
    header = _HEADER.format(modules="\n".join(digests), imports=_import_block(imports))
    return header + "".join(parts) + _FOOTER


def _is_ours(node: ast.ImportFrom) -> bool:
    return node.level == 0 and str(node.module).split(".")[0] == PACKAGE


def _claim_names(module: str, tree: ast.Module, owners: dict[str, str]) -> None:
    for node in tree.body:
        for name in _defined(node):
            owner = owners.setdefault(name, module)
            if owner != module:
                raise ValueError(f"{module} and {owner} both define {name}; rename one of them")


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    if isinstance(node, ast.Assign):
        found = [one for target in node.targets for one in ast.walk(target)]
        return [one.id for one in found if isinstance(one, ast.Name)]
    return []


def _outside_imports(module: str, tree: ast.Module) -> list[tuple[str, set[str]]]:
    """The modules imported at the top from outside, each with the names taken from it.

    Inside functions only `cryptography` may be imported, so that a missing one is found late.
    """
    top: list[tuple[str, set[str]]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        is_top = node in tree.body
        if isinstance(node, ast.ImportFrom) and _is_ours(node):
            if not is_top or any(one.asname for one in node.names):
                raise ValueError(f"{module} imports {node.module} late or under another name")
            continue
        from_one = str(node.module) if isinstance(node, ast.ImportFrom) else ""
        roots = {(from_one or one.name).split(".")[0] for one in node.names}
        if not roots <= sys.stdlib_module_names | _ALLOWED_OUTSIDE:
            raise ValueError(f"{module} imports {', '.join(roots)}, which the verifier may not")
        if is_top and from_one != "__future__":
            top.append((from_one, {_spelled(one) for one in node.names}))
    return top


def _spelled(name: ast.alias) -> str:
    return f"{name.name} as {name.asname}" if name.asname else name.name


def _import_block(imports: Mapping[str, set[str]]) -> str:
    plain = [f"import {name}" for name in sorted(imports.get("", ()))]
    chosen = [
        f"from {module} import {', '.join(sorted(names))}"
        for module, names in sorted(imports.items())
        if module
    ]
    return "\n".join(plain + chosen)


def _without_imports(module: str, source: str, tree: ast.Module) -> str:
    """The module's own lines under a heading; its docstring stands as a comment."""
    lines = source.splitlines()
    dropped: set[int] = set()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) or _is_docstring(node, tree):
            dropped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in dropped)
    said = (ast.get_docstring(tree) or "").splitlines()
    comment = "\n".join(f"# {line}".rstrip() for line in [f"== {module}", "", *said])
    return f"\n\n{comment}\n\n{kept.strip()}\n"


def _is_docstring(node: ast.stmt, tree: ast.Module) -> bool:
    return node is tree.body[0] and isinstance(node, ast.Expr)

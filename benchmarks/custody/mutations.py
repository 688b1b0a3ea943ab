"""Small faults to put into a module's source, one at a time: the operators of mutation testing.

Left alone are annotations, docstrings and the words of messages (f-strings, and what is raised):
that a message is there is asked for, not what it says. Everything else that decides is changed:
comparisons, truth, numbers, tables, and statements that raise, return, note or change something.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Site:
    """One fault that could be put into a tree: where, what, and how."""

    where: str
    """The function or class around it; empty at the top of the module."""

    first: int
    last: int
    """Lines whose execution reaches it; the whole statement, or the head of a compound one."""

    is_run: bool
    """Whether it is part of a function, so that running it shows in a trace."""

    what: str
    apply: Callable[[], None]


def sites(tree: ast.Module) -> list[Site]:
    """Every fault that can be put into this tree, in the order of the source."""
    return list(_visit(tree, _Place("", 0, 0, is_run=False)))


def names_made(source: str, lines: Iterable[int]) -> set[str]:
    """The names that statements on these lines, at the top, define; and what is made of those."""
    tree = ast.parse(source)
    wanted, names = set(lines), set[str]()
    while True:
        before = len(names)
        for node in tree.body:
            reads = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} & names
            is_made = wanted & set(range(node.lineno, (node.end_lineno or 0) + 1)) or reads
            if is_made and not isinstance(node, ast.FunctionDef):
                names |= _defined_by(node)
        if len(names) == before:
            return names


def lines_that_read(source: str, names: set[str]) -> set[int]:
    """The lines on which these names are read, plainly or as attributes."""
    return {
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names)
        or (isinstance(node, ast.Attribute) and node.attr in names)
    }


def _defined_by(node: ast.stmt) -> set[str]:
    """Names that a statement gives: variables, a class, and the attributes of the class."""
    own = {node.name} if isinstance(node, ast.ClassDef) else set()
    inner = [one for part in getattr(node, "body", []) for one in [part]]
    assigned = [node, *inner]
    targets = [
        target
        for one in assigned
        if isinstance(one, ast.Assign | ast.AnnAssign)
        for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
    ]
    return own | {
        name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
    }


@dataclass(frozen=True)
class _Place:
    where: str
    first: int
    last: int
    is_run: bool


def _visit(parent: ast.AST, at: _Place) -> Iterator[Site]:
    for name, place, node in _children(parent):
        if _is_left_alone(parent, name, node):
            continue
        inside = at
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            inside = replace(at, **dict(zip(("first", "last"), _lines_of(node), strict=True)))
        for what, changed in _changes(node, parent, name):
            put = _putter(parent, name, place, changed)
            said = f"{what} in: {_shown(node)}"
            yield Site(inside.where, inside.first, inside.last, inside.is_run, said, put)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            is_run = isinstance(node, ast.FunctionDef)
            inside = replace(inside, where=f"{at.where}.{node.name}".lstrip("."), is_run=is_run)
        yield from _visit(node, inside)


def _children(parent: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for name, value in ast.iter_fields(parent):
        if isinstance(value, ast.AST):
            yield name, None, value
        elif isinstance(value, list):
            for place, one in enumerate(value):
                if isinstance(one, ast.AST):
                    yield name, place, one


def _is_left_alone(parent: ast.AST, name: str, node: ast.AST) -> bool:
    is_annotation = name in {"annotation", "returns", "decorator_list", "bases"}
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    is_message = isinstance(node, ast.JoinedStr) or (isinstance(parent, ast.Raise))
    return (
        is_annotation or is_docstring or is_message or isinstance(node, ast.Import | ast.ImportFrom)
    )


def _lines_of(node: ast.stmt | ast.ExceptHandler) -> tuple[int, int]:
    if isinstance(node, ast.If | ast.While):
        return node.lineno, node.test.end_lineno or node.lineno
    if isinstance(node, ast.For):
        return node.lineno, node.iter.end_lineno or node.lineno
    if isinstance(node, ast.Try | ast.ExceptHandler | ast.With):
        return node.lineno, node.lineno
    return node.lineno, node.end_lineno or node.lineno


def _putter(parent: ast.AST, name: str, place: int | None, changed: ast.AST) -> Callable[[], None]:
    def put() -> None:
        if place is None:
            setattr(parent, name, changed)
        else:
            getattr(parent, name)[place] = changed

    return put


def _shown(node: ast.AST) -> str:
    first = ast.unparse(node).split("\n")[0]
    return first if len(first) <= 90 else f"{first[:90]}…"


def _changes(node: ast.AST, parent: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.stmt):
        changes = _of_statement(node, parent)
    elif isinstance(node, ast.expr):
        changes = _of_expression(node, parent, name)
    elif isinstance(node, ast.comprehension):
        changes = _of_comprehension(node)
    elif isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple):
        changes = _fewer_errors(node, node.type)
    else:
        return
    for what, changed in changes:
        whole = (
            ast.copy_location(changed, node) if isinstance(node, ast.stmt | ast.expr) else changed
        )
        yield what, ast.fix_missing_locations(whole)


def _of_statement(node: ast.stmt, parent: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Raise):
        yield "not raised", ast.Pass()
    elif isinstance(node, ast.Return) and node.value is not None:
        yield from _of_return(node.value)
    elif isinstance(node, ast.Return):
        yield "not returned", ast.Pass()
    elif isinstance(node, ast.Continue):
        yield "breaks off", ast.Break()
    elif isinstance(node, ast.Break):
        yield "goes on", ast.Continue()
    elif isinstance(node, ast.AugAssign):
        yield "left out", ast.Pass()
        if type(node.op) in _ARITHMETIC:
            opposite = _ARITHMETIC[type(node.op)]()
            yield "other operation", ast.AugAssign(node.target, opposite, node.value)
    elif _changes_something(node) and not isinstance(parent, ast.Module | ast.ClassDef):
        yield "left out", ast.Pass()


def _changes_something(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(one, ast.Attribute | ast.Subscript) for one in node.targets)
    return isinstance(node, ast.Delete) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    )


def _of_return(value: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    """What a function says is wrong is no longer said; other values are not given."""
    is_text = isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value
    )
    if is_text:
        yield "says nothing", ast.Return(ast.Constant(""))
    elif isinstance(value, ast.List) and value.elts:
        yield "returns no item", ast.Return(ast.List([], ast.Load()))
    elif not isinstance(value, ast.Constant):
        yield "returns nothing", ast.Return(ast.Constant(None))


def _of_expression(node: ast.expr, parent: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Compare):
        yield from _of_comparison(node)
    elif isinstance(node, ast.BoolOp):
        yield from _of_condition(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not negated", node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        opposite = _ARITHMETIC[type(node.op)]()
        yield "other operation", ast.BinOp(node.left, opposite, node.right)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        opposite_name = _OPPOSITES.get(node.func.id)
        if opposite_name:
            yield (
                f"{opposite_name} instead",
                ast.Call(ast.Name(opposite_name, ast.Load()), node.args, node.keywords),
            )
    elif isinstance(node, ast.Set | ast.Tuple | ast.List | ast.Dict):
        yield from _shorter(node)
    is_decision = name == "test" and isinstance(parent, ast.If | ast.While | ast.IfExp)
    if is_decision and not isinstance(node, ast.Compare | ast.UnaryOp):
        yield "negated", ast.UnaryOp(ast.Not(), node)


def _of_comparison(node: ast.Compare) -> Iterator[tuple[str, ast.AST]]:
    for place, op in enumerate(node.ops):
        for other in _COMPARISONS[type(op)]:
            ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield (
                f"{type(op).__name__} is {other.__name__}",
                ast.Compare(node.left, ops, node.comparators),
            )


def _of_condition(node: ast.BoolOp) -> Iterator[tuple[str, ast.AST]]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield f"{type(node.op).__name__} is {type(other).__name__}", ast.BoolOp(other, node.values)
    for place, left_out in enumerate(node.values):
        kept = [*node.values[:place], *node.values[place + 1 :]]
        shorter = kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)
        yield f"without {_shown(left_out)}", shorter


def _of_constant(value: object) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(value, bool):
        yield f"{not value}", ast.Constant(not value)
    elif isinstance(value, int):
        yield f"{value + 1}", ast.Constant(value + 1)
        yield f"{value - 1}", ast.Constant(value - 1)
    elif value == "":
        yield "not empty", ast.Constant("something")


def _shorter(node: ast.Set | ast.Tuple | ast.List | ast.Dict) -> Iterator[tuple[str, ast.AST]]:
    """A table of words that lacks one of them."""
    words = node.keys if isinstance(node, ast.Dict) else node.elts
    for place, word in enumerate(words):
        if not isinstance(word, ast.Constant) or not isinstance(word.value, str | bytes):
            continue
        kept = [*words[:place], *words[place + 1 :]]
        if isinstance(node, ast.Dict):
            values = [*node.values[:place], *node.values[place + 1 :]]
            yield f"without {word.value!r}", ast.Dict(kept, values)
        elif kept and not isinstance(node, ast.Set):
            yield f"without {word.value!r}", type(node)(kept, ast.Load())
        elif kept:
            yield f"without {word.value!r}", ast.Set(kept)


def _of_comprehension(node: ast.comprehension) -> Iterator[tuple[str, ast.AST]]:
    for place, condition in enumerate(node.ifs):
        rest = [*node.ifs[:place], *node.ifs[place + 1 :]]
        yield (
            f"without if {_shown(condition)}",
            ast.comprehension(node.target, node.iter, rest, node.is_async),
        )


def _fewer_errors(node: ast.ExceptHandler, caught: ast.Tuple) -> Iterator[tuple[str, ast.AST]]:
    for place, error in enumerate(caught.elts):
        kept = ast.Tuple([*caught.elts[:place], *caught.elts[place + 1 :]], ast.Load())
        yield (
            f"{_shown(error)} not caught",
            ast.copy_location(ast.ExceptHandler(kept, node.name, node.body), node),
        )

"""Which packages a model will import, read from its source. Called by ``plans``, in a thread.

The model's code is parsed and never run. Only imports count that certainly come first: reading ends at the
first statement that might do something: a model may set a variable or a path before it imports a library.
"""

import ast
from collections.abc import Sequence
from pathlib import Path

_DOING = (ast.Call, ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)
_LARGEST_BYTES = 1 << 20
"""A source file that is larger was not written by a person."""


def imports(source: Path, predictor: str, *, packages: Path) -> tuple[str, ...]:
    """``module`` or ``module:name`` (from module import name), sorted.

    ``predictor`` is ``file.py:Name``. What stands at the top of the file and of the files beside it that it
    imports there, then at the top of the predictor's ``setup``; of that, what is in ``packages``, the
    environment's site-packages. Nothing where the source cannot be parsed.
    """
    file, _, name = predictor.partition(":")
    reader = _Reader(source, packages)
    reader.read(source / file, entry=name)
    return tuple(sorted(reader.found))


class _Reader:
    def __init__(self, source: Path, packages: Path):
        self.found: set[str] = set()
        self._source = source
        self._packages = packages
        self._read: set[Path] = set()

    def read(self, file: Path, *, entry: str | None = None) -> bool:
        """Takes the file's imports; whether all of it only declares and imports."""
        if file in self._read:
            return True
        self._read.add(file)
        tree = _parsed(file)
        if tree is None or not self._take(tree.body):
            return False
        if entry is not None:
            self._take(_setup(tree, entry))
        return True

    def _take(self, statements: Sequence[ast.stmt]) -> bool:
        return all(self._take_one(statement) for statement in statements)

    def _take_one(self, statement: ast.stmt) -> bool:
        """Whether reading may go on."""
        if isinstance(statement, ast.Import):
            return all(self._import(alias.name, []) for alias in statement.names)
        if isinstance(statement, ast.ImportFrom):
            names = [alias.name for alias in statement.names]
            return not statement.level and self._import(statement.module or "", names)
        if isinstance(statement, ast.Try):  # of a package that may not be there
            return self._take([*statement.body, *statement.orelse, *statement.finalbody])
        return _only_declares(statement)

    def _import(self, module: str, names: list[str]) -> bool:
        first = module.partition(".")[0]
        if self._local(first) is not None:
            return self._import_local(module, names)
        if (self._source / first).exists():
            return False  # part of the model, in a shape that is not followed
        if first != "cog" and _is_in(self._packages, first):
            self.found |= {f"{module}:{name}" for name in names if name != "*"} or {module}
        return True

    def _import_local(self, module: str, names: list[str]) -> bool:
        """The model's own files: each package on the way, the module, and those named that are modules."""
        parts = module.split(".")
        ways = [".".join(parts[: end + 1]) for end in range(len(parts))]
        files = [self._local(way) for way in ways]
        inner = [self._local(f"{module}.{name}") for name in names]
        return None not in files and all(self.read(file) for file in [*files, *inner] if file is not None)

    def _local(self, module: str) -> Path | None:
        path = self._source.joinpath(*module.split("."))
        return next(
            (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None
        )


def _parsed(file: Path) -> ast.Module | None:
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            return None
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _setup(tree: ast.Module, name: str) -> Sequence[ast.stmt]:
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            for method in statement.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.name == "setup":
                    return method.body
    return []


def _is_in(packages: Path, name: str) -> bool:
    """Whether it is an installed package or module, not one of the standard library."""
    return (
        (packages / name).is_dir() or any(packages.glob(f"{name}.*py")) or any(packages.glob(f"{name}.*so"))
    )


def _only_declares(statement: ast.stmt) -> bool:
    """Whether the statement does nothing that an import could notice."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Pass):
        return True
    if isinstance(statement, ast.ClassDef):
        return all(map(_only_declares, statement.body))
    if isinstance(statement, ast.If):
        return _is_for_type_checkers(statement.test) and not statement.orelse
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign):
        return all(isinstance(target, ast.Name) for target in statement.targets) and _is_value(
            statement.value
        )
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name) and _is_value(statement.value)
    return False


def _is_value(expression: ast.expr | None) -> bool:
    """Whether nothing is called to compute it."""
    return expression is None or not any(isinstance(node, _DOING) for node in ast.walk(expression))


def _is_for_type_checkers(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"

"""An error names arguments that whoever gets it can give.

The sources are read: from each public function and method, through whatever private ones it calls, to the
errors that they raise. Those of the command line are tried in `tests/cli/test_cli_option_names.py`.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import pystyle

ROOT = Path(pystyle.__file__).parent
ARGUMENT = re.compile(r"`([a-z][a-z_0-9]*)(?:=[^`]*|\[[^`]*\])?`")
CALLED = re.compile(r"`([A-Za-z][\w.]*)(?:\([^`]*\))?`")

# What is an element of an argument, or an argument of who calls: a sheet of `images` has bad ones, a frame
# has an image, and targets and keepers are made for the caller. The references of `stylize` have the names of
# its arguments.
KNOWN = {
    ("contact_sheet", "image"),
    ("PreviewWindow.show", "image"),
    ("stylize", "references"),
    ("Targets.at", "references"),
    ("Keeper.make", "runner"),
    # Both are looked at before, and have errors of their own.
    ("DiversityLoss.represent", "samples"),
    ("regions", "masks"),
    # It always asks for the same one.
    ("Stylizer.export", "precision"),
}


class Function(NamedTuple):
    """What the source of a function says."""

    arguments: set[str]
    errors: list[str]
    calls: set[str]
    owner: str | None


def text(node: ast.expr) -> str:
    """The text of a literal, with `{}` for what is put into it."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text(part) for part in node.values)
    return "{}"


def function(node: ast.FunctionDef, owner: str | None) -> Function:
    arguments = {one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    errors, calls = [], set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Raise) and isinstance(inner.exc, ast.Call):
            errors += map(text, inner.exc.args)
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
            calls.add(inner.func.id)
        elif isinstance(inner, ast.Call) and ast.unparse(inner.func).startswith(("self.", "cls.")):
            calls.add(f"{owner}.{ast.unparse(inner.func).partition('.')[2]}")
    return Function(arguments - {"self", "cls"}, errors, calls, owner)


class Sources:
    """All functions of the library below the command line."""

    def __init__(self) -> None:
        self.functions: dict[tuple[str, str], Function] = {}
        self.imports: dict[tuple[str, str], tuple[str, str]] = {}
        for path in ROOT.rglob("*.py"):
            module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
            if not module.startswith(("pystyle.cli", "pystyle.__main__")):
                tree = ast.parse(path.read_text(encoding="utf-8"))
                self._take(module, tree.body, None)
                for node in ast.walk(tree):
                    if isinstance(node, ast.ImportFrom) and node.module:
                        for alias in node.names:
                            self.imports[module, alias.asname or alias.name] = (node.module, alias.name)

    def _take(self, module: str, body: list[ast.stmt], owner: str | None) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef):
                name = node.name if owner is None else f"{owner}.{node.name}"
                self.functions[module, name] = function(node, owner)
            elif isinstance(node, ast.ClassDef):
                self._take(module, node.body, node.name)

    def resolve(self, module: str, name: str) -> Iterator[tuple[str, str]]:
        """The function that a name of a module stands for; of a class, those that make an object."""
        for _ in range(9):
            for candidate in (name, f"{name}.__init__", f"{name}.__post_init__"):
                if (module, candidate) in self.functions:
                    yield module, candidate
            if (module, name) not in self.imports:
                return
            module, name = self.imports[module, name]

    def public(self) -> dict[tuple[str, str], str]:
        """Public functions, and methods of public classes, with the names that errors may call them."""
        found = {}
        for info in pkgutil.walk_packages(pystyle.__path__, "pystyle."):
            private = any(part.startswith("_") for part in info.name.split("."))
            if private or info.name.startswith("pystyle.cli"):
                continue
            module = importlib.import_module(info.name)
            for name in getattr(module, "__all__", None) or vars(module):
                thing = getattr(module, name)
                if not getattr(thing, "__module__", "").startswith("pystyle.") or name.startswith("_"):
                    continue
                if inspect.isfunction(thing):
                    found[thing.__module__, thing.__qualname__] = name
                elif inspect.isclass(thing):
                    found |= self._methods(thing, name)
        return found

    def _methods(self, thing: type, name: str) -> dict[tuple[str, str], str]:
        """Those of a public class; what makes and calls an object has the name of the class."""
        found = {}
        for home, method in self.functions:
            own = method.rpartition(".")[2]
            made = own in ("__init__", "__post_init__", "__call__")
            is_its = (home, method) == (thing.__module__, f"{thing.__qualname__}.{own}")
            if is_its and (made or not own.startswith("_")):
                found[home, method] = name if made else f"{name}.{own}"
        return found

    def errors_of(self, entry: tuple[str, str], public: dict[tuple[str, str], str]) -> Iterator[str]:
        """Those that a function raises, itself or through private ones."""
        waiting, seen = [entry], set()
        while waiting:
            key = waiting.pop()
            if key in seen:
                continue
            seen.add(key)
            yield from self.functions[key].errors
            for name in self.functions[key].calls:
                waiting += [found for found in self.resolve(key[0], name) if found not in public]

    def arguments_of(self, key: tuple[str, str]) -> set[str]:
        """What can be given: arguments, and attributes of the object."""
        module, name = key
        found = set(self.functions[key].arguments)
        if "." in name:
            owner = getattr(sys.modules[module], name.partition(".")[0])
            found |= {*dir(owner), *vars(owner).get("__annotations__", {})}
            found |= set(inspect.signature(owner).parameters)
        return found


def wrong_names() -> list[str]:
    sources = Sources()
    public = sources.public()
    arguments: dict[str, set[str]] = {}
    for key, name in public.items():
        arguments.setdefault(name, set()).update(sources.arguments_of(key))
    every = set().union(*(sources.functions[key].arguments for key in public))
    wrong = []
    for key, name in public.items():
        for error in sources.errors_of(key, public):
            # An error may send its reader to another function, if it names that one, too.
            others = {other for other in CALLED.findall(error) if other in arguments}
            known = arguments[name].union(*(arguments[other] for other in others))
            wrong += [
                f"{name} has no argument `{argument}`: {error}"
                for argument in ARGUMENT.findall(error)
                if argument in every and argument not in known and (name, argument) not in KNOWN
            ]
    return sorted(set(wrong))


def test_an_error_names_arguments_of_the_function_that_was_called() -> None:
    assert wrong_names() == []


def test_a_wrong_name_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    errors_of = Sources.errors_of

    def with_another(self, entry, public):
        yield from errors_of(self, entry, public)
        if public[entry] == "gram_matrix":
            yield "Pass `max_pixels=3`, not `features`, and not as `read_flow` does."

    monkeypatch.setattr(Sources, "errors_of", with_another)
    assert [line.partition(":")[0] for line in wrong_names()] == ["gram_matrix has no argument `max_pixels`"]

"""Which names of TensorRT a module uses, and whether every version that is served has them.

What is TensorRT's is known by its name: in a module that touches TensorRT, `trt` is the library
and CALLED says what each of its objects is called. An attribute of anything else must be one that
this project or the libraries it uses define, so that an object of another name cannot slip past.
"""

import ast
import ctypes
import importlib.util
import inspect
import pathlib
import re
import subprocess
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np

NAMES = Path(__file__).parent / "tensorrt_names"
Names: TypeAlias = dict[str, frozenset[str]]  # class → its members

CALLED = {
    "builder": "Builder",
    "network": "INetworkDefinition",
    "tensor": "ITensor",
    "layer": "ILayer",
    "parser": "OnnxParser",
    "parser_error": "ParserError",
    "config": "IBuilderConfig",
    "profile": "IOptimizationProfile",
    "timing": "ITimingCache",
    "runtime": "Runtime",
    "engine": "ICudaEngine",
    "context": "IExecutionContext",
    "inspector": "EngineInspector",
}
GIVES = {
    ("INetworkDefinition", "get_input"): "ITensor",
    ("INetworkDefinition", "get_layer"): "ILayer",
    ("OnnxParser", "get_error"): "ParserError",
    ("ICudaEngine", "get_tensor_dtype"): "DataType",
}
MODULE = "trt"
LIBRARY = re.compile(r"tensorrt(_rtx)?(\.|$)")
CHECKED = (ast.Attribute, ast.Call, ast.ClassDef)
OF_ANY_MODULE = {"__name__", "__version__"}


def version_names() -> dict[str, Names]:
    """By version, as read from its wheel."""
    return {path.stem: read_names(path) for path in sorted(NAMES.glob("*.txt"))}


def read_names(path: Path) -> Names:
    """One class a line: `Builder: create_network reset …`."""
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return {kind: frozenset(members.split()) for kind, _, members in lines}


class Use(NamedTuple):
    """A name that some version lacks, or that nobody knows."""

    line: int
    what: str


def touches_tensorrt(tree: ast.AST) -> bool:
    """Whether a module has the library in hand."""
    return any(
        isinstance(node, (ast.Name, ast.arg)) and _id(node) == MODULE for node in ast.walk(tree)
    )


def imports_tensorrt(tree: ast.AST) -> list[int]:
    """Lines that import it, by statement; `tensorrt_module` is the only way to it."""
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return [node.lineno for node in imports if any(map(LIBRARY.match, _imported(node)))]


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]


def wrong_uses(tree: ast.AST, versions: dict[str, Names], others: frozenset[str]) -> list[Use]:
    """Of a module that touches TensorRT; `others` are the names of everything else."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, CHECKED)]
    return [Use(node.lineno, what) for node in nodes for what in _wrong(node, versions, others)]


def _wrong(node: ast.AST, versions: dict[str, Names], others: frozenset[str]) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield from _wrong_attribute(node, versions, others)
    elif isinstance(node, ast.ClassDef):
        yield from _wrong_methods(node, versions)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "by_name":
            yield from _wrong_lookup(node, versions)
        elif node.func.id in ("getattr", "hasattr", "setattr") and _kind(node.args[0]):
            yield f"{node.func.id} on TensorRT's objects: wanted by_name"


def _wrong_attribute(
    node: ast.Attribute, versions: dict[str, Names], others: frozenset[str]
) -> Iterator[str]:
    kind, name = _kind(node.value), node.attr
    if kind is None:
        if name not in others:
            yield f"{name}, of something that is not known"
    elif kind == MODULE:
        lacking = [version for version, names in versions.items() if name not in names]
        if lacking and name not in OF_ANY_MODULE:
            yield f"{MODULE}.{name}, which {', '.join(lacking)} lacks"
    else:
        yield from _lacking(kind, name, versions)


def _wrong_methods(node: ast.ClassDef, versions: dict[str, Names]) -> Iterator[str]:
    """A method that TensorRT calls has the name by which it calls."""
    for base in node.bases:
        if isinstance(base, ast.Attribute) and _kind(base.value) == MODULE:
            methods = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
            for name in methods:
                if not name.startswith("_"):
                    yield from _lacking(base.attr, name, versions)


def _wrong_lookup(node: ast.Call, versions: dict[str, Names]) -> Iterator[str]:
    """What is looked up by name must be there in some version, and not in all."""
    owner, name = node.args
    kind = _kind(owner)
    if kind is None or not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
        yield "by_name of something that is not known"
        return
    having = [name.value in _members(kind, names) for names in versions.values()]
    if not any(having):
        yield f"{kind}.{name.value}, which no version has"
    elif all(having):
        yield f"{kind}.{name.value}, which every version has: wanted it as it is"


def _lacking(kind: str, name: str, versions: dict[str, Names]) -> Iterator[str]:
    lacking = [version for version, names in versions.items() if name not in _members(kind, names)]
    if lacking:
        yield f"{kind}.{name}, which {', '.join(lacking)} lacks"


def _members(kind: str, names: Names) -> frozenset[str]:
    return frozenset(names) if kind == MODULE else names.get(kind, frozenset())


def _kind(node: ast.AST) -> str | None:
    """The class of an expression that is TensorRT's; `trt` for the library itself."""
    if isinstance(node, ast.Name):
        return MODULE if node.id == MODULE else CALLED.get(node.id.lstrip("_"))
    if isinstance(node, ast.Attribute):
        if _kind(node.value) == MODULE:
            return node.attr
        return CALLED.get(node.attr.lstrip("_"))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        of = _kind(node.func.value)
        return node.func.attr if of == MODULE else GIVES.get((of or "", node.func.attr))
    return None


def _id(node: ast.Name | ast.arg) -> str:
    return node.id if isinstance(node, ast.Name) else node.arg


def names_of_others(trees: list[ast.AST]) -> frozenset[str]:
    """Every attribute that our own code defines, or that what it uses beside TensorRT has."""
    used: list[Any] = [
        *(str, bytes, int, float, list, dict, set, tuple, type, Path, re.Match, re.Pattern),
        *(np, np.ndarray, np.dtype, ctypes, inspect, pathlib, subprocess, types, msgspec),
        *(BaseException(), ModuleNotFoundError(), memoryview),
        *map(__import__, ("importlib", "functools", "time", "os", "contextlib", "threading")),
        importlib.util,
    ]
    if importlib.util.find_spec("onnx"):  # which a board has not
        used.append(importlib.import_module("onnx").NodeProto())
    known = {name for one in used for name in dir(one)}
    for tree in trees:
        known |= {name for node in ast.walk(tree) for name in _defined(node)}
    return frozenset(known)


def _defined(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
        yield from [node.attr] if of_self else []

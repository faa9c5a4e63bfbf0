"""The stubs of the packages as a whole: every public name, every parameter, no more; and every function has its docstring."""

import ast
import importlib
import inspect
import pathlib
import types

import pytest

import moho


def stub_of(module):
    """Of a stub: {name: "value" | parameter names | {member: the same}}."""
    text = pathlib.Path(module.__file__)
    text = text.with_suffix(".pyi") if text.suffix == ".py" else text.with_name("_moho.pyi")
    return members(ast.parse(text.read_text(encoding="utf-8")).body)


def members(body):
    found = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            a = node.args
            found[node.name] = [arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs) if arg.arg not in ("self", "cls")]
        elif isinstance(node, ast.ClassDef):
            found[node.name] = members(node.body)
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = "value"
        elif isinstance(node, ast.ImportFrom):
            found.update({alias.asname: "value" for alias in node.names if alias.asname})
    return found


def parameters(function):
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind not in kinds and p.name not in ("self", "cls")]


@pytest.mark.parametrize("name", ["moho", "pstm_metal"])
def test_every_public_name_is_in_the_stub(name):
    module = importlib.import_module(name)
    public = {word for word, value in vars(module).items() if not word.startswith("_") and not isinstance(value, types.ModuleType)}
    public = {word for word in public if getattr(getattr(module, word), "__module__", name).startswith(("moho", "pstm_metal"))}
    stub = {word for word in stub_of(module) if not word.startswith("_")}
    assert public - stub == set()
    assert {word for word in stub - public if not hasattr(module, word)} == set()


@pytest.mark.parametrize("module", [moho, importlib.import_module("pstm_metal")])
def test_functions_take_what_the_stub_says(module):
    checked = 0
    for name, told in stub_of(module).items():
        real = getattr(module, name, None)
        if isinstance(told, list) and inspect.isfunction(real):
            assert parameters(real) == told, name
            checked += 1
        elif isinstance(told, dict) and isinstance(real, type):
            for member, words in told.items():
                method = inspect.getattr_static(real, member, None)
                if isinstance(words, list) and inspect.isfunction(method) and member != "__exit__":
                    assert parameters(method) == words, f"{name}.{member}"
                    checked += 1
    assert checked > 3


def test_every_public_function_has_a_docstring():
    for module in (moho, moho.ops, importlib.import_module("pstm_metal")):
        for name in stub_of(module):
            value = getattr(module, name, None)
            if callable(value) and not name.startswith("_"):
                assert value.__doc__ and len(value.__doc__) > 10, name

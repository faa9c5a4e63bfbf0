"""Type stubs say what there is: the same names, and the same parameters in the same order."""

import ast
import importlib
import inspect
import pathlib

import pytest

import moho
from moho import _moho

FOLDER = pathlib.Path(moho.__file__).parent
STUBS = sorted(path.stem for path in FOLDER.glob("*.pyi") if path.stem != "_moho")


def parameters_of(definition):
    given = definition.args
    names = [a.arg for a in given.posonlyargs + given.args]
    names += [given.vararg.arg] if given.vararg else []
    return names + [a.arg for a in given.kwonlyargs] + ([given.kwarg.arg] if given.kwarg else [])


def check(owner, body, where):
    for item in body:
        if isinstance(item, ast.ClassDef):
            check(getattr(owner, item.name), item.body, f"{where}.{item.name}")
        if not isinstance(item, ast.FunctionDef) or item.name == "__getattr__":
            continue
        there = inspect.getattr_static(owner, item.name)
        if isinstance(there, property):
            continue
        there = getattr(there, "__func__", there)
        assert parameters_of(item) == list(inspect.signature(there).parameters), f"{where}.{item.name}"


@pytest.mark.parametrize("name", STUBS)
def test_stubs_and_functions_agree(name):
    if name == "_operator":
        pytest.importorskip("scipy")
    module = importlib.import_module(f"moho.{name}")
    body = ast.parse((FOLDER / f"{name}.pyi").read_text()).body
    check(module, body, name)
    told = {item.name for item in body if isinstance(item, (ast.FunctionDef, ast.ClassDef))}
    told |= {target.id for item in body if isinstance(item, ast.Assign) for target in item.targets}
    assert set(getattr(module, "__all__", ())) <= told


def test_the_module_s_types_have_what_their_stubs_say():
    for item in ast.parse((FOLDER / "_moho.pyi").read_text()).body:
        if isinstance(item, ast.ClassDef) and hasattr(_moho, item.name):
            members = [m.target.id if isinstance(m, ast.AnnAssign) else m.name for m in item.body]
            missing = [m for m in members if m != "__buffer__" and not hasattr(getattr(_moho, item.name), m)]
            assert not missing, (item.name, missing)
        elif isinstance(item, ast.FunctionDef) and item.name != "__getattr__":
            assert callable(getattr(_moho, item.name))

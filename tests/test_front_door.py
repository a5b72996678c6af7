"""The house: what its door shows, which way its stairs lead, and what every room says."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import offby

PACKAGE = Path(offby.__file__).parent
FILES = {
    ".".join(("offby", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
FLOORS = {
    "errors": 0, "drawing": 1, "formula": 1, "engine": 2, "tables": 2, "losses": 3, "measures": 4,
    "confusion": 5, "scores": 5, "classification": 6, "choice": 7, "interventions": 7, "pairs": 7,
    "segments": 7, "watch": 6, "runs": 7, "report": 8, "fit": 5, "verbs": 9, "serve": 10, "cli": 11,
}  # fmt: skip
DOOR = 12  # on top of all floors
STAIRS = ["data", "passes", "objective", "quantiles", "solvers", "statistics"]
"""The rooms of `fit`, from the ground; on them stand the estimators."""
MOST_LINES = 310
HEAVY = {"numpy", "numba", "pyarrow", "scipy", "rich.progress", "altair", "jinja2"}


# --- the door ----------------------------------------------------------------------------------


def test_all_is_sorted_and_loads():
    assert offby.__all__ == sorted(set(offby.__all__))
    for name in offby.__all__:
        assert getattr(offby, name) is not None
    assert set(offby.__all__) <= set(dir(offby))


def test_what_the_door_promises_to_type_checkers_is_what_it_loads():
    tree = ast.parse(FILES["offby"].read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    promised = {alias.name for node in block.body for alias in node.names}
    assert promised == set(offby.__all__)


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        offby.nothing  # noqa: B018


def loaded_by(code):
    """Which heavy modules a fresh process has loaded after `code`."""
    code += f"\nimport sys; print([m for m in {sorted(HEAVY)} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ast.literal_eval(ran.stdout.splitlines()[-1]))


def test_importing_costs_nothing():
    assert loaded_by("import offby") == set()


def test_help_costs_little():
    code = """
from offby.cli import main
for arguments in (["--help"], ["measure", "--help"], ["mesure"]):
    try:
        main(arguments)
    except SystemExit:
        pass
"""
    assert loaded_by(code) == set()


# --- the stairs --------------------------------------------------------------------------------


def imports(module, *, everywhere):
    """The modules of offby that a file imports; without `everywhere`, as it is first loaded."""
    tree = ast.parse(FILES[module].read_text())
    for node in ast.walk(tree) if everywhere else at_load(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("offby"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: say offby.… in full"
            for alias in node.names if (node.module or "").startswith("offby") else ():
                if alias.name == "__version__":
                    continue  # the one thing that all may ask the door for
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in FILES else node.module


def at_load(tree):
    """The statements that run when a file is loaded: not in functions, not for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from at_load(node)


def floor(module):
    return FLOORS.get(module.partition(".")[2].partition(".")[0], DOOR)


@pytest.mark.parametrize("module", FILES)
def test_imports_lead_down_only(module):
    for other in imports(module, everywhere=True):
        assert floor(other) <= floor(module), f"{module} imports {other} from a floor above"
        same_floor = floor(other) == floor(module)
        assert not same_floor or other.split(".")[:2] == module.split(".")[:2], (module, other)


def stair(module):
    room = module.removeprefix("offby.fit.").partition(".")[0]
    return STAIRS.index(room) if room in STAIRS else len(STAIRS)


@pytest.mark.parametrize("module", [name for name in FILES if name.startswith("offby.fit.")])
def test_the_stairs_within_fit_lead_down_only(module):
    for other in imports(module, everywhere=True):
        if other.startswith("offby.fit."):
            assert stair(other) <= stair(module), f"{module} imports {other} from above"


def test_verbs_do_not_import_one_anothers_insides():
    insides = {"offby.verbs.column": {"offby.verbs.totals"}}
    for module in FILES:
        for other in imports(module, everywhere=True):
            assert module in insides.get(other, {module}), f"{module} imports {other}"


def test_no_import_goes_in_a_circle():
    graph = {module: {other for other in imports(module, everywhere=False) if other != module}
             for module in FILES}  # fmt: skip
    TopologicalSorter(graph).prepare()  # raises CycleError


# --- the rooms ---------------------------------------------------------------------------------


def public(module):
    loaded = importlib.import_module(module)
    for name, thing in vars(loaded).items():
        if not name.startswith("_") and getattr(thing, "__module__", None) == module:
            yield name, thing


def functions(thing):
    """The function itself, or the public methods that a class itself defines."""
    if inspect.isclass(thing):
        for name, inner in vars(thing).items():
            plain = getattr(inner, "__func__", getattr(inner, "fget", inner))
            if not name.startswith("_") and inspect.isfunction(plain):
                yield plain
    else:
        plain = getattr(thing, "py_func", thing)  # what Numba compiles
        if inspect.isfunction(plain) and plain.__name__ != "<lambda>":
            yield plain


@pytest.mark.parametrize("module", FILES)
def test_every_room_says_what_it_is(module):
    assert importlib.import_module(module).__doc__, module
    for name, thing in public(module):
        if inspect.isclass(thing):
            assert inspect.getdoc(thing), f"{module}.{name} has no docstring"
        for function in functions(thing):
            where = f"{module}.{function.__qualname__}"
            assert inspect.getdoc(function), f"{where} has no docstring"
            signature = inspect.signature(function)
            assert signature.return_annotation is not inspect.Signature.empty, where
            for parameter in signature.parameters.values():
                told = parameter.annotation is not inspect.Parameter.empty
                assert told or parameter.name in ("self", "cls"), f"{where}: {parameter}"


@pytest.mark.parametrize("module", FILES)
def test_no_room_is_too_large(module):
    assert len(FILES[module].read_text().splitlines()) <= MOST_LINES


def test_every_module_is_found():
    walked = {info.name for info in pkgutil.walk_packages([str(PACKAGE)], "offby.")}
    assert walked | {"offby"} == set(FILES)

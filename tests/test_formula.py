"""The tree, its text, its derivatives: SymPy and finite differences are the oracles."""

import contextlib
import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offby.errors import FormulaError, OffbyError
from offby.formula import (
    Expression,
    constant,
    exp,
    log,
    p,
    parameter,
    r,
    sqrt,
    where,
    y,
    z,
)
from offby.formula.derive import simplify
from offby.formula.expression import INFIX, PREFIX, apply, node, substitute, walk
from offby.formula.latex import latex
from offby.formula.parse import parse
from offby.formula.primitives import PRIMITIVES
from offby.losses import CATALOGUE

NUMBERS = st.floats(allow_nan=True) | st.integers(-5, 5).map(float)
LEAVES = st.sampled_from([y, p, r, z]) | NUMBERS.map(constant)


def grown(children):
    def build(row):
        return st.tuples(*[children] * row.arity).map(lambda args: written(row.name, args))

    return st.sampled_from(list(PRIMITIVES.values())).flatmap(build)


def written(op, args):
    """As a person builds it: a sign before a number is part of the number."""
    return -args[0] if op == "negative" else apply(op, *args)


TREES = st.recursive(LEAVES, grown, max_leaves=12)


# The tree


def test_equal_subtrees_are_one_object():
    assert (r**2 + abs(r)) is (r**2 + abs(r))
    assert (r + p) is not (p + r)
    assert constant(2) is constant(2.0)
    assert constant(0.0) is not constant(-0.0)
    assert constant(math.nan) is constant(math.nan)


@given(TREES)
def test_copies_and_pickles_are_the_same_object(tree):
    assert copy.copy(tree) is tree
    assert copy.deepcopy([tree])[0] is tree
    assert pickle.loads(pickle.dumps(tree)) is tree


def test_nodes_are_frozen():
    with pytest.raises(AttributeError, match="frozen"):
        r.op = "constant"
    with pytest.raises(AttributeError):
        r.new = 1


def test_what_is_written_is_what_stands():
    assert (0.9 * (y - p)).op == "multiply"
    assert (r + 1 + 1).args[0] is r + 1
    assert (r * 1).op == "multiply"
    assert simplify(r * 1 + 0) is r
    assert simplify((r * 1) ** 2, keep=[r * 1]) is (r * 1) ** 2


@given(TREES)
def test_a_walk_meets_each_node_once_and_arguments_first(tree):
    order = list(walk(tree))
    place = {current: k for k, current in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is tree
    assert all(place[arg] < place[current] for current in order for arg in current.args)


def test_substituting_leaves_the_rest_as_it_is():
    formula = where(r < 0, exp(r), p)
    assert substitute(formula, {r: p - y}) is where(p - y < 0, exp(p - y), p)
    assert substitute(formula, {z: y}) is formula


# Text


@given(TREES)
@example(constant(-0.0) * r)
@example((r < 0) & (p < 1) | ~(y < 2))
@example(((r < 0) & (p < 1)) < y)
@example((-constant(2)) ** r - r**-2 - (-r) ** 2)
@example(constant(math.inf) + constant(1e300))
def test_text_reads_back_as_the_same_object(tree):
    assert parse(repr(tree)) is tree


def test_parameters_read_back_where_they_are_named():
    delta = parameter("delta")
    assert parse(repr(delta * r), {"delta": delta}) is delta * r


def test_a_formula_may_call_the_columns_by_their_long_names():
    assert parse("abs(y_true - y_pred)") is abs(y - p)


NOT_THE_LANGUAGE = {
    "__import__('os')": "__import__",
    "r.__class__": "r.__class__",
    "(lambda: r)()": "(lambda: r)",
    "lambda: r": "lambda: r",
    "f'{r}'": "f'{r}'",
    "'r'": "'r'",
    "[r]": "[r]",
    "r[0]": "r[0]",
    "[r for r in p]": "[r for r in p]",
    "{r: p}": "{r: p}",
    "(r := 1)": "r := 1",
    "r if r < 0 else p": "where(condition, yes, no)",
    "r and p": "write & for and",
    "not r": "write ~ for not",
    "0 < r < 1": "chain of comparisons",
    "r ^ 2": "a power is written **",
    "r // 2": "r // 2",
    "r is p": "r is p",
    "True": "write 1 or 0",
    "None": "None",
    "1j * r": "1j",
    "...": "...",
    "print(r)": "print",
    "expp(r)": "did you mean exp?",
    "exp(r, p)": "exp takes 1 arguments, not 2",
    "exp(x=r)": "by place, not by name",
    "where(*r)": "where(*r)",
    "speed * r": "'speed'",
    "λ": "λ",
    "add(r, p)": "'add'",
    "1" + "0" * 400: "too large for float64",
    "r +": "not complete",
    "": "not complete",
    "r; r": "not complete",
    "r = 1": "not complete",
    "\x00r": "not complete",
    "\ud800": "not complete",
    "(" * 300 + "r" + ")" * 300: "cannot read",
    "-" * 5000 + "r": "too deep",
    "r" + "+1" * 300: "nested more than",
    "r" * 1_000_000: "too long",
}


@pytest.mark.parametrize("text", NOT_THE_LANGUAGE, ids=lambda text: text[:20])
def test_an_error_names_the_piece(text):
    with pytest.raises(FormulaError) as raised:
        parse(text)
    message = str(raised.value)
    assert NOT_THE_LANGUAGE[text] in message
    assert len(message) < 600


def test_powers_are_written_down_and_not_computed():
    assert parse("10 ** 10 ** 10 ** 10").op == "power"


def test_pythons_own_warnings_stay_out(recwarn):
    with pytest.raises(FormulaError):
        parse("1if r else 2")
    assert not recwarn.list


@given(st.text(max_size=60) | st.text("rpyz0123456789.+-*/()<>=&|~, elogxp", max_size=60))
@settings(max_examples=300)
def test_any_text_is_a_formula_or_an_error_of_ours(text):
    with contextlib.suppress(OffbyError):
        assert isinstance(parse(text), Expression)


# What cannot be traced


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda: abs(r) if r < 0 else r, "where(r < 0, a, b)"),
        (lambda: max(r, 0), "maximum"),
        (lambda: r < 0 and r > 1, "&"),
        (lambda: math.exp(r), "offby.exp"),
        (lambda: float(r), "offby.exp"),
        (lambda: np.exp(r), "offby.exp"),
        (lambda: np.float64(2) * r, None),
        (lambda: np.where(r < 0, 1, 2), "offby.where"),
        (lambda: np.maximum(r, 0), "offby.maximum"),
        (lambda: np.array([1.0, 2.0]) * r, "ndarray"),
        (lambda: r + "1", "'1' is a str"),
        (lambda: r + None, "None"),
        (lambda: r + True, "bool"),
        (lambda: list(r), "loop"),
        (lambda: sum(r), "loop"),
    ],
)
def test_what_cannot_be_traced_says_how_to_write_it(write, says):
    if says is None:
        assert write() is 2 * r
        return
    with pytest.raises(FormulaError) as raised:
        write()
    assert says in str(raised.value)


# LaTeX


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        (r**2, "r^{2}"),
        (-(r**2) / 2, r"\frac{-r^{2}}{2}"),
        ((p - y) ** 2, r"\left(\hat{y} - y\right)^{2}"),
        (p - (y - 1), r"\hat{y} - \left(y - 1\right)"),
        (2 * abs(r), r"2 \, \left|r\right|"),
        (sqrt(1 + r), r"\sqrt{1 + r}"),
        (parameter("delta") * r, r"\delta \, r"),
        (log(y / p), r"\log\left(\frac{y}{\hat{y}}\right)"),
        (
            where(r < 0, 1, 2),
            r"\begin{cases} 1 & \text{if } r < 0 \\ 2 & \text{otherwise} \end{cases}",
        ),
    ],
    ids=repr,
)
def test_latex(formula, shown):
    assert latex(formula) == shown


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_loss_has_balanced_latex(kind):
    text = kind().latex()
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")


def test_every_operation_of_the_printer_is_a_primitive():
    assert set(INFIX) | set(PREFIX) <= set(PRIMITIVES)
    assert node("add", (r, p)) is r + p

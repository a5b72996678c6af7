"""NIST's linear regressions: certified coefficients and standard errors, to the digits there are.

https://www.itl.nist.gov/div898/strd/ The data are those of test_nist.py, where exact arithmetic
proves them to be the certified ones.
"""

from fractions import Fraction

import numpy as np
import pytest
from test_nist import FILIP, LINEAR, coefficients

from offby.fit.regressor import LinearRegressor

WAMPLER_ERRORS = """2152.32624678170 2363.55173469681 779.343524331583 101.475507550350
    5.64566512170752 0.112324854679312"""
TENTHS = "1 1 1 1 1 1"

CERTIFIED = {  # coefficients and standard errors, intercept first; and the digits that must hold
    "Norris": (
        "-0.262323073774029 1.00211681802045",
        "0.232818234301152 0.429796848199937E-03",
        1, 13,
    ),
    "Longley": (
        """-3482258.63459582 15.0618722713733 -0.358191792925910E-01 -2.02022980381683
        -1.03322686717359 -0.511041056535807E-01 1829.15146461355""",
        """890420.383607373 84.9149257747669 0.334910077722432E-01 0.488399681651699
        0.214274163161675 0.226073200069370 455.478499142212""",
        1, 12,
    ),
    # powers up to x¹⁰ are rounded when they become float64, and that moves the certified numbers
    # in the eighth digit: see the test below
    "Filip": (
        FILIP,
        """298.084530995537 559.779865474950 466.477572127796 227.204274477751 71.6478660875927
        15.2897178747400 2.23691159816033 0.221624321934227 0.142363763154724E-01
        0.535617408889821E-03 0.896632837373868E-05""",
        1, 7,
    ),
    "Wampler1": (TENTHS, None, 0, 13),
    "Wampler2": ("1 0.1 0.01 0.001 0.0001 0.00001", None, 0, 13),
    "Wampler3": (TENTHS, WAMPLER_ERRORS, 1, 13),
    "Wampler4": (TENTHS, WAMPLER_ERRORS, 100, 13),
    "Wampler5": (TENTHS, WAMPLER_ERRORS, 10_000, 13),
}  # fmt: skip


def columns(name):
    """The design without its column of ones, and the response, as float64."""
    design, response = LINEAR[name][0]()
    return np.array(design, float)[:, 1:], np.array(response, float)


def fitted(name, **settings):
    return LinearRegressor("squared", standard_errors="classical", **settings).fit(*columns(name))


def digits(found, wanted):
    """How many decimal digits agree in the worst place."""
    with np.errstate(divide="ignore"):
        return float(-np.log10(np.max(np.abs(found - wanted) / np.abs(wanted))))


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified(name):
    values, errors, factor, least = CERTIFIED[name]
    model = fitted(name)
    found = np.append(model.intercept_, model.coef_)
    assert digits(found, np.array(values.split(), float)) > least
    assert model.converged_
    if errors is None:  # NIST's are 0
        assert np.all(model.standard_errors_ < 1e-14)
        return
    wanted = factor * np.array(errors.split(), float)
    assert (
        digits(np.append(model.intercept_standard_error_, model.standard_errors_), wanted) > least
    )


def test_filip_is_solved_to_the_last_digits_of_what_float64_holds_of_it():
    features, response = columns("Filip")
    design = [[Fraction(1), *map(Fraction, row)] for row in features.tolist()]
    exact = coefficients(design, list(map(Fraction, response.tolist())))
    model = fitted("Filip")
    found = np.append(model.intercept_, model.coef_)
    assert digits(found, np.array(exact, float)) > 13


def test_a_gram_matrix_alone_loses_filip():
    """Its columns have condition 1e15, so Cholesky's pivots are rounding: it is known and said."""
    with pytest.warns(UserWarning, match="how far the objective"):
        model = fitted("Filip", solver="newton")
    assert not model.converged_
    assert model.gap_ > 1e-6

"""NIST's Statistical Reference Datasets: certified values to the digits that float64 input allows.

https://www.itl.nist.gov/div898/strd/ (a work of the US government, in the public domain). Sets are
taken where a package ships them (Norris: SciPy's tests; Longley: statsmodels), written by their
defining formula (NumAcc, PiDigits, NoInt, Wampler), or copied (Pontius, Michelso, and those in
nist/). Each is proved to be the right one first: exact rational arithmetic on it gives the
certified values. That is all nine univariate sets and all eleven linear ones.
"""

import math
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import mpmath
import numpy as np
import pytest
import statsmodels.api as sm
from passes import measured

DIGITS = 1e-14


def decimal(values):
    return [Fraction(str(value)) for value in values]


def copied(name):
    text = (Path(__file__).parent / f"nist/{name}.txt").read_text()
    source, _, numbers = text.partition("\n")
    assert source.startswith("# NIST StRD")
    return decimal(numbers.split())


# Univariate sets: mean and standard deviation


def pairs(first, low, high):
    return decimal([first, *[low, high] * 500])


def pi_digits():
    """5000 digits of pi, with the wrong one that NIST's file has: pi's own have mean 4.5358."""
    with mpmath.workdps(5010):
        digits = [int(digit) for digit in str(+mpmath.pi).replace(".", "")[:5000]]
    assert digits[950:960] == [8, 1, 8, 5, 7, 7, 8, 0, 5, 3]
    digits[956] = 3
    return decimal(digits)


MICHELSO = """
    850 740 900 1070 930 850 950 980 980 880 1000 980 930 650 760 810 1000 1000 960 960 960 940 960
    940 880 800 850 880 900 840 830 790 810 880 880 830 800 790 760 800 880 880 880 860 720 720 620
    860 970 950 880 910 850 870 840 840 850 840 840 840 890 810 810 820 800 770 760 740 750 760 910
    920 890 860 880 720 840 850 850 780 890 840 780 810 760 810 790 810 820 850 870 870 810 740 810
    940 950 800 810 870"""

UNIVARIATE = {
    "PiDigits": (pi_digits(), "4.53480000000000", "2.86733906028871"),
    "Lottery": (copied("Lottery"), "518.958715596330", "291.699727470969"),
    "Lew": (copied("Lew"), "-177.435000000000", "277.332168044316"),
    "Mavro": (copied("Mavro"), "2.00185600000000", "0.000429123454003053"),
    "NumAcc1": (decimal([10000001, 10000003, 10000002]), "10000002", "1"),
    "NumAcc2": (pairs("1.2", "1.1", "1.3"), "1.2", "0.1"),
    "NumAcc3": (pairs("1000000.2", "1000000.1", "1000000.3"), "1000000.2", "0.1"),
    "NumAcc4": (pairs("10000000.2", "10000000.1", "10000000.3"), "10000000.2", "0.1"),
    "Michelso": (
        [299 + Fraction(x, 1000) for x in map(int, MICHELSO.split())],
        "299.852400000000",
        "0.0790105478190518",
    ),
}


def spread(values):
    """The sample's standard deviation, exact up to its last rounding."""
    mean = sum(values) / len(values)
    variance = sum((x - mean) ** 2 for x in values) / (len(values) - 1)
    with mpmath.workdps(40):
        return float(mpmath.sqrt(mpmath.mpf(variance.numerator) / variance.denominator))


@pytest.mark.parametrize("name", UNIVARIATE)
def test_univariate(name):
    values, mean, deviation = UNIVARIATE[name]
    n = len(values)
    assert float(sum(values) / n) == pytest.approx(float(mean), rel=DIGITS)
    assert spread(values) == pytest.approx(float(deviation), rel=DIGITS)

    rounded = [float(x) for x in values]
    found = measured("m = Mean(y), s = sqrt(Variance(y))", rounded, np.zeros(n))
    as_float64 = [Fraction(x) for x in rounded]
    assert found["m"].value == float(sum(as_float64) / n)
    sample_deviation = found["s"].value * math.sqrt(n / (n - 1))
    assert sample_deviation == pytest.approx(spread(as_float64), rel=DIGITS / 10)
    assert found["m"].value == pytest.approx(float(mean), rel=DIGITS)
    # what rounding the data to float64 moved: 0.1 is 1e-8 of 10000000.2
    allowed = DIGITS + 2 * np.spacing(max(rounded)) / float(deviation)
    assert sample_deviation == pytest.approx(float(deviation), rel=allowed)


# Linear sets: R² and the residual standard deviation


def polynomial(x, degree):
    return [[value**k for k in range(degree + 1)] for value in x]


def norris():
    text = (files("scipy.stats") / "tests/data/nist_linregress/Norris.dat").read_text()
    rows = [line.split() for line in text.partition("Data:       y          x")[2].splitlines()]
    rows = [row for row in rows if row]
    return [[1, Fraction(x)] for _, x in rows], decimal(truth for truth, _ in rows)


def longley():
    data = sm.datasets.longley.load().data
    columns = ["GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR"]
    rows = [[1, *decimal(row)] for row in data[columns].to_numpy().tolist()]
    return rows, decimal(data["TOTEMP"].tolist())


PONTIUS = """
    .11019 .21956 .32949 .43899 .54803 .65694 .76562 .87487 .98292 1.09146 1.20001 1.30822 1.41599
    1.52399 1.63194 1.73947 1.84646 1.95392 2.06128 2.16844 .11052 .22018 .32939 .43886 .54798
    .65739 .76596 .87474 .98300 1.09150 1.20004 1.30818 1.41613 1.52408 1.63159 1.73965 1.84696
    1.95445 2.06177 2.16829"""


def pontius():
    load = [Fraction(150000 * k) for k in range(1, 21)] * 2
    return polynomial(load, 2), decimal(PONTIUS.split())


def filip():
    numbers = copied("Filip")
    return polynomial(numbers[1::2], 10), numbers[::2]


FILIP = """
    -1467.48961422980 -2772.17959193342 -2316.37108160893 -1127.97394098372 -354.478233703349
    -75.1242017393757 -10.8753180355343 -1.06221498588947 -0.670191154593408E-01
    -0.246781078275479E-02 -0.402962525080404E-04"""


NOISE = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048,
         -2048, 1838, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 759]  # fmt: skip


def wampler(scale, coefficient=1):
    """A polynomial of degree 5 plus noise that no such polynomial explains."""
    x = [Fraction(k) for k in range(21)]
    design = polynomial(x, 5)
    exact = [sum(coefficient**k * value for k, value in enumerate(row)) for row in design]
    return design, [truth + scale * noise for truth, noise in zip(exact, NOISE, strict=True)]


LINEAR = {  # design and response, certified R² and residual standard deviation
    "Norris": (norris, "0.999993745883712", "0.884796396144373"),
    "Pontius": (pontius, "0.999999900178537", "0.205177424076185E-03"),
    "Filip": (filip, "0.996727416185620", "0.334801051324544E-02"),
    "NoInt1": (
        lambda: ([[Fraction(k)] for k in range(60, 71)], decimal(range(130, 141))),
        "0.999365492298663",
        "3.56753034006338",
    ),
    "NoInt2": (
        lambda: ([[Fraction(k)] for k in (4, 5, 6)], decimal([3, 4, 4])),
        "0.993348115299335",
        "0.369274472937998",
    ),
    "Longley": (longley, "0.995479004577296", "304.854073561965"),
    "Wampler1": (lambda: wampler(0), "1", "0"),
    "Wampler2": (lambda: wampler(0, Fraction(1, 10)), "1", "0"),
    "Wampler3": (lambda: wampler(1), "0.999995559025820", "2360.14502379268"),
    "Wampler4": (lambda: wampler(100), "0.957478440825662", "236014.502379268"),
    "Wampler5": (lambda: wampler(10000), "0.224668921574940E-02", "23601450.2379268"),
}


def coefficients(design, response):
    """The least-squares solution, by elimination on the normal equations: exact."""
    size = len(design[0])
    rows = [
        [sum(row[i] * row[j] for row in design) for j in range(size)]
        + [sum(row[i] * truth for row, truth in zip(design, response, strict=True))]
        for i in range(size)
    ]
    for i in range(size):
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(size):
            if k != i:
                factor = rows[k][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def fitted(design, response):
    solution = coefficients(design, response)
    return [sum(b * x for b, x in zip(solution, line, strict=True)) for line in design]


def test_filip_is_copied_without_error():
    found = [float(b) for b in coefficients(*filip())]
    assert found == pytest.approx([float(b) for b in FILIP.split()], rel=DIGITS)


@pytest.mark.parametrize("name", LINEAR)
def test_linear(name):
    make, r2, deviation = LINEAR[name]
    design, response = make()
    predictions = fitted(design, response)
    n, degrees = len(response), len(response) - len(design[0])
    about_zero = name.startswith("NoInt")  # where NIST's R² is not centred

    truth, prediction = ([float(x) for x in column] for column in (response, predictions))
    measures = "rmse, uncentred = 1 - Mean(r**2)/Mean(y**2)" if about_zero else "rmse,r2"
    found = measured(measures, truth, prediction)
    value = found["uncentred" if about_zero else "r2"].value
    residual_deviation = found["rmse"].value * math.sqrt(n / degrees)

    # rounding the columns to float64 moves an error by this much of its size
    moved = 0.0
    if float(deviation):
        moved = 2 * np.spacing(max(map(abs, truth))) / float(deviation)
    assert residual_deviation == pytest.approx(float(deviation), rel=DIGITS + moved, abs=0)
    assert 1 - value == pytest.approx(1 - float(r2), rel=1e-12, abs=1e-15)
    assert value == pytest.approx(float(r2), rel=DIGITS)


def test_r2_at_mean_1e8_in_one_pass():
    rng = np.random.default_rng(1)
    truth, error = rng.normal(size=10_000), rng.normal(size=10_000) / 3
    far, farther = truth + 1e8, truth + 1e8 + error
    exact = [Fraction(x) for x in far.tolist()]
    errors = [Fraction(b) - a for a, b in zip(exact, farther.tolist(), strict=True)]
    mean = sum(exact) / len(exact)
    wanted = 1 - sum(e * e for e in errors) / sum((x - mean) ** 2 for x in exact)
    (found,) = measured("r2", far, farther).values()
    assert found.value == pytest.approx(float(wanted), rel=1e-15)
    near = measured("r2", truth, truth + error)["r2"]
    assert found.standard_error == pytest.approx(near.standard_error, rel=1e-6)

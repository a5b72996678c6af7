"""log, exp, log1p and expm1 against mpmath, over the whole float64 range and at every edge."""

import math
import os
import platform
import re
import struct
from fractions import Fraction
from functools import cache

import llvmlite.binding as llvm
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from offby.formula import bits, elementary

NAMES = elementary.__all__
LN2 = math.log(2.0)
inf, nan = math.inf, math.nan
tiny, largest = 5e-324, math.nextafter(inf, 0.0)


@cache
def kernel(name):
    function = getattr(elementary, name)

    @njit(nogil=True)
    def loop(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    return loop


def apply(name, x):
    out = np.empty_like(x)
    kernel(name)(x, out)
    return out


@cache
def points(name):
    """At least 200,000 floats: random bits, every exponent, and the hard regions of `name`."""
    rng = np.random.default_rng(20240229)
    sign = lambda n: rng.choice([-1.0, 1.0], n)  # noqa: E731  short and local
    near_zero = sign(40_000) * np.exp2(rng.uniform(-60, 0, 40_000))
    mantissas = rng.uniform(1, 2, (2098, 25))
    exponents = np.ldexp(mantissas, np.arange(-1074, 1024)[:, None]).ravel()
    everywhere = [
        rng.integers(0, 2**64, 60_000, dtype=np.uint64).view(np.float64),
        exponents * sign(exponents.size),
    ]
    halves = (rng.integers(-1075, 1025, 20_000) + 0.5) * LN2  # where k changes
    hard = {
        "log": [
            np.abs(everywhere[1]),
            1 + near_zero,
            rng.uniform(0.3, 3, 30_000),
            rng.uniform(0.70, 0.71, 15_000),  # either side of sqrt(1/2) and of sqrt(2)
            rng.uniform(1.40, 1.42, 15_000),
            rng.integers(1, 2**52, 10_000) * tiny,
        ],
        "log1p": [
            near_zero,
            rng.uniform(-0.31, -0.28, 20_000),
            rng.uniform(0.40, 0.42, 20_000),
            rng.uniform(-1, 4, 20_000),
            np.exp2(rng.uniform(-53, 0, 20_000)) - 1,
            np.exp2(rng.uniform(0, 70, 20_000)),
        ],
        "exp": [
            near_zero,
            halves * (1 + rng.normal(0, 1e-4, halves.size)),
            rng.uniform(-746, 710, 40_000),
            rng.uniform(-746, -708, 20_000),  # subnormal results
            rng.uniform(709.7, 709.8, 10_000),
        ],
        "expm1": [
            near_zero,
            halves * (1 + rng.normal(0, 1e-4, halves.size)),
            rng.uniform(-50, 50, 30_000),
            rng.uniform(-0.4, 0.4, 20_000),
            rng.uniform(709.7, 709.8, 10_000),
        ],
    }
    all_points = np.concatenate(everywhere + hard[name])
    domain = {"log": all_points > 0, "log1p": all_points > -1}
    return all_points[domain.get(name, np.isfinite(all_points)) & np.isfinite(all_points)]


def ulp_errors_longdouble(name, x):
    limit = np.ldexp(np.longdouble(1), 1024)  # what inf stands for, half an ulp off the largest
    with np.errstate(over="ignore", under="ignore"):
        want = np.clip(getattr(np, name)(x.astype(np.longdouble)), -limit, limit)
    got = np.clip(apply(name, x).astype(np.longdouble), -limit, limit)
    ulp = np.ldexp(np.longdouble(1), np.maximum(np.frexp(want)[1] - 53, -1074))
    return np.abs(got - want) / ulp


def ulp_error_mpmath(name, x, got):
    limit = mpmath.ldexp(1, 1024)
    want = min(getattr(mpmath, name)(x), limit)
    ulp = mpmath.ldexp(1, max(mpmath.frexp(want)[1] - 53, -1074))
    return float(abs(min(mpmath.mpf(got), limit) - want) / ulp)


def same(a, b):
    """Equal, with nan equal to nan and -0.0 different from 0.0."""
    return (a != a and b != b) or (a == b and math.copysign(1, a) == math.copysign(1, b))


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="longdouble is no wider than float")
@pytest.mark.parametrize("name", NAMES)
def test_within_one_ulp_of_longdouble(name):
    x = points(name)
    errors = ulp_errors_longdouble(name, x)
    assert x.size >= 200_000
    assert errors.max() <= 0.8, f"{name}({x[errors.argmax()]!r}) is {errors.max()} ulp off"


@pytest.mark.parametrize("name", NAMES)
def test_within_one_ulp_of_mpmath(name):
    x = points(name)[::40]
    with mpmath.workprec(160):
        errors = [ulp_error_mpmath(name, *pair) for pair in zip(x, apply(name, x), strict=True)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= 0.8, f"{name}({x[worst]!r}) is {errors[worst]} ulp off"


EDGES = {
    "log": [
        (0.0, -inf),
        (-0.0, -inf),
        (-tiny, nan),
        (-1.0, nan),
        (-inf, nan),
        (inf, inf),
        (nan, nan),
        (1.0, 0.0),
        (tiny, -744.4400719213812),
        (2.0**-1022, -708.3964185322641),
        (largest, 709.782712893384),
        (2.0, LN2),
    ],
    "log1p": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (-1.0, -inf),
        (math.nextafter(-1.0, -2.0), nan),
        (math.nextafter(-1.0, 0.0), -36.7368005696771),
        (-inf, nan),
        (inf, inf),
        (nan, nan),
        (tiny, tiny),
        (-tiny, -tiny),
        (1e-300, 1e-300),
        (-1e-20, -1e-20),
        (largest, 709.782712893384),
        (1.0, LN2),
    ],
    "exp": [
        (0.0, 1.0),
        (-0.0, 1.0),
        (1.0, math.e),
        (inf, inf),
        (-inf, 0.0),
        (nan, nan),
        (709.7827128933841, inf),
        (largest, inf),
        (-745.1332191019411, tiny),  # the last that is not 0
        (-745.1332191019412, 0.0),
        (-746.0, 0.0),
        (-largest, 0.0),
        (tiny, 1.0),
        (-1e-17, 1.0),
    ],
    "expm1": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (inf, inf),
        (-inf, -1.0),
        (nan, nan),
        (709.7827128933841, inf),
        (largest, inf),
        (-largest, -1.0),
        (-40.0, -1.0),
        (tiny, tiny),
        (-tiny, -tiny),
        (3 * tiny, 3 * tiny),
        (1e-300, 1e-300),
        (-1e-20, -1e-20),
    ],
}


@pytest.mark.parametrize(("name", "x", "want"), [(n, *e) for n in EDGES for e in EDGES[n]])
def test_edge(name, x, want):
    # Nine copies, so that the vectors and the loop's remainder both meet the edge.
    for got in apply(name, np.full(9, x)):
        assert same(got, want), f"{name}({x!r}) = {got!r}, not {want!r}"


@pytest.mark.parametrize("name", ["exp", "expm1"])
def test_the_last_finite_result_is_finite(name):
    assert 0.9999 * largest < apply(name, np.full(1, 709.782712893384))[0] < inf


@pytest.mark.parametrize("name", NAMES)
def test_same_bits_alone_and_in_a_vector(name):
    x = points(name)[::50]
    alone = np.concatenate([apply(name, x[i : i + 1]) for i in range(x.size)])
    assert alone.tobytes() == apply(name, x).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_converts_integers(name):
    out = np.empty(1)
    kernel(name)(np.array([3]), out)
    assert out[0] == apply(name, np.array([3.0]))[0]


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64")
    or not all(llvm.get_host_cpu_features().get(f) for f in ("avx2", "fma"))
    or any(name in os.environ for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")),
    reason="asks for the vector registers of x86",
)
@pytest.mark.parametrize("name", NAMES)
def test_the_plain_loop_is_vectorised(name):
    apply(name, np.ones(1))
    assembly = kernel(name).inspect_asm(kernel(name).signatures[0])
    assert re.search(r"vfn?m(add|sub)\d+pd\s.*%[yz]mm", assembly)


@njit
def two_product(a, b):
    return bits.two_product(a, b)


@njit
def float_bits(x):
    return bits.float_bits(x)


@njit
def bits_float(n):
    return bits.bits_float(n)


@njit
def select(condition, yes, no):
    return bits.select(condition, yes, no)


@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100))
def test_two_product_is_exact(a, b):
    high, low = two_product(a, b)
    assert high == a * b
    if a == 0 or b == 0 or abs(high) > 2.0**-960:  # else lo itself may underflow
        assert Fraction(high) + Fraction(low) == Fraction(a) * Fraction(b)


@given(st.floats())
def test_bits_round_trip(x):
    n = struct.unpack("<q", struct.pack("<d", x))[0]
    assert float_bits(x) == n
    assert same(bits_float(n), x)


def test_select_takes_either():
    assert select(True, 1.0, nan) == 1.0
    assert select(False, nan, 2.0) == 2.0

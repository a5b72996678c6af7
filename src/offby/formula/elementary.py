"""log, exp, log1p and expm1 for kernels: branch-free float64, so that LLVM vectorises them.

Each is within 1 ulp over every float64, subnormals in and out included. The largest errors seen
in 40 million points: log and log1p 0.65, expm1 0.73, exp 0.56 (0.76 where the result is subnormal,
and so rounded twice). Edges follow C99: log(±0) = -inf, log(x < 0) = nan, exp(710) = inf; nothing
is clipped. No libm, no table, only IEEE operations: the same bits on every machine.

The method is fdlibm's (Sun, 1993): split off a power of two, a polynomial for the rest, and the
low-order half of each sum carried along to the last addition. Every choice is a `select`.
"""

from math import inf, nan

from offby.formula.bits import bits_float, float_bits, fma, inline, polynomial, select

__all__ = ["exp", "expm1", "log", "log1p"]

# ln 2 in two parts, from fdlibm. The high part ends in 21 zero bits, so k·LN2_HIGH is exact for
# every exponent k; together they hold ln 2 to 2^-86.
LN2_HIGH = float.fromhex("0x1.62e42feep-1")
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
LOG2_E = float.fromhex("0x1.71547652b82fep0")

# An integer n below 2^52 put into the mantissa bits of 2^52 spells the float 2^52 + n, and adding
# 1.5·2^52 to a small float rounds it to an integer standing in the low bits. Both convert between
# int64 and float64 with instructions that every vector unit has.
MAGIC_BITS = 0x4330_0000_0000_0000
ROUNDING = 1.5 * 2.0**52
EXPONENT = 0x7FF0_0000_0000_0000
MANTISSA = 0x000F_FFFF_FFFF_FFFF
SQRT_HALF_BITS = 0x3FE6_A09E_0000_0000  # just below sqrt(1/2)
ONE_BITS = 0x3FF0_0000_0000_0000

# Remez polynomials, derived with mpmath at 60 digits. In each, the weight makes the error count as
# it does in the final sum; the bounds hold after rounding the coefficients to float64.

# (log((1+s)/(1-s)) - 2s) / s³ in z = s², for |s| <= 3 - 2·sqrt(2): |s³·error| < 2^-61.
_log_series = polynomial(
    0.666666666666681,
    0.399999999990147,
    0.2857142881840638,
    0.22222191654046514,
    0.18183890883323536,
    0.1530633958023141,
    0.1486799839218297,
)
# (exp(r) - 1 - r - r²/2) / r³ for |r| <= ln(2)/2: |r²·error| < 2^-60.
_exp_series = polynomial(
    0.16666666666666677,
    0.04166666666666669,
    0.008333333333321705,
    0.001388888888887024,
    0.00019841269885957798,
    2.480158735591946e-05,
    2.755724436716978e-06,
    2.755724574357611e-07,
    2.5108984407678865e-08,
    2.0923709036509653e-09,
)
# 1/(2(1+f)) for 1+f between sqrt(1/2) and sqrt(2), to 1.1 %: it only scales a rounding error.
_half_reciprocal = polynomial(0.5024975560112528, -0.5403063839204234, 0.4571195353125156)


@inline
def _split(x: float) -> tuple[float, int]:
    """x = m·2^k with sqrt(1/2) <= m < sqrt(2), as m and the biased k in an exponent's place."""
    shifted = float_bits(x) + (ONE_BITS - SQRT_HALF_BITS)
    return bits_float((shifted & MANTISSA) + SQRT_HALF_BITS), shifted & EXPONENT


@inline
def _integer(exponent: int, bias: float) -> float:
    """The number held in an exponent's place, less its bias."""
    return bits_float((exponent >> 52) | MAGIC_BITS) - (2.0**52 + bias)


@inline
def _log(f: float, k: float) -> tuple[float, float]:
    """log(2^k·(1+f)) as a sum of two."""
    # log(1+f) = f - f²/2 + s·(f²/2 + z·series(z)), where s = f/(2+f) and z = s².
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f
    near = fma(-half, f, f)
    near_low = fma(-half, f, f - near)
    high = fma(k, LN2_HIGH, near)
    high_low = fma(k, LN2_HIGH, -high) + near
    series = fma(z, _log_series(z), half * f)
    return high, fma(s, series, fma(k, LN2_LOW, near_low)) + high_low


@inline
def log(x: float) -> float:
    """The natural logarithm."""
    subnormal = x < 2.0**-1022
    m, exponent = _split(select(subnormal, x * 2.0**54, x))
    k = _integer(exponent, 1023.0) - select(subnormal, 54.0, 0.0)
    high, low = _log(m - 1.0, k)
    value = select(x < inf, high + low, x)
    return select(x > 0.0, value, select(x == 0.0, -inf, nan))


@inline
def log1p(x: float) -> float:
    """log(1 + x), and still all its digits where 1 + x loses those of x."""
    u = 1.0 + x
    m, exponent = _split(u)
    k = _integer(exponent, 1023.0)
    # What rounding took from u adds lost/u = (lost/2^k)/m to the logarithm. The factor 2/2^k is
    # 0 at the largest k, where there is nothing to add.
    lost = select(x < 1.0, x - (u - 1.0), 1.0 - (u - x))
    correction = lost * bits_float(EXPONENT - exponent) * _half_reciprocal(m - 1.0)
    unscaled = k == 0.0  # then x itself is f, and nothing was lost
    high, low = _log(select(unscaled, x, m - 1.0), k)
    value = high + (low + select(unscaled, 0.0, correction))
    value = select(x < inf, value, x)
    value = select(x > -1.0, value, select(x == -1.0, -inf, nan))
    return select(x == 0.0, x, value)  # keeps the sign of -0.0


@inline
def _reduce(x: float, k: float) -> tuple[float, float]:
    """r = x - k·ln 2 and exp(r) - 1 - r."""
    high = fma(k, -LN2_HIGH, x)
    r = fma(k, -LN2_LOW, high)
    r_low = fma(k, -LN2_LOW, high - r)  # counts exp(r) times, of which 1 + r is enough
    cubic = fma(r * r * r, _exp_series(r), fma(r_low, r, r_low))
    return r, fma(0.5 * r, r, cubic)


@inline
def exp(x: float) -> float:
    """e to the power x."""
    # Beyond these the result is inf or 0; NaN passes both. The 0 is selected, not computed,
    # because x86 takes ten times as long over a product that underflows.
    vanishes = x < -746.0
    x = select(x > 710.0, 710.0, select(vanishes, 0.0, x))
    # k and half of k, each with the bias of its power of two already in the low bits. 2^k itself
    # may be out of range when the result is not, so it is applied in two halves.
    whole = fma(x, LOG2_E, ROUNDING + 2046.0)
    half = fma(x, 0.5 * LOG2_E, ROUNDING + 1023.0)
    first = bits_float(float_bits(half) << 52)
    second = bits_float((float_bits(whole) - float_bits(half)) << 52)
    r, rest = _reduce(x, whole - (ROUNDING + 2046.0))
    high = 1.0 + r
    value = (high + (rest + ((1.0 - high) + r))) * first * second
    return select(vanishes, 0.0, value)


@inline
def expm1(x: float) -> float:
    """exp(x) - 1, and still all its digits where exp(x) is close to 1."""
    # Below -40 the result is -1.
    clamped = select(x > 710.0, 710.0, select(x < -40.0, -40.0, x))
    # The low bits hold the exponent of 2^(k-1): half the result, as 2^k overflows too early.
    whole = fma(clamped, LOG2_E, ROUNDING + 1022.0)
    scale = bits_float(float_bits(whole) << 52)
    r, rest = _reduce(clamped, whole - (ROUNDING + 1022.0))
    # scale·(1 + r + rest) - 1/2, with what each rounding took away added last.
    head = scale - 0.5
    head_low = (scale - head) - 0.5
    high = fma(scale, r, head)
    high_low = fma(scale, r, head - high)
    value = 2.0 * (high + fma(scale, rest, high_low + head_low))
    return select(abs(x) < 2.0**-54, x, value)  # where half of x could lose a bit; keeps -0.0

"""Numbers for people: rounded once, here, and nowhere before."""

from __future__ import annotations

import math

UNDEFINED = "undefined"


def number(value: float | None, digits: int = 4) -> str:
    """A value with so many significant digits, and commas where it is large.

    >>> number(13333.333), number(0.000123456), number(1234567.0), number(2e8), number(0.0)
    ('13,333', '0.0001235', '1,234,567', '200,000,000', '0')
    >>> number(2e200), number(1.25e-7), number(float("-inf"))
    ('2e+200', '1.25e-07', '-∞')
    """
    if value is None:
        return UNDEFINED
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "NaN"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e12 or size < 1e-5:
        digits_part, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{_trimmed(digits_part)}e{exponent}"
    decimals = max(digits - 1 - math.floor(math.log10(size)), 0)
    return _trimmed(f"{value:,.{decimals}f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float, digits: int = 2) -> str:
    """A share as a percentage.

    >>> percent(0.406), percent(0.00123), percent(1.0)
    ('41 %', '0.12 %', '100 %')
    """
    value = share * 100
    if value == 0 or not math.isfinite(value):
        return f"{number(value)} %"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return _trimmed(f"{value:.{min(decimals, 4)}f}") + " %"


def chance(probability: float) -> str:
    """A probability as a percentage: however small it is, only 0 is 0.

    >>> chance(0.406), chance(1e-12), chance(0.0)
    ('41 %', '1e-10 %', '0 %')
    """
    tiny = 0 < probability < 1e-5
    return f"{number(100 * probability, 2)} %" if tiny else percent(probability)


def between(low: float | None, high: float | None) -> str:
    """An interval, with the digits in which its ends differ.

    >>> between(0.98997, 0.99002), between(21.876, 22.37), between(4252.2, 41811.4)
    ('0.989970 … 0.990020', '21.88 … 22.37', '4,252 … 41,811')
    """
    if low is None or high is None:
        return ""
    size, width = max(abs(low), abs(high)), high - low
    if not (math.isfinite(size) and width > 0):
        return f"{number(low)} … {number(high)}"
    digits = max(4, math.floor(math.log10(size)) - math.floor(math.log10(width)) + 2)
    if size >= 1e12 or size < 1e-5:
        return f"{number(low, digits)} … {number(high, digits)}"
    decimals = max(digits - 1 - math.floor(math.log10(size)), 0)
    return f"{low:,.{decimals}f} … {high:,.{decimals}f}"


def rows(count: int) -> str:
    """A count of rows.

    >>> rows(1), rows(53991)
    ('1 row', '53,991 rows')
    """
    return f"{count:,} row" + ("" if count == 1 else "s")

from fractions import Fraction

from pystyle._arguments import number


def exact_rate(rate: float | Fraction) -> Fraction:
    """Frames in a second as a fraction; what is no whole number is meant as one such as 30000/1001.

    Raises:
        ValueError: If the rate is not positive.
        TypeError: If it is no number.
    """
    found = number(rate, "`rate`", above=0)
    if isinstance(rate, Fraction):
        return rate
    # Of what is slower than one a second, the seconds of a frame are such a number.
    return _simple(found) if found >= 1 else 1 / _simple(1 / found)


def _simple(number: float) -> Fraction:
    return Fraction(number).limit_denominator(1001)

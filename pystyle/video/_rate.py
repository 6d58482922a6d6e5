from fractions import Fraction

from pystyle._arguments import number


def exact_rate(rate: float | Fraction) -> Fraction:
    """Frames in a second as a fraction; what is no whole number is meant as one such as 30000/1001.

    Raises:
        ValueError: If the rate is not positive.
        TypeError: If it is no number.
    """
    found = number(rate, "`rate`", above=0)
    return rate if isinstance(rate, Fraction) else Fraction(found).limit_denominator(1001)

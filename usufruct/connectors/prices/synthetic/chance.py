"""Random numbers that are the same to the byte on every machine and with every version of numpy.

Raw 64-bit words of PCG64 are fixed by numpy's compatibility promise, its distributions are not. What is made of them
here takes only sums, products, quotients and square roots, which IEEE 754 rounds in one way.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from usufruct.connectors.prices.panel import Matrix

Words = NDArray[np.uint64]

_MASK = np.uint64(0xFFFF)
_TAIL = 0.12
_TAIL_SCALE = 0.6443
"""Makes the variance of `heavy` one: sqrt of `(1 - a) / ln(1 / a)` for a = `_TAIL`."""


def stream(seed: int, purpose: str, *keys: int) -> np.random.PCG64:
    """Return a generator for one purpose: what another purpose draws does not change it."""
    return np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), *keys]))


def words(source: np.random.PCG64, *shape: int) -> Words:
    """Draw 64-bit words, row by row: a longer array begins with the rows of a shorter one."""
    drawn: Words = source.random_raw(int(np.prod(shape))).reshape(shape)
    return drawn


def uniform(drawn: Words) -> Matrix:
    """Return numbers from 0 to 1, without 1."""
    return (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53


def bell(drawn: Words) -> Matrix:
    """Return numbers of mean 0 and variance 1, near normal: each word's four quarters, added."""
    added = drawn & _MASK
    for shift in (16, 32, 48):
        added = added + ((drawn >> np.uint64(shift)) & _MASK)
    return (added.astype(np.float64) - 131_070.0) * (1.7320508075688772 / 65_536.0)


def heavy(drawn: Words, scales: Words) -> Matrix:
    """Return numbers of mean 0 and variance 1 with heavy tails: bell-shaped ones over the root of a uniform one."""
    return bell(drawn) * (_TAIL_SCALE / np.sqrt(_TAIL + (1 - _TAIL) * uniform(scales)))

"""Tests that learn: LightGBM needs OpenMP's runtime of the system."""

import ctypes
import sys

import pytest

_RUNTIME = "libgomp.so.1" if sys.platform == "linux" else "libomp.dylib"


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


needs_openmp = pytest.mark.skipif(not _loads(_RUNTIME), reason=f"LightGBM needs {_RUNTIME}: apt-get install libgomp1")

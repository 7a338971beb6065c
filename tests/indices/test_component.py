"""The component: nothing of it is loaded where it is off, and all that the package exports is there."""

import subprocess
import sys

import pytest

from usufruct import indices

LIGHT = """
import sys
import usufruct.indices.component
from usufruct.config import Config
from usufruct.core.components import Context
context = Context()
context.provide(Config, Config())
built = usufruct.indices.component.build(context)
assert not [*built.routes(), *built.jobs()]
assert not {"numpy", "polars"} & set(sys.modules), "an extra was loaded"
"""


def test_where_it_is_off_no_extra_is_loaded():
    ran = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr


def test_all_that_is_exported_is_there():
    for name in indices.__all__:
        assert not isinstance(getattr(indices, name), type(indices)), f"{name} is a module"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        indices.nothing  # noqa: B018

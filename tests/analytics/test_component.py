"""The component: nothing of it is loaded where it is off, and a missing extra is named."""

import subprocess
import sys

import pytest

from usufruct import analytics
from usufruct.analytics import component
from usufruct.config import Config, InvalidSetting, MarketsConfig
from usufruct.core.components import Context

LIGHT = """
import sys
import usufruct.analytics.component, usufruct.analytics.api_key_store
from usufruct.config import Config
from usufruct.core.components import Context
context = Context()
context.provide(Config, Config())
built = usufruct.analytics.component.build(context)
assert not [*built.routes(), *built.jobs(), *built.gateway_jobs()]
assert not {"numpy", "polars", "vaderSentiment", "ccxt"} & set(sys.modules), "an extra was loaded"
"""


def test_where_it_is_off_no_extra_is_loaded():
    ran = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_missing_extra_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch):
    context = Context()
    context.provide(Config, Config(markets=MarketsConfig(api="yes")))
    monkeypatch.setattr(component, "find_spec", lambda name: None if name == "polars" else object())
    with pytest.raises(InvalidSetting, match=r"without polars; install usufruct\[markets\]"):
        component.build(context).routes()


def test_all_that_is_exported_is_there():
    for name in analytics.__all__:
        assert getattr(analytics, name).__module__.startswith("usufruct.analytics."), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        analytics.nothing  # noqa: B018

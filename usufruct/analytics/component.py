"""What analytics adds to an installation where `markets.api` is yes: ratings by the worker, `/v2` by the gateway."""

from collections.abc import AsyncIterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from prometheus_client import Metric

from usufruct.analytics.api_keys import FLUSH_SECONDS, KeyPolicy, MarketKeys
from usufruct.analytics.call_sales import CallPrices, CallSales
from usufruct.analytics.writing import Wording, build_wording, wording_metrics
from usufruct.chain import TokenFacts
from usufruct.config import Config, InvalidSetting
from usufruct.core import Clock
from usufruct.core.components import Component, Context
from usufruct.core.diagnostics import Diagnostic, Finding
from usufruct.core.jobs import Job
from usufruct.payments.pricing import PayerBenefits
from usufruct.payments.x402 import EndpointPayments
from usufruct.store import Database, MasterSecret

_RATING_SECONDS = 60.0
_ALERT_SECONDS = 30.0
_FORGET_SECONDS = 86_400.0
_EXTRA = ("lightgbm", "numpy", "polars", "vaderSentiment")


def build(context: Context) -> Component:
    """Build the component; without the API it adds nothing, and loads no numbers."""
    get = context.get

    def keys() -> MarketKeys:
        stamp, settings = get(MasterSecret).stamp("networks of market keys"), get(Config).markets
        policy = KeyPolicy(settings.calls_per_month, settings.calls_per_minute)
        return MarketKeys(get(Database), stamp, get(Clock), get(PayerBenefits), policy)

    def sales() -> CallSales:
        return CallSales(get(EndpointPayments), CallPrices.of(get(Config), get(TokenFacts)))

    def serves() -> bool:
        return get(Config).markets.api == "yes"

    def routes() -> Sequence[Any]:
        if not serves():
            return ()
        serving = _serving()
        return [*serving.build_routes(context), *serving.build_alert_routes(context)]

    def jobs() -> list[Job]:
        if not serves():
            return []
        serving = _serving()
        ratings, alerts = serving.build_job(context), serving.build_alerts(context)
        return [
            Job("ratings", ratings.step, _RATING_SECONDS),
            Job("market-alerts", alerts.report, _ALERT_SECONDS),
            Job("market-keys", get(MarketKeys).forget, _FORGET_SECONDS),
            *serving.build_sources(context),
            *serving.build_streams(context),
            *serving.build_reports(context),
        ]

    def gateway_jobs() -> list[Job]:
        if not serves():
            return []
        keys = get(MarketKeys)
        get(CallSales).check()  # jobs are made after the routes: every package has offered its paths
        return [Job("market-calls", keys.flush, FLUSH_SECONDS, close=keys.flush)]

    async def words() -> list[Metric]:
        return wording_metrics(get(Wording)) if serves() else []

    async def check() -> AsyncIterator[Finding]:
        if serves():
            async for finding in _serving().check_freshness(context):
                yield finding

    context.provide_later(MarketKeys, keys)
    context.provide_later(CallSales, sales)
    context.provide_later(Wording, lambda: build_wording(context))
    return Component(
        "analytics",
        routes=routes,
        exposed_headers=("etag", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining"),
        jobs=jobs,
        gateway_jobs=gateway_jobs,
        metrics={"market words": words},
        diagnostics=(Diagnostic("ratings", check),),
    )


def _serving() -> Any:
    """Load what needs the extra; an installation without it is told how to get it."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise InvalidSetting(
            f"markets.api is yes without {', '.join(missing)}; install usufruct[markets], or set it to no",
            key="markets.api",
        )
    return import_module("usufruct.analytics.serving")

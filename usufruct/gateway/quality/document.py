"""Measured quality as its JSON document."""

from collections.abc import Sequence

from usufruct.gateway.quality.summary import LEAST_SAMPLE, Spread, Summary
from usufruct_client.wire import MeasuredQuality, MeasuredSpread, MeasuredWindow


def quality_document(name: str, summaries: Sequence[Summary]) -> MeasuredQuality:
    """Return what was measured of the service `name`."""
    return MeasuredQuality(name, LEAST_SAMPLE, [window_document(each) for each in summaries])


def window_document(summary: Summary) -> MeasuredWindow:
    """Return what was measured in one window."""
    return MeasuredWindow(
        days=summary.days,
        calls=summary.calls,
        tried=summary.tried,
        success=summary.success,
        first_text_ms=_spread(summary.first_text),
        speed=_spread(summary.speed),
        whole_answer_ms=_spread(summary.whole),
        input_tokens=summary.input_tokens,
        output_tokens=summary.output_tokens,
        income=summary.income,
    )


def _spread(spread: Spread) -> MeasuredSpread:
    return MeasuredSpread(spread.sample, spread.median, spread.p95)

"""What a simulation shows at a glance, as SVG files."""

from collections.abc import Mapping

from usufruct.staking.simulation.report import Report
from usufruct.web.ui import bar_chart, chart_file, line_chart

_QUIET_WEEKS = 8
"""Left out at the beginning, where most of the airdrop is not claimed yet and a few have nearly all scores."""


def draw_pictures(report: Report) -> Mapping[str, str]:
    """Return SVG texts by file name: the scores at the end, revenue by locked token, and dilution."""
    given = report.assumptions
    settled = report.weeks[_QUIET_WEEKS:] or report.weeks
    people = f"{given.actors:,} actors, {given.weeks} weeks, seed {given.seed}"
    return {
        "scores.svg": chart_file(
            "Stakers by Staking Score", f"number of stakers at the end; {people}", bar_chart(report.scores.histogram)
        ),
        "revenue.svg": chart_file(
            "Revenue of 1,000 locked tokens in a week",
            f"by week, in the revenue token, on average; {people}",
            line_chart([(str(row.week), row.revenue_per_1000_locked) for row in settled]),
        ),
        "dilution.svg": chart_file(
            "Part of the total score that a lock of the first week keeps",
            f"percent, by week; a 10,000th of the supply, renewing itself at 52 weeks; {people}",
            line_chart([(str(row.week), row.observer_share_percent) for row in settled]),
        ),
    }

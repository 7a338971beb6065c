"""A panel finds days and assets, and refuses shapes that do not fit."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from usufruct.connectors.prices import Asset, Panel
from usufruct.core import Invalid


def panel(days: int = 3) -> Panel:
    assets = (Asset("btc-bitcoin", 1, "BTC", "Bitcoin"), Asset("eth-ethereum", 2, "ETH", "Ethereum"))
    values = np.arange(days * 2, dtype=np.float64).reshape(days, 2)
    return Panel(date(2024, 2, 28), assets, values, values * 10, values * 100)


def test_days_are_consecutive_also_over_a_leap_day():
    assert [str(panel().day(row)) for row in range(3)] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert panel().row(date(2024, 3, 1)) == 2


@pytest.mark.parametrize("day", [date(2024, 2, 27), date(2024, 3, 2)])
def test_a_day_outside_is_refused_with_the_days_there_are(day: date):
    with pytest.raises(Invalid, match="2024-02-28 to 2024-03-01"):
        panel().row(day)


def test_a_part_has_the_values_of_the_whole():
    part = panel().between(date(2024, 2, 29), date(2024, 3, 1)).of(["eth-ethereum"])
    assert part.close.tolist() == [[3.0], [5.0]]
    assert part.market_cap.tolist() == [[30.0], [50.0]]
    assert part.first_day == date(2024, 2, 29)


def test_shapes_must_fit_and_ids_must_differ():
    with pytest.raises(Invalid, match="market_cap has the shape"):
        replace(panel(), market_cap=np.zeros((2, 2)))
    with pytest.raises(Invalid, match="one id"):
        replace(panel(), assets=(panel().assets[0],) * 2)


def test_the_digest_changes_with_every_value():
    changed = panel()
    changed.volume[2, 1] += 1e-9
    digests = {panel().digest(), changed.digest(), panel(2).digest(), replace(panel(), quote="EUR").digest()}
    assert len(digests) == 4
    assert panel().digest() == panel().digest()

"""The whole spending log of an account with more calls than a page holds: as JSON, as CSV, by days."""

import asyncio
import csv
import io
from decimal import Decimal

import pytest

from tests.market.test_buyer import DOLLAR, deposit, make_key
from tests.support.ledger_samples import bill, named
from usufruct.assets import Listings
from usufruct.core import Hash32
from usufruct.payments.ledger import Ledger, Reservation
from usufruct.payments.pricing import VerifiedVoucher, Voucher

pytestmark = pytest.mark.anvil


async def spend(world, channel: Hash32, charges: list[int], when: str = "") -> None:
    """Open and meter a call for each charge, its id made from `when`; the ledger takes its voucher as verified."""
    ledger, [service] = world.ledger, await world.gateway.get(Listings).list()

    async def call(number: int, charge: int) -> None:
        request = Reservation(
            call=named(f"{channel} {when} {number}"),
            account=channel,
            asset=service.id,
            ceiling=1_000,
            price_card_version=1,
            request_hash=named("request"),
            idempotency=None,
            sign=lambda amount: VerifiedVoucher(Voucher(channel, amount, b"\0" * 65)),
        )
        opened = await ledger.open(request)
        await ledger.meter(opened.lease, bill(charge))

    for start in range(0, len(charges), 250):
        await asyncio.gather(*(call(start + at, each) for at, each in enumerate(charges[start : start + 250])))


async def two_keys(world, http, enter, charges: list[int]) -> list[Hash32]:
    """Sign in a wallet whose two keys were charged, the second a third of the calls."""
    account = await world.account()
    await enter(http, account)
    channels = []
    for label, part in (("busy", charges[len(charges) // 3 :]), ("=idle", charges[: len(charges) // 3])):
        made = await make_key(http, account, label=label)
        assert (await deposit(http, account, made["channel"], 2 * DOLLAR)).status_code == 200
        await spend(world, made["channel"], part)
        channels.append(made["channel"])
    return channels


async def charged(ledger: Ledger, channels: list[Hash32]) -> int:
    return sum([(await ledger.account(each)).charged for each in channels])


async def test_all_calls_are_in_the_log_once_and_add_up_to_the_ledgers_charges(world, http, enter):
    channels = await two_keys(world, http, enter, [at % 4 for at in range(2_500)])
    total = await charged(world.ledger, channels)
    calls: list[dict] = []
    sizes: list[int] = []
    after = ""
    while after is not None:
        page = (await http.get("/account/spending", params={"after": after})).json()
        calls += page["calls"]
        sizes.append(len(page["calls"]))
        after = page["next"]
    assert sizes == [1_000, 1_000, 500]
    assert len({each["call"] for each in calls}) == 2_500
    assert sum(int(each["charge"]) for each in calls) == total == 3_750
    times = [each["time"] for each in calls]
    assert times == sorted(times, reverse=True)

    answer = await http.get("/account/spending.csv")
    assert answer.headers["cache-control"] == "private, no-store"
    assert "content-length" not in answer.headers, "the rows are sent as they are read"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["call"] for row in rows] == [each["call"] for each in calls]
    assert sum(Decimal(row[next(name for name in row if name.startswith("charge_"))]) for row in rows) * DOLLAR == total
    assert {row["key"] for row in rows} == {"busy", "'=idle"}


async def test_the_chart_has_all_of_a_day_with_more_calls_than_a_page_of_the_log(world, http, enter):
    await two_keys(world, http, enter, [1_000] * 1_250)
    page = (await http.get(f"{world.url.removesuffix('/v1')}/account")).text
    chart = page.partition("Charged by day")[2].partition("Last calls")[0]
    assert "1.25" in chart


async def test_calls_made_while_pages_are_read_shift_nothing(world, http, enter):
    channels = await two_keys(world, http, enter, [1] * 1_200)
    first = (await http.get("/account/spending")).json()
    await spend(world, channels[1], [0] * 500 + [7] * 100, "later")
    rest = (await http.get("/account/spending", params={"after": first["next"]})).json()
    assert (len(rest["calls"]), rest["next"]) == (200, None)
    assert len({each["call"] for each in (*first["calls"], *rest["calls"])}) == 1_200


async def test_no_one_reads_on_from_what_is_no_call_of_theirs(world, http, enter):
    channels = await two_keys(world, http, enter, [1, 1, 1])
    [other] = [each.lease.call for each in await world.ledger.metered(channels[1])]
    await enter(http, await world.account())
    for after in (other, "x", "0x" + "0" * 64, other.upper(), "\0"):
        refused = await http.get("/account/spending", params={"after": after})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "after")

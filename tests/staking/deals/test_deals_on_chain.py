"""Deals from creation to the last claim, by commands on a chain whose time is moved; conserved to the unit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.staking.deals.deal_town import CAROL, HOUR, ISSUER, DealTown, address_of, deals_of
from tests.staking.deals.slow_deal import Paid, SlowDeal
from tests.support.devnet import Devnet
from tests.support.devnet_template import DevnetTemplate
from tests.support.staked_economy import ANN, BEN, DOLLAR, TOKEN, Economy
from usufruct.chain import FEE_SINK, ChainAccess
from usufruct.chain.contracts.deal_room import DealRoom
from usufruct.chain.deployment import NotDeployed
from usufruct.core import DAY_SECONDS, checksum, hash32
from usufruct.staking.deals import DealCalls, DealState

pytestmark = pytest.mark.anvil

SALE = 1_000_000 * TOKEN
CAP, FLOOR = 100_000 * DOLLAR, 20_000 * DOLLAR
END = 2 * DAY_SECONDS


@pytest.fixture
def town(devnet_template: DevnetTemplate, tmp_path: Path) -> Iterator[DealTown]:
    with devnet_template.copy(tmp_path) as anvil:
        yield DealTown(tmp_path, anvil.url)


def index_of(town: DealTown, deal: str) -> DealState:
    return town.inside(lambda chain: deals_of(chain).state(hash32(deal)))


def test_windows_then_too_much_then_parts_refunds_and_vesting(town: DealTown):
    before = {wallet: town.held(address_of(wallet)) for wallet in (ANN, BEN, ISSUER)}
    sink = town.held(FEE_SINK)
    deal = town.create()
    assert town.held(town.room) == (SALE, 0), "a deal that exists is funded"
    assert town.refusal("subscribe", deal, "1", wallet=ANN) == "deal_not_open"

    town.go_to(HOUR)
    shown = town.deal("subscribe", deal, "30000.000001", wallet=ANN)
    assert (shown["level"], shown["paid"], shown["may_pay"]) == (10, "30000.000001 tUSD", "49999.999999 tUSD")
    assert town.refusal("subscribe", deal, "1", wallet=BEN) == "deal_not_open"
    town.go_to(12 * HOUR)
    town.deal("subscribe", deal, "50000", wallet=BEN)
    assert town.refusal("subscribe", deal, "1", wallet=BEN) == "deal_cap_reached"
    assert town.refusal("subscribe", deal, "1", wallet=ANN) == "deal_window_over"
    assert town.refusal("subscribe", deal, "1", wallet=CAROL) == "deal_level_not_admitted"
    assert town.refusal("claim", deal, wallet=ANN) == "deal_selling"
    assert town.refusal("cancel", deal, wallet=BEN) == "not_deal_issuer"

    town.go_to(END)
    assert town.commands.json("deal", "show", deal)["phase"] == "succeeded"
    assert town.refusal("claim", deal, wallet=BEN) == "deal_nothing_due", "before the cliff"
    town.go_to(END + 50 * DAY_SECONDS)
    slow = SlowDeal(
        SALE, CAP, FLOOR, [Paid(address_of(ANN), 8, 30_000_000_001), Paid(address_of(BEN), 1, 50_000 * DOLLAR)]
    )
    for wallet in (ANN, BEN):
        tokens, refund = slow.result_of(address_of(wallet))
        assert refund == 0
        town.deal("claim", deal, wallet=wallet)
        half = town.held(address_of(wallet))[0] - before[wallet][0]
        assert tokens // 2 <= half < tokens * 51 // 100
    town.go_to(END + 100 * DAY_SECONDS)
    for wallet in (ANN, BEN):
        town.deal("claim", deal, wallet=wallet)
        tokens, _ = slow.result_of(address_of(wallet))
        assert town.held(address_of(wallet))[0] - before[wallet][0] == tokens
        assert town.refusal("claim", deal, wallet=wallet) == "deal_nothing_due"

    taken = town.deal("take-proceeds", deal, wallet=ISSUER)
    assert (taken["proceeds"], taken["fee"]) == ("78000.000001 tUSD", "2000 tUSD")
    town.deal("take-unsold", deal, wallet=ISSUER)
    assert town.held(town.room) == (0, 2_000 * DOLLAR), "the fee alone is left"
    stakers = town.economy.held_by_escrow()[1]
    assert len(town.economy.stake("distribute", wallet=CAROL)["transactions"]) == 2, "releases the fee, and sends it on"
    assert town.economy.stake("distribute", wallet=CAROL)["transactions"] == []
    assert town.economy.held_by_escrow()[1] - stakers == 2_000 * DOLLAR
    assert town.held(FEE_SINK) == sink
    assert town.held(town.room) == (0, 0)
    released = town.commands.json("deal", "release-fees", town.dollar, "--wallet", str(CAROL))
    assert (released["released"], released["transaction"]) == ("0 tUSD", None)
    after = {wallet: town.held(address_of(wallet)) for wallet in (ANN, BEN, ISSUER)}
    moved = [sum(after[each][at] - before[each][at] for each in after) for at in (0, 1)]
    assert moved == [0, -2_000 * DOLLAR]


def test_more_than_the_hard_cap_is_shared_and_the_rest_goes_back(town: DealTown):
    before = {wallet: town.held(address_of(wallet)) for wallet in (ANN, BEN, ISSUER)}
    deal = town.create(hard_cap="80000", for_sale="999999.999999999999999999", vesting_days="0", cliff_days="0")
    town.go_to(12 * HOUR)
    town.deal("subscribe", deal, "69999.999999", wallet=ANN)
    town.deal("subscribe", deal, "33333.333333", wallet=BEN)
    state = index_of(town, deal)
    assert (state.paid, state.accounts) == (103_333_333_332, 2)
    payments = [Paid(address_of(ANN), 1, 69_999_999_999), Paid(address_of(BEN), 1, 33_333_333_333)]
    slow = SlowDeal(SALE - 1, 80_000 * DOLLAR, FLOOR, payments)

    town.go_to(END)
    assert town.deal("allot", deal, wallet=CAROL)["allotted"] == [checksum(address_of(ANN)), checksum(address_of(BEN))]
    assert town.deal("allot", deal, wallet=CAROL)["allotted"] == [], "each once"
    for wallet in (ANN, BEN):
        tokens, refund = slow.result_of(address_of(wallet))
        town.deal("refund", deal, wallet=wallet)
        town.deal("claim", deal, wallet=wallet)
        assert town.refusal("refund", deal, wallet=wallet) == "deal_nothing_due"
        held = town.held(address_of(wallet))
        paid = next(each.amount for each in payments if each.account == address_of(wallet))
        assert (held[0] - before[wallet][0], before[wallet][1] - held[1]) == (tokens, paid - refund)
    town.deal("take-proceeds", deal, wallet=ISSUER)
    town.deal("take-unsold", deal, wallet=ISSUER)
    room = town.held(town.room)
    proceeds = sum(each.amount for each in payments) - sum(slow.result_of(each.account)[1] for each in payments)
    assert room == (0, proceeds * 250 // 10_000), "what rounding left is the issuer's"


def test_under_the_soft_cap_every_unit_goes_back(town: DealTown):
    before = {wallet: town.held(address_of(wallet)) for wallet in (ANN, BEN, ISSUER)}
    deal = town.create()
    town.go_to(12 * HOUR)
    town.deal("subscribe", deal, "12345.678901", wallet=ANN)
    town.deal("subscribe", deal, "0.000001", wallet=BEN)
    town.go_to(END)
    assert town.commands.json("deal", "show", deal)["phase"] == "failed"
    assert town.refusal("claim", deal, wallet=ANN) == "deal_nothing_due"
    assert town.refusal("take-proceeds", deal, wallet=ISSUER) == "deal_failed"
    for wallet in (ANN, BEN):
        town.deal("refund", deal, wallet=wallet)
    town.deal("take-unsold", deal, wallet=ISSUER)
    assert {wallet: town.held(address_of(wallet)) for wallet in (ANN, BEN, ISSUER)} == before
    assert town.held(town.room) == (0, 0)


def test_a_cancelled_deal_returns_its_tokens(town: DealTown):
    before = town.held(address_of(ISSUER))
    deal = town.create()
    town.deal("cancel", deal, wallet=ISSUER)
    assert index_of(town, deal).phase.value == "cancelled"
    town.deal("take-unsold", deal, wallet=ISSUER)
    assert town.held(address_of(ISSUER)) == before
    town.go_to(12 * HOUR)
    assert town.refusal("subscribe", deal, "1", wallet=ANN) == "deal_closed"


def test_only_listed_accounts_subscribe_and_removed_ones_keep_what_is_theirs(town: DealTown):
    deal = town.create("--allow-list", soft_cap="1", cliff_days="0", vesting_days="0")
    town.go_to(12 * HOUR)
    assert town.refusal("subscribe", deal, "5000", wallet=ANN) == "deal_account_not_allowed"
    assert town.refusal("allow", deal, address_of(ANN), wallet=ANN) == "not_deal_issuer"
    town.deal("allow", deal, address_of(ANN), address_of(BEN), wallet=ISSUER)
    town.deal("subscribe", deal, "5000", wallet=ANN)
    town.deal("allow", deal, address_of(ANN), "--remove", wallet=ISSUER)
    assert town.refusal("subscribe", deal, "1", wallet=ANN) == "deal_account_not_allowed"
    town.go_to(END)
    assert town.deal("claim", deal, wallet=ANN)["claimed"] == "50000 EXM"


def test_a_deal_without_a_list_takes_none(town: DealTown):
    deal = town.create()
    assert town.refusal("allow", deal, address_of(ANN), wallet=ISSUER) == "invalid_deal_wish"


def test_a_dry_run_says_the_deal_and_sends_nothing(town: DealTown):
    before = town.held(address_of(ISSUER))
    said = town.deal("create", *town.options(), "--dry-run", wallet=ISSUER)
    assert said["created"] is False
    assert said["terms"][0] == "Sells 1000000 EXM for 100000 tUSD: 0.1 tUSD each."
    assert "The platform's fee is 2.5 % of the proceeds." in said["terms"]
    assert town.held(address_of(ISSUER)) == before
    assert town.commands.json("deal", "list", "--all") == []


def test_what_cannot_be_is_refused_before_anything_is_sent(town: DealTown):
    assert town.refusal("create", *town.options(for_sale="2000000.1"), wallet=ISSUER) == "deal_unfunded"
    assert town.refusal("create", *town.options(soft_cap="100000.1"), wallet=ISSUER) == "invalid_deal"
    assert town.refusal("create", *town.options(closes=""), wallet=ISSUER) == "invalid_deal"
    unknown = "0x" + "12" * 32
    assert town.refusal("subscribe", unknown, "1", wallet=ANN) == "unknown_deal"
    assert town.refusal("subscribe", "0x12", "1", wallet=ANN) == "invalid_hash"
    deal = town.create()
    town.go_to(HOUR)
    assert town.refusal("subscribe", deal, "80000.000001", wallet=ANN) == "deal_cap_reached"
    assert town.refusal("subscribe", deal, "0", wallet=ANN) == "deal_cap_reached"
    assert town.refusal("subscribe", deal, "1.0000001", wallet=ANN) == "invalid_amount"
    town.deal("subscribe", deal, "80000", wallet=ANN)
    assert town.refusal("cancel", deal, wallet=ISSUER) == "deal_started"


def test_the_list_shows_what_the_configuration_names(town: DealTown):
    first, second = town.create(), town.create(hard_cap="90000")
    assert town.commands.json("deal", "list") == []
    everything = town.commands.json("deal", "list", "--all")
    assert [each["deal"] for each in everything] == [second, first]
    for names, expected in ((first, [first]), (address_of(ISSUER), [second, first]), ("all", [second, first])):
        own = town.commands.own | {"USUFRUCT_PLATFORM_TOKEN_DEALS": names}
        listed = type(town.commands)(own).json("deal", "list")
        assert [each["deal"] for each in listed] == expected


def test_the_index_takes_back_what_the_chain_takes_back(town: DealTown):
    deal = town.create()
    town.go_to(12 * HOUR)
    town.deal("subscribe", deal, "5000", wallet=ANN)
    kept = index_of(town, deal)
    payment = town.inside(lambda chain: _subscribed_as(chain, deal))
    changed = index_of(town, deal)
    assert (changed.paid - kept.paid, changed.accounts) == (1_000 * DOLLAR, 2)
    town.inside(lambda chain: Devnet(chain.client).reorganise(payment))
    again = index_of(town, deal)
    assert (again.windows, again.accounts) == (kept.windows, 1)


async def _subscribed_as(chain: ChainAccess, deal: str) -> int:
    """Pay 1,000 dollars as Ben; return how many blocks that took."""
    devnet, room = Devnet(chain.client), chain.deployments.address(DealRoom)
    first = await chain.client.block_number()
    state = await deals_of(chain).state(hash32(deal))
    calls = (await DealCalls(deals_of(chain)).subscribe(state, address_of(BEN), 1_000 * DOLLAR)).calls
    for call in calls:
        await devnet.send_as(address_of(BEN), call)
    assert calls[-1].to == room
    return await chain.client.block_number() - first


def test_an_installation_without_levels_has_no_deals(devnet_template: DevnetTemplate, tmp_path: Path):
    with devnet_template.copy(tmp_path) as anvil:
        economy = Economy(tmp_path, anvil.url)
        assert isinstance(economy.commands.refused("deal", "list"), NotDeployed)

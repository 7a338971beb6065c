"""Checks of the money: the till, claims, channels, and rows that were changed in the database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from secrets import token_hex
from typing import TypeVar

from usufruct.accounts import Keys
from usufruct.chain import ChainAccess, TokenFacts, fee_sink_of, token_of
from usufruct.chain.contracts.till import NotAPayee, PayeeKind, Till
from usufruct.chain.keys import Role, claim_address, role_address
from usufruct.core import ZERO_ADDRESS, Clock, Hash32, checksum, format_units
from usufruct.core.components import Context
from usufruct.core.diagnostics import Finding, bad, good
from usufruct.payments.ledger import Account, AccountReading, Ledger
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.evidence import Evidence, wrong_claimed, wrong_roots
from usufruct.payments.settlement.model import SettlementContext
from usufruct.payments.settlement.store import all_quarantined
from usufruct.store import Database

T = TypeVar("T")

SECONDS = 5.0
"""How long one check looks at things of one kind."""

_PAGE = 200
_UNLISTED = NotAPayee.__name__
_CHANNELS = 200
_BATCHES = 20
_SHOWN = 5
_REMEDY = (
    "stop gateways and workers; `usufruct reconcile` checks every row: undo the change, or restore the newest backup "
    "that it accepts"
)


async def check_till(chain: ChainAccess) -> AsyncIterator[Finding]:
    """Check that the till accepts the claim key, has our owner, and pays the fee account."""
    till = Till(chain.deployments.address(Till), chain.client)
    claim = claim_address(chain.config)
    if await till.claim_keys(claim):
        yield good("till", f"claim key {checksum(claim)} may claim")
    else:
        remedy = f"run `usufruct till claim-key {checksum(claim)}` where the owner's key is"
        yield bad("till", f"claim key {checksum(claim)} may not claim", remedy)
    owner = role_address(Role.OWNER, chain.config)
    if owner is not None and await till.owner() != owner:
        yield bad("till", f"it obeys {checksum(await till.owner())}", "use that key as keystore `owner`")
    token = await token_of(chain.config, chain.client, chain.deployments)
    if cap := await till.daily_cap(ZERO_ADDRESS, token.address):
        yield good("till", f"pays one payee at most {format_units(cap, token.decimals)} {token.symbol} a day")
    else:
        remedy = "run `usufruct till cap AMOUNT` where the owner's key is"
        yield bad("till", "no daily cap: a thief of the claim key who owns a payee takes all income", remedy)
    sink = fee_sink_of(chain.config)
    if await till.payees(sink) is PayeeKind.NONE:
        remedy = f"run `usufruct till payee {checksum(sink)}` where the owner's key is"
        yield bad("till", f"the operator's fee account {checksum(sink)} is not a payee: every claim fails", remedy)


async def check_claims(context: Context) -> AsyncIterator[Finding]:
    """Check that the chain refuses no claim."""
    async with context.get(Database).snapshot() as unit:
        quarantined = await all_quarantined(unit)
    for each in quarantined.values():
        remedy = "it is tried again by itself"
        if _UNLISTED in each.message:
            remedy = "list that payee where the owner's key is (`usufruct till payee ADDRESS`); then " + remedy
        yield bad("claims", f"account {each.account_id} is quarantined: {each.message}", remedy)
    if not quarantined:
        owed = sum(total.claimable for total in await context.get(Ledger).totals())
        amount = format_units(owed, context.get(TokenFacts).decimals)
        yield good("claims", f"{amount} {context.get(TokenFacts).symbol} charged and not claimed yet")


async def check_channels(context: Context) -> AsyncIterator[Finding]:
    """No channel has more money in the ledger than on the chain."""
    ledger, seen = context.get(Ledger), 0
    above: list[tuple[Account, AccountReading]] = []

    async def read(after: str) -> list[Account]:
        return await ledger.account_list(Hash32(after) if after else None, _PAGE)

    async for page in pages_from("0x" + token_hex(32), read, lambda channel: channel.reading.id):
        seen += len(page)
        compared = await context.get(AccountSync).compare([account for account in page if account.reading.balance])
        above += [(account, now) for account, now in compared if now.balance < account.reading.balance]
    for account, now in above[:_SHOWN]:
        token, balances = context.get(TokenFacts), (account.reading.balance, now.balance)
        held, there = (format_units(each, token.decimals) for each in balances)
        yield bad(
            "channels",
            f"{account.id} holds {held} {token.symbol} in the ledger, {there} on the chain",
            "run a worker: it takes the chain's number over; `usufruct reconcile` shows the rest",
        )
    if not above:
        looked = part(seen, await ledger.account_count(), "channels")
        yield good("channels", f"the ledger is not above the chain in {looked}")


async def check_books(context: Context) -> AsyncIterator[Finding]:
    """Find what `reconcile` finds, among the newest calls, channels and batches, and keys while there is time."""
    ledger, settlement = context.get(Ledger), context.get(SettlementContext)
    evidence = context.get(Evidence)
    looked = await ledger.spot_check(evidence)
    faults = list(looked.faults[:_SHOWN])
    if len(looked.faults) > _SHOWN:
        faults.append(f"{len(looked.faults) - _SHOWN} more differences were found in calls and channels")
    compared = await context.get(AccountSync).compare(looked.accounts[:_CHANNELS])
    faults += [fault for account, now in compared if (fault := wrong_claimed(account, now))][:_SHOWN]
    faults += (await wrong_roots(settlement, _BATCHES))[:_SHOWN]
    seen, altered = await _keys(context.get(Keys))
    faults += [f"key {key}: its terms are not those it was made with" for key in altered[:_SHOWN]]
    for fault in faults:
        yield bad("books", fault, _REMEDY)
    if not faults:
        ledger_part = "the whole ledger" if looked.whole else "the newest part of the ledger"
        rest = "" if looked.whole else "; `usufruct reconcile` checks all of it"
        earlier = f" ({evidence.signed_earlier} receipts by an earlier key)" if evidence.signed_earlier else ""
        keys = part(seen, await context.get(Keys).store.count(), "keys")
        yield good(
            "books", f"{ledger_part} agrees with itself and its signatures{earlier}; {keys} with their terms{rest}"
        )


async def _keys(keys: Keys) -> tuple[int, list[str]]:
    """Return how many keys were looked at, and the ids of those whose terms were changed."""
    seen, altered = 0, []
    async for page in pages_from(f"key_{token_hex(12)}", keys.checked, lambda key: key.id):
        seen += len(page)
        altered += [key.id for key in page if not key.intact]
    return seen, altered


async def pages_from(
    start: str,
    read: Callable[[str], Awaitable[Sequence[T]]],
    id_of: Callable[[T], str],
    seconds: float = SECONDS,
    clock: Clock | None = None,
) -> AsyncIterator[list[T]]:
    """Yield things a page at a time by id, from the one after `start` to the last, then from the first to `start`.

    `read` returns the page after an id, "" being before all. Ends after `seconds` with the page that was read then:
    ids are random, so a random `start` makes it a random sample.
    """
    clock = clock or Clock()
    end = clock.monotonic() + seconds
    for after, last in ((start, None), ("", start)):
        while page := [each for each in await read(after) if last is None or id_of(each) <= last]:
            yield page
            if clock.monotonic() >= end:
                return
            after = id_of(page[-1])


def part(seen: int, there: int, what: str) -> str:
    """Return how many of how many things were looked at, in words."""
    return f"all {there:,} {what}" if seen >= there else f"{seen:,} of {there:,} {what}"

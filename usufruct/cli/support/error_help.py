"""A gateway's refusals over money as people need them: in whole units of the token, with the command that helps."""

from usufruct.cli.support.local_store import SavedKey
from usufruct.core import format_units
from usufruct_client import GatewayRefused
from usufruct_client.wire import Terms
from usufruct_client.wire_types import Uint128, read_answer

_SENTENCES = {
    "insufficient_balance": (
        ("needed", "balance"),
        "the channel holds {balance} {symbol}, and {needed} is needed for what was charged, runs and was asked now: "
        "`usufruct channel deposit {channel} {missing} --wallet NAME` pays in more",
    ),
    "limit_reached": (
        ("needed", "limit"),
        "the key may spend {limit} {symbol} in all, and {needed} is needed: wait for running calls, or make another "
        "key with `usufruct key create`",
    ),
    "over_budget": (
        ("needed", "budget"),
        "the call costs up to {needed} {symbol}, and {budget} may be spent: raise --limit, or ask for less with "
        "--max-tokens",
    ),
}
"""By the refusal's code: the amounts among its details, and what is said of them."""

_OF_GRANTS = {
    "insufficient_balance": "fewer credits are activated than the call may cost: `usufruct pass activate PLAN CREDITS "
    "--wallet NAME` hands more to the service's meter",
    "limit_reached": "the grant may be charged {limit} {symbol} in all, and {needed} is needed: wait for running "
    "calls, or make another with `usufruct pass grant`",
}
"""The same for a bearer of a grant of pass credits."""

EXPLAINED = frozenset(_SENTENCES)


def in_whole_units(refusal: GatewayRefused, terms: Terms, key: SavedKey) -> GatewayRefused:
    """Return a refusal that is `EXPLAINED` as the bearer of `key` needs it."""
    names, sentence = _SENTENCES[refusal.reason]
    if key.is_grant:
        sentence = _OF_GRANTS.get(refusal.reason, sentence)
    details = {name: refusal.numbers.get(name) for name in names}
    amounts = read_answer(dict[str, Uint128], details, "details")
    missing = max(amounts["needed"] - amounts.get("balance", 0), terms.least_deposit)
    shown = {
        name: format_units(amount, terms.token.decimals) for name, amount in (amounts | {"missing": missing}).items()
    }
    message = sentence.format(**shown, symbol=terms.token.symbol, channel=key.channel or "CHANNEL")
    return GatewayRefused(refusal.status, refusal.reason, message, refusal.numbers)

"""Which token is paid in: the payer says it, never the gateway. An amount means nothing before that is settled."""

from contextlib import AsyncExitStack
from typing import Annotated

import typer

from usufruct.chain import Revert, TokenFacts, UnreadableAnswer, connect, token_address, token_facts
from usufruct.chain.deployment import Deployments, NotDeployed
from usufruct.cli.support.output import say
from usufruct.cli.support.prompts import at_terminal, interruptible
from usufruct.config import Config, InvalidSetting
from usufruct.core import Address, ChainId, Conflict, Invalid, address, checksum, format_units
from usufruct.payments.settlement import Offer

Token = Annotated[
    str,
    typer.Option(
        "--token",
        help="The address of the token you mean to pay in; the default is chain.token. Take it from the token's maker "
        "or from the operator's own page, not from the gateway.",
    ),
]


class TokenNotNamed(Invalid):
    """The payer has not said which token they mean."""

    code = "token_not_named"


class OtherToken(Conflict):
    """The gateway takes another token than the payer means."""

    code = "other_token"


class TokenMismatch(Conflict):
    """The gateway describes the token otherwise than the token itself."""

    code = "token_mismatch"


class TokenUnsuitable(Invalid):
    """The token takes no deposits by signature."""

    code = "token_unsuitable"


async def agreed_token(offer: Offer, amount: int, named: str, config: Config) -> TokenFacts:
    """Return what the chain says of the token that payer and gateway both mean; `named` is what `--token` says.

    Where neither `--token` nor the configuration names one, whoever is at the terminal is shown it, and `amount` in it.

    Raises:
        OtherToken, TokenNotNamed: when the payer does not mean the gateway's token.
        TokenMismatch, TokenUnsuitable: when the token is not as the gateway says.
    """
    meant = address(named, "token") if named else _configured(config)
    offered = checksum(offer.token.address)
    if meant not in (None, offer.token.address):
        raise OtherToken(
            f"the gateway takes {offered}, and {'--token' if named else 'your configuration'} names {checksum(meant)}; "
            "nothing was signed. If you mean to pay in the gateway's, name that with --token",
            field="token",
        )
    token = await _on_chain(offer, config)
    if meant is None and not (at_terminal() and _said_yes(token, amount)):
        raise TokenNotNamed(
            f"the gateway takes {token.symbol} at {offered}, and nothing here says that you mean that token; if you "
            f"do, give --token {offered} or set chain.token",
            field="token",
        )
    return token


def _configured(config: Config) -> Address | None:
    chain_id = ChainId(config.chain.id)
    try:
        return token_address(config, Deployments.read(config.data.folder, chain_id))
    except (InvalidSetting, NotDeployed):
        return None


async def _on_chain(offer: Offer, config: Config) -> TokenFacts:
    at = offer.token.address
    async with AsyncExitStack() as stack:
        client = await connect(config, stack)
        try:
            token = await token_facts(client, at)
        except (Revert, UnreadableAnswer) as error:
            raise TokenMismatch(f"there is no ERC-20 token at {at}; do not pay there") from error
    if token != offer.token:
        raise TokenMismatch(f"the gateway says {offer.token}, the chain {token}; do not pay there")
    if token.version is None:
        raise TokenUnsuitable(f"{token.symbol} at {at} does not tell its EIP-712 domain", token=at)
    return token


def _said_yes(token: TokenFacts, amount: int) -> bool:
    say(f"The gateway takes the token at {checksum(token.address)}, which calls itself {token.symbol} ({token.name}).")
    say(f"It has {token.decimals} decimals: you would pay {format_units(amount, token.decimals)} of it.")
    say("Anybody can make a token and give it any name: compare the address with its maker's.")
    with interruptible("nothing was sent"):
        return typer.confirm("Pay in this token?", err=True)

"""What a payer agrees to before a deposit is signed: the token, that the wallet has the money, how long it holds.

An amount means nothing before the token is settled, and the payer says which one is paid in, never the gateway. The
token describes itself on the chain.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from typer import Option

from usufruct.chain import Client, Revert, UnreadableAnswer, token_address, token_facts
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.deployment import Deployments, NotDeployed
from usufruct.chain.keys import KeySigner
from usufruct.cli.support.command import ask_node
from usufruct.cli.support.gateway_client import WalletSigner, open_gateway, terms_of
from usufruct.cli.support.output import say
from usufruct.cli.support.prompts import at_terminal, interruptible
from usufruct.cli.support.wallet_option import open_wallet
from usufruct.config import Config, InvalidSetting
from usufruct.core import (
    Address,
    ChainId,
    Clock,
    Conflict,
    Invalid,
    PaymentRequired,
    Unavailable,
    address,
    checksum,
    format_units,
    moment,
    parse_units,
)
from usufruct.core.networks import is_devnet
from usufruct_client import Gateway
from usufruct_client.wire import ChannelConfig, Terms, Token

TokenOption = Annotated[
    str,
    Option(
        "--token",
        help="The address of the token you mean to pay in; the default is chain.token. Take it from the token's maker "
        "or from the operator's own page, not from the gateway.",
    ),
]

_SECONDS = 1_800
_MOST_SKEW = 3_600


class Payer(WalletSigner):
    """A wallet at a gateway that takes money on the configured chain, by the gateway's terms."""

    def __init__(self, wallet: KeySigner, gateway: Gateway, terms: Terms, config: Config) -> None:
        super().__init__(wallet)
        self.gateway = gateway
        self.terms = terms
        self._config = config

    def atomic(self, text: str, field: str) -> int:
        """Parse an amount of the gateway's token, such as 2.00, into atomic units."""
        return parse_units(text, self.terms.token.decimals, field)

    def agree(self, amount: int, named: str) -> Token:
        """Return the token that is agreed to be paid in, once the wallet is seen to hold `amount` of it."""
        if amount < self.terms.least_deposit:
            raise PaymentRequired(
                f"the gateway takes no deposit below {shown(self.terms.token, self.terms.least_deposit)}, and this is "
                f"{shown(self.terms.token, amount)}; pay in more",
                code="cannot_pay",
            )
        token = agreed_token(self.terms, amount, named, self._config)
        held = ask_node(self._config, lambda node: Erc20(token.address, node).balance_of(self.address))
        if held < amount:
            raise PaymentRequired(
                f"{checksum(self.address)} holds {shown(token, held)} at {checksum(token.address)}, and "
                f"{shown(token, amount)} is to be paid; pay in less, or fill the wallet",
                code="cannot_pay",
            )
        return token

    def deposit(self, token: Token, into: ChannelConfig, amount: int) -> int:
        """Sign a deposit of the agreed token and hand it in; return the balance after it. It holds for half an hour."""
        until = ask_node(self._config, valid_before)
        return self.gateway.submit_deposit(self, self.terms, token, into, amount, until, say)


@contextmanager
def open_payer(wallet: str, gateway: str, config: Config) -> Iterator[Payer]:
    """Open the key of `--wallet` and the gateway that `--gateway` names."""
    signer = open_wallet(wallet, config)
    with open_gateway(gateway, config) as remote:
        yield Payer(signer, remote, terms_of(remote, config), config)


def agreed_token(terms: Terms, amount: int, named: str, config: Config) -> Token:
    """Return the token that payer and gateway both mean; `named` is what `--token` says.

    Where neither `--token` nor the configuration names one, the terminal asks, showing it and `amount` in it.
    """
    meant = address(named, "token") if named else configured_token(config)
    offered = checksum(terms.token.address)
    if meant not in (None, terms.token.address):
        raise Conflict(
            f"the gateway takes {offered}, and {'--token' if named else 'your configuration'} names {checksum(meant)}; "
            "nothing was signed. If you mean to pay in the gateway's, name that with --token",
            code="other_token",
        )
    token = ask_node(config, lambda node: _on_chain(node, terms.token))
    if meant is None and not (at_terminal() and _confirmed(token, amount)):
        raise Invalid(
            f"the gateway takes {token.symbol} at {offered}, and nothing here says that you mean that token; if you "
            f"do, give --token {offered} or set chain.token",
            code="token_not_named",
        )
    return token


def configured_token(config: Config) -> Address | None:
    """Return the token that the configuration means: chain.token, or a devnet's own; None when it means none."""
    try:
        return token_address(config, Deployments.read(config.data.folder, ChainId(config.chain.id)))
    except (InvalidSetting, NotDeployed):
        return None


async def _on_chain(node: Client, offered: Token) -> Token:
    at = offered.address
    try:
        found = await token_facts(node, at)
    except (Revert, UnreadableAnswer) as error:
        raise Conflict(f"no ERC-20 token is at {at}; do not pay there", code="token_mismatch") from error
    token = Token(found.address, found.name, found.symbol, found.decimals, found.version or "")
    if token != offered:
        raise Conflict(f"the gateway says {offered}, the chain {token}; do not pay there", code="token_mismatch")
    if not token.version:
        raise Invalid(f"{token.symbol} at {at} does not tell its EIP-712 domain", code="token_unsuitable")
    return token


async def valid_before(node: Client) -> int:
    """Return until when a payment that is signed now can be made: half an hour, by the chain's clock.

    Raises:
        Unavailable: when the node's clock and this machine's differ.
    """
    chain_id = await node.chain_id()
    there, here = (await node.head()).timestamp, Clock().now()
    if not is_devnet(chain_id) and abs(there - here) > _MOST_SKEW:
        raise Unavailable(
            f"the node says it is {moment(there)}, this machine {moment(here)}; correct the clock, or chain.rpc_url",
            code="chain_clock_wrong",
        )
    return there + _SECONDS


def _confirmed(token: Token, amount: int) -> bool:
    at = checksum(token.address)
    say(f"The gateway takes the token at {at}, which calls itself {token.symbol} ({token.name}).")
    say(f"It has {token.decimals} decimals: {format_units(amount, token.decimals)} of it are meant.")
    say("A token can be given any name: compare the address with its maker's.")
    with interruptible("nothing was sent"):
        return typer.confirm("Use this token?", err=True)


def shown(token: Token, amount: int) -> str:
    """Return an amount of a token for people."""
    return f"{format_units(amount, token.decimals)} {token.symbol}"

"""ERC-20 tokens as they describe themselves.

Only `decimals` is needed to charge in a token. `name` and `symbol` are optional in ERC-20, and older tokens answer them
as `bytes32`; the EIP-712 domain and the EIP-3009 nonces are of tokens that take signed deposits.
"""

from dataclasses import dataclass

from usufruct.chain.client import Client
from usufruct.chain.codec import UnreadableAnswer, decode, encode
from usufruct.chain.contract_base import Call
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.hashing import selector
from usufruct.chain.revert import Revert
from usufruct.core import Address

_DOMAIN = ("bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What a payer's wallet must know of a token; `version` is its EIP-712 domain's, None when it does not tell."""

    address: Address
    name: str
    symbol: str
    decimals: int
    version: str | None


async def token_facts(client: Client, token: Address) -> TokenFacts:
    """Read what a payer's wallet must know of a token.

    Raises:
        RpcUnavailable: when the node does not answer.
        Revert, UnreadableAnswer: when the address has no ERC-20 with decimals.
    """
    decimals = await Erc20(token, client).decimals()
    name, version = await _domain(client, token)
    symbol = await _text(client, token, "symbol()") or f"{token[:6]}...{token[-4:]}"
    return TokenFacts(token, name or await _text(client, token, "name()") or symbol, symbol, decimals, version)


async def authorization_used(client: Client, token: Address, payer: Address, nonce: bytes) -> bool:
    """Tell whether an EIP-3009 authorization was used or cancelled."""
    data = selector("authorizationState(address,bytes32)") + encode(("address", "bytes32"), (payer, nonce))
    used: bool = decode(("bool",), await client.call(Call(token, data)))[0]
    return used


async def _domain(client: Client, token: Address) -> tuple[str, str | None]:
    """Return name and version of the token's EIP-712 domain, as EIP-5267 tells them, or `version()` alone."""
    try:
        domain = decode(_DOMAIN, await client.call(Call(token, selector("eip712Domain()"))))
    except (Revert, UnreadableAnswer):
        return "", await _text(client, token, "version()") or None
    return _printable(str(domain[1])), str(domain[2])[:_LONGEST]


async def _text(client: Client, token: Address, signature: str) -> str:
    """Return a text that a token may have: as `string`, as `bytes32`, or empty."""
    try:
        answer = await client.call(Call(token, selector(signature)))
    except Revert:
        return ""
    try:
        text = str(decode(("string",), answer)[0])
    except UnreadableAnswer:
        text = answer.rstrip(b"\0").decode(errors="replace") if len(answer) == 32 else ""
    return _printable(text)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_LONGEST]

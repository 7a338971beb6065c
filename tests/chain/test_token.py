"""Tokens describe themselves as they like; only their decimals are needed."""

from typing import Any

import pytest

from tests.support.scripted_wire import ScriptedWire, refusal, result
from usufruct.chain import Client, Revert, TokenFacts, UnreadableAnswer, authorization_used, keccak, token_facts
from usufruct.chain.codec import encode
from usufruct.core import Address

TOKEN = Address("0x" + "ab" * 20)
TEXT = {"name()": "Some Dollar", "symbol()": "SOME", "version()": "2"}


def selector(signature: str) -> str:
    return "0x" + keccak(signature.encode())[:4].hex()


def token(**answers: Any) -> Client:
    """A node whose token answers so by function; what is not given reverts."""
    known = {selector(name.replace("_", "") + "()"): value for name, value in answers.items()}

    def node(body: Any) -> Any:
        value = known.get(body["params"][0]["data"][:10])
        return refusal(body, 3, "execution reverted") if value is None else result(body, "0x" + value.hex())

    return Client("http://node.example", wire=ScriptedWire(node))


def text(value: str) -> bytes:
    return encode(("string",), (value,))


def word(value: str) -> bytes:
    return value.encode().ljust(32, b"\0")


SIX = encode(("uint8",), (6,))


@pytest.mark.parametrize(
    ("answers", "name", "symbol", "version"),
    [
        ({"name": text("Some Dollar"), "symbol": text("SOME")}, "Some Dollar", "SOME", None),
        ({"name": word("Maker"), "symbol": word("MKR")}, "Maker", "MKR", None),
        (
            {"name": word("Thirty-two bytes of a token name"), "symbol": word("T")},
            "Thirty-two bytes of a token name",
            "T",
            None,
        ),
        ({}, "0xabab...abab", "0xabab...abab", None),
        ({"name": b"", "symbol": b""}, "0xabab...abab", "0xabab...abab", None),
        ({"name": text("N"), "symbol": bytes(32)}, "N", "0xabab...abab", None),
        ({"name": b"\xff" * 33, "symbol": text("S\x1b[31m\u202e")}, "S[31m", "S[31m", None),
        ({"name": text("USD Coin"), "symbol": text("USDC"), "version": text("2")}, "USD Coin", "USDC", "2"),
    ],
)
async def test_names_are_read_as_tokens_give_them(answers: dict[str, bytes], name: str, symbol: str, version: Any):
    assert await token_facts(token(decimals=SIX, **answers), TOKEN) == TokenFacts(TOKEN, name, symbol, 6, version)


@pytest.mark.parametrize(("answers", "error"), [({}, Revert), ({"decimals": b""}, UnreadableAnswer)])
async def test_without_decimals_it_is_not_a_token_to_charge_in(answers: dict[str, bytes], error: type[Exception]):
    with pytest.raises(error):
        await token_facts(token(symbol=text("S"), **answers), TOKEN)


@pytest.mark.parametrize("used", [True, False])
async def test_a_used_authorization_is_known(used: bool):
    client = Client(
        "http://node.example", wire=ScriptedWire(lambda body: result(body, "0x" + encode(("bool",), (used,)).hex()))
    )
    assert await authorization_used(client, TOKEN, TOKEN, bytes(32)) is used

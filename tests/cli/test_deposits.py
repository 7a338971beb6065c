"""Money by signature: nothing is paid twice for a gateway's silence, nor into another channel on a node's word."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from usufruct.chain import TokenFacts
from usufruct.chain.keys import KeySigner
from usufruct.cli.support import deposits, escrow_channel
from usufruct.cli.support.deposits import ChainClockWrong, ChannelMismatch, DepositUnclear, deposit_from
from usufruct.cli.support.escrow_channel import read_escrow_channel
from usufruct.cli.support.gateway_client import GatewayMalformed, GatewayRefused, GatewayUnavailable
from usufruct.cli.support.local_store import save_channel
from usufruct.config import ChainConfig, Config, DataConfig
from usufruct.core import Address, ChainId, Hash32, SystemClock
from usufruct.payments.pricing.vouchers import ChannelConfig, Escrow, channel_id

CHAIN = ChainId(31337)
WALLET, THIEF = KeySigner(b"\x05" * 32), KeySigner(b"\x06" * 32)
TILL = Address("0x" + "71" * 20)
TOKEN = TokenFacts(Address("0x" + "70" * 20), "A Dollar", "AUD", 6, "1")
OF = ChannelConfig(WALLET.address, WALLET.address, TILL, TILL, TOKEN.address, 86_400, Hash32("0x" + "01" * 32))
CHANNEL = channel_id(Escrow(CHAIN), OF)


class Node:
    """A node of one chain whose time is `ahead` of ours; `told` is the channel that its logs show."""

    def __init__(self, chain_id: int = CHAIN, ahead: int = 0, told: ChannelConfig = OF) -> None:
        self._chain_id = chain_id
        self._ahead = ahead
        self.told = told

    async def chain_id(self) -> int:
        return self._chain_id

    async def header(self, block: str = "latest") -> object:
        return SimpleNamespace(timestamp=SystemClock().now() + self._ahead)

    async def block_number(self) -> int:
        return 9

    async def logs(self, *_: object, **__: object) -> list[object]:
        return [self.told]


class Silent:
    """A gateway that answers a deposit with each of `ends` in turn."""

    def __init__(self, *ends: object) -> None:
        self.asked: list[object] = []
        self._ends = ends

    async def ask(self, method: str, path: str, content: object = None) -> object:
        self.asked.append(content)
        end = self._ends[min(len(self.asked), len(self._ends)) - 1]
        if isinstance(end, Exception):
            raise end
        return end


@pytest.fixture
def node(monkeypatch):
    there = Node()

    async def connect(config, stack):
        return there

    monkeypatch.setattr(deposits, "connect", connect)
    monkeypatch.setattr(deposits, "_PAUSE_SECONDS", 0.0)
    return there


async def test_the_same_deposit_is_handed_in_until_something_is_heard_of_it(node):
    gateway = Silent(
        GatewayUnavailable("silence."),
        GatewayMalformed("?"),
        GatewayRefused(503, "deposit_pending", ""),
        {"balance": "7"},
    )
    assert await deposit_from(WALLET, gateway, TOKEN, OF, 5, Config()) == 7
    assert len(gateway.asked) == 4
    assert all(each == gateway.asked[0] for each in gateway.asked)


async def test_silence_to_the_end_says_where_to_look_before_paying_again(node):
    with pytest.raises(DepositUnclear, match=f"channel show {CHANNEL}` before you pay again") as unclear:
        await deposit_from(WALLET, Silent(GatewayUnavailable("silence.")), TOKEN, OF, 5, Config())
    assert "may still be made until 20" in unclear.value.message
    refusal = GatewayRefused(402, "deposit_refused", "no")
    with pytest.raises(GatewayRefused):
        await deposit_from(WALLET, Silent(refusal), TOKEN, OF, 5, Config())


async def test_nothing_is_signed_by_a_nodes_wrong_clock(node):
    node._chain_id, node._ahead = 8453, 1 << 40
    gateway = Silent({"balance": "7"})
    with pytest.raises(ChainClockWrong):
        await deposit_from(WALLET, gateway, TOKEN, OF, 5, Config())
    assert gateway.asked == []


@pytest.mark.parametrize("kept", [False, True])
async def test_another_channel_than_the_one_that_was_named_is_refused(tmp_path, monkeypatch, kept):
    """A lying node, or a changed file, shows a channel that somebody else can spend from."""
    theirs = replace(OF, payer_authorizer=THIEF.address)
    config = Config(data=DataConfig(tmp_path), chain=ChainConfig())
    monkeypatch.setattr(
        escrow_channel,
        "ChannelCreated",
        SimpleNamespace(TOPIC="0x", decode=lambda of: SimpleNamespace(config=replace_salt(of))),
    )
    if kept:
        save_channel(config, CHANNEL, theirs)
    with pytest.raises(ChannelMismatch, match=channel_id(Escrow(CHAIN), theirs)):
        await read_escrow_channel(Node(told=theirs), config, CHANNEL)


def replace_salt(of: ChannelConfig) -> object:
    """The configuration as the contract's event has it: its salt in bytes."""
    members = {name: getattr(of, name) for name in of.__slots__}
    return SimpleNamespace(**members | {"salt": bytes.fromhex(of.salt[2:])})

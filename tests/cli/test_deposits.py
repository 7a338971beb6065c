"""Money by signature: nothing is paid by a wrong clock, nor into another channel on a node's word."""

from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from usufruct.chain.keys import KeySigner
from usufruct.cli import channel
from usufruct.cli.channel import read_escrow_channel
from usufruct.cli.support import command
from usufruct.cli.support.deposits import Payer
from usufruct.cli.support.local_store import save_channel
from usufruct.config import ChainConfig, Config, DataConfig
from usufruct.core import Address, ChainId, Clock, Conflict, Hash32, Unavailable
from usufruct_client import channel_id
from usufruct_client.wire import ChannelConfig, Token

CHAIN = ChainId(31337)
WALLET, THIEF = KeySigner(b"\x05" * 32), KeySigner(b"\x06" * 32)
TILL = Address("0x" + "71" * 20)
TOKEN = Token(Address("0x" + "70" * 20), "A Dollar", "AUD", 6, "1")
OF = ChannelConfig(WALLET.address, WALLET.address, TILL, TILL, TOKEN.address, 86_400, Hash32("0x" + "01" * 32))
CHANNEL = channel_id(OF, CHAIN)


class Node:
    """A node of one chain whose time is `ahead` of ours; `told` is the channel that its logs show."""

    def __init__(self, chain_id: int = CHAIN, ahead: int = 0, told: ChannelConfig = OF) -> None:
        self._chain_id = chain_id
        self._ahead = ahead
        self.told = told

    async def chain_id(self) -> int:
        return self._chain_id

    async def head(self) -> object:
        return SimpleNamespace(timestamp=Clock().now() + self._ahead)

    async def block_number(self) -> int:
        return 9

    async def logs(self, *_: object, **__: object) -> list[object]:
        return [self.told]


@pytest.fixture
def node(monkeypatch):
    there = Node()

    @asynccontextmanager
    async def open_node(config):
        yield there

    monkeypatch.setattr(command, "open_node", open_node)
    return there


def test_nothing_is_signed_by_a_nodes_wrong_clock(node):
    node._chain_id, node._ahead = 8453, 1 << 40
    handed_in = []
    gateway = SimpleNamespace(submit_deposit=lambda *given: handed_in.append(given))
    with pytest.raises(Unavailable, match="correct the clock"):
        Payer(WALLET, gateway, None, Config()).deposit(TOKEN, OF, 5)
    assert handed_in == []


@pytest.mark.parametrize("kept", [False, True])
async def test_another_channel_than_the_one_that_was_named_is_refused(tmp_path, monkeypatch, kept):
    """A lying node, or a changed file, shows a channel that somebody else can spend from."""
    theirs = replace(OF, payer_authorizer=THIEF.address)
    config = Config(data=DataConfig(tmp_path), chain=ChainConfig())
    monkeypatch.setattr(
        channel,
        "ChannelCreated",
        SimpleNamespace(TOPIC="0x", decode=lambda of: SimpleNamespace(config=replace_salt(of))),
    )
    if kept:
        save_channel(config, CHANNEL, theirs)
    with pytest.raises(Conflict, match=channel_id(theirs, CHAIN)):
        await read_escrow_channel(Node(told=theirs), config, CHANNEL)


def replace_salt(of: ChannelConfig) -> object:
    """The configuration as the contract's event has it: its salt in bytes."""
    return SimpleNamespace(**vars(of) | {"salt": bytes.fromhex(of.salt[2:])})

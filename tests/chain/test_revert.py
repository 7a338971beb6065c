"""What contracts refuse with comes back as the exception that names it."""

from collections.abc import Awaitable, Callable
from types import ModuleType

import pytest
from eth_abi import encode

from usufruct.chain import Client, contracts
from usufruct.chain.contract_base import Creation
from usufruct.chain.contracts import ERRORS
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.chain.revert import Panic, Reason, UnknownRevert, decode_revert
from usufruct.core import Address, Conflict

REASON = bytes.fromhex("08c379a0")


@pytest.fixture
async def deployed(client: Client, create: Callable[[Creation], Awaitable[Address]], traps: ModuleType) -> object:
    creation = traps.Traps.deploy(5, [traps.Point(1, 2), traps.Point(3, 4)], "name")
    return traps.Traps(await create(creation), client)


@pytest.mark.anvil
async def test_each_refusal_has_its_class_and_its_arguments(deployed: object, traps: ModuleType):
    await deployed.fail(0)
    with pytest.raises(traps.Missing, match=r"thing=7.*make it first") as missing:
        await deployed.fail(1)
    assert (missing.value.thing, missing.value.message_, missing.value.code) == (7, "seven", "missing")
    with pytest.raises(Reason) as reason:
        await deployed.fail(2)
    assert reason.value.reason == "in words"
    with pytest.raises(traps.Crooked) as crooked:
        await deployed.fail(3)
    assert crooked.value.ends == (traps.Point(0, 0), traps.Point(-5, 0))
    assert crooked.value.size is traps.Size.XXL
    with pytest.raises(traps.TooFar) as far:
        await deployed.fail(4)
    assert far.value.distance == 1 << 200
    with pytest.raises(Panic, match="assertion") as panic:
        await deployed.fail(5)
    assert panic.value.number == 1


@pytest.mark.anvil
async def test_refusals_without_a_name_are_unknown(deployed: object):
    with pytest.raises(UnknownRevert) as empty:
        await deployed.fail(6)
    assert empty.value.data == b""
    with pytest.raises(UnknownRevert) as strange:
        await deployed.fail(7)
    assert strange.value.data == bytes.fromhex("deadbeef")


@pytest.mark.anvil
async def test_a_refusing_constructor_raises_its_error(client: Client, traps: ModuleType):
    creation = traps.Traps.deploy(5, [traps.Point(1, 2), traps.Point(3, 4)], "")
    with pytest.raises(traps.Plain):
        await client.create(creation, sender=DEVNET_ADDRESSES[0])


def test_malformed_data_never_breaks_decoding():
    assert isinstance(decode_revert(REASON + b"\x01", {}), UnknownRevert)
    assert isinstance(decode_revert(b"\x01", {}), UnknownRevert)
    assert isinstance(decode_revert(REASON + encode(["bytes"], [b"\xff"]), {}), UnknownRevert)


def test_errors_carry_their_code_and_details():
    error = decode_revert(REASON + encode(["string"], ["no"]), {})
    assert isinstance(error, Conflict)
    assert error.details == {"reason": "no"}
    assert error.code == "reverted_with_reason"


def test_one_signature_is_one_class_in_all_contracts():
    assert contracts.shares.ERC20InsufficientBalance is contracts.test_dollar.ERC20InsufficientBalance
    assert len({cls.SIGNATURE for cls in ERRORS.values()}) == len(ERRORS)

"""Calls that a node simulates as transactions, one on top of the other (`eth_simulateV1`); nothing is sent."""

from collections.abc import Mapping, Sequence

from usufruct.chain.answers import SIMULATED, SimulatedCall, read
from usufruct.chain.client import Client
from usufruct.chain.contract_base import Call
from usufruct.chain.rpc_errors import RpcUnreadable
from usufruct.core import Address, Hash32

__all__ = ["SimulatedCall", "simulate"]

_METHOD = "eth_simulateV1"


async def simulate(
    client: Client,
    calls: Sequence[tuple[Call, Address]],
    block: int,
    *,
    storage: Mapping[Address, Mapping[Hash32, Hash32]] | None = None,
    balances: Mapping[Address, int] | None = None,
    codes: Mapping[Address, bytes] | None = None,
) -> Sequence[SimulatedCall]:
    """Run calls as their senders' transactions on top of a block, each on the state that the one before left.

    A sender may be a contract, and pays for no gas. Before the first call, `storage` replaces words of contracts,
    `balances` the wei of accounts, and `codes` what accounts run.

    Raises:
        RpcUnavailable: when the node does not answer.
        RpcRefused: when the node does not simulate calls, or not these.
    """
    before: dict[Address, dict[str, object]] = {each: {"balance": hex(wei)} for each, wei in (balances or {}).items()}
    for contract, words in (storage or {}).items():
        before.setdefault(contract, {})["stateDiff"] = dict(words)
    for account, code in (codes or {}).items():
        before.setdefault(account, {})["code"] = f"0x{code.hex()}"
    sent = [
        {"from": sender, "to": call.to, "data": f"0x{call.data.hex()}", "value": hex(call.value)}
        for call, sender in calls
    ]
    wish = {"blockStateCalls": [{"stateOverrides": before, "calls": sent}], "validation": False}
    (found,) = read(SIMULATED, await client.ask(_METHOD, wish, hex(block)), _METHOD)
    if len(found.calls) != len(calls):
        raise RpcUnreadable(f"the node simulated {len(found.calls)} of {len(calls)} calls; check chain.rpc_url")
    return found.calls

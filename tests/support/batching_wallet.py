"""An injected wallet that offers to make several calls by one confirmation (EIP-5792), or claims to."""

from typing import Any

from tests.support.injected_wallet import InjectedWallet
from usufruct.chain import Call, Client
from usufruct.core import Address

_GAS = 6_000_000
"""Of each call: those before it are not mined yet, so that the node cannot estimate it."""


class BatchingWallet(InjectedWallet):
    """Makes the calls of `wallet_sendCalls` on a devnet, in order.

    `claims` is what it says of atomic batches; `refuses` the code by which it refuses each one before it sends
    anything; with `loses_answers` it sends them, and answers with an error all the same.
    """

    def __init__(self, account: Any, node: Client, claims: str | None = "supported") -> None:
        super().__init__(account, node=node)
        self._chain_node = node
        self.claims = claims
        self.refuses: int | None = None
        self.loses_answers = False
        self.batches: dict[str, list[str]] = {}
        """The hashes of the transactions of each batch, by its id."""

    async def _answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        if method == "wallet_getCapabilities" and self.claims:
            return {"result": {hex(self.chain): {"atomic": {"status": self.claims}}}}
        if method == "wallet_getCallsStatus" and self.claims:
            return await self._status(params[0])
        if method == "wallet_sendCalls" and self.claims:
            return await self._send_calls(params[0])
        return await super()._answer(method, params)

    async def _send_calls(self, wish: dict[str, Any]) -> dict[str, Any]:
        if self.declines:
            return {"error": "User rejected the request.", "code": 4001}
        if self.refuses is not None:
            return {"error": "refused", "code": self.refuses}
        if wish["id"] in self.batches:
            return {"error": "an id is good once", "code": 5720}
        assert (wish["version"], wish["atomicRequired"], wish["chainId"]) == ("2.0.0", True, hex(self.chain))
        self.batches[wish["id"]] = [await self._make(wish["from"], each) for each in wish["calls"]]
        if self.loses_answers:
            return {"error": "internal error", "code": -32603}
        return {"result": {"id": wish["id"]}}

    async def _make(self, sender: str, call: dict[str, str]) -> str:
        node = self._chain_node
        await node.ask("anvil_impersonateAccount", sender)
        assert call["value"] == "0x0"
        made = Call(Address(call["to"]), bytes.fromhex(call["data"][2:]))
        fields = {"from": sender, "to": made.to, "data": "0x" + made.data.hex(), "gas": hex(_GAS)}
        sent = await node.ask("eth_sendTransaction", fields)
        return str(sent)

    async def _status(self, id_: str) -> dict[str, Any]:
        if id_ not in self.batches:
            return {"error": "unknown bundle id", "code": 5730}
        receipts = [await self._chain_node.ask("eth_getTransactionReceipt", each) for each in self.batches[id_]]
        done = all(receipts)
        facts = {"version": "2.0.0", "id": id_, "chainId": hex(self.chain), "atomic": True}
        return {"result": facts | {"status": 200 if done else 100, "receipts": [each for each in receipts if each]}}

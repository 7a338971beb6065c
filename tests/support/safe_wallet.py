"""A Safe of one owner, by the bytecode of its npm package: a wallet that is a contract, created or not yet."""

import json
import secrets
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data

from tests.support.devnet import Devnet
from usufruct.chain import Call, Client, keccak
from usufruct.chain.codec import encode
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import ZERO_ADDRESS, Address, address

_PACKAGE = Path(__file__).parents[2] / "node_modules" / "@safe-global" / "safe-smart-account" / "build" / "artifacts"
_SINGLETON, _FACTORY, _HANDLER = (Address(f"0x5afe{number:036x}") for number in (1, 2, 3))
_PLACES = {
    _SINGLETON: "Safe.sol/Safe",
    _FACTORY: "proxies/SafeProxyFactory.sol/SafeProxyFactory",
    _HANDLER: "handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler",
}
_MAGIC = bytes.fromhex("6492" * 16)


class SafeWallet:
    """Signs as its interface does: its owner signs a `SafeMessage` over what is asked (ERC-1271).

    Until it is created, the signature holds the call that creates it (ERC-6492).
    """

    def __init__(self, client: Client, owner: Any, safe: Address, creation: Call) -> None:
        self._client, self.owner, self.address, self.creation = client, owner, safe, creation
        self.created = False

    @classmethod
    async def make(cls, client: Client, owner: Any = None) -> "SafeWallet":
        """Return a Safe that is not created, another one each time; its contracts are put on the chain."""
        for place, name in _PLACES.items():
            artifact = json.loads((_PACKAGE / "contracts" / f"{name}.json").read_bytes())
            await Devnet(client).set_code(place, bytes.fromhex(artifact["deployedBytecode"][2:]))
        owner = owner or Account.create()
        types = ("address[]", "uint256", "address", "bytes", "address", "address", "uint256", "address")
        terms = [address(owner.address)], 1, ZERO_ADDRESS, b"", _HANDLER, ZERO_ADDRESS, 0, ZERO_ADDRESS
        setup = _call(_SINGLETON, "setup", types, terms).data
        creation = _call(
            _FACTORY,
            "createProxyWithNonce",
            ("address", "bytes", "uint256"),
            (_SINGLETON, setup, secrets.randbits(256)),
        )
        return cls(client, owner, Address(f"0x{(await client.call(creation))[-20:].hex()}"), creation)

    async def create(self) -> None:
        """Have anyone create it."""
        await Devnet(self._client).send_as(DEVNET_ADDRESSES[0], self.creation)
        assert await self._client.code_at(self.address)
        self.created = True

    def sign_message(self, message: SignableMessage) -> SimpleNamespace:
        """Sign as `eth_account`'s accounts do."""
        signature = self.by_owner(message)
        if not self.created:
            parts = (self.creation.to, self.creation.data, signature)
            signature = encode(("address", "bytes", "bytes"), parts) + _MAGIC
        return SimpleNamespace(signature=signature)

    def by_owner(self, message: SignableMessage, chain: int = 31337) -> bytes:
        """Return the owner's signature over the Safe's message: 65 bytes."""
        asked = keccak(b"\x19" + message.version + message.header + message.body)
        wrapped = encode_typed_data(
            {"chainId": chain, "verifyingContract": self.address},
            {"SafeMessage": [{"name": "message", "type": "bytes"}]},
            {"message": asked},
        )
        return bytes(self.owner.sign_message(wrapped).signature)

    def owner_alone(self, message: SignableMessage) -> bytes:
        """Return the owner's signature over the message itself."""
        return bytes(self.owner.sign_message(message).signature)


def _call(to: Address, name: str, types: tuple[str, ...], values: tuple[Any, ...]) -> Call:
    return Call(to, keccak(f"{name}({','.join(types)})".encode())[:4] + encode(types, values))

"""A payer who signs by hand, so that a test can sign anything; digests by eth-account, not by our own code."""

import base64
import secrets
from dataclasses import dataclass, replace
from typing import Any

import httpx
import orjson
from eth_utils import to_checksum_address
from x402.mechanisms.evm.batch_settlement.constants import (
    BATCH_SETTLEMENT_ADDRESS,
    ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
    RECEIVE_AUTHORIZATION_TYPES,
    VOUCHER_TYPES,
)
from x402.mechanisms.evm.batch_settlement.encoding import build_erc3009_deposit_nonce
from x402.mechanisms.evm.batch_settlement.types import ChannelConfig
from x402.mechanisms.evm.batch_settlement.utils import compute_channel_id

from usufruct.gateway import Operator

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass
class HandPayer:
    """One wallet, its channel and the world it pays in."""

    world: Any
    account: Any
    config: ChannelConfig
    chain: int = 31337

    @classmethod
    async def make(cls, world: Any, *, dollars: int = 1000, **changes: Any) -> "HandPayer":
        """Make a wallet with dollars and a channel's configuration; `changes` spoil it."""
        account = await world.account(dollars)
        operator = world.installation.get(Operator)
        config = ChannelConfig(
            payer=account.address,
            payer_authorizer=account.address,
            receiver=operator.till,
            receiver_authorizer=operator.till,
            token=operator.token,
            withdraw_delay=86_400,
            salt="0x" + secrets.token_hex(32),
        )
        return cls(world, account, replace(config, **changes))

    @property
    def channel(self) -> str:
        return compute_channel_id(self.config, self.chain)

    async def price(self, http: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
        """Ask what a request costs, and return the entry to pay by."""
        asked = await http.post(f"{self.world.url}/chat/completions", json=body)
        assert asked.status_code == 402, asked.text
        return orjson.loads(base64.b64decode(asked.headers["payment-required"]))["accepts"][0]

    def voucher(self, amount: int, *, signer=None, contract=BATCH_SETTLEMENT_ADDRESS, channel="") -> dict[str, str]:
        channel = channel or self.channel
        domain = {"name": "x402 Batch Settlement", "version": "1", "chainId": self.chain, "verifyingContract": contract}
        message = {"channelId": bytes.fromhex(channel[2:]), "maxClaimableAmount": amount}
        signed = (signer or self.account).sign_typed_data(domain, VOUCHER_TYPES, message)
        return {
            "channelId": channel,
            "maxClaimableAmount": str(amount),
            "signature": "0x" + signed.signature.hex().removeprefix("0x"),
        }

    def deposit(
        self, amount: int, *, salt: str = "", before: int = 1 << 40, value: int | None = None
    ) -> dict[str, Any]:
        """Authorize a deposit; `value` signs another amount than is written."""
        salt = salt or "0x" + secrets.token_hex(32)
        token = self.world.installation.get(Operator).token
        message = {
            "from": self.account.address,
            "to": ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
            "value": amount if value is None else value,
            "validAfter": 0,
            "validBefore": before,
            "nonce": bytes.fromhex(build_erc3009_deposit_nonce(self.channel, salt)[2:]),
        }
        domain = {
            "name": "Test Dollar",
            "version": "1",
            "chainId": 31337,
            "verifyingContract": to_checksum_address(token),
        }
        signed = self.account.sign_typed_data(domain, RECEIVE_AUTHORIZATION_TYPES, message)
        authorization = {
            "validAfter": "0",
            "validBefore": str(before),
            "salt": salt,
            "signature": "0x" + signed.signature.hex().removeprefix("0x"),
        }
        return {"amount": str(amount), "authorization": {"erc3009Authorization": authorization}}

    def payment(self, accepted: dict[str, Any], voucher: dict[str, str], **more: Any) -> dict[str, Any]:
        """Put a payment together; `more` goes into the payload, as `deposit` does."""
        kind = more.pop("type", "deposit" if "deposit" in more else "voucher")
        payload = {"type": kind, "channelConfig": self.config.to_dict(), "voucher": voucher} | more
        return {"x402Version": 2, "accepted": accepted, "payload": payload}

    async def pay(self, http: httpx.AsyncClient, body: dict[str, Any], payment: Any, **headers: str) -> httpx.Response:
        """Send a request with a payment: an object, or the header's text itself."""
        text = payment if isinstance(payment, str) else base64.b64encode(orjson.dumps(payment)).decode()
        return await http.post(
            f"{self.world.url}/chat/completions", json=body, headers={"PAYMENT-SIGNATURE": text} | headers
        )

    async def fill(self, http: httpx.AsyncClient, body: dict[str, Any], dollars: int = 1) -> httpx.Response:
        """Make a first call with a deposit."""
        accepted = await self.price(http, body)
        voucher = self.voucher(int(accepted["amount"]))
        return await self.pay(http, body, self.payment(accepted, voucher, deposit=self.deposit(dollars * 1_000_000)))


def high_s(signature: str) -> str:
    """Return the same signature in its other form."""
    raw = bytes.fromhex(signature[2:])
    other = ORDER - int.from_bytes(raw[32:64], "big")
    return "0x" + (raw[:32] + other.to_bytes(32, "big") + bytes([55 - raw[64]])).hex()

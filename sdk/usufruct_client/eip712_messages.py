"""Every EIP-712 message that Usufruct and x402's escrow sign, written once.

Wallets get `types`, `domain` or `document`; the encoder in `typed_data` is built from `text`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from usufruct_client.identifiers import Address, checksum


@dataclass(frozen=True, slots=True)
class Domain:
    """Name and version under which messages are signed; the chain and the contract are added to each signature."""

    name: str
    version: str

    def data(self, chain_id: int, contract: str) -> dict[str, Any]:
        """Return the domain as wallets take it."""
        place = {"chainId": chain_id, "verifyingContract": checksum(contract)}
        return {"name": self.name, "version": self.version, **place}


@dataclass(frozen=True, slots=True)
class MessageType:
    """One struct that is signed: `text` is EIP-712's encoding of its type, without the structs in `parts`.

    `domain` is None where the verifying contract decides it, as a token does for its authorizations.
    """

    text: str
    domain: Domain | None = None
    parts: tuple["MessageType", ...] = ()

    @property
    def name(self) -> str:
        """The name of the struct."""
        return self.text.partition("(")[0]

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Type and name of each field, in order."""
        pairs = (field.split(" ") for field in self.text.partition("(")[2].removesuffix(")").split(","))
        return tuple((kind, name) for kind, name in pairs)

    @property
    def encoded(self) -> str:
        """The type as EIP-712 hashes it: the struct, then those it holds by name."""
        return self.text + "".join(sorted(part.text for part in self.parts))

    @property
    def types(self) -> dict[str, list[dict[str, str]]]:
        """The struct and those it holds, as eth-account takes them."""
        return {each.name: [{"name": name, "type": kind} for kind, name in each.fields] for each in (self, *self.parts)}

    def document(self, domain: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole document that a wallet signs."""
        types = {"EIP712Domain": DOMAIN_TYPE.types["EIP712Domain"], **self.types}
        return {"types": types, "primaryType": self.name, "domain": dict(domain), "message": dict(message)}


DOMAIN_TYPE = MessageType("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
UNBOUND_DOMAIN_TYPE = MessageType("EIP712Domain(string name,string version,uint256 chainId)")
"""The domain of messages that no contract verifies."""

ESCROW = Domain("x402 Batch Settlement", "1")
"""Of x402's `BatchSettlement`."""

SETTLEMENT = Address("0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003")
"""x402's `BatchSettlement`, the same on every chain."""

COLLECTOR = Address("0x4020806089470a89826cb9fb1f4059150b550004")
"""x402's `ERC3009DepositCollector`, the same on every chain."""

CHANNEL = MessageType(
    "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,"
    "uint40 withdrawDelay,bytes32 salt)",
    ESCROW,
)
"""A channel; its digest is the channel's id."""

VOUCHER = MessageType("Voucher(bytes32 channelId,uint128 maxClaimableAmount)", ESCROW)
"""A payer authorizer allows claims of a channel up to this total."""

DEPOSIT = MessageType(
    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
    "bytes32 nonce)"
)
"""EIP-3009: a payer lets x402's collector take a deposit; the domain is the token's."""

RECEIPT_DOMAIN = Domain("Usufruct Receipt", "2")
"""Of receipts; the contract is the operator's till."""

RECEIPT = MessageType(
    "Receipt(bytes32 call,bytes32 account,address token,uint128 asset,uint64 priceCardVersion,bytes32 modelDigest,"
    "bytes32 requestHash,bytes32 responseHash,Line[] lines,string countedBy,uint128 ceiling,uint128 amount,"
    "uint128 cumulative,uint64 time)",
    RECEIPT_DOMAIN,
    (MessageType("Line(string unit,uint64 quantity,uint256 price,uint64 per,uint256 amount)"),),
)
"""The operator's receipt key signs what a call was charged."""

PASSES = Domain("Usufruct Passes", "1")
"""Of the messages about pass credits; the contract is the AccessPass."""

PASS_CREDITS = MessageType("PassCredits(uint256 pass,address holder,address meter)", PASSES)
"""Credits that a holder activated for a meter; the digest is the id of the account that they fund. Never signed."""

PASS_GRANT = MessageType("PassGrant(uint256 pass,address meter,uint128 limit,uint256 expiresAt)", PASSES)
"""An owner of activated pass credits lets a caller spend them."""

USER_OPERATION = MessageType(
    "PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,"
    "uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData)",
    Domain("ERC4337", "1"),
)
"""ERC-4337: a signer of a smart account lets these calls be made; the contract is the EntryPoint."""

READ_CHANNEL = MessageType("ReadChannel(bytes32 channel,uint256 expiresAt)", Domain("Usufruct Channels", "1"))
"""A payer or payer authorizer asks for a channel's numbers; the contract is the operator's till."""

KEYS = Domain("Usufruct Keys", "1")
"""Of the messages about bearer keys; the contract is the operator's till."""

CREATE_KEY = MessageType(
    "CreateKey(address payer,uint256 spendingLimit,uint256 dayLimit,uint256 expiresAt,string assets,string label,"
    "uint256 nonce)",
    KEYS,
)
LIST_KEYS = MessageType("ListKeys(address payer,uint256 expiresAt)", KEYS)
RENAME_KEY = MessageType("RenameKey(address payer,string id,string label,uint256 expiresAt)", KEYS)
REVOKE_KEY = MessageType("RevokeKey(address payer,string id,uint256 expiresAt)", KEYS)

EXCHANGE = Domain("Usufruct Exchange", "1")
"""Of signed listings; the contract is the exchange."""

SIGNED_LISTING = MessageType(
    "Listing(address maker,address currency,uint64 expiry,uint16 maxDeductionBps,bool divisible,uint256 nonce,"
    "Item item,Item[] more)",
    EXCHANGE,
    (MessageType("Item(uint8 kind,address token,uint256 id,uint128 amount,uint128 price)"),),
)
"""A maker sells what it names, whole or in parts."""

PERMIT = MessageType("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")
"""ERC-2612: an owner lets a spender take a token; the domain is the token's."""

REINVESTMENT = MessageType(
    "Reinvestment(address account,address reinvestor,uint256 minOut,uint256 nonce,uint256 deadline)",
    Domain("Usufruct VoteEscrow", "1"),
)
"""A staker lets its revenue be added to its lock; the account that sends it pays the gas."""

GOVERNOR = Domain("Usufruct PlatformGovernor", "1")
"""Of votes by signature; the contract is the platform's governor."""

BALLOT = MessageType("Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)", GOVERNOR)
"""A voter votes; the account that sends it pays the gas."""

EXTENDED_BALLOT = MessageType(
    "ExtendedBallot(uint256 proposalId,uint8 support,address voter,uint256 nonce,string reason,bytes params)", GOVERNOR
)
"""The same with a reason; `params` is empty."""

REVIEW = MessageType(
    "Review(address payer,uint128 asset,bytes32 call,uint8 rating,string text,uint64 time)",
    Domain("Usufruct Reviews", "1"),
)
"""A payer rates a service by one of its calls that they paid for; the contract is the operator's till."""

EXTENSION_CHAIN = 1
"""Chain id in the domain of the next two messages. x402 fixes it for payments on any chain; no contract is named."""

PAYMENT_OFFER = MessageType(
    "Offer(uint256 version,string resourceUrl,string scheme,string network,string asset,string payTo,string amount,"
    "uint256 validUntil)",
    Domain("x402 offer", "1"),
)
"""x402's extension `offer-receipt`: a server signs what its 402 asks for."""

DELIVERY_RECEIPT = MessageType(
    "Receipt(uint256 version,string network,string resourceUrl,string payer,uint256 issuedAt,string transaction)",
    Domain("x402 receipt", "1"),
)
"""x402's extension `offer-receipt`: a server signs that a payer paid and was served."""

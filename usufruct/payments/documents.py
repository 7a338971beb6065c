"""Channels and deposits as they travel in JSON, in x402's shape: read strictly, each fault by its own name."""

from usufruct.core import UINT128_MAX, UINT256_MAX, ChainId
from usufruct.payments.settlement.deposits import DepositAuthorization
from usufruct.payments.voucher import ChannelConfig
from usufruct.web import Members

_LONGEST_SIGNATURE = 4_096


def read_channel_config(members: Members) -> ChannelConfig:
    """Read what `ChannelConfig.as_json` writes; a fault is the error that `members` raise."""
    members.only("payer", "payerAuthorizer", "receiver", "receiverAuthorizer", "token", "withdrawDelay", "salt")
    return ChannelConfig(
        payer=members.address("payer"),
        payer_authorizer=members.address("payerAuthorizer"),
        receiver=members.address("receiver"),
        receiver_authorizer=members.address("receiverAuthorizer"),
        token=members.address("token"),
        withdraw_delay=members.integer("withdrawDelay", (1 << 40) - 1),
        salt=members.hash32("salt"),
    )


def read_deposit(members: Members, chain_id: ChainId) -> DepositAuthorization:
    """Read what `DepositAuthorization.as_json` writes; a fault is the error that `members` raise."""
    members.only("channelConfig", "deposit")
    deposit = members.inner("deposit").only("amount", "authorization")
    signed = deposit.inner("authorization").only("erc3009Authorization").inner("erc3009Authorization")
    signed.only("validAfter", "validBefore", "salt", "signature")
    return DepositAuthorization(
        chain_id=chain_id,
        config=read_channel_config(members.inner("channelConfig")),
        amount=deposit.amount("amount", UINT128_MAX),
        valid_after=signed.amount("validAfter", UINT256_MAX),
        valid_before=signed.amount("validBefore", UINT256_MAX),
        salt=int(signed.hash32("salt"), 16),
        signature=signed.data("signature", _LONGEST_SIGNATURE),
    )

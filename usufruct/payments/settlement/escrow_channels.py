"""Escrow channels as a funding source: deposits in x402's escrow, authorized by vouchers, settled by claims."""

from collections.abc import Sequence

from usufruct.chain import Call, Revert
from usufruct.chain.contracts import batch_settlement as settlement
from usufruct.chain.contracts.till import NotAPayee, SplitMismatch
from usufruct.chain.keys import recover_signer
from usufruct.core import Address, Clock, Hash32, UsufructError
from usufruct.payments.ledger import Account, AccountIdentity, AccountReading, Claim
from usufruct.payments.pricing import ChannelConfig, voucher_digest
from usufruct.payments.settlement.channel_reader import ChannelReader
from usufruct.payments.settlement.configurations import ChannelRegistry
from usufruct.payments.settlement.funding_source import (
    Accounts,
    FundingSource,
    Readings,
    Refresh,
    SettledElsewhere,
    is_ahead,
)
from usufruct.payments.settlement.model import BatchKind, RefusedClaim, SettlementContext, on_chain
from usufruct.payments.settlement.payouts import Payouts

_BLAME_A_CLAIM = (
    settlement.InvalidSignature,
    settlement.ECDSAInvalidSignature,
    settlement.ECDSAInvalidSignatureLength,
    settlement.ECDSAInvalidSignatureS,
    settlement.ClaimExceedsCeiling,
    settlement.ClaimExceedsBalance,
    settlement.NotAuthorizedToClaim,
    NotAPayee,
    SplitMismatch,
)


class EscrowChannels(FundingSource):
    """The funding source of accounts that a channel funds; the till settles a batch of them as a whole."""

    batch_kind = BatchKind.CLAIM

    def __init__(self, context: SettlementContext) -> None:
        self.registry = ChannelRegistry(context.database, context.ledger, context.escrow, Clock())
        self._context = context
        self._reader = ChannelReader(context.client, context.escrow, context.confirmations)
        self._settlement = settlement.BatchSettlement(context.escrow.contract, context.client)

    async def register(self, config: ChannelConfig) -> AccountIdentity:
        """Keep a channel's configuration and return the account that it funds.

        Raises:
            ChannelRefused: when the channel does not meet the operator's terms.
        """
        self._context.terms.check(config)
        return await self.registry.add(config)

    # Reading

    async def observe(self, accounts: Accounts) -> Readings:
        """Read channels from the chain, all of one block."""
        configs = await self.registry.configs.find([account.id for account in accounts])
        return await self._reader.read([configs[account.id] for account in accounts])

    async def peek(self, config: ChannelConfig) -> AccountReading:
        """Read a channel now, and keep nothing of it."""
        return (await self._reader.read([config])).accounts[0]

    async def refund_nonce(self, channel: Hash32) -> int:
        """Return the nonce that the channel's next refund uses up."""
        return await self._settlement.refund_nonce(bytes.fromhex(channel[2:]))

    def check_authority(self, account: Account) -> str | None:
        """Check that the payer's authorizer signed the account's best voucher."""
        if account.voucher is None:
            return None
        amount = account.voucher.max_claimable
        try:
            signer = recover_signer(voucher_digest(self._context.escrow, account.id, amount), account.voucher.signature)
        except UsufructError:
            signer = None
        if signer == account.signer:
            return None
        return f"its best voucher, over {amount}, does not carry the signature of {account.signer}"

    # Settlement

    async def notice_seconds(self, accounts: Sequence[Account]) -> dict[Hash32, int]:
        """Return the channels' withdraw delays."""
        configs = await self.registry.configs.find([account.id for account in accounts])
        return {id_: config.withdraw_delay for id_, config in configs.items()}

    async def settlement_groups(self, accounts: Sequence[Account], claim_key: Address) -> list[list[Account]]:
        """Divide channels by token."""
        return _by_token(accounts)

    async def settled_elsewhere(
        self, accounts: Sequence[Account], payouts: Payouts, refresh: Refresh
    ) -> list[SettledElsewhere]:
        """Return what others claimed (a batch relayed with a claim key's signature): it is in the till, unsplit.

        What the till has paid out already can only be noted.
        """
        found: list[SettledElsewhere] = []
        for group in _by_token(accounts):
            token = group[0].token
            unsplit = (await payouts.till.unsplit(token)).claimed
            ahead = [account for account in (await refresh(group) if unsplit else group) if is_ahead(account)]
            there, gone = _divide_unsplit(ahead, unsplit)
            if there:
                found.append(SettledElsewhere(BatchKind.SPLIT, token, tuple(there)))
            if gone:
                found.append(SettledElsewhere(BatchKind.NOTED, token, tuple(gone), misdirected=True))
        return found

    async def unpayable(self, claims: Sequence[Claim], payouts: Payouts) -> list[RefusedClaim]:
        """Return the claims with an asset that the till would not pay."""
        return await payouts.unpayable(claims)

    async def settlement_call(
        self, kind: BatchKind, token: Address, claims: Sequence[Claim], payouts: Payouts
    ) -> Call | None:
        """Claim and split; or split what was claimed elsewhere; or nothing, where the till has paid it out."""
        if kind is BatchKind.NOTED:
            return None
        if kind is BatchKind.SPLIT:
            return await payouts.split(token, claims)
        configs = await self.registry.configs.find([claim.account for claim in claims])
        rows = [
            settlement.VoucherClaim(
                settlement.Voucher(on_chain(configs[claim.account]), claim.voucher.max_claimable),
                claim.voucher.signature,
                claim.cumulative,
            )
            for claim in claims
        ]
        return await payouts.claim(token, claims, self._settlement.claim(rows).data)

    def blames_claim(self, refusal: Revert, payouts: Payouts) -> bool:
        """Tell whether one channel of a batch can be the reason of a refusal."""
        if isinstance(refusal, NotAPayee) and refusal.pay_to == payouts.remainder_to:
            return False
        return isinstance(refusal, _BLAME_A_CLAIM)


def _by_token(accounts: Sequence[Account]) -> list[list[Account]]:
    tokens = sorted({account.token for account in accounts})
    return [[account for account in accounts if account.token == token] for token in tokens]


def _divide_unsplit(ahead: Sequence[Account], unsplit: int) -> tuple[list[Account], list[Account]]:
    """Divide accounts claimed elsewhere: those whose money is among the till's `unsplit`, and those paid out before."""
    there: list[Account] = []
    gone: list[Account] = []
    for account in ahead:
        amount = account.reading.total_claimed - account.total_split
        (there if amount <= unsplit else gone).append(account)
        unsplit -= amount if amount <= unsplit else 0
    return there, gone

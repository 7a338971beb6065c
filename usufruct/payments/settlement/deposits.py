"""Puts a payer's deposit on the chain: they sign, we send, once.

The payer signs EIP-3009's `ReceiveWithAuthorization` to the collector, with a nonce that names the channel: the
money goes there, whatever address sends it. What we check first only makes the refusal clearer: the token and the
settlement check all of it again.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from usufruct.chain import Call, GasOverLimit, Revert, Sender, Sent, State, authorization_used
from usufruct.chain.contracts import shared as refusals
from usufruct.chain.contracts.batch_settlement import BatchSettlement
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.chain.escrow import COLLECTOR
from usufruct.chain.p256 import GAS_WITHOUT_P256, has_p256
from usufruct.core import Hash32, PaymentRequired, Unavailable
from usufruct.payments.ledger import Account, DepositUnderWay, DuplicateDeposit, Transfer, WrongState, new_id
from usufruct.payments.pricing import ChannelConfig, channel_id
from usufruct.payments.settlement.account_sync import AccountSync
from usufruct.payments.settlement.deposit_authorization import DepositAuthorization
from usufruct.payments.settlement.errors import (
    DepositExpired,
    DepositPending,
    DepositRefused,
    DepositUnfunded,
    DepositUsed,
)
from usufruct.payments.settlement.model import SettlementContext, on_chain
from usufruct.store import ConstraintViolated

_MARGIN_SECONDS = 6
_UNSENT_SECONDS = 120
_SOON_SECONDS = 0.1
_TURNS = 8
_MOST_GAS = 300_000
"""What a deposit may cost the operator: a token's own checks included, but not a contract wallet's whims.

Where a chain checks passkeys without its precompile, that is added for a contract's signature.
"""

_KEY_BYTES = 65


@dataclass(frozen=True, slots=True)
class Deposited:
    """A deposit that was made: how much, and in which transaction."""

    amount: int
    transaction: Hash32 | None


class Deposits:
    """Sends deposits with any key that can pay for gas."""

    def __init__(
        self, context: SettlementContext, sender: Sender, sync: AccountSync, *, wait_seconds: float = 60.0
    ) -> None:
        """Send with `sender`; `submit` raises `DepositPending` after `wait_seconds`."""
        self._context = context
        self._ledger = context.ledger
        self._sender = sender
        self._sync = sync
        self._channels = sync.channels
        self.wait_seconds = wait_seconds
        self._settlement = BatchSettlement(context.escrow.contract, context.client)

    async def submit(self, deposit: DepositAuthorization, seen: int | None = None) -> Account:
        """Send a deposit, wait for it, and return the channel with its money; asking again sends nothing twice.

        `seen`: how many deposits the payer knew of who signed this one; None: it is made whatever else was.

        Raises:
            OtherDeposit: when the payer has more, made or under way: another browser of theirs signed it.
            ChannelRefused: when no call would be taken on this channel.
            PaymentRequired: the deposit cannot be made, for a reason that its code names; nothing was sent.
            DepositPending: when it was sent and is not final yet; ask again.
            RpcUnavailable: when the node does not answer.
        """
        self._check(deposit)
        channel = channel_id(self._context.escrow, deposit.config)
        nonce, payer = deposit.nonce(channel), deposit.config.payer
        for _ in range(_TURNS):
            if await self._ledger.deposited(channel, nonce):
                return await self._sync.open_channel(deposit.config)
            known = await self._ledger.pending_deposit_of(payer)
            mine = known is not None and known.nonce == nonce
            if known and mine and await self._sender.find(known.outbox_id):
                return await self._finish(deposit, known)
            await self._check_on_chain(deposit, nonce)  # before any wait: deposits come from unauthenticated callers
            await self._ledger.check_deposits_seen(payer, seen, nonce)
            if known and mine:
                return await self._finish(deposit, known)
            if known:
                await self._wait_for(known)
                await self._check_on_chain(deposit, nonce)
            await self._channels.register(deposit.config)  # so that `run` can open the channel alone
            planned = Transfer(channel, nonce, deposit.amount, f"deposit/{new_id()}")
            try:
                await self._ledger.plan_deposit(channel, nonce, deposit.amount, planned.outbox_id, payer, seen)
            except (DuplicateDeposit, DepositUnderWay, ConstraintViolated):
                continue  # another process was faster: look again
            return await self._finish(deposit, planned)
        raise _pending(channel)

    async def settle(self, config: ChannelConfig) -> bool:
        """Wait for whatever is on its way into a channel already, and tell whether there was anything.

        Raises:
            DepositPending: when it is not final yet; ask again, and deposit nothing twice meanwhile.
        """
        known = await self._ledger.pending_deposit_of(config.payer)
        sent = None if known is None else await self._sender.find(known.outbox_id)
        if known is None or sent is None or known.account != channel_id(self._context.escrow, config):
            return False
        with suppress(DepositRefused):
            await self._await_end(known, sent)
        return True

    async def made(self, deposit: DepositAuthorization) -> Deposited | None:
        """Return a deposit that was sent from here, once it is confirmed."""
        channel = channel_id(self._context.escrow, deposit.config)
        made = await self._ledger.deposited(channel, deposit.nonce(channel))
        if made is None:
            return None
        sent = await self._sender.find(made.outbox_id)
        return Deposited(made.amount, sent.hash if sent else None)

    async def run(self) -> int:
        """Note how deposits ended whose payer has not asked again, with the channel's money, and return how many."""
        await self._sender.advance()
        return sum([await self._note_end(transfer) for transfer in await self._ledger.pending_deposits()])

    async def _note_end(self, transfer: Transfer) -> bool:
        """Note how a deposit ended, if it did; one that was not sent within `_UNSENT_SECONDS` ends as failed."""
        sent = await self._sender.find(transfer.outbox_id)
        if sent is None:
            unsent = await self._context.database.now() - transfer.planned_at > _UNSENT_SECONDS
            if unsent:
                await self._end(transfer, confirmed=False)
            return unsent
        if sent.state is not State.PENDING:
            await self._end_sent(transfer, sent)
        return sent.state is not State.PENDING

    async def _wait_for(self, other: Transfer) -> None:
        """Wait for the end of another deposit of the same payer: the same money may stand behind both.

        Raises:
            DepositPending: when it has not ended in time.
        """
        try:
            async with asyncio.timeout(self.wait_seconds):
                while not await self._note_end(other):
                    if await self._sender.find(other.outbox_id) is not None:
                        await self._sender.wait(other.outbox_id, self.wait_seconds)
                    else:
                        await asyncio.sleep(_SOON_SECONDS)
        except TimeoutError:
            raise _pending(other.account) from None

    async def _finish(self, deposit: DepositAuthorization, transfer: Transfer) -> Account:
        """Send a planned deposit unless it was sent, and wait for its end."""
        sent = await self._sender.find(transfer.outbox_id)
        if sent is None:
            try:
                sent = await self._sender.send(
                    self._call(deposit), transfer.outbox_id, most_gas=await self._most_gas(deposit)
                )
            except (Revert, GasOverLimit) as refusal:
                await self._end(transfer, confirmed=False)
                raise _refused(refusal) from refusal
            except Unavailable:
                await self._cancel_unsent(transfer)
                raise
        return await self._await_end(transfer, sent)

    async def _most_gas(self, deposit: DepositAuthorization) -> int:
        if len(deposit.signature) == _KEY_BYTES or await has_p256(self._context.client):
            return _MOST_GAS
        return _MOST_GAS + GAS_WITHOUT_P256

    async def _await_end(self, transfer: Transfer, sent: Sent) -> Account:
        """Wait for the end of a deposit that was sent, and note it."""
        if sent.state is State.PENDING:
            sent = await self._sender.wait(transfer.outbox_id, self.wait_seconds)
        if sent.state is State.PENDING:
            raise _pending(transfer.account)
        if account := await self._end_sent(transfer, sent):
            return account
        raise DepositRefused(
            f"the deposit's transaction {sent.hash} is {sent.state}; nothing was deposited, try again",
            channel=transfer.account,
        )

    async def _end_sent(self, transfer: Transfer, sent: Sent) -> Account | None:
        """Note the end of a deposit that was sent; return the channel with its money, None when it was not made."""
        account = None
        if sent.state is State.CONFIRMED:
            account = await self._sync.open_channel(await self._channels.registry.config(transfer.account))
        await self._end(transfer, confirmed=account is not None)
        return account

    async def _cancel_unsent(self, transfer: Transfer) -> None:
        """End a deposit that the node kept us from sending: neither the payer's next try nor another waits for it."""
        if await self._sender.find(transfer.outbox_id) is None:
            with suppress(WrongState):  # another process ended it meanwhile
                await self._ledger.cancel_deposit(transfer.account, Hash32(str(transfer.nonce)))

    async def _end(self, transfer: Transfer, *, confirmed: bool) -> None:
        try:
            await self._ledger.finish_deposit(transfer.account, Hash32(str(transfer.nonce)), confirmed=confirmed)
        except WrongState:  # the same deposit, handed in twice at the same time
            return
        self._context.counters.deposited += confirmed
        self._context.counters.deposits_failed += not confirmed

    def _check(self, deposit: DepositAuthorization) -> None:
        if deposit.config.token not in self._context.terms.tokens:
            listed = ", ".join(sorted(self._context.terms.tokens))
            raise PaymentRequired(
                f"token {deposit.config.token} is not taken here; deposit one of {listed}",
                code="deposit_wrong_token",
                token=deposit.config.token,
            )
        self._context.terms.check(deposit.config)

    async def _check_on_chain(self, deposit: DepositAuthorization, nonce: Hash32) -> None:
        """Refuse what the chain refuses before anything is written: deposits come from unauthenticated callers."""
        now = (await self._context.client.head()).timestamp
        if not deposit.valid_after < now + _MARGIN_SECONDS < deposit.valid_before:
            raise DepositExpired(
                f"the authorization holds from {deposit.valid_after} to {deposit.valid_before}, and it is {now}; sign "
                "one that holds for some minutes",
                valid_after=deposit.valid_after,
                valid_before=deposit.valid_before,
                now=now,
            )
        token, nonce_bytes = Erc20(deposit.config.token, self._context.client), bytes.fromhex(nonce[2:])
        if await authorization_used(self._context.client, token.address, deposit.config.payer, nonce_bytes):
            if not await self._is_ours(deposit, nonce):
                raise DepositUsed(f"the authorization with nonce {nonce} was used before; sign another", nonce=nonce)
            return
        held = await token.balance_of(deposit.config.payer)
        if held < deposit.amount:
            raise DepositUnfunded(
                f"{deposit.config.payer} holds {held} of the token, {deposit.amount} are to be deposited",
                held=held,
                amount=deposit.amount,
            )
        try:
            await self._sender.simulate(self._call(deposit))
        except Revert as refusal:
            if not await self._is_ours(deposit, nonce):
                raise _refused(refusal) from refusal

    async def _is_ours(self, deposit: DepositAuthorization, nonce: Hash32) -> bool:
        """Tell whether a deposit was sent from here: then the chain refuses it because it is being made, or was."""
        if await self._ledger.deposited(channel_id(self._context.escrow, deposit.config), nonce):
            return True
        known = await self._ledger.pending_deposit_of(deposit.config.payer)
        return known is not None and known.nonce == nonce and await self._sender.find(known.outbox_id) is not None

    def _call(self, deposit: DepositAuthorization) -> Call:
        return self._settlement.deposit(on_chain(deposit.config), deposit.amount, COLLECTOR, deposit.collector_data())


def _pending(channel: Hash32) -> DepositPending:
    return DepositPending(f"the deposit into channel {channel} is on its way; ask again", channel=channel)


def _refused(refusal: Revert | GasOverLimit) -> Exception:
    """Say what a refused deposit means to the payer."""
    if isinstance(refusal, GasOverLimit):
        return DepositRefused(f"the deposit would cost more gas than is paid for others here: {refusal.message}")
    if isinstance(refusal, refusals.ERC3009UsedAuthorization):
        return DepositUsed(f"the authorization was used before; sign another: {refusal.message}")
    if isinstance(refusal, refusals.ERC3009InvalidAuthorizationTime):
        return DepositExpired(f"the authorization does not hold now: {refusal.message}")
    if isinstance(refusal, refusals.ERC20InsufficientBalance):
        return DepositUnfunded(f"the payer does not hold the amount: {refusal.message}")
    return DepositRefused(
        f"the deposit is refused, {refusal.message}; was exactly this channel, amount, token and chain signed?"
    )

"""Reinvestments that are signed by the lock's owner, and sent by another account, which pays the gas."""

from dataclasses import dataclass

from usufruct.chain import Call
from usufruct.chain.contracts.vote_escrow import InvalidReinvestmentSignature
from usufruct.chain.keys import KeySigner
from usufruct.core import checksum, format_units, moment
from usufruct.staking.errors import InvalidStake, StakeRefused
from usufruct.staking.reinvestments import ReinvestQuote
from usufruct.staking.stake_changes import StakeChanges
from usufruct.staking.stakes import Stakes
from usufruct_client.eip712_messages import REINVESTMENT
from usufruct_client.stake_documents import SignedReinvestment, StakeWish
from usufruct_client.typed_data import MessageHasher

_HASHER = MessageHasher(REINVESTMENT)


@dataclass(frozen=True, slots=True)
class SendableReinvestment:
    """A signed reinvestment that the contract would accept now: the call that makes it, and what it would buy."""

    call: Call
    quote: ReinvestQuote


class SignedReinvestments:
    """Signs reinvestments and checks signed ones; nothing is sent. Questions raise `RpcUnavailable`."""

    def __init__(self, stakes: Stakes) -> None:
        """Work on the escrow and the reinvestor of `stakes`."""
        self._stakes = stakes

    async def sign(self, signer: KeySigner, min_out: int, seconds: int) -> SignedReinvestment:
        """Return the signed reinvestment of all revenue that is due when it is sent, valid for `seconds`.

        `min_out`: the least to buy, atomic units of the platform token. No revenue has to be due yet.

        Raises:
            StakeRefused: when revenue cannot be reinvested here.
        """
        reinvestor = (await self._stakes.reinvestments.open_contract()).address
        nonce, head = await self._stakes.escrow.nonces(signer.address), await self._stakes.client.head()
        chain_id, escrow, deadline = self._stakes.chain_id, self._stakes.escrow.address, head.timestamp + seconds
        digest = _HASHER.digest(chain_id, escrow, signer.address, reinvestor, min_out, nonce, deadline)
        signature = signer.sign(digest)
        return SignedReinvestment(chain_id, escrow, signer.address, reinvestor, min_out, nonce, deadline, signature)

    async def check(self, signed: SignedReinvestment) -> SendableReinvestment:
        """Return the call that sends a signed reinvestment; any account may send it.

        Raises:
            InvalidStake: when it is for another chain or contract, expired, used, or not signed by its account.
            StakeRefused: when the contract would refuse it now, such as for buying less than its least.
        """
        await self._check_place(signed)
        await self._check_unused(signed)
        change = await StakeChanges(self._stakes).read(StakeWish(signed.account, "reinvest"))
        quote = change.quote
        assert quote is not None
        if signed.min_out > quote.expected:
            token = change.terms.token
            gives, least = (format_units(each, token.decimals) for each in (quote.expected, signed.min_out))
            raise StakeRefused(
                f"`minOut` is {least} {token.symbol}, the market would give {gives} now; send it later, or sign again",
                field="minOut",
                reason="market",
            )
        call = self._stakes.escrow.reinvest_by_sig(
            signed.account, signed.reinvestor, signed.min_out, signed.deadline, signed.signature
        )
        try:
            await self._stakes.client.call(call)
        except InvalidReinvestmentSignature:
            raise InvalidStake(
                f"`signature` is not that of {checksum(signed.account)} over these values; sign again",
                field="signature",
            ) from None
        return SendableReinvestment(call, quote)

    async def _check_place(self, signed: SignedReinvestment) -> None:
        reinvestor = (await self._stakes.reinvestments.open_contract()).address
        if signed.chain_id != self._stakes.chain_id:
            message = (
                f"`chainId` is {signed.chain_id}, this installation is on chain {self._stakes.chain_id}; sign again"
            )
            raise InvalidStake(message, field="chainId")
        places = ("escrow", signed.escrow, self._stakes.escrow.address), ("reinvestor", signed.reinvestor, reinvestor)
        for field, found, own in places:
            if found != own:
                message = f"`{field}` is {checksum(found)}, that of this installation is {checksum(own)}; sign again"
                raise InvalidStake(message, field=field)

    async def _check_unused(self, signed: SignedReinvestment) -> None:
        head, nonce = await self._stakes.client.head(), await self._stakes.escrow.nonces(signed.account)
        if signed.nonce != nonce:
            why = "it was sent, or another signature was used since" if signed.nonce < nonce else "it is too early"
            raise InvalidStake(
                f"`nonce` is {signed.nonce}, the next one of {checksum(signed.account)} is {nonce}: {why}; sign again",
                field="nonce",
            )
        if head.timestamp > signed.deadline:
            message = f"`deadline` passed at {moment(signed.deadline)}, it is {moment(head.timestamp)} now; sign again"
            raise InvalidStake(message, field="deadline")

"""Sign-in with Ethereum (EIP-4361): the server writes the text, the wallet signs it, the server compares.

Nothing is stored until a wallet has signed: a challenge carries its own mark, so that only texts that this installation
wrote are taken, and only until they expire. A challenge is good once: its nonce is kept then.
"""

from dataclasses import dataclass
from secrets import token_hex

from usufruct.accounts.wallet_signatures import WalletSignatures
from usufruct.chain.keys import InvalidSignature, recover_signer
from usufruct.core import Address, ChainId, Denied, moment
from usufruct.store import Stamp
from usufruct_client.identifiers import checksum, keccak

_TEXT = """{domain} wants you to sign in with your Ethereum account:
{address}

Signing in costs nothing and moves no money.

URI: {uri}
Version: 1
Chain ID: {chain}
Nonce: {nonce}
Issued At: {issued}
Expiration Time: {expires}"""
_SIGNATURE_BYTES = 65


class SignInRefused(Denied, code="sign_in_refused"):
    """A wallet's signature does not sign its owner in."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What one wallet is asked to sign at one site; times in seconds since 1970."""

    address: Address
    site: str
    """The site's address, such as `https://ai.example.org`."""
    chain_id: ChainId
    nonce: str
    issued_at: int
    expires_at: int

    @property
    def text(self) -> str:
        """The text as EIP-4361 lays it out."""
        return _TEXT.format(
            domain=self.site.partition("://")[2].partition("/")[0],
            address=checksum(self.address),
            uri=self.site,
            chain=self.chain_id,
            nonce=self.nonce,
            issued=moment(self.issued_at),
            expires=moment(self.expires_at),
        )

    @property
    def digest(self) -> bytes:
        """What a wallet signs for `personal_sign` (EIP-191, version 0x45)."""
        text = self.text.encode()
        return keccak(b"\x19Ethereum Signed Message:\n%d" % len(text) + text)

    def mark(self, stamp: Stamp) -> bytes:
        """Return the mark by which this installation knows a text of its own."""
        return stamp.mark(self.text.encode())


def new_challenge(address: Address, site: str, chain_id: ChainId, now: int, seconds: int) -> Challenge:
    """Return a challenge that expires in `seconds`."""
    return Challenge(address, site, chain_id, token_hex(16), now, now + seconds)


async def check_sign_in(
    challenge: Challenge, mark: bytes, signature: bytes, stamp: Stamp, now: int, signatures: WalletSignatures
) -> None:
    """Refuse a challenge that is not ours, is over, or is signed by another.

    Raises:
        SignInRefused: says which.
        SignatureUnchecked, RpcUnavailable: as `WalletSignatures.has_signed`.
    """
    if not stamp.knows(challenge.text.encode(), mark):
        raise SignInRefused("this site did not write the text that was signed; ask for a new one", field="challenge")
    if not now < challenge.expires_at:
        raise SignInRefused("the text expired before it was signed; ask for a new one", field="challenge")
    if len(signature) == _SIGNATURE_BYTES and signature[-1] in (0, 1):
        # as some hardware wallets count, where the contracts take 27 and 28
        signature = signature[:-1] + bytes((signature[-1] + 27,))
    if not await signatures.has_signed(challenge.address, challenge.digest, signature):
        raise _refusal(challenge, signature)


def _refusal(challenge: Challenge, signature: bytes) -> SignInRefused:
    if len(signature) != _SIGNATURE_BYTES:
        message = (
            f"the wallet is a contract, and there is none at {challenge.address} on chain {challenge.chain_id} that "
            "takes this answer; sign again with the wallet on this chain, or with an account that has a key of its own"
        )
        return SignInRefused(message, field="signature")
    try:
        signer = recover_signer(challenge.digest, signature)
    except InvalidSignature as error:
        return SignInRefused(f"the wallet's answer is not a signature: {error.message}", field="signature")
    message = f"the text is signed by {signer}, not by {challenge.address}; sign with the account that you chose"
    return SignInRefused(message, field="signature", signer=signer)

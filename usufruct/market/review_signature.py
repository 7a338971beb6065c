"""Whose signature a review is under: an account's own, or by ERC-1271 that of a contract such as a passkey account."""

from collections.abc import Callable

from usufruct.chain import Client, Revert, UnreadableAnswer
from usufruct.chain.contracts.passkey_account import PasskeyAccount
from usufruct_client.eip712_messages import REVIEW
from usufruct_client.signing import signer_of
from usufruct_client.typed_data import MessageHasher
from usufruct_client.wire import SignedReview, Terms

_REVIEW = MessageHasher(REVIEW)
_VALID = bytes.fromhex("1626ba7e")
_PLAIN_BYTES = 65


class ReviewSignatures:
    """Checks signatures under an operator's terms; the chain is asked about contracts only."""

    def __init__(self, terms: Terms, client: Callable[[], Client]) -> None:
        self._terms = terms
        self._client = client

    async def fits(self, review: SignedReview) -> bool:
        """Tell whether a review is signed by its payer.

        Raises:
            RpcUnavailable: when the node has to be asked and does not answer.
        """
        values = (review.payer, review.asset, review.call, review.rating, review.text, review.time)
        digest = _REVIEW.digest(self._terms.chain_id, self._terms.till, *values)
        if len(review.signature) == _PLAIN_BYTES and signer_of(digest, review.signature) == review.payer:
            return True
        account = PasskeyAccount(review.payer, self._client())  # its `isValidSignature` is every contract's
        try:
            return await account.is_valid_signature(digest, review.signature) == _VALID
        except (Revert, UnreadableAnswer):
            return False

"""Who signs for an account: a wallet in the browser, a passkey, or this process for a local chain's demo account."""

from usufruct.accounts.passkeys import PasskeySite
from usufruct.chain import Call, ChainAccess
from usufruct.chain.keys import KeySigner
from usufruct.core import Address
from usufruct.market.passkey_buyer import PasskeyBuyer
from usufruct.market.signing_requests import Request, for_signing
from usufruct.web import HttpExchange
from usufruct_client.passkey_wire import PasskeyAssertion
from usufruct_client.wire import SigningRequest


class Signers:
    """Makes requests to sign, for each kind of account."""

    def __init__(self, chain: ChainAccess, passkeys: PasskeyBuyer | None = None, demo: KeySigner | None = None) -> None:
        """`passkeys` knows passkey accounts; `demo` signs for a local chain's demo account."""
        self._chain = chain
        self._passkeys = passkeys
        self._demo = demo

    async def holds_passkey(self, account: Address) -> bool:
        """Tell whether an account is a passkey account of this site."""
        return self._passkeys is not None and await self._passkeys.holds(account)

    async def for_signing(self, request: Request, account: Address) -> SigningRequest:
        """Return a request as the account's wallet or passkey takes it, or signed, for the demo account."""
        if self._passkeys is not None and await self._passkeys.holds(account):
            return await self._passkeys.for_passkey(account, request, request.post)
        return for_signing(request, account, self._demo)

    async def send_for_demo(self, call: Call, account: Address, key: str) -> bool:
        """Send a call of the demo account, once by its key, and wait; tell whether the account is that one."""
        if self._demo is None or account != self._demo.address:
            return False
        await self._chain.sender(self._demo).execute(call, key)
        return True

    def site(self, exchange: HttpExchange, assertion: PasskeyAssertion | None) -> PasskeySite | None:
        """Return the site that a passkey signed at; None where a wallet signed."""
        if self._passkeys is None or assertion is None:
            return None
        return self._passkeys.site(exchange)

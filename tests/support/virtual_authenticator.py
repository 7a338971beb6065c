"""A phone's passkeys in Chromium: a virtual authenticator behind its debugging protocol."""

from dataclasses import dataclass

from playwright.async_api import CDPSession, Page

_OPTIONS = {
    "protocol": "ctap2",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass
class VirtualAuthenticator:
    """One device's passkeys; it says yes at once, unless told otherwise."""

    session: CDPSession
    id: str

    @classmethod
    async def add(cls, page: Page, transport: str = "internal") -> "VirtualAuthenticator":
        """Give a page's browser a device: itself, or by `usb` another."""
        session = await page.context.new_cdp_session(page)
        await session.send("WebAuthn.enable")
        added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": _OPTIONS | {"transport": transport}})
        return cls(session, added["authenticatorId"])

    async def passkeys(self) -> int:
        """Return how many passkeys the device holds."""
        held = await self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return len(held["credentials"])

    async def lose(self) -> None:
        """Lose the device, with every passkey on it."""
        await self.session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})

    async def answer(self, *, does: bool) -> None:
        """Let the device answer prompts from now on, or leave them to others."""
        presence = {"authenticatorId": self.id, "enabled": does}
        await self.session.send("WebAuthn.setAutomaticPresenceSimulation", presence)

    async def verify_user(self, *, does: bool) -> None:
        """Let the device verify its user from now on, or fail to."""
        await self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": does})

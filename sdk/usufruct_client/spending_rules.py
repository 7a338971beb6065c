"""What the owner of a wallet allows; checked before anything is signed."""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from usufruct_client.channel import Channel
from usufruct_client.errors import Invalid, NotAllowed, OverBudget, OverLimit, TermsChanged
from usufruct_client.identifiers import is_mistyped
from usufruct_client.x402 import Requirements

DOLLARS: Mapping[str, str] = {
    "eip155:8453": "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
    "eip155:84532": "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
    "eip155:1": "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
    "eip155:43114": "0xb97ef9ef8734c71904d8002f8b6bc66dd9c48a6e",
    "eip155:143": "0x754704bc059f8c67012fed69bc8a327a5aafb603",
    "eip155:10143": "0x534b2f3a21130d7a60830c2df862319e593943a3",
    "eip155:137": "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359",
    "eip155:42161": "0xaf88d065e77c8cc2239327c5edb3a432268e5831",
    "eip155:421614": "0x75faf114eafb1bdbe2f0316df893fd58ce46aa4d",
    "eip155:50": "0xfa2958cb79b0491cc627c1557f441ef849ca8eb1",
    "eip155:51": "0xb5ab69f7bbada22b28e79c8ffaece55ef1c771d4",
    "eip155:42220": "0xceba9300f2b948710d2653dd7b07f33a8b32118c",
    "eip155:11142220": "0x01c5c0122039549ad1493b8220cabedd739bc44e",
    "eip155:1329": "0xe15fc38f6d8c56af07bbcbe3baf5708a2bf42392",
    "eip155:1328": "0x4fcf1784b31630811181f670aea7a7bef803eaed",
    "eip155:5042": "0x3600000000000000000000000000000000000000",
    "eip155:5042002": "0x3600000000000000000000000000000000000000",
}
"""USDC's address by network (CAIP-2), where it takes deposits by signature; as the x402 package has them."""

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class Rules:
    """Atomic units of the token: `limit` for one call, `budget` for all channels in the store together, ever.

    `networks` (`eip155:8453`), `operators` (addresses of tills), `receipt_signers`: None allows what a gateway had at
    first, and no change of it. `tokens` (addresses): None allows the network's USDC only, for a gateway must not choose
    what an amount means. A deposit is `multiplier` times the call at hand. A call waits `deposit_seconds` for a
    deposit, its own or another call's.
    """

    limit: int
    budget: int
    networks: Collection[str] | None = None
    tokens: Collection[str] | None = None
    operators: Collection[str] | None = None
    receipt_signers: Collection[str] | None = None
    multiplier: int = 10
    deposit_seconds: float = 120.0

    def __post_init__(self) -> None:
        """Refuse what is not an amount or an address.

        Raises:
            Invalid: with the field, the value and the remedy.
        """
        for name in ("limit", "budget", "multiplier"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise Invalid(f"{name} must be a positive whole number of atomic units, not {value!r}", field=name)
        if type(self.deposit_seconds) not in (int, float) or not 0 < self.deposit_seconds < math.inf:
            raise Invalid(
                f"deposit_seconds must be a number of seconds over 0, not {self.deposit_seconds!r}",
                field="deposit_seconds",
            )
        for name in ("tokens", "operators", "receipt_signers"):
            for value in getattr(self, name) or ():
                if not isinstance(value, str) or not _ADDRESS.fullmatch(value) or is_mistyped(value):
                    raise Invalid(
                        f"{name} holds {value!r}, which is not an address (0x, 40 hexadecimal digits, and a checksum "
                        "that holds where letters are in mixed case); copy it again",
                        field=name,
                    )

    def check(self, terms: Requirements, before: Iterable[Channel]) -> None:
        """Check a gateway's terms; `before` are its channels so far.

        Raises:
            OverLimit, NotAllowed, TermsChanged: the first that applies.
        """
        if terms.amount > self.limit:
            raise OverLimit(
                f"this call may cost up to {terms.amount}, over the limit of {self.limit} for one call: ask for fewer "
                "output tokens, or raise the limit",
                amount=terms.amount,
                limit=self.limit,
            )
        channels = tuple(before)
        had: dict[str, tuple[Collection[str] | None, str, set[str]]] = {
            "network": (self.networks, terms.network, {f"eip155:{each.chain_id}" for each in channels}),
            "operator": (self.operators, terms.operator, {str(each.config.receiver) for each in channels}),
        }
        for name, (allowed, wanted, known) in had.items():
            if allowed is not None and wanted not in _lower(allowed):
                raise NotAllowed(f"the gateway wants {name} {wanted}, which is not allowed here", value=wanted)
            if allowed is None and known and wanted not in known:
                raise TermsChanged(
                    f"the gateway now wants {name} {wanted}, not {', '.join(sorted(known))}: if that is right, allow "
                    f"it by name ({name}s=...)",
                    value=wanted,
                )
        self._check_token(terms)

    def _check_token(self, terms: Requirements) -> None:
        dollar = DOLLARS.get(terms.network)
        if self.tokens is not None and terms.token not in _lower(self.tokens):
            raise NotAllowed(
                f"the gateway wants token {terms.token}, and tokens allows {', '.join(self.tokens) or 'none'}",
                value=terms.token,
            )
        if self.tokens is None and terms.token != dollar:
            usual = f"only USDC at {dollar} is paid" if dollar else "nothing is paid, for its USDC is not known here"
            raise NotAllowed(
                f"the gateway wants token {terms.token}; where tokens is left out, on {terms.network} {usual}. If you "
                f'mean that token, having its address from its maker, name it: tokens=["{terms.token}"]',
                value=terms.token,
            )

    def deposit(self, needed: int, ceiling: int, minimum: int, room: int) -> int:
        """Return how much to put in for a call of `ceiling`: `needed` is missing, `room` of the budget is left.

        Raises:
            OverBudget: when the least that is taken does not fit.
        """
        least = max(needed, minimum)
        if least > room:
            raise OverBudget(
                f"a deposit of {least} is needed (the gateway takes no less than {minimum}), and {max(0, room)} of the "
                f"budget of {self.budget} is left: to go on, connect with a larger budget=... It counts every deposit "
                "that was ever sent with this store, also what came back or was refused",
                needed=least,
                left=room,
            )
        return min(max(minimum, max(needed, ceiling) * self.multiplier), room)


def _lower(names: Collection[str]) -> set[str]:
    return {each.lower() for each in names}

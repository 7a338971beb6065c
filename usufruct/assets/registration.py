"""Registering an asset: what a registrant decides, and the rules checked before the transaction is sent. Pure.

The limits are those of the contracts, or tighter where the rest of the system is: a price no gateway could charge by,
or a name that could be taken for an id, is refused although the registry would take it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from usufruct.assets.errors import demand
from usufruct.assets.model import SUPPLY, Holding, is_name, number_in
from usufruct.assets.price_cards import check_card, to_registry
from usufruct.chain import keccak
from usufruct.chain.contracts.asset_registry import Kind, Parent, Registration
from usufruct.core import ZERO_ADDRESS, Address, ChainId, Invalid, format_units
from usufruct.core.networks import is_devnet
from usufruct.core.price_cards import PriceCard

HOUR, DAY = 3_600, 86_400
LEAST_NOTICE, MOST_NOTICE = HOUR, 30 * DAY
MOST_PARENTS = 4
MOST_ROYALTIES_BPS = 5_000
MOST_RESALE_ROYALTY_BPS = 1_000
LONGEST_NAME, LONGEST_SYMBOL, LONGEST_LINK = 64, 11, 1_000

OPEN_SHARES_WARNING = (
    "Revenue shares that anyone may hold are securities in many places: selling or advertising them may need a "
    "prospectus or a licence. Ask a lawyer, or restrict who may hold them by a transfer policy."
)


@dataclass(frozen=True, slots=True)
class NewAsset:
    """What a registrant decides; the fields are those of `Registration`.

    `card` is version 1. `transfer_policy`: None where nothing was chosen, the zero address for open shares. `salt`: 32
    bytes; without one it is made from the name, so that a wallet registers a name once.
    """

    name: str
    symbol: str
    currency: Address
    card: PriceCard
    kind: Kind = Kind.MODEL
    notice_period: int = DAY
    transfer_policy: Address | None = None
    resale_royalty_bps: int = 0
    parents: tuple[Parent, ...] = ()
    meter: Address = ZERO_ADDRESS
    uri: str = ""
    endpoint: str = ""
    salt: bytes | None = None

    def registration(self) -> Registration:
        """Return what is sent to the registry."""
        return Registration(
            salt=self.salt or keccak(b"usufruct asset " + self.name.encode()),
            kind=self.kind,
            name=self.name,
            symbol=self.symbol,
            uri=self.uri,
            endpoint=self.endpoint,
            currency=self.currency,
            price_card=to_registry(self.card),
            notice_period=self.notice_period,
            transfer_policy=self.transfer_policy or ZERO_ADDRESS,
            resale_royalty_bps=self.resale_royalty_bps,
            parents=self.parents,
            meter=self.meter,
        )


def check_new_asset(terms: NewAsset, chain_id: ChainId) -> None:
    """Refuse what no asset can be.

    Raises:
        InvalidAsset: names the field, the value and the rule.
        Invalid: when a public chain's registrant has not said who may hold the shares.
    """
    check_name(terms.name)
    symbol = terms.symbol
    rule = f"1 to {LONGEST_SYMBOL} letters and digits"
    demand(symbol.isascii() and symbol.isalnum() and len(symbol) <= LONGEST_SYMBOL, "symbol", symbol, rule)
    rule = f"printable, at most {LONGEST_LINK} characters"
    for field, text in (("uri", terms.uri), ("endpoint", terms.endpoint)):
        demand(len(text) <= LONGEST_LINK and (not text or text.isprintable()), field, text, rule)
    rule = f"from 1 hour to 30 days ({LEAST_NOTICE} to {MOST_NOTICE} seconds)"
    demand(LEAST_NOTICE <= terms.notice_period <= MOST_NOTICE, "notice", terms.notice_period, rule)
    resale = terms.resale_royalty_bps
    demand(0 <= resale <= MOST_RESALE_ROYALTY_BPS, "resale_royalty", _percent(resale), "from 0 to 10 per cent")
    demand(terms.salt is None or len(terms.salt) == 32, "salt", (terms.salt or b"").hex(), "32 bytes")
    demand(terms.card.version == 1, "version", terms.card.version, "1 at registration")
    check_card(terms.card)
    check_parents(terms.parents)
    if terms.transfer_policy is None and not is_devnet(chain_id):
        raise Invalid(
            f"say who may hold the shares on chain {chain_id}: transfer policy open, or the address of a policy "
            f"contract. {OPEN_SHARES_WARNING}",
            field="transfer_policy",
            chain_id=chain_id,
            code="transfer_policy_needed",
        )


def symbol_of(name: str) -> str:
    """Return a symbol for the shares of an asset whose registrant named none: the name's letters and digits."""
    signs = [sign for sign in name.upper() if sign.isascii() and sign.isalnum()]
    return "".join(signs[:LONGEST_SYMBOL])


def check_name(name: str) -> None:
    """Refuse a name that is unreadable, or could be taken for an id."""
    rule = f"1 to {LONGEST_NAME} printable characters, without space at the ends, and . or .. between slashes"
    demand(is_name(name) and len(name) <= LONGEST_NAME, "name", name, rule)
    demand(number_in(name) is None, "name", name, "other than a number: numbers are ids")


def check_parents(parents: Sequence[Parent]) -> None:
    """Refuse more parents, or more royalties, than the registry takes."""
    demand(len(parents) <= MOST_PARENTS, "parents", len(parents), f"at most {MOST_PARENTS}")
    demand(len({parent.shares for parent in parents}) == len(parents), "parents", len(parents), "each named once")
    for parent in parents:
        demand(parent.royalty_bps > 0, "royalty", _percent(parent.royalty_bps), "above 0 per cent")
    total = sum(parent.royalty_bps for parent in parents)
    demand(total <= MOST_ROYALTIES_BPS, "royalties", _percent(total), "at most 50 per cent together")


def check_owners(owners: Sequence[Holding], registrant: Address) -> list[Holding]:
    """Return what the registrant gives away; what is not given stays with them."""
    demand(len({owner.holder for owner in owners}) == len(owners), "owner", len(owners), "each named once")
    for owner in owners:
        demand(owner.amount > 0, "owner", f"{owner.holder}:{owner.percent}", "above 0 per cent")
        demand(owner.holder != ZERO_ADDRESS, "owner", owner.holder, "somebody, not the zero address")
    total = sum(owner.amount for owner in owners)
    demand(total <= SUPPLY, "owners", Holding(registrant, total).percent, "at most 100 per cent together")
    return [owner for owner in owners if owner.holder != registrant]


def _percent(bps: int) -> str:
    return format_units(bps, 2)

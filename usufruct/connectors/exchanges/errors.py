"""What may go wrong between us and an exchange, each with its remedy."""

from usufruct.core import Denied, Invalid, NotFound, Unavailable


class UnknownVenue(Invalid, code="unknown_venue"):
    """A name that ccxt knows no exchange by."""


class InvalidSymbols(Invalid, code="invalid_symbols"):
    """A row of the table of symbols that cannot be right."""


class UnlistedSymbol(NotFound, code="unlisted_symbol"):
    """A symbol that the exchange does not trade."""


class UnmappedAsset(Invalid, code="unmapped_symbol"):
    """A symbol without a row in the table of symbols: its ticker does not tell which asset it is."""


class UnconvertedQuote(Invalid, code="unconverted_quote"):
    """Prices in a currency for which there is no rate."""


class VenueLacks(Invalid, code="venue_lacks"):
    """Something that the exchange, or ccxt's client of it, does not offer."""


class VenueRefused(Denied, code="venue_refused"):
    """The exchange refuses to serve us: where we are, who we are, or what we ask."""


class VenueUnavailable(Unavailable, code="venue_unavailable"):
    """The exchange does not answer, or answers that it cannot serve now."""


class VenueTimedOut(VenueUnavailable, code="venue_timed_out"):
    """The exchange did not answer in time."""


class VenueRateLimited(VenueUnavailable, code="venue_rate_limited"):
    """The exchange wants fewer requests."""


class VenueUnreadable(VenueUnavailable, code="venue_unreadable"):
    """The exchange's answer is not what its protocol says."""

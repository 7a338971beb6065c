"""Reviews: what one is, what its text may be, and what it weighs."""

import unicodedata
from dataclasses import dataclass

from usufruct.core import Address, AssetId, Denied, Hash32, Invalid, RateLimited

LONGEST_TEXT = 2_000
WHOLE_STARS = 5
MOST_WEIGHT = 20
FRESH_SECONDS = 600
"""How old a signature may be when it comes."""
PAUSE_SECONDS = 60
"""Between two revisions of a review."""
PAGE = 20
MOST_OF_NETWORK = 30
"""Reviews in 24 hours from one network: an IPv4 address, which a company may share, or the /64 of an IPv6 address."""

_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_HARMLESS = frozenset("\n\u200c\u200d")
"""Line breaks, and the joiners that scripts and emoji need. All else that is unseen or turns text round is refused."""


class InvalidReview(Invalid, code="invalid_review"):
    """No review can be this."""


class ReviewRefused(Denied, code="review_refused"):
    """The review is not its payer's, or its payer did not pay for the service."""


class ReviewTooSoon(RateLimited, code="review_too_soon"):
    """The review was changed a moment ago."""


class TooManyReviews(RateLimited, code="too_many_reviews"):
    """As many reviews as allowed came from one network in a day."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a payer says of a service. `time` is signed, seconds since 1970; `paid`: for the service, atomic units."""

    asset: AssetId
    payer: Address
    call: Hash32
    rating: int
    text: str
    time: int
    signature: bytes
    paid: int = 0
    weight: int = 0
    flags: tuple[str, ...] = ()
    revision: int = 1
    answer: str | None = None
    answered_at: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """All reviews of a service: how many, flagged, of each rating; their weight, and their stars times weight."""

    stars: tuple[int, ...] = (0,) * WHOLE_STARS
    flagged: int = 0
    weight: int = 0
    weighted: int = 0

    @property
    def count(self) -> int:
        """How many reviews there are, flagged ones too."""
        return sum(self.stars)

    @property
    def mean(self) -> str | None:
        """Stars by weight, with two digits, the last rounded half up; None where nothing has weight."""
        if not self.weight:
            return None
        hundredths = (200 * self.weighted + self.weight) // (2 * self.weight)
        return f"{hundredths // 100}.{hundredths % 100:02}"

    def plus(self, review: Review, sign: int = 1) -> "Totals":
        """Return the totals with a review, or without it for a `sign` of -1."""
        stars = list(self.stars)
        stars[review.rating - 1] += sign
        return Totals(
            tuple(stars),
            self.flagged + sign * bool(review.flags),
            self.weight + sign * review.weight,
            self.weighted + sign * review.weight * review.rating,
        )


def weight_of(paid: int, decimals: int) -> int:
    """Return what a review weighs: 1, and 1 more for each doubling of a thousandth of a coin that was paid."""
    thousandth: int = 10 ** max(0, decimals - 3)
    return min(MOST_WEIGHT, max(1, (paid // thousandth).bit_length()))


def check_rating(rating: int) -> None:
    """Refuse a rating that is not 1 to 5."""
    if not 1 <= rating <= WHOLE_STARS:
        raise InvalidReview(f"rating is {rating}; give 1 to {WHOLE_STARS} stars", field="rating", value=rating)


def check_text(text: str) -> None:
    """Refuse a text that is empty, too long, or has characters that are unseen or change the order of others."""
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise InvalidReview(f"text has {len(text)} characters; write 1 to {LONGEST_TEXT}", field="text")
    for letter in text:
        if unicodedata.category(letter) in _CONTROLS and letter not in _HARMLESS:
            message = f"text holds U+{ord(letter):04X}, which is unseen or turns text round; leave it out"
            raise InvalidReview(message, field="text")

"""What can be wrong with a rulebook, or with the data that it is applied to."""

from usufruct.core import Conflict, Invalid, NotFound, RateLimited


class InvalidRulebook(Invalid, code="invalid_rulebook"):
    """A rulebook is not valid TOML, has an unknown key, or a value out of its bounds."""


class UnknownRulebook(NotFound, code="unknown_rulebook"):
    """There is no rulebook of this name."""


class TooFewAssets(Conflict, code="too_few_assets"):
    """Fewer assets pass the screens than the rulebook needs to begin."""


class CapsInfeasible(Conflict, code="caps_infeasible"):
    """The caps of all assets together are below 1, and the rulebook says `if_infeasible = "refuse"`."""


class NoTrade(Conflict, code="no_trade"):
    """The range of days is too short: not one decision could be traded."""


class InvalidRecord(Invalid, code="invalid_record"):
    """A file is not the record of an index."""


class InvalidPosition(Invalid, code="invalid_position"):
    """An amount, a day or a setting with which no position in the index is possible."""


class TooManyPositions(RateLimited, code="too_many_positions"):
    """The network asked for as many positions, or lots of them, in this minute as it may."""


class TooManyRecords(RateLimited, code="too_many_records"):
    """The network asked for as many records of indices in this minute as it may."""

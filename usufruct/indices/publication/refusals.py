"""What refusals of the pages of indices say to a reader; those of queries are said as for all market pages."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("unknown_index", "There is no such index here. The page of indices lists all."),
    RefusalText("unknown_rebalance", "The index did not trade on this day. Its page of rebalances lists all days."),
    RefusalText("too_many_positions", "Your network asked for many positions just now. Try again in a minute."),
    RefusalText("too_many_records", "Your network asked for many records just now. Try again in a minute."),
    RefusalText("invalid_position", "This position is not possible."),
    RefusalText("invalid_position", "Write an amount above 0, such as 1000.", "amount"),
    RefusalText("invalid_position", "Choose a day on which the index already held something.", "since"),
    RefusalText("invalid_position", "Write a part above 0 and up to 1, such as 0.5.", "position_size"),
    RefusalText("invalid_position", "Choose a loss of 1% or more, or none.", "stop_loss"),
    RefusalText("invalid_position", "Write a number of days from 1 to 3650.", "re_entry_days"),
    RefusalText("invalid_position", "Choose an asset of the list that had a price on this day.", "core"),
    RefusalText("invalid_position", "Write a part above 0 and up to 1, such as 0.5.", "core_share"),
)

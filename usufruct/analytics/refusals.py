"""What refusals of market pages say to a reader."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("unknown_market_asset", "There is no such asset here. Look for it on the page of markets."),
    RefusalText(
        "unknown_market_asset", "There is no such asset here. Choose one of the list, or write its id.", "asset"
    ),
    RefusalText("invalid_alert", "There is no such alert. Choose what to watch, and on which side of the value."),
    RefusalText("invalid_alert", "This value cannot be. A price is 0 or more, a grade is 0 to 100.", "threshold"),
    RefusalText("too_many_alerts", "There are as many alerts as there may be. Delete one first."),
    RefusalText("alert_not_found", "You have no such alert. Load the page again."),
    RefusalText("invalid_parameter", "The address of this page has a part that cannot be. Go back, and follow a link."),
    RefusalText("invalid_parameter", "Choose at most five assets.", "ids"),
    RefusalText("no_market_data", "There are no market data yet. Come back in a few minutes."),
    RefusalText("no_live_prices", "Live prices are not available now. The page has the last daily close."),
    RefusalText("too_many_streams", "Your network has as many pages with live prices open as it may. Close one."),
    RefusalText("streams_taken", "Too many readers follow live prices now. Load the page again in a minute."),
    RefusalText("key_missing", "Paste the key first."),
    RefusalText("key_unknown", "This installation made no such key. Check that you pasted all of it."),
    RefusalText("key_revoked", "This key was deleted. Make a new one."),
    RefusalText("market_key_not_found", "You have no such key. Load the page again."),
    RefusalText("quota_used_up", "This key has made all the calls that it may for now."),
    RefusalText(
        "too_many_keys", "Your network has made as many keys today as it may. Use one of them, or come back tomorrow."
    ),
    RefusalText("invalid", "Write at most 100 characters.", "label"),
)

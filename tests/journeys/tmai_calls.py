"""Calls every endpoint of Token Metrics' client, unmodified but for its BASE_URL; a process of its own runs this.

`python tmai_calls.py URL KEY SYMBOL` prints what each returned as JSON.
"""

import json
import sys
from typing import Any

import tmai_api
from tmai_api import TokenMetricsClient


def main(url: str, key: str, symbol: str) -> None:
    TokenMetricsClient.BASE_URL = url
    client = TokenMetricsClient(key)
    year = {"symbol": symbol, "startDate": "2026-01-01", "endDate": "2026-03-01"}
    month = {"startDate": "2026-02-01", "endDate": "2026-02-28"}
    found = {
        "tokens": client.tokens.get(symbol=symbol),
        "hourly_ohlcv": client.hourly_ohlcv.get(symbol=symbol, startDate="2026-02-25", endDate="2026-02-28"),
        "daily_ohlcv": client.daily_ohlcv.get(**year),
        "investor_grades": client.investor_grades.get(**year),
        "trader_grades": client.trader_grades.get(**year),
        "trader_indices": client.trader_indices.get(**month),
        "market_metrics": client.market_metrics.get(**month),
        "ai_agent": client.ai_agent.ask(f"How is {symbol}?"),
        "ai_reports": client.ai_reports.get(symbol=symbol),
        "trading_signals": client.trading_signals.get(**year),
    }
    frames = {
        name: [list(frame.columns), len(frame)]
        for name, frame in (
            ("trader_grades", client.trader_grades.get_dataframe(**year)),
            ("tokens", client.tokens.get_dataframe()),
        )
    }
    endpoints = [name for name, value in vars(client).items() if hasattr(value, "base_url")]
    read = {"endpoints": endpoints, "found": found, "frames": frames, "indices": read_indices(client)}
    sys.stdout.write(json.dumps({"version": tmai_api.__version__, **read}))


def read_indices(client: TokenMetricsClient) -> dict[str, Any]:
    """Read the indices by an endpoint object's own requests: this client has objects for one of the paths alone."""
    endpoint = client.trader_indices
    [index] = [each for each in endpoint._request("get", "indices")["data"] if each["SLUG"] == "top-10"]
    days = {"id": index["ID"], "startDate": "2026-01-01", "endDate": "2026-03-01"}
    return {
        "index": index,
        "holdings": endpoint._request("get", "indices-holdings", {"id": index["ID"]})["data"],
        "performance": endpoint._paginated_request("get", "indices-performance", days)["data"],
        "transactions": endpoint._paginated_request("get", "indices-transaction", {"index_id": index["ID"]})["data"],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Call a market API by Token Metrics' own client from PyPI, unmodified but for its BASE_URL; a process of its own.

`python -m usufruct.cli.demo.stock_client URL SYMBOL FIRST_DAY LAST_DAY` reads the key from standard input
and writes what came as JSON.
"""

import json
import sys
from importlib import import_module
from typing import Any


def main(url: str, symbol: str, first: str, last: str, key: str) -> dict[str, Any]:
    """Call some endpoints; the client itself pages, and returns empty data where a call fails."""
    module = import_module("tmai_api")
    module.TokenMetricsClient.BASE_URL = url
    client = module.TokenMetricsClient(key)
    asked = {"symbol": symbol, "startDate": first, "endDate": last}
    return {
        "tokens": client.tokens.get(symbol=symbol)["data"],
        "trader_grades": client.trader_grades.get(**asked)["data"],
        "trading_signals": client.trading_signals.get(**asked)["data"],
        "answer": client.ai_agent.ask(f"How is {symbol}?")["answer"],
    }


if __name__ == "__main__":
    arguments = dict(zip(("url", "symbol", "first", "last"), sys.argv[1:], strict=True))
    sys.stdout.write(json.dumps(main(**arguments, key=sys.stdin.read().strip())))

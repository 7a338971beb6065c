"""Orders of a day by signals and grades: `python examples/trading_agent.py GATEWAY_URL API_KEY`. It is not advice."""

import sys

from usufruct_client import Markets

with Markets(*sys.argv[1:]) as markets:
    newest = markets.trading_signals(limit=1)[0].date.date()
    signals = markets.trading_signals(start=newest, end=newest)
    prices = {each.token_id: each.current_price for each in markets.price()}
best = sorted((s for s in signals if s.trading_signal == 1), key=lambda s: -(s.tm_trader_grade or 0))[:5]
for each in best:
    print(f"buy {10_000 / len(best) / prices[each.token_id]:,.4f} {each.token_symbol}, grade {each.tm_trader_grade}")
print("sell", ", ".join(each.token_symbol for each in signals if each.trading_signal == -1) or "nothing")

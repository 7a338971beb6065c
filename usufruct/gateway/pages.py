"""The page at the gateway's root, for people: what is sold, at which price, and how to pay. It loads nothing else."""

import json
from collections.abc import Sequence
from html import escape

from starlette.responses import HTMLResponse

from usufruct.core import format_units
from usufruct_client.wire import ModelCard

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{host}: AI services by the token</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
div {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ padding: .4rem .8rem .4rem 0; text-align: left; border-bottom: 1px solid #8885; }}
pre {{ padding: 1rem; overflow-x: auto; background: #8882; border-radius: .4rem; user-select: all; }}
</style>
<h1>AI services at {host}</h1>
<h2>Services and prices</h2>
{services}
<h2>How to pay</h2>
<p>OpenAI's clients work as they are, with <code>{url}/v1</code> as base URL. Each call is paid from a deposit of your
own: what is not used can be taken back. A click on a box selects all of it.</p>
<p>With an API key that you make with your wallet:</p>
<pre>pip install usufruct
usufruct wallet new me
usufruct key create --gateway {url} --wallet me --limit 5.00 --deposit 2.00</pre>
<pre>from openai import OpenAI

client = OpenAI(base_url="{url}/v1", api_key="uf_...")
answer = client.chat.completions.create(model={model}, messages=[{{"role": "user", "content": "Hello"}}])
print(answer.choices[0].message.content, answer.usage.cost)</pre>
<p>Or from a program's wallet, by x402, without a key:</p>
<pre>from openai import OpenAI
from usufruct_client import Wallet, connect

gateway = connect("{url}", Wallet.from_key(private_key), limit=5_000, budget=1_000_000, store="channels.db")
client = OpenAI(base_url=gateway.base_url, api_key=gateway.api_key, http_client=gateway.client())</pre>
<p>For programs: <a href="/openapi.json">OpenAPI document</a>, <a href="/v1/models">services</a>,
<a href="/v1/terms">terms of payment</a>.</p>
</html>
"""

_TABLE = """<div><table>
<tr><th>service</th><th>for</th><th>per million of input</th><th>per million of output</th><th>per call</th></tr>
{rows}
</table></div>"""


def root_page(cards: Sequence[ModelCard], url: str) -> HTMLResponse:
    """Return the page; `url` is the gateway's address as the reader's browser names it."""
    rows = "\n".join(_row(card) for card in cards)
    page = _PAGE.format(
        host=escape(url.partition("://")[2]),
        url=escape(url),
        model=escape(json.dumps(cards[0].id if cards else "NAME")),
        services=_TABLE.format(rows=rows) if cards else "<p>Nothing is sold here yet.</p>",
    )
    return HTMLResponse(page, headers=_HEADERS)


def _row(card: ModelCard) -> str:
    price = card.price
    unit = f"{price.unit.replace('_', ' ')}s"
    money = (price.input_per_million, price.output_per_million, price.per_call)
    shown = [f"{format_units(amount, price.decimals)} {price.symbol}" for amount in money]
    cells = (card.id, card.endpoint, f"{shown[0]} ({unit})", f"{shown[1]} ({unit})", shown[2])
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"

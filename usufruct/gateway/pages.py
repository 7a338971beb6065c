"""The page at the gateway's root, for people: what is sold, at which price, and how to pay. It loads nothing else."""

import json
from collections.abc import Sequence
from html import escape

from starlette.responses import HTMLResponse

from usufruct.core import divide_up, format_units
from usufruct.core.networks import is_devnet, is_local
from usufruct_client.wire import ModelCard

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
_MILLION = 1_000_000

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{host}: AI by the token</title>
<style>
:root {{ color-scheme: light dark; --line: #8884; --soft: #8882; --quiet: #767676; --accent: #0a7d5a; }}
@media (prefers-color-scheme: dark) {{ :root {{ --quiet: #9a9a9a; --accent: #4cc79a; }} }}
body {{ font: 17px/1.55 system-ui, sans-serif; max-width: 54rem; margin: 0 auto; padding: 3rem 1.25rem 5rem; }}
h1 {{ font-size: 2.2rem; line-height: 1.15; margin: 0; }}
h2 {{ font-size: 1.2rem; margin: 2.8rem 0 .8rem; }}
h3 {{ font-size: 1rem; margin: 1.6rem 0 .4rem; }}
p {{ margin: .5rem 0; max-width: 44rem; }}
small, .lead {{ color: var(--quiet); }}
small {{ display: block; font-size: .8rem; }}
a {{ color: var(--accent); }}
code, pre {{ font: .88em/1.5 ui-monospace, monospace; }}
div {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; }}
th {{ font-weight: 600; font-size: .85rem; vertical-align: bottom; }}
th, td {{ padding: .65rem 0 .65rem 1.5rem; text-align: right; border-bottom: 1px solid var(--line); }}
th:first-child, td:first-child {{ padding-left: 0; text-align: left; }}
td {{ font-variant-numeric: tabular-nums; white-space: nowrap; }}
td:first-child {{ white-space: normal; min-width: 9rem; }}
@media (max-width: 40rem) {{
  tr:first-child {{ display: none; }}
  tr, td {{ display: block; }}
  tr {{ padding: .65rem 0; border-bottom: 1px solid var(--line); }}
  td {{ display: flex; justify-content: space-between; padding: .1rem 0; border: 0; }}
  td:first-child {{ display: block; padding-bottom: .4rem; }}
  td::before {{ content: attr(data-label); color: var(--quiet); font-size: .85rem; }}
}}
pre {{ padding: .9rem 1.1rem; overflow-x: auto; background: var(--soft); border-radius: .5rem; user-select: all; }}
</style>
<h1>AI by the token</h1>
<p class="lead">at <code>{host}</code>, for OpenAI's clients. You pay for what is delivered, and each answer carries a
signed receipt.{play}</p>
<h2>Services and prices</h2>
{services}
<h2>How to call</h2>
<p>Each call is paid from a deposit of your own, within a limit that you set. What is not used comes back to you. A
click on a box selects all of it.</p>
<h3>With an API key</h3>
<p>Your wallet makes the key; signing costs no gas. With Usufruct's command line:</p>
<pre>{chain}usufruct wallet new me
{fund}
usufruct key create --gateway {url} --wallet me --limit 5 --deposit 2</pre>
<p>Then call by the client that you know:</p>
<pre>from openai import OpenAI

client = OpenAI(base_url="{url}/v1", api_key="uf_...")
{ask}</pre>
<h3>From a program's wallet, without a key</h3>
<p>By <a href="https://www.x402.org" rel="noopener noreferrer">x402</a>; any x402 client works. With Usufruct's:</p>
<pre>from openai import OpenAI
from usufruct_client import Wallet, connect

wallet = Wallet.from_key(private_key)
gateway = connect(
    "{url}",
    wallet,
    limit={limit},  # at most {limit_words} a call,
    budget={budget},  # and {budget_words} in all
    store="channels.db",
)
client = OpenAI(base_url=gateway.base_url, api_key=gateway.api_key, http_client=gateway.client())</pre>
<p class="lead">For programs: <a href="{path}/openapi.json">OpenAPI</a>,
<a href="{path}/v1/models">services and prices</a>, <a href="{path}/v1/terms">terms of payment</a>.</p>
</html>
"""

_HEADINGS = ("Input", "per million"), ("Output", "per million"), ("Per call", ""), ("1,000 in, 500 out", "costs")
_TABLE = """<div><table>
<tr><th>Service</th>{headings}</tr>
{rows}
</table></div>"""

_CHAT = """answer = client.chat.completions.create(
    model={model},
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(answer.choices[0].message.content, answer.usage.cost)"""

_EMBEDDINGS = """answer = client.embeddings.create(model={model}, input="Hello")
print(answer.data[0].embedding, answer.usage.cost)"""


def root_page(cards: Sequence[ModelCard], url: str, chain_id: int) -> HTMLResponse:
    """Return the page; `url` is the gateway's public address, or as the reader's browser names it."""
    symbol, decimals = (cards[0].price.symbol, cards[0].price.decimals) if cards else ("money", 6)
    local, unit = is_local(chain_id), 10**decimals
    fund = "usufruct wallet fund me" if local else f"# send {symbol} to the address that it shows"
    chain = f"export USUFRUCT_CHAIN_ID={chain_id} USUFRUCT_CHAIN_RPC_URL=https://...  # a node that you trust\n"
    ask = _EMBEDDINGS if cards and cards[0].endpoint == "embeddings" else _CHAT
    host, slash, path = url.partition("://")[2].partition("/")
    page = _PAGE.format(
        host=escape(host),
        url=escape(url),
        chain="" if is_devnet(chain_id) else chain,
        fund=escape(fund),
        play=" This is a rehearsal, with play money." if local else "",
        limit=f"{unit // 100:_}",
        budget=f"{unit:_}",
        limit_words=escape(f"0.01 {symbol}"),
        budget_words=escape(f"1 {symbol}"),
        path=escape(slash + path),
        ask=escape(ask.format(model=json.dumps(cards[0].id if cards else "NAME"))),
        services=_table(cards) if cards else "<p>Nothing is sold here yet.</p>",
    )
    return HTMLResponse(page, headers=_HEADERS)


def _table(cards: Sequence[ModelCard]) -> str:
    headings = "".join(f"<th>{what}<small>{of}</small></th>" for what, of in _HEADINGS)
    return _TABLE.format(headings=headings, rows="\n".join(map(_row, cards)))


def _row(card: ModelCard) -> str:
    price = card.price
    unit = f"{price.unit.replace('_', ' ')}s"
    about = f"{card.endpoint}, priced by {unit}, {card.context_window:,} of context"
    amounts = [price.input_per_million, price.output_per_million, price.per_call]
    if price.unit == "text_token":
        used = price.input_per_million * 1_000 + price.output_per_million * 500
        amounts.append(divide_up(used, _MILLION) + price.per_call)
    money = [f"{format_units(amount, price.decimals)} {price.symbol}" for amount in amounts]
    labels = (f"{what} {of}".strip() for what, of in _HEADINGS)
    cells = "".join(f'<td data-label="{label}">{escape(each)}</td>' for label, each in zip(labels, money, strict=False))
    return f"<tr><td>{escape(card.id)}<small>{escape(about)}</small></td>{cells}</tr>"

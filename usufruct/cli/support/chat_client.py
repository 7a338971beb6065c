"""One question by the stock `openai` client over our library's transport; refusals over money for people."""

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from openai import APIConnectionError, APIError, APIStatusError, OpenAI, Stream

from usufruct.cli.support.local_store import SavedKey
from usufruct.cli.support.output import one_line, say
from usufruct.core import Unavailable, format_units
from usufruct_client import BearerTransport, Bill, GatewayRefused, GatewayUnavailable
from usufruct_client.text import well_formed
from usufruct_client.wire import CostDetails, Terms, Usage
from usufruct_client.wire_types import Uint128, read_answer

_TRIES = 2
_TIMEOUT = httpx.Timeout(600.0, connect=5.0)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as its reader sees it, and its bill."""

    text: str
    bill: Bill

    @property
    def usage(self) -> Usage:
        """The bill's counts and amounts."""
        return read_answer(Usage, self.bill.usage, "usage")

    @property
    def cost(self) -> CostDetails:
        """What it cost, and could have cost at most."""
        return self.usage.cost_details

    @property
    def receipt(self) -> Mapping[str, Any]:
        """The receipt as it came; empty when there is none."""
        return self.bill.receipt if isinstance(self.bill.receipt, dict) else {}

    @property
    def call(self) -> str:
        """The call's id, as far as the receipt names one."""
        return one_line(str(self.receipt.get("call", "CALL")))

    @property
    def counts(self) -> dict[str, int]:
        """How many text tokens went in, came out, and both."""
        usage = self.usage
        return {name: getattr(usage, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}

    @property
    def cached(self) -> int:
        """How many of the text tokens that went in were read from a cache; 0 where the bill does not tell."""
        details = self.usage.prompt_tokens_details
        return details.cached_tokens if details else 0


def ask(
    url: str,
    key: SavedKey,
    order: Mapping[str, Any],
    headers: Mapping[str, str],
    show: Callable[[str], None] | None,
    receipt_options: str = "",
) -> Answered:
    """Ask a question; `show` is given a streamed answer piece by piece, without it the answer comes whole.

    `receipt_options`: what `usufruct receipt show` needs here to find the same gateway and key, as on a command line.
    """
    bills: list[Bill] = []
    http: Any = httpx.Client(transport=BearerTransport(url, bills.append), timeout=_TIMEOUT)
    with OpenAI(base_url=f"{url}/v1", api_key=key.key, max_retries=_TRIES, http_client=http) as client:
        try:
            if show is None:
                text = _whole(client, order, headers)
            else:
                text = _streamed(client, order, headers, show, receipt_options)
        except APIStatusError as refused:
            error = refused.body if isinstance(refused.body, dict) else {}
            code, message = str(error.get("code", "refused")), str(error.get("message", refused.message))
            raise GatewayRefused(refused.status_code, code, one_line(message), error.get("details")) from refused
        except APIConnectionError as error:
            raise GatewayUnavailable(f"{url} does not answer; is it running, and is --gateway right?") from error
        except (ValueError, RecursionError) as error:
            raise _broken(error, (bills and bills[-1].call) or "CALL", receipt_options) from error
    return Answered(text, bills[-1])


def _whole(client: OpenAI, order: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    answer = client.post("/chat/completions", cast_to=object, body=order, options={"headers": headers})
    return well_formed(_content(answer, "message"))


def _streamed(
    client: OpenAI, order: Mapping[str, Any], headers: Mapping[str, str], show: Callable[[str], None], receipt: str
) -> str:
    stream = client.post(
        "/chat/completions",
        cast_to=object,
        body={**order, "stream": True, "stream_options": {"include_usage": True}},
        options={"headers": headers},
        stream=True,
        stream_cls=Stream[object],
    )
    text: list[str] = []
    joiner = codecs.getincrementaldecoder("utf-16-le")("replace")  # of a character that was cut between two events
    call = stream.response.headers.get("x-request-id", "CALL")
    try:
        for event in stream:
            text.append(joiner.decode(_content(event, "delta").encode("utf-16-le", "surrogatepass")))
            show(text[-1])
        text.append(joiner.decode(b"", final=True))
        show(text[-1])
    except (APIError, httpx.HTTPError, ValueError, RecursionError) as error:  # the latter two: not JSON
        show("\n")
        raise _broken(error, call, receipt) from error
    except (KeyboardInterrupt, SystemExit):
        show("\n")
        say(f"broken off; {_hint(call, receipt)}")
        raise
    return "".join(text)


def _broken(error: Exception, call: str, receipt_options: str) -> Unavailable:
    return Unavailable(one_line(f"{error}; {_hint(call, receipt_options)}"), code="answer_broken")


def _hint(call: str, receipt_options: str) -> str:
    return one_line(f"`usufruct receipt show {call}{receipt_options}` shows what it cost")


def _content(answer: object, part: str) -> str:
    """Return what the first choice has for its reader, and nothing that a model writes beside it."""
    match answer:
        case {"choices": [{**choice}, *_]}:
            said = choice.get(part)
            content = said.get("content") if isinstance(said, dict) else None
            return content if isinstance(content, str) else ""
    return ""


_SENTENCES = {
    "insufficient_balance": (
        ("needed", "balance"),
        "the channel holds {balance} {symbol}, and {needed} is needed for what was charged, runs and was asked now: "
        "`usufruct channel deposit {channel} {missing} --wallet NAME` pays in more",
    ),
    "limit_reached": (
        ("needed", "limit", "left"),
        "the key may spend {limit} {symbol} in all, {left} of it is left, and {needed} is needed: wait for running "
        "calls, or make another key with `usufruct key create`",
    ),
    "day_limit_reached": (
        ("needed", "limit", "left"),
        "the key may spend {limit} {symbol} a day, {left} of it is left, and {needed} is needed: wait for running "
        "calls or for 00:00 UTC, or make another key with `usufruct key create`",
    ),
    "over_budget": (
        ("needed", "budget"),
        "the call costs up to {needed} {symbol}, and {budget} may be spent: raise --limit, or ask for less with "
        "--max-tokens",
    ),
}
"""By the refusal's code: the amounts among its details, and what is said of them."""

_OF_GRANTS = {
    "insufficient_balance": "fewer credits are activated than the call may cost: `usufruct pass activate PLAN CREDITS "
    "--wallet NAME` hands more to the service's meter",
    "limit_reached": "the grant may be charged {limit} {symbol} in all, and {needed} is needed: wait for running "
    "calls, or make another with `usufruct pass grant`",
}
"""The same for a bearer of a grant of pass credits."""

EXPLAINED = frozenset(_SENTENCES)


def in_whole_units(refusal: GatewayRefused, terms: Terms, key: SavedKey) -> GatewayRefused:
    """Return a refusal that is `EXPLAINED` as the bearer of `key` needs it."""
    names, sentence = _SENTENCES[refusal.reason]
    if key.is_grant:
        sentence = _OF_GRANTS.get(refusal.reason, sentence)
    details = {name: refusal.numbers.get(name) for name in names}
    amounts = read_answer(dict[str, Uint128], details, "details")
    amounts["missing"] = max(amounts["needed"] - amounts.get("balance", 0), terms.least_deposit)
    shown = {name: format_units(amount, terms.token.decimals) for name, amount in amounts.items()}
    message = sentence.format(**shown, symbol=terms.token.symbol, channel=key.channel or "CHANNEL")
    return GatewayRefused(refusal.status, refusal.reason, message, refusal.numbers)

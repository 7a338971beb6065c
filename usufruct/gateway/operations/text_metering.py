"""The rules of metering text: a call's ceiling before, its usage after. Pure; prices are in `payments.pricing`."""

from dataclasses import replace
from fractions import Fraction
from math import ceil

from usufruct.assets import Caps
from usufruct.connectors.openai import Usage as Reported
from usufruct.connectors.openai import UsageFault
from usufruct.core import UINT128_MAX
from usufruct.core.price_cards import PriceCard
from usufruct.gateway.budget import Budget
from usufruct.gateway.model import CountingRule
from usufruct.gateway.operations.token_scale import Counted
from usufruct.payments.pricing import (
    Allowance,
    CountedBy,
    Measured,
    OverBudget,
    Usage,
    affordable_output_down,
    allow,
    measure,
)

_LONGEST_TOKEN = 128
"""Characters of the longest text tokens in use: runs of blanks. A caller can ask for an answer of nothing else."""

_SPARE_CHARACTERS = 4_096


def chat_limits(
    wanted: int | None, choices: int, counted_input: int, caps: Caps, card: PriceCard, budget: Budget
) -> Allowance:
    """Return how much output a chat may have, over all its choices, and what it costs at most.

    Output the caller left open (`wanted` None), or limited by money, is lowered until it fits; output the caller named
    is served as named (within the context window and the operator's caps) or refused.

    Raises:
        OverContext: when the input does not fit the context window.
        OverBudget: when the call does not fit the budget.
    """
    most = min(budget.amount, caps.largest_ceiling)
    lowered = wanted is None or budget.own_limit
    wanted = min(wanted or caps.usual_output * choices, caps.largest_output)
    room = max(0, card.context_window - counted_input)
    shared = _widened(card, room * (choices - 1))
    allowance = allow(counted_input, wanted, shared, most if lowered else UINT128_MAX)
    if allowance.ceiling > most or allowance.output_tokens < choices:
        affordable = max(0, affordable_output_down(counted_input, shared, most))
        raise OverBudget(
            f"{wanted} text tokens of output cost up to {allowance.ceiling}, and {most} may be spent; "
            f"ask for at most {affordable // choices} by max_tokens, raise the limit or add money",
            field="max_tokens",
            needed=allowance.ceiling,
            budget=most,
            affordable_output=affordable,
        )
    return allowance


def embeddings_limits(inputs: int, counted_input: int, caps: Caps, card: PriceCard, budget: Budget) -> Allowance:
    """Return what embeddings of so many inputs cost at most; each input has its own context window.

    Raises:
        OverContext: when the input does not fit.
        OverBudget: when the call does not fit the budget.
    """
    most = min(budget.amount, caps.largest_ceiling)
    return allow(counted_input, 0, _widened(card, card.context_window * (inputs - 1)), most)


def usage_of_whole(
    reported: Reported | UsageFault | None, counted: Counted, rule: CountingRule, caps: Caps
) -> Measured:
    """Return the usage to charge for a call that came to its end.

    The upstream's word holds, unless it passes the most we counted by more than the rule's tolerance and spare, and by
    more than the hidden reasoning the seller may charge. One that does is flagged, and measured again without the
    spare: what passes is replaced by what our count comes to in text tokens. Without a word ours, flagged if what was
    said made no sense.
    """
    if not isinstance(reported, Reported):
        return Measured(counted.whole, flagged=reported is UsageFault.INVALID, counted_by=_own(rule))
    claimed, most = Usage(reported.input_tokens, reported.output_tokens, reported.cached), counted.most
    reasoning = min(reported.reasoning, caps.reasoning_output, max(0, reported.output_tokens - most.output_tokens))
    most = Usage(most.input_tokens, most.output_tokens + reasoning)
    spared = Usage(most.input_tokens + rule.spare_tokens, most.output_tokens + rule.spare_tokens)
    believed = measure(claimed, spared, rule.tolerance_ppm)
    if not believed.flagged:
        counted.learn(claimed, reported.reasoning)
        return Measured(believed.usage, flagged=False, counted_by=CountedBy.UPSTREAM, reasoning_tokens=reasoning)
    usage, own = measure(claimed, most, rule.tolerance_ppm).usage, counted.whole
    if usage.input_tokens != claimed.input_tokens:
        cached = min(usage.cached_input_tokens, own.input_tokens)
        usage = replace(usage, input_tokens=own.input_tokens, cached_input_tokens=cached)
    if usage.output_tokens != claimed.output_tokens:
        usage = replace(usage, output_tokens=min(own.output_tokens + reasoning, usage.output_tokens))
    return Measured(usage, flagged=True, counted_by=_own(rule), reasoning_tokens=min(reasoning, usage.output_tokens))


def usage_of_part(whole: Measured | None, counted: Counted, delivered: Fraction, rule: CountingRule) -> Measured:
    """Return the usage to charge when the caller did not get everything: what was delivered.

    `whole` is the usage of the whole answer, if the upstream came to its end and said it: `delivered` is the caller's
    share of its output. Else `counted`, of what was delivered, is converted, so that a part costs no more than the
    whole would have.
    """
    if whole is None:
        return Measured(counted.part, flagged=False, counted_by=_own(rule))
    output = ceil(whole.usage.output_tokens * delivered)
    usage = replace(whole.usage, output_tokens=output)
    return replace(whole, usage=usage, counted_by=CountedBy.SHARE, reasoning_tokens=min(whole.reasoning_tokens, output))


def longest_text(allowance: Allowance) -> int:
    """Return the most characters we take from an upstream with the allowance as its limit."""
    return allowance.output_tokens * _LONGEST_TOKEN + _SPARE_CHARACTERS


def _widened(card: PriceCard, more: int) -> PriceCard:
    """Return the card with a context window of so many text tokens more."""
    return replace(card, context_window=card.context_window + more) if more else card


def _own(rule: CountingRule) -> CountedBy:
    return CountedBy.VOCABULARY if rule.vocabulary else CountedBy.ESTIMATE

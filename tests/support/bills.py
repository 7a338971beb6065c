"""Lines of bills for tests that do not care for prices, and what a receipt's JSON says was used."""

from typing import Any

from usufruct_client.bill_lines import INPUT_TEXT_TOKEN, OUTPUT_TEXT_TOKEN, Line, bill_lines, rates_of


def lines_of(charge: int, inputs: int = 1, outputs: int = 2) -> tuple[Line, ...]:
    """Text tokens at no price, and a call that costs the charge."""
    used = {INPUT_TEXT_TOKEN: inputs, OUTPUT_TEXT_TOKEN: outputs}
    return bill_lines(used, rates_of("text_token", 0, 0, 0, charge))


def counts(receipt: dict[str, Any]) -> tuple[int, int, int]:
    """Input (cached or not), cached input and output tokens of a receipt as it travels."""
    used = {line["unit"]: int(line["quantity"]) for line in receipt["lines"]}
    new, cached, output = (used.get(f"{kind}_text_token", 0) for kind in ("input", "cached_input", "output"))
    return new + cached, cached, output

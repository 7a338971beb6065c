"""By which name a server takes the limit of an answer's output: servers know one of two, or both."""

import re
from collections.abc import Mapping
from typing import Any

from usufruct.connectors.openai.errors import UpstreamRejected

OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens")

_NOT_KNOWN = re.compile(
    r"(?i)unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|extra (?:inputs|fields)|not permitted|"
    r"not allowed|deprecated|instead|invalid (?:parameter|argument|field)|no such"
)


def limited_by(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a request whose output is limited by `name`, if it is limited, and by that name alone."""
    given = [body[known] for known in OUTPUT_LIMITS if known in body]
    plain = {member: value for member, value in body.items() if member not in OUTPUT_LIMITS}
    return {**plain, name: min(given)} if given else plain


def other_limit(body: Mapping[str, Any], fault: UpstreamRejected) -> str | None:
    """Return the name to try instead, if a server refused the request for the name of its output limit; else None."""
    sent = [name for name in OUTPUT_LIMITS if name in body]
    if len(sent) != 1 or sent[0] not in fault.message:
        return None
    (other,) = set(OUTPUT_LIMITS) - set(sent)
    return other if other in fault.message or _NOT_KNOWN.search(fault.message) else None

"""Words of a model for figures: shown only when every number in them is one of the figures."""

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Final

from usufruct.analytics.writing.numbers import unknown_numbers
from usufruct.connectors.openai import Answer, UpstreamClient, UpstreamFault, UpstreamRejected
from usufruct.core import Clock

ANSWER: Final = (
    "You answer a question about digital assets for the readers of a market report, in the question's language. Use "
    "only the figures below. If they do not answer the question, say so."
)
REPORT: Final = (
    "You write a report in English about a digital asset in three short paragraphs: the trend, the value, the risk."
)
_RULES: Final = (
    "Copy numbers and dates exactly as they are written in the figures. Write no other number, not even before a "
    "list's items. Do not advise to buy, sell or hold. Plain text, 150 words at most."
)
LONGEST_QUESTION: Final = 2_000
_LONGEST: Final = 4_000
_MOST_TOKENS: Final = 600
_REST_SECONDS: Final = 30
MOST_AT_ONCE: Final = 16
"""Questions that wait for the model in a process; callers beyond them get fixed sentences at once."""

_ENDS: Final = ("shown", "wrong_number", "unusable", "failed", "resting", "busy")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Words:
    """What a model wrote; its text is empty where it may not be shown."""

    text: str
    model: str


class ModelWriter:
    """Asks one model. A fault of its server is not raised: `None` then, and no question for half a minute."""

    def __init__(self, server: UpstreamClient, model: str, clock: Clock) -> None:
        """Ask `model` at `server`, whose limits say how long an answer may take."""
        self.model = model
        self.ends: Counter[str] = Counter(dict.fromkeys(_ENDS, 0))
        self._server = server
        self._clock = clock
        self._rests_until = float("-inf")
        self._waiting = 0

    async def write(self, task: str, figures: str, question: str = "") -> Words | None:
        """Return the model's words; without text where they have another number, are cut or too long, or refused.

        `task`: `ANSWER` or `REPORT`. None: the server failed, or too many wait for it.
        """
        resting = self._clock.monotonic() < self._rests_until
        if resting or self._waiting >= MOST_AT_ONCE:
            self.ends["resting" if resting else "busy"] += 1
            return None
        asked = {"role": "user", "content": question or "Write it."}
        system = {"role": "system", "content": f"{task} {_RULES}\n\nFigures:\n{figures}"}
        self._waiting += 1
        try:
            answer = await self._server.chat(
                {"model": self.model, "messages": [system, asked], "max_tokens": _MOST_TOKENS}
            )
        except UpstreamRejected as error:  # of this question: others may be answered
            self.ends["unusable"] += 1
            _log.info("%s refuses a question: %s", self.model, error.message)
            return Words("", self.model)
        except UpstreamFault as error:
            self._rests_until = self._clock.monotonic() + _REST_SECONDS
            self.ends["failed"] += 1
            _log.warning("no words from %s: %s", self.model, error.message)
            return None
        finally:
            self._waiting -= 1
        return Words(self._judged(answer, figures), self.model)

    def _judged(self, answer: Answer, figures: str) -> str:
        """Return the text of an answer; empty where it may not be shown."""
        text = answer.text.strip()
        cut = any(
            isinstance(each, dict) and each.get("finish_reason") == "length" for each in answer.content["choices"]
        )
        if not text or cut or len(text) > _LONGEST:
            self.ends["unusable"] += 1
            return ""
        if unknown := unknown_numbers(text, figures):
            self.ends["wrong_number"] += 1
            _log.info("%s wrote %s, which the figures do not have", self.model, ", ".join(unknown[:5]))
            return ""
        self.ends["shown"] += 1
        return text

    async def missing(self) -> str:
        """Return why the model cannot be asked; empty where its server offers it."""
        try:
            offered = await self._server.models()
        except UpstreamFault as error:
            return error.message
        names = [each.id for each in offered]
        return "" if self.model in names else f"the server offers {', '.join(names[:9]) or 'no model'}"

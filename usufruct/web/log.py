"""Log lines as JSON, one object a line, without secrets.

Everything passed as `extra` becomes a member. Members named like a secret are blanked; bearer keys, `Authorization`
values, signatures and private keys are blanked wherever they appear in text.
"""

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import filterfalse

import orjson

_BLANK = "[redacted]"
_SECRET_NAMES = re.compile(
    r"(?i)^(authorization|bearer|cookie|set-cookie|.*(api|private|session|secret|signing|access)[-_]?key|"
    r".*secret|.*password|.*signature|.*mnemonic|x-payment)$"
)
_SECRET_TEXT = re.compile(
    r"(?ia)\bu[fp]_[\w-]{8,}"  # bearer keys and grants of ours
    r"|\b(?:sk|pk|rk)-[\w-]{8,}"  # bearer keys of upstreams
    r"|(?<=\bbearer )\S+"
    r"|\b0x[0-9a-f]{128,}"  # signatures, and anything else as long
    r"|(?<=\bkey[ =:])\s*(?:0x)?[0-9a-f]{64}\b"  # a private key looks like a hash; only its name tells
)
_MARKS = ("uf_", "up_", "sk-", "pk-", "rk-", "bearer ", "key ", "key=", "key:")
"""What text must hold, in lower case, for the pattern above to find anything but a long number."""

_LONG_NUMBER = re.compile(r"0x[0-9a-f]{128}")
_PLAIN = frozenset({str, int, float, bool, type(None)})
_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time (seconds since 1970), level, logger, message, then the extras."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, object] = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        given = record.__dict__
        for name in filterfalse(_STANDARD.__contains__, given):  # in C: a record has over twenty own members
            line[name] = given[name]
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _json(line)


def redacted(value: object) -> object:
    """Return `value` with every secret in it blanked; numbers too large for JSON become text."""
    if isinstance(value, str):
        return _SECRET_TEXT.sub(_BLANK, value) if _may_hold_secret(value) else value
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): _BLANK if _names_secret(str(k)) else redacted(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(part) for part in value]
    return value


@lru_cache(maxsize=1024)
def _names_secret(name: str) -> bool:
    return _SECRET_NAMES.match(name) is not None


def _may_hold_secret(text: str) -> bool:
    lower = text.lower()
    return any(map(lower.__contains__, _MARKS)) or _LONG_NUMBER.search(lower) is not None


def _json(line: Mapping[str, object]) -> str:
    """Return a line as JSON, redacted; one that can hold no secret is not looked at member by member."""
    if _PLAIN.issuperset(map(type, line.values())) and not any(map(_names_secret, line)):
        try:
            text = orjson.dumps(line).decode()
        except TypeError:
            pass  # a number too large for JSON, or text that is not UTF-8
        else:
            if not _may_hold_secret(text):
                return text
    return orjson.dumps(redacted(line), default=lambda value: redacted(str(value))).decode()


def log_as_json(level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error, as JSON.

    What no line shows (caller's place, thread, process) is not collected: logging's documented optimization.
    """
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)

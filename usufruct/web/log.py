"""Log lines as JSON, one object a line, without secrets.

Everything passed as `extra` becomes a member. Members named like a secret are blanked; bearer keys, `Authorization`
values, signatures and private keys are blanked wherever they appear in text.
"""

import logging
import re
from collections.abc import Mapping

import orjson

_BLANK = "[redacted]"
_SECRET_NAMES = re.compile(
    r"(?i)^(authorization|bearer|cookie|set-cookie|.*(api|private|session|secret|signing|access)[-_]?key|"
    r".*secret|.*password|.*signature|.*mnemonic|x-payment)$"
)
_SECRET_TEXT = re.compile(
    r"(?i)\buf_\w{8,}"  # bearer keys of ours
    r"|\b(?:sk|pk|rk)-[\w-]{8,}"  # bearer keys of upstreams
    r"|(?<=\bbearer )\S+"
    r"|\b0x[0-9a-f]{128,}"  # signatures, and anything else as long
    r"|(?<=\bkey[ =:])\s*(?:0x)?[0-9a-f]{64}\b"  # a private key looks like a hash; only its name tells
)
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
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(redacted(line), default=lambda value: redacted(str(value))).decode()


def redacted(value: object) -> object:
    """Return `value` with every secret in it blanked; numbers too large for JSON become text."""
    if isinstance(value, str):
        return _SECRET_TEXT.sub(_BLANK, value)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): _BLANK if _SECRET_NAMES.match(str(k)) else redacted(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(part) for part in value]
    return value


def log_as_json(level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error, as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)

"""Reads JSON objects that others wrote; what is missing or malformed is named in the error."""

import re
from collections.abc import Mapping

from usufruct_client.errors import BadAnswer
from usufruct_client.signing import mistyped

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
_HASH = re.compile("0x[0-9a-fA-F]{64}")
_SIGNATURE = re.compile("0x[0-9a-fA-F]{130}")
_DIGITS = re.compile("[0-9]{1,78}")


class Members:
    """The members of one JSON object, each read as what the protocol says it is."""

    def __init__(self, value: object, where: str) -> None:
        """Read `value`, found at `where` in its document.

        Raises:
            BadAnswer: when it is not an object.
        """
        if not isinstance(value, Mapping):
            raise BadAnswer(f"{where} must be a JSON object", member=where)
        self.raw: Mapping[str, object] = value
        self._where = where

    def __contains__(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def object(self, name: str) -> "Members":
        """Return an object."""
        return Members(self.raw.get(name), f"{self._where}.{name}")

    def objects(self, name: str) -> list["Members"]:
        """Return a list of objects."""
        values = self.raw.get(name)
        if not isinstance(values, list):
            raise self._wrong(name, "a list")
        return [Members(value, f"{self._where}.{name}[{number}]") for number, value in enumerate(values)]

    def text(self, name: str) -> str:
        """Return text, not empty."""
        value = self.raw.get(name)
        if not isinstance(value, str) or not value:
            raise self._wrong(name, "text")
        return value

    def amount(self, name: str, bits: int = 128) -> int:
        """Return a non-negative integer of at most `bits` bits that travels as decimal text."""
        what = f"a whole number of at most {bits} bits, as text"
        value = int(self.matching(name, _DIGITS, what))
        if value >> bits:
            raise self._wrong(name, what)
        return value

    def number(self, name: str) -> int:
        """Return a non-negative integer that travels as a JSON number."""
        value = self.raw.get(name)
        if type(value) is not int or value < 0:
            raise self._wrong(name, "a whole number")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.raw.get(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def address(self, name: str) -> str:
        """Return an address, in lower case."""
        value = self.matching(name, _ADDRESS, "an address: 0x and 40 hexadecimal digits")
        if mistyped(value):
            raise self._wrong(name, "an address whose checksum holds")
        return value.lower()

    def hash32(self, name: str) -> str:
        """Return 32 bytes as `0x` and hex, in lower case."""
        return self.matching(name, _HASH, "32 bytes as 0x and hex").lower()

    def signature(self, name: str) -> str:
        """Return 65 bytes as `0x` and hex, in lower case."""
        return self.matching(name, _SIGNATURE, "65 bytes as 0x and hex").lower()

    def matching(self, name: str, pattern: re.Pattern[str], what: str) -> str:
        """Return text that the whole of `pattern` matches; `what` says in the error what it must be."""
        value = self.raw.get(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._wrong(name, what)
        return value

    def _wrong(self, name: str, what: str) -> BadAnswer:
        member = f"{self._where}.{name}"
        return BadAnswer(f"{member} must be {what}, not {str(self.raw.get(name))[:80]!r}", member=member)

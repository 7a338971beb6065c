"""Reads a JSON object strictly: each member is there, of its type and in range, or is refused by name."""

from collections.abc import Mapping
from typing import Any, NoReturn

from usufruct.core import UINT256_MAX, Address, AddressMistyped, Hash32, Invalid, UsufructError, address, hash32

_SIGNATURE_BYTES = 65


class Members:
    """The members of a JSON object; what is wrong with one is raised as `error`, whose `field` names it.

    Amounts and other numbers up to 2**256 - 1 travel as decimal text, times and small numbers as JSON integers.
    """

    __slots__ = ("_content", "_error", "_within")

    def __init__(self, content: Mapping[str, Any], error: type[UsufructError], within: str = "") -> None:
        """Read `content`, which is the member `within` of something larger, or the whole."""
        self._content = content
        self._error = error
        self._within = within

    def __contains__(self, name: str) -> bool:
        """Tell whether a member is there, and not null."""
        return self._content.get(name) is not None

    def raising(self, error: type[UsufructError]) -> "Members":
        """Return the same members, refused as another error."""
        return Members(self._content, error, self._within)

    def only(self, *names: str) -> "Members":
        """Refuse members of any other name."""
        for name in self._content:
            if name not in names:
                field = self._field(name[:80])
                raise self._error(f"{field} is not known here; leave it out (known: {', '.join(names)})", field=field)
        return self

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._content.get(name)
        if not isinstance(value, str):
            self._refuse(name, "text")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        value = self._content.get(name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._refuse(name, "a list of texts")
        return value

    def objects(self, name: str) -> list[dict[str, Any]]:
        """Return a list of objects."""
        value = self._content.get(name)
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self._refuse(name, "a list of objects")
        return value

    def amount(self, name: str, most: int = UINT256_MAX) -> int:
        """Return a number that travels as decimal text."""
        value = self.text(name)
        if not (value.isascii() and value.isdigit() and len(value) <= 78 and int(value) <= most):
            self._refuse(name, f"a whole number as text, from 0 to {most}")
        return int(value)

    def integer(self, name: str, most: int) -> int:
        """Return a JSON integer."""
        value = self._content.get(name)
        if type(value) is not int or not 0 <= value <= most:
            self._refuse(name, f"a whole number from 0 to {most}")
        return value

    def address(self, name: str) -> Address:
        """Return an address."""
        try:
            return address(self.text(name), name)
        except AddressMistyped:
            self._refuse(name, "an address whose checksum holds (a character of it is wrong; copy it again)")
        except Invalid:
            self._refuse(name, "an address: 0x and 40 hex digits")

    def hash32(self, name: str) -> Hash32:
        """Return 32 bytes."""
        try:
            return hash32(self.text(name), name)
        except Invalid:
            self._refuse(name, "0x and 64 hex digits")

    def data(self, name: str, most: int) -> bytes:
        """Return at most `most` bytes, written as 0x and hex."""
        value = self.text(name)
        try:
            raw = bytes.fromhex(value[2:])
        except ValueError:
            raw = None
        if raw is None or value[:2] != "0x" or len(raw) > most:
            self._refuse(name, f"0x and hex digits, at most {most} bytes")
        return raw

    def signature(self, name: str) -> bytes:
        """Return the 65 bytes of an account's signature."""
        raw = self.data(name, _SIGNATURE_BYTES)
        if len(raw) != _SIGNATURE_BYTES:
            self._refuse(name, f"0x and hex digits, {_SIGNATURE_BYTES} bytes")
        return raw

    def inner(self, name: str) -> "Members":
        """Return a member that is an object."""
        value = self._content.get(name)
        if not isinstance(value, dict):
            self._refuse(name, "an object")
        return Members(value, self._error, self._field(name))

    def _field(self, name: str) -> str:
        return f"{self._within}.{name}" if self._within else name

    def _refuse(self, name: str, rule: str) -> NoReturn:
        field = self._field(name)
        raise self._error(f"{field} must be {rule}" if name in self._content else f"{field} is missing", field=field)

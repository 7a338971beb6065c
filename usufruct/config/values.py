"""Kinds of settings: how the text of each is read, and what refuses it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, SecretStr

from usufruct.core import Invalid, address
from usufruct.core.setting_texts import read_amount, read_public_url

LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
"""Files that can be a site's logo, by their ending."""


class UnknownSetting(Invalid, code="unknown_setting"):
    """A section or key that no version of this package reads: most likely a typing error."""


class InvalidSetting(Invalid, code="invalid_setting"):
    """A value of the wrong type, or one that cannot work."""


class Secret(SecretStr):
    """Text that must not be printed: `reveal()` is the only way to it."""

    def reveal(self) -> str:
        """Return the text itself."""
        return self.get_secret_value()


NO_SECRET = Secret("")


def whole(least: int, most: int) -> PlainValidator:
    """Return what reads a whole number within bounds; in the environment it is text."""

    def read(value: Any) -> int:
        number = int(value) if isinstance(value, str) and value.strip().lstrip("-").isdigit() else value
        if type(number) is not int:  # what it is may be a secret in the wrong place
            raise ValueError(f"a whole number from {least} to {most}, not {type(value).__name__}")
        if not least <= number <= most:
            raise ValueError(f"from {least} to {most}, not {number}")
        return number

    return PlainValidator(read)


def power_of_two(number: int) -> int:
    """Keep a number that is one."""
    if number & (number - 1):
        raise ValueError(f"a power of two, not {number}")
    return number


def _address(text: str) -> str:
    try:
        return text and address(text)
    except Invalid as error:
        raise ValueError(f"an address or empty: {error.message}") from error


def addresses(text: str) -> str:
    """Keep addresses with spaces between them, each as it is written everywhere."""
    return " ".join(_address(each) for each in text.split())


def readable(read: Callable[[str], object]) -> AfterValidator:
    """Return what keeps a text that `read` can read."""

    def check(text: str) -> str:
        read(text)
        return text

    return AfterValidator(check)


def logo_file(text: str) -> str:
    """Keep the path of a picture that is there."""
    if text and (Path(text).suffix.lower() not in LOGO_TYPES or not Path(text).is_file()):
        raise ValueError(f"empty or the path of a file ({', '.join(LOGO_TYPES)}), not {text!r}")
    return text


Amount = Annotated[str, AfterValidator(read_amount)]
"""Whole units of the payment token as decimal text: what they are in atomic units depends on the token."""

OptionalAddress = Annotated[str, AfterValidator(_address)]
PublicUrl = Annotated[str, AfterValidator(read_public_url)]

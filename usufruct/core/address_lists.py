"""Settings that list addresses, each with a name or a share."""

from usufruct.core.errors import Invalid
from usufruct.core.ids import address, hash32
from usufruct.core.money import parse_units

__all__ = ["ALL_DEALS", "read_airdrops", "read_allocation", "read_deals", "read_publishers"]

ALL_DEALS = "all"

_ADDRESS_LENGTH = 42


def read_publishers(text: str) -> dict[str, str]:
    """Return names by address from "ADDRESS=NAME, ADDRESS=NAME".

    Raises:
        ValueError: for anything else.
    """
    found = {}
    for each in filter(None, map(str.strip, text.split(","))):
        where, sign, name = (part.strip() for part in each.partition("="))
        if not sign or not 1 <= len(name) <= 40 or not name.isprintable():
            raise ValueError(f"ADDRESS=NAME, separated by commas, a name of 1 to 40 characters, not {each!r}")
        found[_listed(where)] = name
    return found


def read_allocation(text: str) -> dict[str, int]:
    """Return hundredths of a per cent by address from "ADDRESS=PERCENT, ADDRESS=PERCENT".

    Raises:
        ValueError: for anything else, and when they are over 100 per cent together.
    """
    found: dict[str, int] = {}
    for each in filter(None, map(str.strip, text.split(","))):
        where, _, percent = each.partition("=")
        try:
            to, part = address(where.strip()), parse_units(percent.strip(), 2)
        except Invalid as error:
            raise ValueError(f"ADDRESS=PERCENT, such as 0x...=12.5, not {each!r}: {error.message}") from error
        if not part or to in found:
            raise ValueError(f"each address once and above 0 per cent, not {each!r}")
        found[to] = part
    if sum(found.values()) > 10_000:
        raise ValueError("at most 100 per cent together")
    return found


def read_airdrops(text: str) -> dict[str, str]:
    """Return contracts by file from "FILE=CONTRACT, FILE"; empty for a file whose airdrop has none yet.

    Raises:
        ValueError: for anything else.
    """
    found: dict[str, str] = {}
    for each in filter(None, map(str.strip, text.split(","))):
        file, sign, where = (part.strip() for part in each.partition("="))
        if not file or file in found:
            raise ValueError(f"FILE=CONTRACT, each file once, not {each!r}")
        found[file] = _listed(where) if sign else ""
    return found


def read_deals(text: str) -> frozenset[str]:
    """Return ids of deals and addresses of issuers from "ID, ADDRESS"; `ALL_DEALS` is taken as it is.

    Raises:
        ValueError: for anything else.
    """
    found: set[str] = set()
    for each in filter(None, map(str.strip, text.split(","))):
        try:
            found.add(each if each == ALL_DEALS else hash32(each) if len(each) > _ADDRESS_LENGTH else address(each))
        except Invalid as error:
            raise ValueError(f"ids of deals, addresses of issuers, or `{ALL_DEALS}`: {error.message}") from error
    return frozenset(found)


def _listed(text: str) -> str:
    try:
        return text and address(text)
    except Invalid as error:
        raise ValueError(f"an address or empty: {error.message}") from error

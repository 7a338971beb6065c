"""What a refusal says to a reader: by its stable code, in the reader's language, at the boundary of the page.

The message of an error is for programs and their authors: English, exact, in atomic units. A package gives the texts of
its codes to `Pages.add_package`. A code without one is shown by its message.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LANGUAGE_HEADER = "x-usufruct-language"
"""Sent by the scripts of a page: its language, in which the `message` of a refusal is wanted."""


@dataclass(frozen=True, slots=True)
class RefusalText:
    """The text of a code, in the source language; `about`: for this field of a form, or this reason, alone."""

    code: str
    text: str
    about: str = ""


class RefusalTexts:
    """The texts of all packages; a later text replaces an earlier one about the same."""

    def __init__(self, texts: Iterable[RefusalText] = ()) -> None:
        self._texts: dict[tuple[str, str], str] = {}
        self.add(texts)

    def add(self, texts: Iterable[RefusalText]) -> None:
        """Add texts."""
        self._texts |= {(each.code, each.about): each.text for each in texts}

    def find(self, code: str, about: object = "") -> str:
        """Return the text of a code about a field or a reason, or of the code alone; empty when there is none."""
        return self._texts.get((code, str(about))) or self._texts.get((code, ""), "")


EVERY_SITE: Sequence[RefusalText] = (
    RefusalText("unknown_route", "There is no such page."),
    RefusalText("unknown_file", "There is no such file."),
    RefusalText("not_found", "There is nothing here."),
    RefusalText("method_not_allowed", "This address cannot be used like that. Go back and try again."),
    RefusalText("cross_site_request", "The request came from another site's page. Try again on this site."),
    RefusalText("body_too_large", "That is too long."),
    RefusalText("unauthenticated", "You are signed out. Sign in first."),
    RefusalText("invalid_amount", "Write an amount such as 2 or 2.50."),
    RefusalText("amount_out_of_range", "The amount is too large."),
    RefusalText("invalid_address", "This is not an address: 0x and 40 digits or letters from a to f."),
    RefusalText("address_mistyped", "A character of the address is wrong. Copy it again."),
    RefusalText("too_many_writes", "Your network has sent a great many changes just now. Try again in a minute."),
    RefusalText("slow_body", "The connection is too slow. Try again."),
    RefusalText("malformed_json", "The request did not arrive whole. Try again."),
    RefusalText("database_unavailable", "The server cannot reach its database now. Try again in a minute."),
    RefusalText("shutting_down", "The server is restarting. Try again in a minute."),
    RefusalText("faulty", "The server failed. Nothing was done by halves; try again, and report it if it stays."),
)

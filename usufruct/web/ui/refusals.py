"""What a refusal says to a reader: by its stable code, in the reader's language, at the boundary of the page.

The message of an error is for programs and their authors: English, exact, in atomic units. A package gives the texts of
its codes to `Pages.add_package`. A code without one is shown by its message.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LANGUAGE_HEADER = "x-usufruct-language"
"""Sent by the scripts of a page: its language, in which the `message` of a refusal is wanted."""


@dataclass(frozen=True, slots=True)
class RefusalText:
    """The text of a code, in the source language."""

    code: str
    text: str


EVERY_SITE: Sequence[RefusalText] = (
    RefusalText("unknown_route", "There is no such page."),
    RefusalText("not_found", "There is nothing here."),
    RefusalText("method_not_allowed", "This address cannot be used like that. Go back and try again."),
    RefusalText("cross_site_request", "The request came from another site's page. Try again on this site."),
    RefusalText("body_too_large", "That is too long."),
    RefusalText("slow_body", "The connection is too slow. Try again."),
    RefusalText("malformed_json", "The request did not arrive whole. Try again."),
    RefusalText("database_unavailable", "The server cannot reach its database now. Try again in a minute."),
    RefusalText("shutting_down", "The server is restarting. Try again in a minute."),
    RefusalText("faulty", "The server failed. Nothing was done by halves; try again, and report it if it stays."),
)

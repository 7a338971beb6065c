"""What strangers wrote on the chain, made safe to keep and to print.

Anyone may register an asset, under any bytes as its name: control characters, a megabyte, no UTF-8 at all. None of it
may stop those who read the register, or reach a terminal as it is.
"""

from collections.abc import Awaitable

from usufruct.chain import UnreadableAnswer

UNREADABLE = "\ufffd"
LONGEST = 200


def readable(text: str) -> str:
    """Return the beginning of a text, with every unprintable character replaced."""
    return "".join(character if character.isprintable() else UNREADABLE for character in text[:LONGEST])


async def read_text(question: Awaitable[str]) -> str:
    """Return a contract's answer, readable; one that is not UTF-8 is a single replacement character."""
    try:
        return readable(await question)
    except UnreadableAnswer:
        return UNREADABLE

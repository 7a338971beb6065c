"""The navigation of every page: entries that packages declare, some of them in a menu."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

LAST = 1_000
"""The position of what declares none."""


@dataclass(frozen=True, slots=True)
class NavigationMenu:
    """A menu of the navigation: its label in the source language, and its position among the entries."""

    label: str
    position: int = LAST


ECONOMY = NavigationMenu("Economy", 300)
"""What stakers, voters and traders read. It is here because packages that may not import each other add to it."""


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """A link of the navigation: its path, its label in the source language, and its position in the menu or the row.

    Links of equal positions keep the order of their packages.
    """

    path: str
    label: str
    menu: NavigationMenu | None = None
    position: int = LAST

    def current(self, path: str) -> str:
        """Return the value of `aria-current` on the page at `path`; empty elsewhere."""
        if path == self.path:
            return "page"
        return "true" if self.path != "/" and path.startswith(f"{self.path}/") else ""


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """What the row shows: a link, or a menu of several."""

    label: str
    links: tuple[NavigationLink, ...]

    def current(self, path: str) -> str:
        """Return the value of `aria-current` on the page at `path`; empty elsewhere."""
        found = [each.current(path) for each in self.links]
        return found[0] if len(found) == 1 else "true" if any(found) else ""


def navigation_entries(links: Iterable[NavigationLink]) -> list[NavigationEntry]:
    """Return the row of the navigation in order; a menu of one link becomes that link."""
    ordered = sorted(links, key=_place)
    entries = []
    for menu, found in groupby(ordered, key=lambda each: each.menu):
        group = tuple(found)
        if menu and len(group) > 1:
            entries.append(NavigationEntry(menu.label, group))
        else:
            entries += [NavigationEntry(each.label, (each,)) for each in group]
    return entries


def _place(link: NavigationLink) -> tuple[int, str, int]:
    """Return the sort key of a link: links of one menu are next to each other."""
    if link.menu:
        return link.menu.position, link.menu.label, link.position
    return link.position, "", 0

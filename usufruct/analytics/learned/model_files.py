"""A model on disk: each fit in LightGBM's text format, the card, and `model.json` with the SHA-256 of all of them.

The folder is named by the hash of `model.json`, so a changed or cut file is noticed before anything of it is used.
Nothing is pickled: reading a model runs no code of it.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import orjson

from usufruct.analytics.learned.booster import read_booster
from usufruct.analytics.learned.card import Card, fit_file, make_card
from usufruct.analytics.learned.card_text import write_card
from usufruct.analytics.learned.errors import ModelDamaged, ModelOfOtherPrices, ModelOutdated, NoModel
from usufruct.analytics.learned.features import FEATURE_HASH, FEATURE_SET
from usufruct.analytics.learned.training import Fit, Training
from usufruct.analytics.mapped_files import CURRENT, replace_current

FORMAT: Final = 1
_ABOUT: Final = "model.json"
_NAME: Final = re.compile(r"[0-9a-f]{16}")
_AGAIN: Final = "train again with `usufruct rating train`"


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """A model that was read, its files being whole: `id` names them all."""

    id: str
    card: Card
    fits: tuple[Fit, ...]

    def check_prices(self, *, synthetic: bool) -> None:
        """Refuse prices of the other kind.

        Raises:
            ModelOfOtherPrices: when it learned from simulated prices and these are real, or the other way round.
        """
        if self.card["synthetic"] != synthetic:
            kinds = ("simulated", "real") if self.card["synthetic"] else ("real", "simulated")
            raise ModelOfOtherPrices(
                f"the model {self.id} learned from {kinds[0]} prices, and these are {kinds[1]}; {_AGAIN}"
            )


def write_model(folder: Path, training: Training) -> LearnedModel:
    """Write a model with its card, make it the current one, and return it as it was read back."""
    card = make_card(training)
    files = {fit_file(each): each.trees.text.encode() for each in training.fits}
    files["card.json"] = orjson.dumps(card, option=orjson.OPT_INDENT_2)
    files["card.md"] = write_card(card).encode()
    about = {
        "format": FORMAT,
        "feature_set": FEATURE_SET,
        "feature_hash": FEATURE_HASH,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files[_ABOUT] = orjson.dumps(about, option=orjson.OPT_INDENT_2)

    def write(part: Path) -> None:
        for name, content in files.items():
            (part / name).write_bytes(content)

    replace_current(folder, _id(files[_ABOUT]), write)
    return read_model(folder)


def read_model(folder: Path) -> LearnedModel:
    """Read the current model.

    Raises:
        NoModel: when none was written.
        ModelDamaged: when a file is missing or changed.
        ModelOutdated: when it learned from other features than this version computes.
    """
    there, about = _read_about(folder)
    _check_version(there.name, about)
    contents = {name: _read(there / name, sha256) for name, sha256 in about["files"].items()}
    try:
        card = orjson.loads(contents["card.json"])
        fits = tuple(
            Fit(
                date.fromisoformat(each["start"]),
                date.fromisoformat(each["learned_until"]),
                each["samples"],
                read_booster(contents[each["file"]].decode(), each["file"]),
            )
            for each in card["fits"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"the model {there.name} is not whole ({error!r}); {_AGAIN}") from error
    return LearnedModel(there.name, card, fits)


def read_card(folder: Path) -> Card:
    """Return the card of the current model, whatever its features; raises as `read_model`, ModelOutdated aside."""
    there, about = _read_about(folder)
    try:
        card: Card = orjson.loads(_read(there / "card.json", about["files"]["card.json"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"the model {there.name} is not whole ({error!r}); {_AGAIN}") from error
    return card


def current_model(folder: Path) -> str:
    """Return the id of the current model, unchecked; empty where there is none."""
    try:
        return (folder / CURRENT).read_text()
    except FileNotFoundError:
        return ""


def _read_about(folder: Path) -> tuple[Path, dict[str, Any]]:
    name = current_model(folder)
    if not name:
        raise NoModel(f"{folder} holds no model; train one with `usufruct rating train`")
    there = folder / name
    if not _NAME.fullmatch(name):
        raise ModelDamaged(f"{folder / CURRENT} does not name a model; {_AGAIN}")
    content = _read(there / _ABOUT, None)
    if _id(content) != name:
        raise ModelDamaged(f"{there / _ABOUT} was changed after it was written; {_AGAIN}")
    try:
        about: dict[str, Any] = orjson.loads(content)
    except ValueError as error:
        raise ModelDamaged(f"{there / _ABOUT} is not JSON; {_AGAIN}") from error
    return there, about


def _check_version(name: str, about: dict[str, Any]) -> None:
    for key, ours in (("format", FORMAT), ("feature_set", FEATURE_SET), ("feature_hash", FEATURE_HASH)):
        if about.get(key) != ours:
            raise ModelOutdated(
                f"the model {name} has the {key} {about.get(key)}, this version {ours}; {_AGAIN}", field=key
            )


def _read(path: Path, sha256: str | None) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelDamaged(f"{path} is missing; {_AGAIN}") from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ModelDamaged(f"{path} was changed after it was written; {_AGAIN}")
    return content


def _id(about: bytes) -> str:
    return hashlib.sha256(about).hexdigest()[:16]

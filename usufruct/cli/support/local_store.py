"""Files of the user's commands on this machine, readable by their owner only: bearer keys, channels, receipts."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import StrictStr
from typer import Option

from usufruct.config import Config
from usufruct.core import Conflict, Hash32, Invalid, NotFound, hash32
from usufruct.core.files import replace_file
from usufruct_client import Receipt, read_receipt
from usufruct_client.wire import ChannelConfig, Token
from usufruct_client.wire_types import Count, Document, Plain, Uint128, read

KeyFile = Annotated[Path | None, Option("--key-file", help="File with the bearer key, else the key used last.")]
KeyId = Annotated[str, Option("--key", help="The id of a kept key or grant; see `usufruct key use`.")]

Kind = TypeVar("Kind")

_KEY_ID = re.compile("(key|grant)_[0-9a-f]{1,64}")
_KEY = re.compile("uf_[0-9a-f]+|up_[A-Za-z0-9_-]+")


class InvalidSavedFile(Invalid, code="invalid_saved_file"):
    """A kept file that is malformed, or that others may read."""


class NoSavedKey(NotFound, code="no_saved_key"):
    """No bearer key for this gateway is kept here."""


class SavedKey(Plain):
    """A bearer key, and the only gateway it is shown to; `limit`: atomic units it may ever spend, if known."""

    gateway: StrictStr
    id: StrictStr
    channel: StrictStr
    key: StrictStr = field(repr=False)
    limit: Uint128 | None = None

    @property
    def is_grant(self) -> bool:
        """Tell whether it pays with pass credits."""
        return self.key.startswith("up_")


class SavedChannel(Document):
    """A channel's configuration, which a withdrawal needs, and the token that was agreed for it."""

    chain_id: Count
    channel_config: ChannelConfig
    token: Token | None = None


def check_key_id(key_id: str) -> None:
    """Refuse what is not a key's id; it becomes part of addresses and of files' names."""
    if not _KEY_ID.fullmatch(key_id):
        raise Invalid(f"{key_id[:80]!r} is not a key's id; it looks like key_0123abcd", code="invalid_key_id")


def save_key(config: Config, key: SavedKey) -> Path:
    """Keep a bearer key, and return its file."""
    return _write(_key_file(config, key.id), key.as_json())


def forget_key(config: Config, key_id: str) -> None:
    """Remove a key that was revoked, if it is kept here."""
    _key_file(config, key_id).unlink(missing_ok=True)


def find_keys(
    config: Config, gateway: str, file: Path | None = None, named: str = "", channel: str | None = None
) -> list[SavedKey]:
    """Return the key in `file`, or those kept for `gateway`, last used first: of the id `named`, of one `channel`, all.

    Raises:
        NoSavedKey: when there is none.
        InvalidSavedFile: when a file holds no key, one for another gateway, or may be read by others.
    """
    if file is not None:
        return [_given_key(file, gateway)]
    found = []
    for path in _newest_first(config.keys.folder / "bearer"):
        try:
            key = _read_key(path)
        except InvalidSavedFile:
            if path.exists():
                raise
            continue  # another process has just forgotten it
        if key.gateway == gateway and named in ("", key.id) and channel in (None, key.channel):
            found.append(key)
    if not found:
        raise NoSavedKey(
            f"no key {named + ' ' if named else ''}for {gateway} is kept here; `usufruct key create --save` makes one, "
            "--key-file names another"
        )
    return found


def use_key(config: Config, key_id: str) -> None:
    """Put a kept key first.

    Raises:
        NoSavedKey: when it is not kept here.
    """
    path = _key_file(config, key_id)
    if not path.is_file():
        raise NoSavedKey(f"no key {key_id} is kept here; `usufruct key create --save` keeps one")
    path.touch()


def save_channel(config: Config, channel: Hash32, of: ChannelConfig, token: Token | None = None) -> None:
    """Keep what a channel is."""
    _write(_channel_file(config, channel), SavedChannel(config.chain.id, of, token).as_json())


def saved_channel(config: Config, channel: Hash32) -> SavedChannel | None:
    """Return what a channel is; None when it is not kept here."""
    path = _channel_file(config, channel)
    return _document(SavedChannel, path) if path.is_file() else None


def saved_channels(config: Config) -> list[Hash32]:
    """Return the channels of the configured chain that are kept here."""
    return [hash32(path.stem) for path in _files(_channel_file(config, "0x*"))]


def save_receipt(config: Config, receipt: Receipt) -> None:
    """Keep a call's receipt: what is signed, and nothing else that came; one that is kept already stays as it is."""
    kept, path, document = saved_receipt(config, receipt.call), _receipt_file(config, receipt.call), receipt.as_json()
    if kept is None:
        _write(path, document)
    elif kept != document:
        raise Conflict(
            f"{path} holds another receipt of the same call, and stays: the operator signed two; show them both",
            code="receipt_differs",
        )


def saved_receipt(config: Config, call: Hash32) -> dict[str, Any] | None:
    """Return a receipt; None when it is not kept here."""
    path = _receipt_file(config, call)
    return read_object(path) if path.is_file() else None


def saved_receipts(config: Config) -> list[Receipt]:
    """Return the receipts of the configured chain that are kept here."""
    found = [read_receipt(read_object(path)) for path in _files(_receipt_file(config, "0x*"))]
    return [receipt for receipt in found if receipt.chain_id == config.chain.id]


def read_file(path: Path) -> bytes:
    """Read a file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidSavedFile(f"{path} cannot be read: {error.strerror}") from error


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object."""
    try:
        found = orjson.loads(read_file(path))
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise InvalidSavedFile(f"{path} holds no JSON object")
    return found


def _key_file(config: Config, key_id: str) -> Path:
    check_key_id(key_id)
    return config.keys.folder / "bearer" / f"{key_id}.json"


def _channel_file(config: Config, channel: str) -> Path:
    return config.data.folder / "channels" / str(config.chain.id) / f"{channel}.json"


def _receipt_file(config: Config, call: str) -> Path:
    return config.data.folder / "receipts" / f"{call}.json"


def _files(pattern: Path) -> list[Path]:
    return sorted(pattern.parent.glob(pattern.name))


def _document(kind: type[Kind], path: Path) -> Kind:
    return read(kind, read_object(path), lambda message, _: InvalidSavedFile(f"{path}: {message}"))


def _read_key(path: Path) -> SavedKey:
    _check_private(path)
    saved = _document(SavedKey, path)
    if not _KEY.fullmatch(saved.key):
        raise InvalidSavedFile(f"{path} holds no bearer key")
    return saved


def _given_key(path: Path, gateway: str) -> SavedKey:
    """Read a key's file, or one that holds the bare key: such a one goes to whatever gateway is named."""
    _check_private(path)
    text = path.read_text(errors="replace").strip()
    if _KEY.fullmatch(text):
        return SavedKey(gateway, "", "", text)
    key = _read_key(path)
    if key.gateway != gateway:
        raise InvalidSavedFile(f"the key in {path} is for {key.gateway}; it is not shown to {gateway}")
    return key


def _newest_first(folder: Path) -> list[Path]:
    """Return the JSON files in a folder; one that another process removes meanwhile is left out."""
    times: dict[Path, int] = {}
    for path in folder.glob("[!.]*.json"):
        with suppress(FileNotFoundError):
            times[path] = path.stat().st_mtime_ns
    return sorted(times, key=lambda path: times[path], reverse=True)


def _check_private(path: Path) -> None:
    if not path.is_file():
        raise InvalidSavedFile(f"{path} does not exist")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise InvalidSavedFile(f"others can read {path}; run chmod 600 on it")


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    """Write a file, as it was or as it shall be: half of a key, or of a channel, would be money out of reach."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n", mode=0o600)
    except OSError as error:
        raise InvalidSavedFile(f"{path} cannot be written: {error.strerror}") from error
    return path

"""A configuration: the document that a metadata entry names by its hash, and how it changes a request. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from usufruct.core import Hash32, Invalid
from usufruct.gateway.operations.request_members import EMBEDDING_SETTINGS, SETTINGS

LARGEST_DOCUMENT = 65_536
"""Bytes."""

_MEMBERS = frozenset({"model", "system", "defaults", "locked"})
_SETTINGS = {"chat": SETTINGS, "embeddings": EMBEDDING_SETTINGS}
_LONGEST_MODEL = 200
_ENTRY = re.compile(r"sha256:([0-9a-f]{64}) (\S{1,1000})")


class InvalidConfiguration(Invalid, code="invalid_configuration"):
    """A configuration cannot be served: its entry or its document is not as it must be."""


@dataclass(frozen=True, slots=True)
class ConfigurationEntry:
    """What the registry says: the hash of the document, and where it is published."""

    digest: Hash32
    address: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a service does. `model`: the upstream's name for it, "": the seller's. `system`: a message before all.

    `defaults` are members of requests that a caller may give otherwise, `locked` those that a caller may not.
    """

    digest: Hash32
    model: str = ""
    system: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    locked: Mapping[str, Any] = field(default_factory=dict)

    def applied(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request with the configuration in it; what is wrong with the request stays so."""
        given = {name: value for name, value in content.items() if value is not None}
        body = {**self.defaults, **given, **self.locked}
        messages = content.get("messages")
        if self.system and isinstance(messages, list) and messages:
            body["messages"] = [{"role": "system", "content": self.system}, *messages]
        return body


@dataclass(frozen=True, slots=True)
class FollowedConfiguration:
    """What a gateway knows of a configuration that it follows.

    `entry`: the newest on the chain; `document`: the text in force, "": none. `problem`: why the newest is not in
    force. `transaction` and `proposal` wrote the entry in force, where that is known.
    """

    entry: str = ""
    document: str = ""
    problem: str = ""
    transaction: str = ""
    proposal: str = ""

    def configuration(self, operation: str) -> Configuration | None:
        """Return the configuration in force; None where there is none."""
        return read_configuration(self.document, operation) if self.document else None


def read_entry(text: str) -> ConfigurationEntry:
    """Read a metadata entry: `sha256:` and the hash of the document in lower-case hex, a space, its address.

    Raises:
        InvalidConfiguration: when it is anything else.
    """
    found = _ENTRY.fullmatch(text)
    if found is None:
        raise InvalidConfiguration(f"the entry is {text[:80]!r}; it must be sha256:HASH ADDRESS")
    return ConfigurationEntry(Hash32("0x" + found[1]), found[2])


@lru_cache(maxsize=1_024)
def read_configuration(document: str, operation: str) -> Configuration:
    """Read a document for a service of an operation.

    Raises:
        InvalidConfiguration: names the member that is wrong.
    """
    try:
        content = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise InvalidConfiguration(f"the document is not JSON: {error}") from error
    if not isinstance(content, dict) or not content.keys() <= _MEMBERS:
        raise InvalidConfiguration(f"the document must be an object of {', '.join(sorted(_MEMBERS))}")
    model, system = (_text(content, name) for name in ("model", "system"))
    if len(model) > _LONGEST_MODEL or not (model.isprintable() and model == model.strip()):
        raise InvalidConfiguration(f"model must be a printable name of at most {_LONGEST_MODEL} characters")
    if system and operation != "chat":
        raise InvalidConfiguration(f"system is for chats, and the service is for {operation}")
    settings = [_settings(content, name, operation) for name in ("defaults", "locked")]
    return Configuration(Hash32("0x" + sha256(document.encode()).hexdigest()), model, system, *settings)


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name, "")
    if not isinstance(value, str):
        raise InvalidConfiguration(f"{name} must be text")
    return value


def _settings(content: Mapping[str, Any], name: str, operation: str) -> Mapping[str, Any]:
    value, known = content.get(name, {}), _SETTINGS.get(operation, {})
    if not isinstance(value, dict):
        raise InvalidConfiguration(f"{name} must be an object")
    for member, setting in value.items():
        if member not in known or not known[member](setting):
            raise InvalidConfiguration(f"{name}.{member} is not a setting of {operation}, or not of its kind or size")
    return value

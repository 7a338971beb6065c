"""NatSpec, from where the compiler leaves it: functions in its documentation output, the rest in the syntax tree."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from usufruct.chain.generate.artifact import Compiled, definitions

_TAG = re.compile(r"@(notice|dev|param|return|title|author|inheritdoc|custom:[a-z-]+)\s")


@dataclass(frozen=True, slots=True)
class Doc:
    """What was written about one function, event, error, struct or contract; empty where nothing was."""

    notice: str = ""
    dev: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    returns: Mapping[str, str] = field(default_factory=dict)


def parse(text: str) -> Doc:
    """Parse the text of a NatSpec comment; words before the first tag are the notice."""
    parts = _TAG.split(" " + " ".join(text.split()) + " ")
    single = {"notice": [parts[0]], "dev": []}
    params = {}
    for tag, words in zip(parts[1::2], parts[2::2], strict=True):
        if tag in single:
            single[tag].append(words)
        elif tag == "param":
            name, _, about = words.strip().partition(" ")
            params[name] = about
    return Doc(" ".join(" ".join(single["notice"]).split()), " ".join(" ".join(single["dev"]).split()), params)


class Documentation:
    """Everything written about one contract, found by signature, selector or name."""

    def __init__(self, compiled: Compiled) -> None:
        output = compiled.metadata["output"]
        self._user = output["userdoc"]
        self._dev = output["devdoc"]
        self._nodes: dict[str, Doc] = {}
        for kind, key in (
            ("EventDefinition", "eventSelector"),
            ("ErrorDefinition", "errorSelector"),
            ("StructDefinition", "canonicalName"),
            ("EnumDefinition", "canonicalName"),
            ("ContractDefinition", "canonicalName"),
        ):
            for node in definitions(compiled, kind):
                if text := node.get("documentation"):
                    self._nodes.setdefault(node[key], parse(text["text"]))

    def function(self, signature: str) -> Doc:
        """Return what is written about a function or getter, inherited documentation included."""
        user = self._user.get("methods", {}).get(signature, {})
        dev = self._dev.get("methods", {}).get(signature, {})
        variable = self._dev.get("stateVariables", {}).get(signature.partition("(")[0], {})
        returns = dev.get("returns") or variable.get("returns") or {}
        return Doc(
            user.get("notice", ""),
            dev.get("details") or variable.get("details") or "",
            dev.get("params") or variable.get("params") or {},
            returns,
        )

    def definition(self, key: str) -> Doc:
        """Return what is written about an event or error (hex selector without 0x) or a type or contract (its name)."""
        return self._nodes.get(key, Doc())

"""Writes the source of generated modules: structs, errors, and one module for each contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from usufruct.chain.generate import names
from usufruct.chain.generate.artifact import Compiled, Json
from usufruct.chain.generate.natspec import Doc, Documentation
from usufruct.chain.generate.prose import docstring
from usufruct.chain.generate.shapes import Shapes, canonical
from usufruct.chain.hashing import keccak


@dataclass(frozen=True, slots=True)
class Named:
    """A struct, enum or error: its Python class, what the compiler wrote of it, and its documentation."""

    python: str
    item: Json
    doc: Doc


def _tuple(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _types(parameters: Sequence[Json]) -> str:
    return _tuple([f'"{canonical(parameter)}"' for parameter in parameters])


def _about(parameters: Sequence[Json], python: Sequence[str], told: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, told.get(parameter["name"], "")) for parameter, name in zip(parameters, python, strict=True)]


def _fields(parameters: Sequence[Json], python: Sequence[str], told: Mapping[str, str], shapes: Shapes) -> list[str]:
    lines = []
    for parameter, name in zip(parameters, python, strict=True):
        lines.append(f"    {name}: {shapes.given(parameter)}")
        if about := told.get(parameter["name"]):
            lines.append(docstring(Doc(about), "", 4))
    return lines


def topic(item: Json) -> str:
    """Return the first topic of an event, 64 hex digits."""
    return keccak(names.signature(item).encode()).hex()


def selector(item: Json) -> str:
    """Return the selector of a function or error, 8 hex digits."""
    return topic(item)[:8]


def enum(named: Named) -> str:
    """Write one enum from its syntax-tree node."""
    node = named.item
    members = [f"    {names.safe(names.snake(m['name']).upper(), ())} = {i}" for i, m in enumerate(node["members"])]
    head = docstring(named.doc, f"enum {node['canonicalName']}", 4)
    return "\n".join([f"class {named.python}(Choice):", head, "", *members])


def struct(named: Named, solidity: str, shapes: Shapes) -> str:
    """Write one frozen dataclass for a struct, or for several results of one function."""
    parameters = named.item["components"]
    python = names.arguments(parameters, names.FIELDS, "value")
    made = [f"{name}={shapes.made(p, f'raw[{i}]')}" for i, (name, p) in enumerate(zip(python, parameters, strict=True))]
    return "\n".join(
        [
            "@dataclass(frozen=True, slots=True)",
            f"class {named.python}(Struct):",
            docstring(named.doc, solidity, 4),
            "",
            *_fields(parameters, python, named.doc.params, shapes),
            "",
            "    @classmethod",
            "    def from_abi(cls, raw: Values) -> Self:",
            '        """Build it from decoded ABI values."""',
            f"        return cls({', '.join(made)})",
        ]
    )


def error(named: Named, shapes: Shapes) -> str:
    """Write one exception class for a custom error."""
    parameters = named.item["inputs"]
    python = names.arguments(parameters, names.ERROR_FIELDS)
    declared = "".join(f", {n}: {shapes.given(p)}" for n, p in zip(python, parameters, strict=True))
    made = [shapes.made(parameter, f"raw[{i}]") for i, parameter in enumerate(parameters)]
    message = [repr(" ".join(named.doc.notice.split()))] if named.doc.notice else []
    lines = [
        f"class {named.python}(Revert):",
        docstring(named.doc, names.signature(named.item), 4, _about(parameters, python, named.doc.params)),
        "",
        f'    code = "{names.snake(named.item["name"])}"',
        f'    SIGNATURE = "{names.signature(named.item)}"',
        f'    SELECTOR = bytes.fromhex("{selector(named.item)}")',
        f"    TYPES = {_types(parameters)}",
        "",
        f"    def __init__(self{declared}) -> None:",
        f"        super().__init__({', '.join(message + [f'{name}={name}' for name in python])})",
        *(f"        self.{name} = {name}" for name in python),
    ]
    if not all(shapes.is_plain(parameter) for parameter in parameters):
        lines += [
            "",
            "    @classmethod",
            "    def from_abi(cls, raw: Values) -> Self:",
            '        """Build it from decoded ABI values."""',
            f"        return cls({', '.join(made)})",
        ]
    return "\n".join(lines)


_VALUE_TYPES = ("uint", "int", "address", "bool", "bytes")


def _topic_shape(parameter: Json) -> Json:
    """Return the parameter as a topic holds it: a value that does not fit a word is hashed."""
    kind = parameter["type"]
    fits = kind.startswith(_VALUE_TYPES) and "[" not in kind and kind != "bytes"
    return parameter if fits else {"name": parameter["name"], "type": "bytes32", "internalType": "bytes32"}


def event(python: str, item: Json, doc: Doc, shapes: Shapes) -> str:
    """Write one frozen dataclass for an event."""
    parameters = [_topic_shape(p) if p["indexed"] else p for p in item["inputs"]]
    fields = names.arguments(parameters, names.FIELDS)
    topics = [p for p, original in zip(parameters, item["inputs"], strict=True) if original["indexed"]]
    data = [p for p, original in zip(parameters, item["inputs"], strict=True) if not original["indexed"]]
    places = {id(p): f"topics[{i}]" for i, p in enumerate(topics)} | {id(p): f"data[{i}]" for i, p in enumerate(data)}
    made = [f"{n}={shapes.made(p, places[id(p)])}" for n, p in zip(fields, parameters, strict=True)]
    signature = names.signature(item)
    first = "None" if item["anonymous"] else f'Hash32("0x{topic(item)}")'
    split = f"cls._split(log, {_types(topics)}, {_types(data)})"
    body = [f"        topics, data = {split}", f"        return cls({', '.join(made)})"]
    unread = [f"        {split}", "        return cls()"]
    return "\n".join(
        [
            "@dataclass(frozen=True, slots=True)",
            f"class {python}(Event):",
            docstring(doc, signature, 4),
            "",
            f'    SIGNATURE: ClassVar[str] = "{signature}"',
            f"    TOPIC: ClassVar[Hash32 | None] = {first}",
            *_fields(parameters, fields, doc.params, shapes),
            "",
            "    @classmethod",
            "    def decode(cls, log: Log) -> Self:",
            '        """Read it from a log; raises NotThisEvent when the log is another event."""',
            *(body if made else unread),
        ]
    )


@dataclass(slots=True)
class Module:
    """One contract's module in the making: the class bodies, and the names it defines."""

    compiled: Compiled
    documentation: Documentation
    shapes: Shapes
    taken: set[str]
    results: list[str] = field(default_factory=list)
    defined: list[str] = field(default_factory=list)

    def _result(self, method: str, item: Json, doc: Doc) -> tuple[str, str]:
        """Return a function's result annotation and the code that makes it from `raw`."""
        outputs = item["outputs"]
        if not outputs:
            return "None", ""
        if len(outputs) == 1:
            return self.shapes.given(outputs[0]), self.shapes.made(outputs[0], "raw[0]")
        python = "".join(names.camel(word) for word in method.split("_")) + "Result"
        while python in self.taken:
            python += "_"
        self.taken.add(python)
        named = Named(python, {"components": outputs}, Doc(f"What `{item['name']}` returns.", params=doc.returns))
        self.results.append(
            struct(named, f"{names.signature(item)} returns {_types(outputs)}".replace('"', ""), self.shapes)
        )
        self.defined.append(python)
        return python, f"{python}.from_abi(raw)"

    def function(self, method: str, item: Json) -> str:
        """Write one method: a read for view and pure functions, otherwise one that returns a Call."""
        payable = item["stateMutability"] == "payable"
        inputs = item["inputs"]
        python = names.arguments(inputs, names.PAYABLE_PARAMETERS if payable else names.PARAMETERS)
        signature = names.signature(item)
        doc = self.documentation.function(signature)
        told = _about(inputs, python, doc.params)
        parameters = "".join(f", {n}: {self.shapes.taken(p)}" for n, p in zip(python, inputs, strict=True))
        carried = f'"{selector(item)}", {_types(inputs)}, {_tuple(python)}'
        if item["stateMutability"] not in ("view", "pure"):
            text = docstring(doc, signature, 8, told)
            wei = ", *, value: int" if payable else ""
            last = ", value" if payable else ""
            return (
                f"    def {method}(self{parameters}{wei}) -> Call:\n{text}\n        return self._call({carried}{last})"
            )
        annotation, made = self._result(method, item, doc)
        results = [("", about) for about in doc.returns.values()] if len(item["outputs"]) == 1 else []
        text = docstring(doc, signature, 8, told, results)
        read = f"await self._read({carried}, {_types(item['outputs'])})"
        body = f"        raw = {read}\n        return {made}" if made else f"        {read}"
        return f"    async def {method}(self{parameters}) -> {annotation}:\n{text}\n{body}"

    def deploy(self) -> str:
        """Write the constructor as a class method that returns a Creation; nothing for an interface."""
        if not self.compiled.creation:
            return ""
        constructors = [item for item in self.compiled.abi if item["type"] == "constructor"]
        absent: Json = {"inputs": [], "stateMutability": "nonpayable"}
        item = constructors[0] if constructors else absent
        payable = item["stateMutability"] == "payable"
        python = names.arguments(item["inputs"], names.PAYABLE_PARAMETERS if payable else names.PARAMETERS)
        doc = self.documentation.function("constructor")
        parameters = "".join(f", {n}: {self.shapes.taken(p)}" for n, p in zip(python, item["inputs"], strict=True))
        declaration = f"constructor({','.join(canonical(p) for p in item['inputs'])})"
        text = docstring(doc, declaration, 8, _about(item["inputs"], python, doc.params))
        wei = ", *, value: int = 0" if payable else ""
        last = ", value" if payable else ""
        return (
            f"    @classmethod\n    def deploy(cls{parameters}{wei}) -> Creation:\n{text}\n"
            f"        return cls._creation({_types(item['inputs'])}, {_tuple(python)}{last})"
        )

    def unnamed(self) -> list[str]:
        """Write `receive` and `fallback`, where the contract has them."""
        kinds = {item["type"]: item for item in self.compiled.abi}
        methods = []
        if "receive" in kinds:
            methods.append(
                "    def receive(self, *, value: int) -> Call:\n"
                '        """Send wei without calldata."""\n'
                '        return Call(self.address, b"", value)'
            )
        if "fallback" in kinds:
            wei, last = (
                (", *, value: int = 0", ", value") if kinds["fallback"]["stateMutability"] == "payable" else ("", "")
            )
            methods.append(
                f"    def fallback(self, calldata: bytes{wei}) -> Call:\n"
                '        """Send calldata that no function answers to."""\n'
                f"        return Call(self.address, calldata{last})"
            )
        return methods

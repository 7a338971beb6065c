"""Writes the classes of generated modules: structs, enums, errors, events, contracts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from usufruct.chain.abi import fits_topic
from usufruct.chain.generate import names
from usufruct.chain.generate.artifact import Compiled, Json
from usufruct.chain.generate.documentation import Doc, docstring, written_of_function
from usufruct.chain.generate.names import Shapes, canonical, tuple_type

_VALUE = "@value"
_EXCEPTION = "@dataclass(eq=False)"


def _class(head: str, doc: Doc, members: Sequence[str]) -> str:
    return "\n".join([head, *docstring(doc, 4), *members])


def _fields(parameters: Sequence[Json], reserved: frozenset[str], doc: Doc, shapes: Shapes) -> list[str]:
    """Write a field for each parameter, and under it what is written about it."""
    lines = []
    for parameter, name in zip(parameters, names.arguments(parameters, reserved), strict=True):
        lines += [
            f"    {name}: {shapes.annotation(parameter)}",
            *docstring(Doc(doc.params.get(parameter["name"], "")), 4),
        ]
    return lines


def enum(python: str, node: Json, doc: Doc) -> str:
    """Write one enum from its syntax-tree node."""
    members = [f"    {names.safe(names.snake(m['name']).upper(), ())} = {i}" for i, m in enumerate(node["members"])]
    return _class(f"class {python}(Choice):", doc, members)


def struct(python: str, components: Sequence[Json], doc: Doc, shapes: Shapes) -> str:
    """Write the value class of a struct, or of several results of one function."""
    return _class(f"{_VALUE}\nclass {python}(Struct):", doc, _fields(components, names.FIELDS, doc, shapes))


def error(python: str, item: Json, doc: Doc, shapes: Shapes) -> str:
    """Write the exception class of a custom error."""
    head = f'{_EXCEPTION}\nclass {python}(Revert, code="{names.snake(item["name"])}"):'
    lines = [f'    SIGNATURE = "{names.signature(item)}"']
    lines += [f"    NOTICE = {doc.notice!r}"] if doc.notice else []
    lines += _fields(item["inputs"], names.ERROR_FIELDS, doc, shapes)
    return _class(head, doc, lines)


def event(python: str, item: Json, doc: Doc, shapes: Shapes) -> str:
    """Write the value class of an event; of a value that does not fit its topic, the topic holds the hash."""
    kinds = [canonical(parameter) + (" indexed" if parameter["indexed"] else "") for parameter in item["inputs"]]
    shown = [
        {"name": p["name"], "type": "bytes32"} if p["indexed"] and not fits_topic(canonical(p)) else p
        for p in item["inputs"]
    ]
    lines = [f'    DECLARATION = "{item["name"]}({",".join(kinds)})"', *_fields(shown, names.FIELDS, doc, shapes)]
    return _class(f"{_VALUE}\nclass {python}(Event):", doc, lines)


@dataclass(slots=True)
class ContractWriter:
    """Writes the class of one contract. `taken`: class names of its module; `results`: classes of several results."""

    compiled: Compiled
    shapes: Shapes
    taken: set[str]
    results: dict[str, str] = field(default_factory=dict)

    def contract(self, python: str, events: Sequence[str], doc: Doc) -> str:
        """Write the class: its artifact, its events, and a method for the constructor and each function."""
        functions = [item for item in self.compiled.abi if item["type"] == "function"]
        constants = ["    __slots__ = ()", '    ARTIFACT = Artifact(Path(__file__).with_suffix(".json"))']
        constants += [f"    EVENTS = ({', '.join(events)},)"] if events else []
        methods = [self._function(method, item) for method, item in names.methods(functions)]
        if self.compiled.creation:
            methods.insert(0, self._deploy())
        return "\n\n".join([_class(f"class {python}(Contract):", doc, constants), *methods])

    def _deploy(self) -> str:
        """Write the constructor as a class method that returns a Creation."""
        constructors = [item for item in self.compiled.abi if item["type"] == "constructor"]
        inputs = constructors[0]["inputs"] if constructors else []
        doc = written_of_function(self.compiled, "constructor")
        declared, passed, described = self._parameters(inputs, names.PARAMETERS, doc)
        head = f"    @classmethod\n    def deploy(cls{declared}) -> Creation:"
        body = f'        return cls._creation("{tuple_type(inputs)}"{passed})'
        return "\n".join([head, *docstring(doc, 8, described), body])

    def _function(self, method: str, item: Json) -> str:
        """Write one method: a read for view and pure functions, otherwise one that returns a Call."""
        signature, payable = names.signature(item), item["stateMutability"] == "payable"
        doc = written_of_function(self.compiled, signature)
        reserved = names.PAYABLE_PARAMETERS if payable else names.PARAMETERS
        declared, passed, described = self._parameters(item["inputs"], reserved, doc)
        if item["stateMutability"] not in ("view", "pure"):
            wei, sent = (", *, value: int", ", value=value") if payable else ("", "")
            head = f"    def {method}(self{declared}{wei}) -> Call:"
            body = f'        return self._call("{signature}"{passed}{sent})'
            return "\n".join([head, *docstring(doc, 8, described), body])
        outputs = item["outputs"]
        kind = self._result(method, item, doc)
        results = [("", about) for about in doc.returns.values()] if len(outputs) == 1 else []
        head = f"    async def {method}(self{declared}) -> {kind if outputs else None}:"
        read = f'await self._read({kind}, "{signature} returns {tuple_type(outputs)}"{passed})'
        body = f"        return {read}" if outputs else f"        {read}"
        return "\n".join([head, *docstring(doc, 8, described, results), body])

    def _parameters(
        self, inputs: Sequence[Json], reserved: frozenset[str], doc: Doc
    ) -> tuple[str, str, list[tuple[str, str]]]:
        """Return a method's parameters as it declares them, as it passes them on, and what is written about each."""
        python = names.arguments(inputs, reserved)
        kinds = [self.shapes.annotation(parameter, "Sequence[{}]") for parameter in inputs]
        declared = "".join(f", {name}: {kind}" for name, kind in zip(python, kinds, strict=True))
        described = [(name, doc.params.get(p["name"], "")) for name, p in zip(python, inputs, strict=True)]
        return declared, "".join(f", {name}" for name in python), described

    def _result(self, method: str, item: Json, doc: Doc) -> str:
        """Return the annotation of a function's result; several results make a class."""
        outputs = item["outputs"]
        if len(outputs) < 2:
            return self.shapes.annotation(outputs[0]) if outputs else "tuple"
        python = names.class_name("".join(word.capitalize() for word in method.split("_")) + "Result", self.taken)
        about = Doc(f"What `{item['name']}` returns.", params=doc.returns)
        self.results[python] = struct(python, outputs, about, self.shapes)
        return python

"""Generated bindings against web3's dynamic contracts, on random values: calldata, answers, events, errors."""

import asyncio
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from eth_abi import encode as abi_encode
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3.contract import Contract as Web3Contract

from tests.support.abi_values import split, values
from usufruct.chain import Call, Log, Revert, UnreadableAnswer, contracts, keccak
from usufruct.chain.codec import Struct, decode, encode
from usufruct.chain.contract_base import Contract, Event, Reader
from usufruct.chain.generate import names
from usufruct.chain.generate.names import canonical, declared
from usufruct.chain.revert import decode_revert
from usufruct.core import Address, Hash32, Invalid

ADDRESS = Address("0x" + "ab" * 20)
BOUND = [module.rpartition(".")[2] for module in contracts.ERRORS.modules if not module.endswith(".shared")]
few = settings(max_examples=25, deadline=None)


def bounded(parameter: dict) -> st.SearchStrategy[Any]:
    """Random values of a parameter; enums have few members, so their numbers stay small."""
    kind = parameter["type"]
    if declared(parameter)[0] == "enum" and "[" not in kind:
        return st.integers(0, 2)
    if kind.startswith("tuple"):
        element = st.tuples(*map(bounded, parameter["components"]))
        for size in [part.rstrip("]") for part in kind.split("[")[1:]]:
            bounds = {"min_size": int(size), "max_size": int(size)} if size else {"max_size": 3}
            element = st.lists(element, **bounds).map(tuple)
        return element
    return values(canonical(parameter))


def typed(module: ModuleType, parameter: dict, value: Any) -> Any:
    """The Python value of a raw one: structs as their dataclasses, arrays as lists."""
    kind = parameter["type"]
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return [typed(module, inner, item) for item in value]
    if kind == "tuple":
        cls = getattr(module, names.class_name(declared(parameter)[1].rpartition(".")[2], set()))
        return cls(*(typed(module, c, v) for c, v in zip(parameter["components"], value, strict=True)))
    return value


def raw(value: Any) -> Any:
    """The opposite of `typed`."""
    if isinstance(value, Struct):
        return tuple(raw(getattr(value, field.name)) for field in fields(value))
    return tuple(map(raw, value)) if isinstance(value, list | tuple) else value


def methods(contract: type[Contract]) -> dict[str, Callable[..., Any]]:
    """The generated methods by their Solidity signature, which each of them holds."""
    found = {}
    for name, method in inspect.getmembers(contract, inspect.isfunction):
        if method.__qualname__.startswith(f"{contract.__name__}."):
            texts = (text for text in method.__code__.co_consts if isinstance(text, str))
            found |= {
                text.partition(" returns ")[0]: name
                for text in texts
                if re.fullmatch(r"\w+\(\S*\)( returns \(.*\))?", text)
            }
    return found


class Echo(Reader):
    """Answers every call with the same bytes, and remembers it."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.asked: Call | None = None

    async def call(self, call: Call, *, block: object = "latest", sender: object = None) -> bytes:
        self.asked = call
        return self.answer


@pytest.fixture(scope="module", params=["fixture", *BOUND])
def module(request: pytest.FixtureRequest) -> ModuleType:
    """Each generated module: the fixture's and every real contract's."""
    if request.param == "fixture":
        return request.getfixturevalue("traps")
    return import_module(f"usufruct.chain.contracts.{request.param}")


@pytest.fixture(scope="module")
def contract(module: ModuleType) -> type[Contract]:
    """The contract class of the module."""
    classes = [
        c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, Contract) and c is not Contract
    ]
    assert len(classes) == 1
    return classes[0]


@pytest.fixture(scope="module")
def oracle(contract: type[Contract]) -> Web3Contract:
    """web3's dynamic contract for the same ABI."""
    return Web3().eth.contract(Web3.to_checksum_address(ADDRESS), abi=contract.ARTIFACT.abi)


def items(contract: type[Contract], kind: str) -> list[dict]:
    return [item for item in contract.ARTIFACT.abi if item["type"] == kind]


def test_every_function_has_one_method(contract: type[Contract]):
    signatures = {names.signature(item) for item in items(contract, "function")}
    assert methods(contract).keys() == signatures


def test_calldata_is_what_web3_encodes(module: ModuleType, contract: type[Contract], oracle: Web3Contract):
    by_signature = methods(contract)
    if not by_signature:
        pytest.skip("it is only ever created")

    @few
    @given(st.data())
    def check(data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(items(contract, "function")))
        arguments = [data.draw(bounded(parameter)) for parameter in item["inputs"]]
        given_ = [typed(module, p, a) for p, a in zip(item["inputs"], arguments, strict=True)]
        extra = {"value": 5} if item["stateMutability"] == "payable" else {}
        echo = Echo(encode_outputs(item, data))
        made = getattr(contract(ADDRESS, echo), by_signature[names.signature(item)])(*given_, **extra)
        if inspect.iscoroutine(made):
            asyncio.run(made)
            made = echo.asked
        theirs = oracle.get_function_by_signature(names.signature(item))(*checksummed(item["inputs"], arguments))
        assert made == Call(ADDRESS, bytes.fromhex(theirs._encode_transaction_data()[2:]), extra.get("value", 0))

    check()


def encode_outputs(item: dict, data: st.DataObject) -> bytes:
    outputs = [data.draw(bounded(parameter)) for parameter in item["outputs"]]
    return abi_encode([canonical(parameter) for parameter in item["outputs"]], outputs)


def checksummed(parameters: list[dict], arguments: list[Any]) -> list[Any]:
    """web3 takes addresses with checksums only."""
    return [_checksummed(canonical(p), a) for p, a in zip(parameters, arguments, strict=True)]


def _checksummed(kind: str, value: Any) -> Any:
    if kind.endswith("]"):
        return [_checksummed(kind[: kind.rindex("[")], item) for item in value]
    if kind.startswith("("):
        return tuple(_checksummed(k, v) for k, v in zip(split(kind[1:-1]), value, strict=True))
    return Web3.to_checksum_address(value) if kind == "address" else value


def test_answers_come_back_as_they_were_given(contract: type[Contract]):
    views = [item for item in items(contract, "function") if item["stateMutability"] in {"view", "pure"}]
    if not views:
        pytest.skip("no views")
    by_signature = methods(contract)

    @few
    @given(st.data())
    def check(data: st.DataObject) -> None:
        item = data.draw(st.sampled_from([view for view in views if not view["inputs"]] or views))
        outputs = [data.draw(bounded(parameter)) for parameter in item["outputs"]]
        echo = Echo(abi_encode([canonical(parameter) for parameter in item["outputs"]], outputs))
        inputs = [data.draw(values(canonical(parameter))) for parameter in item["inputs"]]
        result = asyncio.run(getattr(contract(ADDRESS, echo), by_signature[names.signature(item)])(*inputs))
        expected = tuple(outputs) if len(outputs) != 1 else outputs[0]
        assert (raw(result) if outputs else ()) == expected

    check()


def test_events_are_read_as_web3_reads_them(module: ModuleType, contract: type[Contract], oracle: Web3Contract):
    classes = {cls.DECLARATION.replace(" indexed", ""): cls for cls in contract.EVENTS}
    events = [item for item in items(contract, "event") if not item["anonymous"]]
    assert set(classes) == {names.signature(item) for item in events}
    if not events:
        pytest.skip("no events")

    @few
    @given(st.data())
    def check(data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(events))
        log, arguments = random_log(item, data)
        event = classes[names.signature(item)].decode(log)
        assert contract.decode_log(log) == event
        found = tuple(raw(getattr(event, field.name)) for field in fields(event))
        assert found == tuple(arguments)
        web3_can = not any(p["indexed"] and p["type"] == "tuple" for p in item["inputs"])  # it takes the hash for data
        if web3_can:
            event_of = oracle.get_event_by_signature(names.signature(item))
            theirs = event_of.process_log(as_receipt_entry(log))["args"]
            ours = {p["name"]: a for p, a in zip(item["inputs"], arguments, strict=True) if p["name"]}
            assert {name: lowered(theirs[name]) for name in ours} == {name: lowered(ours[name]) for name in ours}

    check()


def lowered(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x"):
        return value.lower()
    if isinstance(value, Mapping):
        return tuple(lowered(item) for item in value.values())
    return tuple(map(lowered, value)) if isinstance(value, list | tuple) else value


def random_log(item: dict, data: st.DataObject) -> tuple[Log, list[Any]]:
    """A log of the event, and what its fields should be: hashes where a value does not fit a topic."""
    topics = [keccak(names.signature(item).encode())]
    arguments, plain = [], []
    for parameter in item["inputs"]:
        kind = canonical(parameter)
        hashed = parameter["indexed"] and (kind in {"string", "bytes"} or kind[-1] in "])")
        value = data.draw(values("bytes32") if hashed else bounded(parameter))
        arguments.append(value)
        if parameter["indexed"]:
            topics.append(value if hashed else abi_encode([kind], [value]))
        else:
            plain.append((kind, value))
    body = abi_encode([kind for kind, _ in plain], [value for _, value in plain])
    zero = Hash32("0x" + "00" * 32)
    return Log(ADDRESS, tuple(Hash32("0x" + topic.hex()) for topic in topics), body, 1, zero, zero, 0), arguments


def as_receipt_entry(log: Log) -> dict[str, Any]:
    return {
        "address": Web3.to_checksum_address(log.address),
        "topics": [bytes.fromhex(topic[2:]) for topic in log.topics],
        "data": log.data,
        "blockNumber": 1,
        "blockHash": bytes(32),
        "transactionHash": bytes(32),
        "transactionIndex": 0,
        "logIndex": 0,
    }


def test_errors_are_read_from_revert_data(module: ModuleType, contract: type[Contract]):
    errors = items(contract, "error")
    if not errors:
        pytest.skip("no errors")
    table = import_module(module.__package__).ERRORS

    @few
    @given(st.data())
    def check(data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(errors))
        arguments = [data.draw(bounded(parameter)) for parameter in item["inputs"]]
        kinds = [canonical(parameter) for parameter in item["inputs"]]
        selector = keccak(names.signature(item).encode())[:4]
        error = decode_revert(selector + abi_encode(kinds, arguments), table)
        assert isinstance(error, Revert)
        assert names.signature(item) == error.SIGNATURE
        assert getattr(module, type(error).__name__) is type(error)
        attributes = names.arguments(item["inputs"], names.ERROR_FIELDS)
        assert [raw(getattr(error, attribute)) for attribute in attributes] == arguments

    check()


def test_values_that_do_not_fit_are_refused():
    for kind, value in [
        ("uint8", 256),
        ("uint8", -1),
        ("int8", 128),
        ("bytes32", b"short"),
        ("bytes4", b"12345"),
        ("address", "0x12"),
        ("bool", 1),
        ("uint8[2]", (1, 2, 3)),
        ("uint256", "1"),
    ]:
        with pytest.raises(Invalid, match=rf"\({kind.replace('[', chr(92) + '[')}"):
            encode((kind,), (value,))


def test_answers_that_are_too_short_or_malformed_are_refused():
    bad_text = abi_encode(["bytes"], [b"\xff\xfe"])
    for kind, data in [("uint256", b""), ("uint256", bytes(31)), ("bool", bytes(31) + b"\x02"), ("string", bad_text)]:
        with pytest.raises(UnreadableAnswer, match=r"is (the right|there a) contract"):
            decode((kind,), data)


async def test_a_number_that_is_no_member_of_an_enum_is_refused(traps: ModuleType):
    contract = traps.Traps(ADDRESS, Echo(abi_encode(["uint8"], [3])))
    with pytest.raises(UnreadableAnswer, match="3 is not a Size"):
        await contract.size(traps.Size.XXL)


def test_another_event_is_not_decoded(traps: ModuleType):
    log = Log(ADDRESS, (traps.Nothing.TOPIC,), b"", 1, Hash32("0x"), Hash32("0xaa"), 4)
    assert traps.Nothing.decode(log) == traps.Nothing()
    wrong: list[type[Event]] = [traps.Drawn, traps.Signed]
    for event in wrong:
        with pytest.raises(Invalid, match="log 4 of 0xaa is "):
            event.decode(log)
    assert traps.Traps.decode_log(Log(ADDRESS, (), b"", 1, Hash32("0x"), Hash32("0x"), 0)) is None

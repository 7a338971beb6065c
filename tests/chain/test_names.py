"""Solidity names in Python: words, reserved names, overloads."""

import pytest

from usufruct.chain.generate import names


@pytest.mark.parametrize(
    ("solidity", "python"),
    [
        ("balanceOf", "balance_of"),
        ("DOMAIN_SEPARATOR", "domain_separator"),
        ("eip712Domain", "eip712_domain"),
        ("tokenURI", "token_uri"),
        ("ERC3009DepositCollector", "erc3009_deposit_collector"),
        ("_owner", "owner"),
        ("owner_", "owner"),
        ("x", "x"),
        ("$price", "price"),
        ("getX402Id", "get_x402_id"),
    ],
)
def test_words_are_separated(solidity: str, python: str):
    assert names.snake(solidity) == python


def parameter(name: str, kind: str = "uint256") -> dict:
    return {"name": name, "type": kind, "internalType": kind}


def function(name: str, *inputs: dict) -> dict:
    return {"type": "function", "name": name, "inputs": list(inputs)}


def test_keywords_and_names_the_code_needs_get_an_underscore():
    given = [parameter(name) for name in ("from", "import", "self", "int", "id", "type")]
    assert names.arguments(given, names.PARAMETERS) == ["from_", "import_", "self_", "int_", "id", "type"]


def test_unnamed_and_equal_arguments_are_told_apart():
    given = [parameter(""), parameter("a"), parameter("_a"), parameter(""), parameter("9")]
    assert names.arguments(given, ()) == ["arg0", "a", "a_", "arg3", "arg4"]


def overloads(*items: dict) -> list[tuple[str, str]]:
    return [(python, names.signature(item)) for python, item in names.methods(items)]


def test_overloads_are_named_after_the_arguments_the_first_lacks():
    token, to, data = parameter("token", "address"), parameter("to", "address"), parameter("data", "bytes")
    assert overloads(
        function("collect", token, to), function("collect", token), function("collect", token, to, data)
    ) == [
        ("collect", "collect(address)"),
        ("collect_to", "collect(address,address)"),
        ("collect_to_data", "collect(address,address,bytes)"),
    ]


def test_overloads_without_names_of_their_own_are_named_after_types():
    by_number, by_address = function("set", parameter("to")), function("set", parameter("to", "address"))
    assert overloads(by_number, by_address) == [("set", "set(address)"), ("set_uint256", "set(uint256)")]


def test_overload_names_do_not_depend_on_the_order_of_the_abi():
    items = [
        function("a", parameter("x")),
        function("a"),
        function("aX", parameter("y")),
        function("a", parameter("x", "address")),
    ]
    assert overloads(*items) == overloads(*reversed(items))
    assert len({python for python, _ in overloads(*items)}) == 4


def test_names_that_only_differ_in_case_are_overloads_of_each_other():
    assert [python for python, _ in overloads(function("fooBar"), function("foo_bar", parameter("z")))] == [
        "foo_bar",
        "foo_bar_z",
    ]
    assert overloads(function("version"), function("VERSION")) == [("version", "VERSION()"), ("version_", "version()")]

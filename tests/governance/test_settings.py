"""What calls are said to set exists: each function, its view, the new value's place, and a text for pages."""

import re
from pathlib import Path

import pytest

import usufruct
from usufruct.chain.interface import Function, interface_of
from usufruct.governance.settings import SETTINGS, Setting, Unit

KIT = Path(usufruct.__file__).parent / "governance" / "templates" / "proposal_kit.html"
KINDS = {
    Unit.BPS: "uint",
    Unit.SECONDS: "uint",
    Unit.SCORE: "uint",
    Unit.ACCOUNT: "address",
    Unit.FLAG: "bool",
    Unit.TEXT: "string",
}
EVERY = [
    (contract, function, setting)
    for contract, functions in SETTINGS.items()
    for function, settings in functions.items()
    for setting in settings
]


def function_of(contract: str, signature: str) -> Function:
    interface = interface_of(contract)
    assert interface is not None, contract
    (found,) = [each for each in interface.functions if each.signature == signature]
    return found


@pytest.mark.parametrize(
    ("contract", "function", "setting"), EVERY, ids=[f"{each[0]}.{each[1]} {each[2].key}" for each in EVERY]
)
def test_a_setting_names_what_its_contract_has(contract: str, function: str, setting: Setting):
    call, view = function_of(contract, function), function_of(contract, setting.view)
    assert view.reads
    assert not call.reads
    assert [call.inputs[place].type for place in setting.keys] == [each.type for each in view.inputs]
    assert view.outputs[setting.result].type.startswith(KINDS[setting.unit])
    if setting.argument is not None:
        assert call.inputs[setting.argument].type.startswith(KINDS[setting.unit])
    else:
        assert (setting.value is None) is (setting.unit is Unit.ACCOUNT), "the caller, or a value that is always set"


def test_pages_have_a_text_for_each_and_no_more():
    labels = re.search(r"set labels = {(.*?)} %}", KIT.read_text(), re.DOTALL)
    assert labels is not None
    assert set(re.findall(r'"(\w+)": gettext', labels[1])) == {setting.key for _, _, setting in EVERY}

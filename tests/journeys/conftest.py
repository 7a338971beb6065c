"""The devnet of `tests/payments/settlement/conftest.py` and the command line of `tests/cli`."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType


def _conftest(room: str) -> ModuleType:
    spec = spec_from_file_location(f"{Path(room).name}_conftest", Path(__file__).parents[1] / room / "conftest.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_shared, _cli = _conftest("payments/settlement"), _conftest("cli")

settlement_world = _shared.settlement_world
settled_chain = _shared.settled_chain
anvil = _shared.anvil
client = _shared.client
make_town = _shared.make_town
town = _shared.town

cli_world = _cli.cli_world

"""The devnet and the parts that settle, as in `tests/payments/conftest.py`."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_spec = spec_from_file_location("payments_conftest", Path(__file__).parents[1] / "payments" / "conftest.py")
_shared = module_from_spec(_spec)
_spec.loader.exec_module(_shared)

settlement_world = _shared.settlement_world
settled_chain = _shared.settled_chain
anvil = _shared.anvil
client = _shared.client
make_town = _shared.make_town
town = _shared.town

"""The devnet of the settlement tests and the command line of `tests/cli`."""

from tests.cli.conftest import cli_world as cli_world
from tests.payments.settlement.conftest import anvil as anvil
from tests.payments.settlement.conftest import client as client
from tests.payments.settlement.conftest import make_town as make_town
from tests.payments.settlement.conftest import settled_chain as settled_chain
from tests.payments.settlement.conftest import settlement_world as settlement_world
from tests.payments.settlement.conftest import town as town

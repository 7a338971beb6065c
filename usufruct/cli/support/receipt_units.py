"""What receipts' amounts are in, for people: the token by its symbol where it is agreed, else by its address."""

from dataclasses import dataclass

from usufruct.chain import Client, Revert, UnreadableAnswer
from usufruct.chain.contracts.erc20 import Erc20
from usufruct.cli.support.deposits import configured_token
from usufruct.cli.support.local_store import saved_channel
from usufruct.cli.support.node import ask_node
from usufruct.config import Config
from usufruct.core import Address, UsufructError, checksum, format_units, hash32
from usufruct_client import Receipt


@dataclass(frozen=True, slots=True)
class ReceiptUnit:
    """A token's decimals, and what its amounts are called."""

    decimals: int
    name: str

    def shown(self, amount: int) -> str:
        """Write an amount without its unit."""
        return format_units(amount, self.decimals)

    def words(self, amount: int) -> str:
        """Write an amount with its unit."""
        return f"{self.shown(amount)} {self.name}"


class ReceiptUnits:
    """The units of receipts; a token that is not agreed is asked for its decimals once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._asked: dict[str, ReceiptUnit] = {}

    def of(self, receipt: Receipt) -> ReceiptUnit:
        """Return a receipt's unit; atomic units of a token that does not tell its decimals now."""
        saved = saved_channel(self._config, hash32(receipt.account))
        agreed = saved.token if saved else None
        if agreed is not None and agreed.address == receipt.token:
            return ReceiptUnit(agreed.decimals, agreed.symbol)
        if receipt.token not in self._asked:
            self._asked[receipt.token] = self._ask(Address(receipt.token))
        return self._asked[receipt.token]

    def _ask(self, token: Address) -> ReceiptUnit:
        known = token == configured_token(self._config)

        async def unit(node: Client) -> ReceiptUnit:
            contract = Erc20(token, node)
            return ReceiptUnit(await contract.decimals(), await contract.symbol() if known else f"of {checksum(token)}")

        try:
            return ask_node(self._config, unit)
        except (Revert, UnreadableAnswer, UsufructError):
            return ReceiptUnit(0, f"atomic units of {token}")

"""Every role of every contract of an installation, found by the contracts' own interfaces, and who holds it.

A role is a view that names an account, or tells of an account whether it may do something. What is found here and is no
role is named in `NO_ROLE`: a new contract or view that is in neither list shows up as a role that no table publishes.
"""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from usufruct.chain import Call, Client
from usufruct.chain import contracts as generated
from usufruct.chain.codec import decode, encode
from usufruct.chain.contract_base import Contract
from usufruct.chain.deployment import Deployments
from usufruct.chain.hashing import selector
from usufruct.core import ZERO_ADDRESS, Address

NO_ROLE = {
    *("IMPLEMENTATION", "REGISTRY", "SHARES_IMPLEMENTATION", "WRAPPED_NATIVE"),  # contracts, fixed at deployment
    *("ESCROW", "PLATFORM_TOKEN", "REVENUE_TOKEN", "TOKEN", "settlement", "token", "x402BatchSettlement"),
    *("LEVELS", "ROOM"),
    *("isRevenueToken", "isShares"),  # lists of contracts
}

Power = tuple[str, str, str]
"""Contract, role, holder."""


def contract_of(name: str) -> type[Contract]:
    """Return a generated contract by its name."""
    for module in iter_modules(generated.__path__):
        found = getattr(import_module(f"{generated.__name__}.{module.name}"), name, None)
        if isinstance(found, type) and issubclass(found, Contract):
            return found
    raise KeyError(name)


async def read_powers(client: Client, deployments: Deployments, names: dict[Address, str]) -> set[Power]:
    """Return every role and its holder, by name; an account without a name is shown by its address."""
    logs = await client.logs(0, await client.block_number())
    words = {topic[-40:] for log in logs for topic in log.topics if topic.startswith("0x" + "0" * 24)}
    accounts = {Address("0x" + word) for word in words} | {log.address for log in logs} | set(names) | {ZERO_ADDRESS}
    found: set[Power] = set()
    for name, deployed in deployments.contracts.items():
        asked = _Asked(client, deployed.address, contract_of(name).ARTIFACT.abi)
        for role, holders in await asked.roles(accounts):
            found |= {(name, role, names.get(holder, holder)) for holder in holders or {ZERO_ADDRESS}}
    return found


class _Asked:
    """One contract, asked about its roles."""

    def __init__(self, client: Client, place: Address, abi: list[dict[str, Any]]) -> None:
        self._client, self._place = client, place
        self._views = [each for each in abi if each.get("stateMutability") in ("view", "pure")]

    async def roles(self, accounts: Iterable[Address]) -> list[tuple[str, set[Address]]]:
        """Return each role and who of the accounts holds it."""
        found = []
        for view in self._views:
            name, takes, gives = view["name"], _types(view["inputs"]), _types(view["outputs"])
            if name in NO_ROLE:
                continue
            if not takes and gives[:1] == ["address"]:
                found.append((name, {(await self._ask(f"{name}()", [], [], gives))[0]}))
            elif takes == ["address"] and gives == ["bool"]:
                found.append((name, await self._among(accounts, name, ["address"], [])))
            elif not takes and gives[:1] == ["tuple"]:
                parts = view["outputs"][0]["components"]
                (values,) = await self._ask(f"{name}()", [], [], [f"({','.join(_types(parts))})"])
                named = zip(parts, values, strict=True)
                found += [(f"{name}.{part['name']}", {at}) for part, at in named if part["type"] == "address"]
            elif takes == ["address"] and gives == ["uint8"]:
                found.append((name, await self._among(accounts, name, ["address"], [], "uint8")))
            elif name.endswith("_ROLE"):
                role = (await self._ask(f"{name}()", [], [], gives))[0]
                found.append((name, await self._among(accounts, "hasRole", ["bytes32", "address"], [role])))
        return found

    async def _among(
        self, accounts: Iterable[Address], view: str, takes: list[str], first: list[Any], gives: str = "bool"
    ) -> set[Address]:
        signature = f"{view}({','.join(takes)})"
        return {each for each in accounts if (await self._ask(signature, takes, [*first, each], [gives]))[0]}

    async def _ask(self, signature: str, takes: list[str], values: list[Any], gives: list[str]) -> tuple[Any, ...]:
        call = Call(self._place, selector(signature) + encode(takes, values))
        return decode(gives, await self._client.call(call))


def _types(parameters: list[dict[str, Any]]) -> list[str]:
    return [each["type"] for each in parameters]

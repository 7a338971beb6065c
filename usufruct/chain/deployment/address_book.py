"""Where our contracts are: at the same addresses on every chain, and written down for each.

Everything goes through the deterministic deployer, whose CREATE2 makes an address from creation code, arguments and a
salt that holds name and version. So deploying is idempotent: code at the address means done. A new version is a new
deployment; nothing is upgraded in place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from usufruct.chain.client import Client
from usufruct.chain.contract_base import Call, Contract, Creation
from usufruct.chain.hashing import create2_address, keccak
from usufruct.core import Address, ChainId, Conflict, Invalid, NotFound, address, checksum, hash32_from_bytes
from usufruct.core.files import replace_file

DEPLOYER = Address("0x4e59b44847b379578588920ca78fbf26c0b4956c")
"""The deterministic deployer: calldata is a 32-byte salt and creation code."""

HORIZON_BLOCKS = 2_000
"""How deep a reorganisation may be."""


class NotDeployed(NotFound, code="not_deployed"):
    """A contract has no known address on this chain."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """Where one contract stands; `code_hash` is the Keccak-256 of its runtime code, 0x and hex.

    `block` is the one that it was made in; 0 when that was not seen here.
    """

    address: Address
    version: str
    code_hash: str
    block: int = 0


@dataclass(frozen=True, slots=True)
class Deployments:
    """What stands on one chain, by contract name; kept as `<chain id>.json`."""

    chain_id: ChainId
    contracts: Mapping[str, Deployed]

    def address(self, contract: type[Contract]) -> Address:
        """Return where a contract stands; raises `NotDeployed` when it does not."""
        name = contract.__name__
        if name not in self.contracts:
            message = f"{name} is not deployed on chain {self.chain_id}; run `usufruct deploy`"
            raise NotDeployed(message, contract=name, chain_id=self.chain_id)
        return self.contracts[name].address

    def first_block(self, contract: type[Contract]) -> int:
        """Return the block from which a contract's logs are read: before it was made, whatever a reorganisation does.

        Raises:
            NotDeployed: when it does not stand here.
        """
        self.address(contract)
        return max(0, self.contracts[contract.__name__].block - HORIZON_BLOCKS)

    @classmethod
    def read(cls, folder: Path, chain_id: ChainId) -> "Deployments":
        """Read a chain's file; nothing is deployed where there is none.

        Raises:
            Invalid: when the file is not JSON.
        """
        path = folder / f"{chain_id}.json"
        try:
            found = orjson.loads(path.read_bytes())["contracts"] if path.is_file() else {}
        except orjson.JSONDecodeError:
            raise Invalid(
                f"{path} is not JSON; remove it and run `usufruct deploy`, which finds what is deployed and writes it",
                field=path.name,
            ) from None
        contracts = {
            name: Deployed(address(each["address"]), each["version"], each["codeHash"], each.get("block", 0))
            for name, each in found.items()
        }
        return cls(chain_id, contracts)

    def write(self, folder: Path) -> None:
        """Write the chain's file, names sorted."""
        contracts = {
            name: {
                "address": checksum(each.address),
                "version": each.version,
                "codeHash": each.code_hash,
                "block": each.block,
            }
            for name, each in sorted(self.contracts.items())
        }
        content = orjson.dumps({"chainId": self.chain_id, "contracts": contracts}, option=orjson.OPT_INDENT_2)
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / f"{self.chain_id}.json", content + b"\n")

    async def verify(self, client: Client) -> None:
        """Check that the code at every address is still the one that was deployed.

        Raises:
            Conflict: when it is not; names the first that differs.
        """
        for name, each in self.contracts.items():
            if hash32_from_bytes(keccak(await client.code_at(each.address))) != each.code_hash:
                message = (
                    f"{name} at {each.address} on chain {self.chain_id} is not what was deployed there; is the RPC "
                    "address one of this chain?"
                )
                raise Conflict(message, code="wrong_code", contract=name, address=each.address)


def address_of(contract: type[Contract], creation: Creation) -> Address:
    """Return where a contract stands, or will, on every chain."""
    return create2_address(DEPLOYER, _salt(contract), creation.init_code)


def deployment_of(contract: type[Contract], creation: Creation) -> Call:
    """Return the call that puts a contract there."""
    return Call(DEPLOYER, _salt(contract) + creation.init_code)


def _salt(contract: type[Contract]) -> bytes:
    """Return the CREATE2 salt of a contract's version: the hash of `usufruct/<name>/<version>`."""
    return keccak(f"usufruct/{contract.__name__}/{contract.ARTIFACT.version}".encode())

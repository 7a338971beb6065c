"""The gateway that a command speaks to, by `--gateway` or this installation's own, and who signs for it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from typer import Option

from usufruct.chain.keys import KeySigner
from usufruct.cli.support.instance_lock import running_instance
from usufruct.config import Config
from usufruct.core import Address, Conflict, hash32_from_bytes
from usufruct_client import Gateway
from usufruct_client.eip712_messages import Domain, MessageType
from usufruct_client.typed_data import MessageHasher, message_values
from usufruct_client.wire import Terms

GatewayUrl = Annotated[
    str,
    Option(
        "--gateway",
        "-g",
        help="The gateway's address, such as https://ai.example.org; the default is this installation's.",
    ),
]


@dataclass(frozen=True, slots=True)
class Signature:
    """What the client library takes from a signer: 65 bytes."""

    signature: bytes


class WalletSigner:
    """A wallet's key as the client library's `Signer`."""

    def __init__(self, key: KeySigner) -> None:
        """Sign by `key`."""
        self.key = key

    @property
    def address(self) -> Address:
        """The signer's address."""
        return self.key.address

    def sign_typed_data(
        self, domain_data: dict[str, Any], message_types: dict[str, Any], message_data: dict[str, Any]
    ) -> Signature:
        """Sign EIP-712 typed data; of several structs the first is signed, and holds the others."""
        domain = Domain(domain_data["name"], domain_data["version"])
        primary, *parts = (_struct(name, fields) for name, fields in message_types.items())
        message = MessageType(primary, domain, tuple(map(MessageType, parts)))
        values = message_values(message, message_data)
        written = [hash32_from_bytes(each) if isinstance(each, bytes) else each for each in values]
        chain_id, contract = domain_data["chainId"], domain_data["verifyingContract"]
        return Signature(self.key.sign(MessageHasher(message).digest(chain_id, contract, *written)))


def _struct(name: str, fields: Sequence[Mapping[str, str]]) -> str:
    members = ",".join(f"{each['type']} {each['name']}" for each in fields)
    return f"{name}({members})"


@contextmanager
def open_gateway(given: str, config: Config) -> Iterator[Gateway]:
    """Open the gateway that `--gateway` names, or the configured one."""
    here = (running_instance(config.data.folder) or {}).get(
        "url", f"http://{config.gateway.host}:{config.gateway.port}"
    )
    with Gateway(given or str(here)) as gateway:
        yield gateway


def terms_of(gateway: Gateway, config: Config) -> Terms:
    """Return a gateway's terms."""
    terms = gateway.terms()
    if terms.chain_id != config.chain.id:
        raise Conflict(
            f"{gateway.url} takes money on chain {terms.chain_id}, chain.id is {config.chain.id}; set chain.id and "
            "chain.rpc_url if you mean that chain",
            code="wrong_chain",
        )
    return terms

"""The gateway that a command speaks to, by `--gateway` or this installation's own, and who signs for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from usufruct.chain.keys import KeySigner
from usufruct.cli.support.instance_lock import running_instance
from usufruct.config import Config
from usufruct.core import Conflict
from usufruct_client import Gateway
from usufruct_client.signing import typed_data_digest
from usufruct_client.wire import Terms

GatewayUrl = Annotated[
    str,
    typer.Option(
        "--gateway",
        "-g",
        help="The gateway's address, such as https://ai.example.org; the default is this installation's.",
    ),
]


class GatewayOnOtherChain(Conflict):
    """The gateway takes money on another chain than the configured one; nothing is signed for it."""

    code = "wrong_chain"


@dataclass(frozen=True, slots=True)
class Signature:
    """What the client library takes from a signer: 65 bytes."""

    signature: bytes


class WalletSigner:
    """A wallet's key as the client library's `Signer`."""

    def __init__(self, key: KeySigner) -> None:
        """Sign by `key`."""
        self._key = key

    @property
    def address(self) -> str:
        """The signer's address."""
        return self._key.address

    def sign_typed_data(
        self, domain_data: dict[str, Any], message_types: dict[str, Any], message_data: dict[str, Any]
    ) -> Signature:
        """Sign EIP-712 typed data."""
        return Signature(self._key.sign(typed_data_digest(domain_data, message_types, message_data)))


@contextmanager
def open_gateway(given: str, config: Config) -> Iterator[Gateway]:
    """Open the gateway that `--gateway` names, or the configured one."""
    here = (running_instance(config.data.folder) or {}).get(
        "url", f"http://{config.gateway.host}:{config.gateway.port}"
    )
    with Gateway(given or str(here)) as gateway:
        yield gateway


def terms_of(gateway: Gateway, config: Config) -> Terms:
    """Return a gateway's terms.

    Raises:
        GatewayOnOtherChain: when they are for another chain than the configured one.
        NotAllowed: when nothing should be signed under them.
    """
    terms = gateway.terms()
    if terms.chain_id != config.chain.id:
        raise GatewayOnOtherChain(
            f"{gateway.url} takes money on chain {terms.chain_id}, chain.id is {config.chain.id}; set chain.id and "
            "chain.rpc_url if you mean that chain"
        )
    return terms

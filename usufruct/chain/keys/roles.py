"""Whose key does what: the roles of an installation, each a separate secret."""

from enum import StrEnum

from usufruct.chain.keys.keystore import KeystoreMissing, keystore_address, open_keystore
from usufruct.chain.keys.signer import KeySigner, devnet_signer, refuse_devnet_key
from usufruct.config import Config, InvalidSetting
from usufruct.core import Address, ChainId, address, checksum
from usufruct.core.networks import is_devnet


class Role(StrEnum):
    """What a key of the installation is for; each is a separate secret.

    `OWNER` is cold: it lists payees and claim keys, and deploys. `CLAIM` sends claims and refunds, and is the meter of
    pass credits. `RELAYER` sends payers' deposits and operations of passkey accounts, and holds nothing but gas.
    `RECEIPTS` signs receipts and holds no money.
    """

    OWNER = "owner"
    CLAIM = "claim"
    RECEIPTS = "receipts"
    RELAYER = "relayer"


_DEVNET_ACCOUNTS = {Role.OWNER: 0, Role.CLAIM: 1, Role.RECEIPTS: 2, Role.RELAYER: 8}


def claim_address(config: Config) -> Address:
    """Return the claim key's address, without the key: as configured, or else as its keystore file names it.

    Raises:
        InvalidSetting: when it is neither configured nor in a keystore here, or the two differ.
    """
    path, named = config.keys.folder / f"{Role.CLAIM}.json", role_address(Role.CLAIM, config)
    if config.claims.address:
        configured = address(config.claims.address, "claims.address")
        if path.exists() and named not in {None, configured}:
            raise InvalidSetting(
                f"claims.address is {checksum(configured)}, and {path} is the key of {checksum(named or configured)}: "
                "correct one of them",
                key="claims.address",
            )
        return configured
    if named:
        return named
    raise InvalidSetting(
        "the claim key is missing: make it with `usufruct wallet new claim`; on a machine that shall not have it, set "
        "claims.address to its address",
        key="claims.address",
    )


def role_address(role: Role, config: Config) -> Address | None:
    """Return the address of a role's key, which stays closed; None where this machine does not have it."""
    path, chain_id = config.keys.folder / f"{role}.json", ChainId(config.chain.id)
    if path.exists():
        return keystore_address(path)
    return devnet_signer(_DEVNET_ACCOUNTS[role], chain_id).address if is_devnet(chain_id) else None


def signer_of(role: Role, config: Config) -> KeySigner:
    """Return a role's key: its keystore file, or on a devnet without one the public test account.

    Raises:
        KeystoreMissing: on any other chain without the file.
    """
    path, chain_id = config.keys.folder / f"{role}.json", ChainId(config.chain.id)
    if not path.exists():
        if is_devnet(chain_id):
            return devnet_signer(_DEVNET_ACCOUNTS[role], chain_id)
        message = f"the role {role} has no key: {path} does not exist; `usufruct wallet new {role}` makes one"
        raise KeystoreMissing(message, role=role, path=str(path))
    signer = open_keystore(path, config.keys.password.reveal())
    refuse_devnet_key(signer.address, chain_id)
    return signer


class ClosedKey(KeySigner):
    """A role's key, known by its address: the keystore is opened (most of a second) when it first signs."""

    __slots__ = ("_config", "_opened", "_role")

    def __init__(self, role: Role, config: Config, address: Address) -> None:
        self.address = address
        self._role = role
        self._config = config
        self._opened: KeySigner | None = None

    def sign(self, digest: bytes) -> bytes:
        """Sign as `KeySigner` does; errors are those of `signer_of`."""
        self._opened = self._opened or signer_of(self._role, self._config)
        return self._opened.sign(digest)


def closed_key(role: Role, config: Config) -> KeySigner:
    """Return a role's key for what may need no more than its address.

    Raises:
        KeystoreMissing: when this machine does not have it.
        Denied: when it is publicly known, and the chain is not a devnet.
    """
    known = role_address(role, config)
    if known is None:
        return signer_of(role, config)
    refuse_devnet_key(known, ChainId(config.chain.id))
    return ClosedKey(role, config, known)

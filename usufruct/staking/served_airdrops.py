"""The airdrops that an installation serves: their files, and where their contracts are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from usufruct.config import InvalidSetting
from usufruct.core import Address, Hash32, NotFound, hash32_from_bytes
from usufruct.staking.airdrop_file import AirdropFile


@dataclass(frozen=True, slots=True)
class ServedAirdrop:
    """An airdrop's open file, and its contract; None before it is deployed."""

    file: AirdropFile
    place: Address | None

    @property
    def root(self) -> Hash32:
        """Return the root of its tree."""
        return hash32_from_bytes(self.file.root)


class ServedAirdrops(tuple[ServedAirdrop, ...]):
    """All of them, in the order of the configuration."""

    __slots__ = ()

    @classmethod
    def open(cls, places: Mapping[str, str]) -> "ServedAirdrops":
        """Open files; `places` has each one's contract, empty before it is deployed.

        Raises:
            InvalidAirdropFile: when one is not a built airdrop.
            InvalidSetting: when one cannot be read, or two have the same entries.
        """
        try:
            files = [AirdropFile(Path(file)) for file in places]
        except OSError as error:
            raise InvalidSetting(f"`platform_token.airdrops` names a file that cannot be read: {error}") from error
        where = [Address(at) if at else None for at in places.values()]
        served = cls(ServedAirdrop(file, at) for file, at in zip(files, where, strict=True))
        if len({each.root for each in served}) < len(served):
            raise InvalidSetting("`platform_token.airdrops` has two files with the same root; keep one of them")
        return served

    def find(self, root: Hash32) -> ServedAirdrop:
        """Return the airdrop with a root; raises `NotFound` when it is not served."""
        for each in self:
            if each.root == root:
                return each
        raise NotFound(
            f"no airdrop with root {root} is served here; GET /v1/airdrops lists those that are",
            code="unknown_airdrop",
            root=root,
        )

    def close(self) -> None:
        """Close the files."""
        for each in self:
            each.file.close()

"""Follows the configurations that votes set: reads the registry each block, and puts valid documents in force."""

import logging
from dataclasses import replace
from typing import Protocol

from usufruct.chain import ChainAccess, RpcRefused
from usufruct.chain.contracts.asset_registry import AssetRegistry
from usufruct.chain.contracts.title_trust import ProposalExecuted
from usufruct.core import AssetId, Clock
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.configurations.document_source import DocumentSource
from usufruct.gateway.configurations.entry_logs import KEY, LONGEST_ENTRY, EntryIndexer
from usufruct.gateway.configurations.model import (
    FollowedConfiguration,
    InvalidConfiguration,
    read_configuration,
    read_entry,
)
from usufruct.gateway.model import ServedListing

RETRY_SECONDS = 60.0

_log = logging.getLogger(__name__)


class EntriesReader(Protocol):
    """The registry, as `RegistryEntries` reads it; every question may raise `RpcUnavailable`."""

    async def block_number(self) -> int:
        """Return the number of the newest block."""

    async def entry(self, asset: AssetId, block: int) -> str:
        """Return an asset's entry `configuration` in a block; "" where it was never written."""

    async def written(self, asset: AssetId, entry: str, block: int) -> tuple[str, str]:
        """Return the transaction and the proposal that wrote an entry, "" where they are not found."""


class RegistryEntries:
    """Reads the entry `configuration` of assets from one registry."""

    def __init__(self, chain: ChainAccess) -> None:
        """Read the installation's registry."""
        self._client = chain.client
        self._registry = AssetRegistry(chain.deployments.address(AssetRegistry), chain.client)
        self._entries = EntryIndexer(chain)

    async def block_number(self) -> int:
        """Return the number of the newest block."""
        return await self._client.block_number()

    async def entry(self, asset: AssetId, block: int) -> str:
        """Return the beginning of an asset's entry `configuration` in a block; "" where it was never written."""
        return _text(await self._registry.at_block(block).get_metadata(asset, KEY))

    async def written(self, asset: AssetId, entry: str, block: int) -> tuple[str, str]:
        """Return the transaction and the proposal that wrote an entry, "" where they are not found."""
        try:
            newest = await self._entries.newest(asset, block)
        except RpcRefused:  # the node keeps no old logs: the hash in force is what matters
            return "", ""
        if newest is None or _text(newest[0]) != entry:
            return "", ""
        transaction = newest[1]
        receipt = await self._client.receipt(transaction)
        holder = await self._registry.at_block(block).owner_of(asset)
        executed = ProposalExecuted.among(receipt.logs, holder) if receipt else []
        return transaction, str(executed[0].proposal_id) if executed else ""


def _text(entry: bytes) -> str:
    """Return the beginning of an entry, which may have any size; a longer one names no document."""
    return entry[:LONGEST_ENTRY].decode(errors="replace")


class FollowedConfigurations:
    """Keeps the configurations of listings that follow them as the chain has them, if their documents are valid."""

    def __init__(self, catalogue: Catalogue, chain: EntriesReader, documents: DocumentSource, clock: Clock) -> None:
        self._catalogue = catalogue
        self._chain = chain
        self._documents = documents
        self._clock = clock
        self._seen = -1
        self._asked: set[AssetId] = set()
        self._retry_at = float("-inf")

    async def poll(self) -> None:
        """Take over what changed since the last block; a document that was not valid is looked for again in a minute.

        Raises:
            RpcUnavailable: when the node does not answer; what is in force stays.
        """
        block, retries = await self._chain.block_number(), self._clock.monotonic() >= self._retry_at
        listings = [each for each in await self._catalogue.list() if each.followed is not None]
        if block == self._seen and not retries and {each.id for each in listings} <= self._asked:
            return
        if retries:
            self._retry_at = self._clock.monotonic() + RETRY_SECONDS
        for listing in listings:
            await self._follow(listing, block, retries=retries)
        self._seen, self._asked = block, {each.id for each in listings}

    async def _follow(self, listing: ServedListing, block: int, *, retries: bool) -> None:
        known = listing.followed
        assert known is not None, "only listings that follow one are asked about"
        entry = await self._chain.entry(listing.id, block)
        if entry == known.entry and not (known.problem and retries):
            return
        followed = await self._read(listing, replace(known, entry=entry), block)
        if followed != known:
            await self._catalogue.follow(listing.name, followed)

    async def _read(self, listing: ServedListing, known: FollowedConfiguration, block: int) -> FollowedConfiguration:
        """Return the configuration with the newest document, or with the reason why that is not in force."""
        if not known.entry:
            return FollowedConfiguration()
        extra = {"asset": listing.name, "entry": known.entry}
        try:
            entry = read_entry(known.entry)
            in_force = listing.configuration is not None and listing.configuration.digest == entry.digest
            document = known.document if in_force else await self._documents.read(entry)
            read_configuration(document, listing.operation)
        except InvalidConfiguration as error:
            _log.warning("the configuration of %s is not in force: %s", listing.name, error.message, extra=extra)
            return replace(known, problem=error.message)
        transaction, proposal = await self._chain.written(listing.id, known.entry, block)
        _log.info("the configuration of %s is in force", listing.name, extra=extra)
        return FollowedConfiguration(known.entry, document, "", transaction, proposal)

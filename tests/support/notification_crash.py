"""A program that dies: reports what the ledger and settlement hold, or sends what is due, and is killed at a point.

    python -m tests.support.notification_crash DATABASE_URL POINT

It writes `alive` when it was not killed.
"""

import asyncio
import os
import signal
import sys

from tests.support.ledger_crash import SEAL
from usufruct.accounts.notifications import Deliveries, NotificationOffer, Notifications
from usufruct.assets import Listings
from usufruct.chain import Outbox, TokenFacts
from usufruct.config import LedgerConfig
from usufruct.core import Address, ChainId, Clock
from usufruct.http import Reach
from usufruct.market.account_events import AccountEvents, Faults
from usufruct.market.review_owners import ServiceOwners
from usufruct.payments.ledger import Ledger
from usufruct.payments.ledger.service import open_ledger
from usufruct.payments.settlement import PaidBatches
from usufruct.store import Database, MasterSecret, open_database

TOKEN = TokenFacts(Address("0x" + "70" * 20), "USD Coin", "USDC", 6, "2")


def notifications_in(database: Database) -> Notifications:
    """Return the notifications of a database; its secrets are those of tests."""
    secret = MasterSecret(b"a secret of these tests")
    offer = NotificationOffer(False, True, frozenset({"en"}))
    return Notifications(database, secret.seal("webhook secrets"), secret.stamp("links in e-mails"), offer)


def no_chain() -> object:
    raise AssertionError("the chain is asked about registered services only")


def events_in(database: Database, ledger: Ledger, faults: Faults = lambda name: None) -> AccountEvents:
    """Return what reports the events of a database, without a chain."""
    listings = Listings(database, Clock())
    owners = ServiceOwners(listings, no_chain, no_chain)
    batches, sent = PaidBatches(database, ledger), Outbox(database, ChainId(31337))
    return AccountEvents(
        notifications_in(database), ledger, batches, listings, owners, no_chain, sent, TOKEN, faults=faults
    )


async def run(url: str, fatal: str) -> None:
    def point(name: str) -> None:
        if name == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    database = open_database(url)
    ledger = open_ledger(database, LedgerConfig(), seal=SEAL)
    await events_in(database, ledger, point).report()
    sender = Deliveries(database, notifications_in(database), Reach.PRIVATE, faults=point)
    await sender.send_webhooks()
    await ledger.close()
    await database.close()
    sys.stdout.write("alive\n")


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))

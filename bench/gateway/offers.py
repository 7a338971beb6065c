"""CPU time of the signed offer on a 402 and of the signed receipt on an answer, each measured alone."""

import secrets
import time
from collections.abc import Callable
from statistics import median

from bench.report import OURS, Row
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, Clock
from usufruct.payments.x402 import OfferSigner

SIGNED = 1_000
URL = "https://ai.example.org/v1/chat/completions"
ENTRY = {
    "scheme": "batch-settlement",
    "network": "eip155:8453",
    "asset": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
}
PAYER = Address("0x857b06519e91e3a54538791bdbb0e22373e36b66")


def _microseconds(work: Callable[[int], object], rounds: int) -> float:
    found = []
    for _ in range(rounds):
        started = time.process_time()
        for index in range(SIGNED):
            work(index)
        found.append((time.process_time() - started) / SIGNED * 1e6)
    return median(found)


def rows(rounds: int) -> list[Row]:
    """Measure offers that are all different, offers that are all equal, and receipts."""
    signer = OfferSigner(KeySigner(secrets.token_bytes(32)), Clock(), most_per_second=10**9)
    until = iter(range(10**9, 2 * 10**9))
    works: dict[str, Callable[[int], object]] = {
        "cpu_offer": lambda index: signer.offers(URL, ENTRY | {"amount": str(index)}, next(until)),
        "cpu_offer_repeated": lambda _: signer.offers(URL, ENTRY | {"amount": "1270"}, 1),
        "cpu_delivery_receipt": lambda index: signer.receipt(URL, "eip155:8453", PAYER, index),
    }
    return [Row(metric, OURS, _microseconds(work, rounds), "us", rounds) for metric, work in works.items()]

"""How many vouchers one core verifies each second: ours, and the x402 package's."""

import secrets
import time
from collections.abc import Callable
from importlib.metadata import version
from statistics import median

from x402.mechanisms.evm.batch_settlement.facilitator.utils import verify_batch_settlement_voucher_typed_data

from bench.report import OURS, Row
from usufruct.chain.keys import KeySigner
from usufruct.core import Address, ChainId, Hash32
from usufruct.payments.pricing.vouchers import Escrow, channel_id, sign_voucher, verify_voucher
from usufruct_client.wire import ChannelConfig

CHAIN = ChainId(31337)
VOUCHERS = 300


def per_second(work: Callable[[int], object], rounds: int) -> float:
    """Return how often `work` runs each second of processor time: the median of `rounds`."""
    found = []
    for _ in range(rounds):
        started = time.process_time()
        for index in range(VOUCHERS):
            work(index)
        found.append(VOUCHERS / (time.process_time() - started))
    return median(found)


def rows(rounds: int) -> list[Row]:
    """Measure both on the same vouchers, no two alike."""
    signer, escrow = KeySigner(secrets.token_bytes(32)), Escrow(CHAIN)
    party = Address("0x" + "11" * 20)
    config = ChannelConfig(signer.address, signer.address, party, party, party, 86_400, Hash32("0x" + "22" * 32))
    channel = channel_id(escrow, config)
    vouchers = [sign_voucher(escrow, channel, amount, signer) for amount in range(1, VOUCHERS + 1)]

    def ours(index: int) -> None:
        verify_voucher(escrow, config, vouchers[index])

    def theirs(index: int) -> None:
        voucher = vouchers[index]
        assert verify_batch_settlement_voucher_typed_data(
            signer=None,  # type: ignore[arg-type]  # asked only for contract wallets
            channel_id=voucher.channel,
            max_claimable_amount=str(voucher.max_claimable),
            payer_authorizer=config.payer_authorizer,
            payer=config.payer,
            signature="0x" + voucher.signature.hex(),
            chain_id=CHAIN,
        )

    subjects = {OURS: ours, f"x402 {version('x402')}": theirs}
    return [
        Row("voucher_verify_per_s", name, per_second(work, rounds), "1/s", rounds) for name, work in subjects.items()
    ]

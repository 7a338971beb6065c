"""What a payer is told before money moves, and what they sign to deposit: written, read back, refused."""

from dataclasses import replace

import orjson
import pytest
from eth_account import Account
from eth_utils import keccak

from tests.support.deposit_documents import deposit_document
from usufruct.chain import TokenFacts
from usufruct.chain.escrow import COLLECTOR
from usufruct.core import UINT128_MAX, UINT256_MAX, Address, ChainId, PaymentRequired
from usufruct.payments.settlement.deposit_authorization import DepositAuthorization, InvalidDeposit
from usufruct.payments.settlement.operator_terms import check_deposit_amount, operator_terms
from usufruct.web import read_document
from usufruct_client.eip712_messages import Domain
from usufruct_client.signing import sign_deposit
from usufruct_client.wire import DepositWish

CHAIN = ChainId(31337)
TOKEN = TokenFacts(Address("0x" + "dc" * 20), "Test Dollar", "tUSD", 6, "2")
TERMS = operator_terms(CHAIN, Address("0x" + "7a" * 20), TOKEN, 100_000, Address("0x" + "5e" * 20))


def travelled(content: object) -> dict:
    return orjson.loads(orjson.dumps(content))


def test_a_deposit_below_the_smallest_is_refused_with_the_smallest():
    check_deposit_amount(TERMS, 100_000)
    with pytest.raises(PaymentRequired) as refused:
        check_deposit_amount(TERMS, 99_999)
    assert refused.value.code == "deposit_below_minimum"
    assert refused.value.details == {"field": "deposit.amount", "least": 100_000}


@pytest.fixture
def deposit(world) -> DepositAuthorization:
    return DepositAuthorization(world.config(), 5_000, 10, 2_000_000_000, 77, b"\x01\x02" * 40)


def read_deposit(content):
    wish = read_document(DepositWish, content, InvalidDeposit)
    return DepositAuthorization.of(wish.channel_config, wish.deposit)


def test_a_deposit_is_read_as_it_was_written(deposit):
    largest = replace(
        deposit, amount=UINT128_MAX, valid_before=UINT256_MAX, salt=UINT256_MAX, signature=b"\x07" * 4_096
    )
    for made in (deposit, largest, replace(deposit, valid_after=0, salt=0)):
        assert read_deposit(travelled(deposit_document(made).as_json())) == made


def test_a_deposit_that_cannot_be_is_refused_by_member(deposit):
    for changes, field in (
        ({"amount": UINT128_MAX + 1}, "deposit.amount"),
        ({"signature": b"\x07" * 4_097}, "deposit.authorization.erc3009Authorization.signature"),
        ({"config": replace(deposit.config, withdraw_delay=1 << 40)}, "channelConfig.withdrawDelay"),
    ):
        travels = travelled(deposit_document(replace(deposit, **changes)).as_json())
        with pytest.raises(InvalidDeposit) as refused:
            read_deposit(travels)
        assert refused.value.details["field"] == field


def test_what_a_wallet_signs_moves_this_amount_to_the_collector_for_this_channel_only(world):
    """Against EIP-3009's words: the struct hash is made here by hand."""
    payer = Account.from_key(b"\x01" * 32)
    token = Domain(TOKEN.name, TOKEN.version).data(CHAIN, TOKEN.address)
    signed = sign_deposit(payer, world.channel(), token, 5_000, 2_000_000_000)
    deposit = DepositAuthorization.of(world.config(), signed.document())
    assert (deposit.amount, deposit.valid_after, deposit.valid_before) == (5_000, 0, 2_000_000_000)

    def word(value: int | str) -> bytes:
        return (int(value, 16) if isinstance(value, str) else value).to_bytes(32, "big")

    kind = keccak(
        b"ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
        b"bytes32 nonce)"
    )
    nonce = keccak(word(world.channel()) + word(deposit.salt))
    assert deposit.nonce(world.channel()) == "0x" + nonce.hex()
    parties = word(payer.address) + word(COLLECTOR)
    struct = keccak(kind + parties + word(5_000) + word(0) + word(2_000_000_000) + nonce)
    domain = keccak(
        keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
        + keccak(b"Test Dollar")
        + keccak(b"2")
        + word(31337)
        + word(TOKEN.address)
    )
    digest = keccak(b"\x19\x01" + domain + struct)
    assert deposit.signature == payer.unsafe_sign_hash(digest).signature

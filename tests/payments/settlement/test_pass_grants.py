"""Grants of pass credits, without a chain: by a wallet or a contract, worth what they say and no longer."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_clock import FakeClock
from tests.support.refusal import refused
from usufruct.accounts.wallet_signatures import SignatureUnchecked, WalletSignatures
from usufruct.chain.keys import KeySigner
from usufruct.core import UINT128_MAX, Address, ChainId, Invalid
from usufruct.payments.pricing.grants import PassGrant, PassTerms, read_grant, sign_grant
from usufruct.payments.settlement.pass_accounts import PassAccounts
from usufruct.web import Unauthenticated

HOLDER = KeySigner(bytes(31) + b"\x07")
TERMS = PassTerms(ChainId(31337), Address("0x" + "aa" * 20), Address("0x" + "bb" * 20), Address("0x" + "cc" * 20))
NEVER = 1 << 40


@given(plan=st.integers(0, 2**256 - 1), limit=st.integers(1, UINT128_MAX), expires_at=st.integers(1, 2**63 - 1))
def test_a_grant_reads_as_it_was_written(plan, limit, expires_at):
    grant = sign_grant(TERMS, plan, limit, expires_at, HOLDER)
    assert read_grant(grant.text()) == grant
    grant.check(TERMS, expires_at - 1)
    with pytest.raises(Unauthenticated, match="expired"):
        grant.check(TERMS, expires_at)


@pytest.mark.parametrize(
    "changed",
    [
        {"plan": 8},
        {"holder": Address("0x" + "12" * 20)},
        {"limit": 101},
        {"expires_at": NEVER + 1},
        {"signature": bytes(65)},
    ],
)
def test_a_grant_with_anything_changed_is_nobodys(changed):
    grant = replace(sign_grant(TERMS, 7, 100, NEVER, HOLDER), **changed)
    with pytest.raises(Unauthenticated, match="not a grant"):
        read_grant(grant.text()).check(TERMS, 0)


@pytest.mark.parametrize("field", ["chain_id", "contract", "meter"])
def test_a_grant_is_for_one_meter_of_one_contract_on_one_chain(field):
    elsewhere = {"chain_id": ChainId(1), "contract": TERMS.token, "meter": TERMS.token}
    grant = sign_grant(TERMS, 7, 100, NEVER, HOLDER)
    with pytest.raises(Unauthenticated, match="not a grant"):
        grant.check(replace(TERMS, **{field: elsewhere[field]}), 0)


@pytest.mark.parametrize("text", ["", "up_", "up_!!!", "uf_00", sign_grant(TERMS, 7, 1, 2, HOLDER).text()[:-4]])
def test_what_is_no_grant_is_refused_as_mistyped(text):
    with pytest.raises(Unauthenticated, match="mistyped"):
        read_grant(text)


@pytest.mark.parametrize(("limit", "expires_at"), [(0, 1), (UINT128_MAX + 1, 1), (1, 0), (1, 2**63)])
def test_a_grant_of_nothing_or_for_ever_cannot_be_made(limit, expires_at):
    with pytest.raises(Invalid, match="must be from 1 to"):
        sign_grant(TERMS, 7, limit, expires_at, HOLDER)


class Contracts(WalletSignatures):
    """Contracts that take a signature while `takes`, on a chain that is away while `away`."""

    def __init__(self) -> None:
        super().__init__()
        self.takes, self.away, self.asked = True, False, 0

    async def has_signed(self, wallet: Address, digest: bytes, signature: bytes) -> bool:
        self.asked += 1
        if self.away:
            raise SignatureUnchecked("the chain did not answer")
        return self.takes and (wallet, digest) == (HOLDER.address, TERMS.digest(7, 100, NEVER))


async def test_a_contracts_grant_ends_when_the_contract_takes_it_no_longer():
    clock, contracts = FakeClock(), Contracts()
    accounts = PassAccounts(None, SimpleNamespace(terms=TERMS), None, clock, contracts)  # type: ignore[arg-type]
    grant = read_grant(PassGrant(7, HOLDER.address, 100, NEVER, bytes(900)).text())
    for _ in range(3):
        await accounts.check(grant)
    assert contracts.asked == 1, "remembered"
    for changed in ({"limit": 101}, {"plan": 8}, {"holder": TERMS.token}):
        with pytest.raises(Unauthenticated, match="not a grant"):
            await accounts.check(replace(grant, **changed))
    contracts.away = True
    clock.advance(3_600)
    await accounts.check(grant)
    clock.advance(86_400)
    with pytest.raises(SignatureUnchecked):
        await accounts.check(grant)
    contracts.away, contracts.takes = False, False
    with pytest.raises(Unauthenticated, match="not a grant"):
        await accounts.check(grant)


async def test_an_unread_contract_signs_nothing_and_an_expired_grant_asks_none():
    contracts = Contracts()
    for signatures, code in [(None, "grant_refused"), (contracts, "grant_expired")]:
        source: Any = SimpleNamespace(terms=TERMS)
        accounts = PassAccounts(None, source, None, FakeClock(), signatures)  # type: ignore[arg-type]
        expires_at = 1 if signatures else NEVER
        with refused(code):
            await accounts.check(PassGrant(7, HOLDER.address, 100, expires_at, bytes(900)))
    assert contracts.asked == 0

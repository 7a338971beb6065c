"""A sale on a chain whose owner's key is not the gateway's: the seller's wallet sends what is missing, one by one."""

from dataclasses import replace

import pytest

from usufruct.assets import Assets, RegistryClient
from usufruct.chain import Call
from usufruct.chain.contracts.till import PayeeKind, Till
from usufruct.chain.keys import DEVNET_ADDRESSES, Role, devnet_signer, signer_of
from usufruct.console.ownership import Ownership
from usufruct.console.registrar import Registrar
from usufruct.core import Conflict, Denied
from usufruct.core.price_cards import PriceCard
from usufruct.gateway import Operator
from usufruct_client.sale_documents import OwnershipWish, Part, PriceFacts, SaleDraft, ServerFacts

pytestmark = pytest.mark.anvil

CARD = PriceCard(500_000, 1_500_000, 0, 8_192, 1)
DRAFT = SaleDraft(
    "0" * 32,
    0,
    0,
    ServerFacts("http://one/v1", "m", "chat", has_key=False),
    price=PriceFacts("answers", "0.5", "1.5", "0", "100"),
    ownership=OwnershipWish("shares", owners=[Part(DEVNET_ADDRESSES[6], "20")], transfer_policy="open"),
)


@pytest.fixture
def ownership(world):
    installation = world.installation
    registry, operator = installation.get(RegistryClient), installation.get(Operator)
    registrar = Registrar(Assets(registry), Till(operator.till, installation.client), installation.chain_id)
    return Ownership(registry, registrar, operator, installation.chain_id)


async def send(world, transaction, signer) -> None:
    sender = world.installation.sender(signer)
    call = Call(transaction.to, bytes.fromhex(transaction.data[2:]), transaction.value)
    await sender.execute(call, f"wallet/{transaction.what}")


async def test_each_transaction_is_asked_for_until_it_is_on_the_chain(world, ownership):
    owner = signer_of(Role.OWNER, world.installation.config)
    asked = []
    while True:
        listing, left = await ownership.carry_out(owner.address, DRAFT, CARD)
        if listing is not None:
            break
        assert (await ownership.carry_out(owner.address, DRAFT, CARD))[1] == left, "nothing changes by asking"
        asked.append(left[0].what)
        await send(world, left[0], owner)
    assert asked == ["register", "share", "payee"]
    assert (listing.id, listing.registered) == (await ownership.asset(owner.address, DRAFT, CARD), True)
    registry = world.installation.get(RegistryClient)
    assert await Assets(registry).names() == {listing.id: "answers"}
    shares = await registry.shares(listing.id)
    assert await shares.balance_of(DEVNET_ADDRESSES[6]) == 20_000_000 * 10**6
    till = Till(world.installation.get(Operator).till, world.installation.client)
    assert await till.payees(listing.pay_to) is PayeeKind.SHARES


async def test_a_price_that_was_changed_after_the_registration_is_refused(world, ownership):
    owner = signer_of(Role.OWNER, world.installation.config)
    _, left = await ownership.carry_out(owner.address, DRAFT, CARD)
    await send(world, left[0], owner)
    with pytest.raises(Conflict) as refused:
        await ownership.carry_out(owner.address, DRAFT, replace(CARD, per_call=7))
    assert refused.value.code == "registered_otherwise"


async def test_a_wallet_that_is_not_the_tills_owner_is_told_who_lists_its_payee(world, ownership):
    admin = devnet_signer(5, world.installation.chain_id)
    plain = replace(DRAFT, ownership=OwnershipWish("plain", pay_to=DEVNET_ADDRESSES[7]))
    with pytest.raises(Denied, match="usufruct till payee") as refused:
        await ownership.carry_out(admin.address, plain, CARD)
    assert refused.value.code == "payee_not_listed"

"""Wallets that are contracts sign in and make keys, created or not yet; what a contract says holds for itself alone."""

import asyncio
import secrets
from dataclasses import replace

import httpx
import pytest

from tests.accounts.test_keys import Opened
from tests.support.passkeys import SoftwarePasskey, hexed
from tests.support.refusal import refused
from usufruct.accounts import InvalidProof, KeyDomain, Keys, KeyTerms, key_digest
from usufruct.accounts.passkeys import typed_digest, typed_signature
from usufruct.accounts.wallet_signatures import SignatureUnchecked, WalletSignatures
from usufruct.chain import Call, keccak, word
from usufruct.chain.codec import encode
from usufruct.chain.contracts.passkey_account import PasskeyAccount
from usufruct.chain.keys import DEVNET_ADDRESSES
from usufruct.core import ZERO_ADDRESS, Address
from usufruct.core.networks import DEVNET_CHAIN_ID
from usufruct.store import Seal
from usufruct_client.eip712_messages import CREATE_KEY, KEYS, Domain
from usufruct_client.typed_data import MessageHasher, domain_separator
from usufruct_client.wire import SignedWish

pytestmark = pytest.mark.anvil

MAGIC = bytes.fromhex("6492" * 16)
SAYS_YES = bytes.fromhex("631626ba7e60e01b5f5260205ff3")
YES_TO_A_SIMULATION = bytes.fromhex("32601257631626ba7e60e01b5f5260205ff35b5f5ffd")  # where tx.origin is zero
HERE = Address("0x" + "c0" * 20)


def personal_digest(account: Address, text: str) -> bytes:
    """Return what a passkey signs of a text, for one account (ERC-7739)."""
    message = text.encode()
    hash_ = keccak(b"\x19Ethereum Signed Message:\n%d" % len(message) + message)
    separator = domain_separator(Domain("Usufruct Account", "1"), DEVNET_CHAIN_ID, account)
    return keccak(b"\x19\x01" + separator + keccak(keccak(b"PersonalSign(bytes prefixed)") + hash_))


def wrapped(call: Call, signature: bytes) -> bytes:
    """Return a signature of a contract that `call` creates (ERC-6492)."""
    return encode(("address", "bytes", "bytes"), (call.to, call.data, signature)) + MAGIC


class ContractWallet:
    """A passkey account that no passkey of the site knows: a wallet of its own, created here or not."""

    def __init__(self, world, passkey: SoftwarePasskey, account: Address, creation: Call) -> None:
        self.world, self.passkey, self.address, self.creation = world, passkey, account, creation

    @classmethod
    async def make(cls, world, secret: int, *, create: bool = True) -> "ContractWallet":
        passkey, salt = SoftwarePasskey(secret), secrets.token_bytes(32)
        terms = [passkey.signer(world.contracts.verifier)], ZERO_ADDRESS, 0, salt
        factory = world.passkeys._factory
        made = cls(world, passkey, await factory.predict(*terms), factory.create(*terms))
        if create:
            await made.create()
        return made

    async def create(self) -> None:
        await self.world.devnet.send_as(DEVNET_ADDRESSES[0], self.creation)
        assert await self.world.client.code_at(self.address)

    def sign(self, text: str) -> bytes:
        return self.passkey.sign(self.world.contracts.verifier, personal_digest(self.address, text))

    def sign_key(self, domain: KeyDomain, terms: KeyTerms, nonce: int) -> bytes:
        separator = domain_separator(Domain(KEYS.name, KEYS.version), domain.chain_id, domain.till)
        contents = MessageHasher(CREATE_KEY).struct_hash(
            terms.payer, terms.spending_limit, 0, terms.expires_at, "", terms.label, nonce
        )
        digest = typed_digest(DEVNET_CHAIN_ID, self.address, CREATE_KEY, separator, contents)
        return typed_signature(
            self.passkey.sign(self.world.contracts.verifier, digest), CREATE_KEY, separator, contents
        )


@pytest.fixture
async def http(world):
    async with httpx.AsyncClient(base_url=world.url, timeout=60) as client:
        yield client


async def ask(http, address: Address) -> tuple[str, dict]:
    asked = (await http.post("/sessions/challenge", json={"address": address})).json()
    return asked.pop("text"), asked


async def enter(http, asked: dict, signature: bytes) -> httpx.Response:
    return await http.post("/sessions", json=asked | {"signature": hexed(signature)})


def code(answer: httpx.Response) -> str:
    return answer.json()["error"]["code"]


async def test_a_contract_signs_in_once_with_a_text_of_this_site_and_chain(world, http):
    wallet = await ContractWallet.make(world, 41)
    text, asked = await ask(http, wallet.address)
    signature = wallet.sign(text)
    entered = await enter(http, asked, signature)
    assert (entered.status_code, entered.json()["address"]) == (201, wallet.address)
    assert (await http.get("/sessions/current")).json()["address"] == wallet.address
    assert code(await enter(http, asked, signature)) == "sign_in_refused", "the nonce is good once"
    other_site = text.replace("localhost", "evil.example")
    other_chain = text.replace("Chain ID: 31337", "Chain ID: 1")
    for wrong in (other_site, other_chain, text + " "):
        assert wrong != text
        _, again = await ask(http, wallet.address)
        assert code(await enter(http, again, wallet.sign(wrong))) == "sign_in_refused"
    _, asked = await ask(http, wallet.address)
    assert code(await enter(http, asked | {"mark": "0x" + "00" * 16}, signature)) == "sign_in_refused"


async def test_a_contract_that_is_not_created_yet_signs_in_and_stays_uncreated(world, http):
    wallet = await ContractWallet.make(world, 42, create=False)
    text, asked = await ask(http, wallet.address)
    assert code(await enter(http, asked, wallet.sign(text))) == "sign_in_refused"
    entered = await enter(http, asked, wrapped(wallet.creation, wallet.sign(text)))
    assert entered.json()["address"] == wallet.address
    assert await world.client.code_at(wallet.address) == b""

    await wallet.create()
    text, asked = await ask(http, wallet.address)
    assert (await enter(http, asked, wrapped(wallet.creation, wallet.sign(text)))).status_code == 201


async def test_what_a_contract_says_holds_for_its_own_address(world, http):
    await world.devnet.set_code(HERE, SAYS_YES)
    wallet = await ContractWallet.make(world, 43)
    for victim in (wallet.address, Address("0x" + "ab" * 20)):
        text, asked = await ask(http, victim)
        assert code(await enter(http, asked, b"yes")) == "sign_in_refused"
        assert code(await enter(http, asked, wrapped(Call(HERE, b""), b"yes"))) == "sign_in_refused"
        assert code(await enter(http, asked | {"address": HERE}, b"yes")) == "sign_in_refused", "another's text"
    text, asked = await ask(http, HERE)
    entered = await enter(http, asked, b"yes")
    assert (entered.status_code, entered.json()["address"]) == (201, HERE)
    stranger = await ContractWallet.make(world, 44)
    text, asked = await ask(http, wallet.address)
    assert code(await enter(http, asked, stranger.sign(text))) == "sign_in_refused"


async def test_no_creation_prepares_a_wallet_that_exists_to_say_yes(world, http):
    """The factory's call could be any call: it is not made where there is code."""
    wallet = await ContractWallet.make(world, 45)
    thief = SoftwarePasskey(46)
    signer = thief.signer(world.contracts.verifier)
    text, asked = await ask(http, wallet.address)
    adding = PasskeyAccount(wallet.address).add_signers([signer])
    signature = thief.sign(world.contracts.verifier, personal_digest(wallet.address, text))
    assert code(await enter(http, asked, wrapped(adding, signature))) == "sign_in_refused"


@pytest.mark.parametrize(
    ("what", "runs"),
    [
        ("takes all gas", "5b5f56"),
        ("answers a megabyte", "620fffff5ff3"),
        ("reverts with a megabyte", "620fffff5ffd"),
        ("is invalid", "fe"),
        ("answers four bytes", "631626ba7e60e01b5f5260045ff3"),
        ("answers another word", "60015f5260205ff3"),
        ("says yes to a simulation only", YES_TO_A_SIMULATION.hex()),
        ("writes, then says yes", "60015f55631626ba7e60e01b5f5260205ff3"),
    ],
)
async def test_a_contract_that_answers_badly_is_refused_soon(world, http, what, runs):
    await world.devnet.set_code(HERE, bytes.fromhex(runs))
    _, asked = await ask(http, HERE)
    async with asyncio.timeout(20):
        assert code(await enter(http, asked, b"signature")) == "sign_in_refused", what
        assert code(await enter(http, asked, wrapped(Call(HERE, b""), b""))) == "sign_in_refused", what
    _, asked = await ask(http, Address("0x" + "cd" * 20))
    assert code(await enter(http, asked, wrapped(Call(HERE, b""), b""))) == "sign_in_refused", what


@pytest.mark.parametrize("signature", [MAGIC, bytes(32) + MAGIC, b"\xff" * 96 + MAGIC, bytes(65), b"", b"x" * 4_000])
async def test_what_is_no_signature_is_refused(world, http, signature):
    wallet = await ContractWallet.make(world, 47)
    _, asked = await ask(http, wallet.address)
    assert code(await enter(http, asked, signature)) == "sign_in_refused"


async def test_a_contract_that_is_gone_signs_in_no_more(world, http):
    wallet = await ContractWallet.make(world, 48)
    text, asked = await ask(http, wallet.address)
    await world.devnet.set_code(wallet.address, b"")
    assert code(await enter(http, asked, wallet.sign(text))) == "sign_in_refused"


async def test_a_contract_makes_a_key_and_lists_it_by_its_own_signature(world, database):
    wallet, other = await ContractWallet.make(world, 49), await ContractWallet.make(world, 50)
    domain = KeyDomain(DEVNET_CHAIN_ID, Address("0x" + "77" * 20))
    seal = Seal(b"a secret of some length", "session keys")
    keys = Keys(database, seal, world.clock, domain, Opened(), signatures=WalletSignatures(world.client))
    terms = KeyTerms(wallet.address, 1_000, world.clock.now() + 3_600, label="laptop")
    made = await keys.create(terms, 1, wallet.sign_key(domain, terms, 1))
    assert made.key.payer == wallet.address
    with refused("proof_used"):
        await keys.create(terms, 1, wallet.sign_key(domain, terms, 1))
    for forged in (
        other.sign_key(domain, terms, 2),
        wallet.sign_key(domain, replace(terms, spending_limit=999), 2),
        wallet.sign_key(replace(domain, till=ZERO_ADDRESS), terms, 2),
    ):
        with pytest.raises(InvalidProof):
            await keys.create(terms, 2, forged)
    assert key_digest(domain, terms, 1) != key_digest(domain, terms, 2)
    await world.devnet.set_code(HERE, SAYS_YES)
    now = world.clock.now()
    with pytest.raises(InvalidProof):
        await keys.list_signed(SignedWish(wallet.address, now + 60, b"yes"))
    assert await keys.list_signed(SignedWish(HERE, now + 60, b"yes")) == []


async def test_a_slow_node_holds_up_no_other_request_and_few_are_asked_at_once(world):
    release, running = asyncio.Event(), []

    class Slow:
        async def create(self, creation, *, sender, gas):
            running.append(gas)
            await release.wait()
            return word(1)

    asked = WalletSignatures(Slow(), seconds=60.0, most_at_once=2)
    tasks = [asyncio.create_task(asked.has_signed(HERE, bytes(32), b"s")) for _ in range(5)]
    while len(running) < 2:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert running == [4_000_000] * 2, "bounded gas, two at once, and the loop went on"
    release.set()
    assert await asyncio.gather(*tasks) == [True] * 5
    release.clear()
    with pytest.raises(SignatureUnchecked):
        await WalletSignatures(Slow(), seconds=0.01).has_signed(HERE, bytes(32), b"s")

"""Play money: on a chain of this machine a wallet gets test dollars, and coins to pay for gas."""

from secrets import token_bytes, token_hex

from usufruct.chain.access import ChainAccess, token_address
from usufruct.chain.contracts.test_dollar import TestDollar
from usufruct.chain.keys import KeySigner, Role, signer_of
from usufruct.core import Address, Denied, Hash32
from usufruct.core.networks import is_devnet, is_local

_COINS = 10**18
"""Wei: gas for many transactions of a devnet."""


async def give_play_money(chain: ChainAccess, to: Address, amount: int) -> Hash32:
    """Mint test dollars (atomic units) for a wallet, and give it coins if it has none; return the transaction's hash.

    Raises:
        Denied: on a chain that is not this machine's.
    """
    if not is_local(chain.chain_id):
        raise Denied(
            f"chain {chain.chain_id} has real money: buy its token, or use its faucet if it is a test network",
            code="no_play_money",
        )
    dollar = TestDollar(token_address(chain.config, chain.deployments), chain.client)
    receipt = await chain.sender(await _minter(chain)).execute(dollar.mint(to, amount), f"fund/{to}/{token_hex(8)}")
    if not await chain.client.balance(to):
        await chain.client.ask("anvil_setBalance", to, hex(_COINS))
    return receipt.hash


async def _minter(chain: ChainAccess) -> KeySigner:
    """Return a key that can pay for gas: the owner's on a devnet, one made for this on other local chains."""
    if is_devnet(chain.chain_id):
        return signer_of(Role.OWNER, chain.config)
    minter = KeySigner(token_bytes(32))
    await chain.client.ask("anvil_setBalance", minter.address, hex(_COINS))
    return minter

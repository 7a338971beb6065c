"""Public chains that an installation can be set up on, as suggestions: any other is named by its RPC address."""

from dataclasses import dataclass

from usufruct.core import Invalid


@dataclass(frozen=True, slots=True)
class KnownChain:
    """A chain with what `init` suggests for it: a public node, USDC, wrapped coin, confirmations.

    Public nodes limit how often they answer: an operator replaces `rpc_url` by a node of their own.
    """

    name: str
    title: str
    id: int
    rpc_url: str
    token: str
    wrapped_native: str
    confirmations: int = 3


_OP_STACK_WETH = "0x4200000000000000000000000000000000000006"

KNOWN_CHAINS = (
    KnownChain(
        "base", "Base", 8453, "https://mainnet.base.org", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", _OP_STACK_WETH
    ),
    KnownChain(
        "base-sepolia",
        "Base Sepolia (test money)",
        84532,
        "https://sepolia.base.org",
        "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        _OP_STACK_WETH,
    ),
    KnownChain(
        "optimism",
        "OP Mainnet",
        10,
        "https://mainnet.optimism.io",
        "0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85",
        _OP_STACK_WETH,
    ),
    KnownChain(
        "arbitrum",
        "Arbitrum One",
        42161,
        "https://arb1.arbitrum.io/rpc",
        "0xaf88d065e77c8cC2239327C5EDb3A432268e5831",
        "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1",
    ),
    KnownChain(
        "ethereum",
        "Ethereum",
        1,
        "https://ethereum-rpc.publicnode.com",
        "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
        confirmations=5,
    ),
)
"""In the order in which `init` offers them. Whether x402's escrow is there, `init` asks the chain."""


def chain_named(text: str) -> KnownChain:
    """Return the known chain with a name or id."""
    for chain in KNOWN_CHAINS:
        if text.lower() in (chain.name, str(chain.id)):
            return chain
    names = ", ".join(f"{chain.name} ({chain.id})" for chain in KNOWN_CHAINS)
    raise Invalid(
        f"chain {text!r} is not known here. Use one of {names}, or give the address of its node by --rpc",
        code="unknown_chain",
    )


def chain_with_id(chain_id: int) -> KnownChain | None:
    """Return what is known of a chain; None for other chains."""
    return next((chain for chain in KNOWN_CHAINS if chain.id == chain_id), None)

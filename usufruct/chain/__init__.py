"""The EVM: typed contracts, and the node, keys, transactions, logs, deployments and devnet behind them.

The only package that knows how to talk to a chain. `contracts` is generated from `contracts/src`: one module for each
contract, whose methods answer questions or return a `Call` that sends nothing.
"""

from usufruct.chain.access import (
    FEE_SINK,
    ChainAccess,
    Senders,
    amount_of,
    check_chain_id,
    fee_sink_of,
    open_chain,
    open_chain_later,
    open_chain_unchecked,
    open_node,
    token_address,
    token_of,
)
from usufruct.chain.answers import Header, Log, Receipt
from usufruct.chain.client import ChainHead, Client
from usufruct.chain.codec import NoAnswer, UnreadableAnswer
from usufruct.chain.contract_base import Call
from usufruct.chain.diagnostics import gas_needed
from usufruct.chain.fees import FeePolicy, market_offer
from usufruct.chain.hashing import keccak, word
from usufruct.chain.indexer import Indexer, Stream
from usufruct.chain.metrics import LogStreams
from usufruct.chain.play_money import give_play_money
from usufruct.chain.revert import Revert
from usufruct.chain.rpc_errors import RpcRefused, RpcUnavailable
from usufruct.chain.sender import GasOverLimit, Sender
from usufruct.chain.store import Outbox, Sent, State
from usufruct.chain.token import TokenFacts, authorization_used, token_facts

__all__ = [
    "FEE_SINK",
    "Call",
    "ChainAccess",
    "ChainHead",
    "Client",
    "FeePolicy",
    "GasOverLimit",
    "Header",
    "Indexer",
    "Log",
    "LogStreams",
    "NoAnswer",
    "Outbox",
    "Receipt",
    "Revert",
    "RpcRefused",
    "RpcUnavailable",
    "Sender",
    "Senders",
    "Sent",
    "State",
    "Stream",
    "TokenFacts",
    "UnreadableAnswer",
    "amount_of",
    "authorization_used",
    "check_chain_id",
    "fee_sink_of",
    "gas_needed",
    "give_play_money",
    "keccak",
    "market_offer",
    "open_chain",
    "open_chain_later",
    "open_chain_unchecked",
    "open_node",
    "token_address",
    "token_facts",
    "token_of",
    "word",
]

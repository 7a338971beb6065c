"""The EVM: typed contracts, and the node, keys, transactions, logs, deployments and devnet behind them.

The only room that knows how a chain is spoken to. `contracts` is generated from `contracts/src`: one module for each
contract, whose methods answer questions or return a `Call` that sends nothing.
"""

from usufruct.chain import contracts
from usufruct.chain.access import (
    FEE_SINK,
    ChainAccess,
    NodeUnfit,
    Senders,
    WrongChain,
    amount_of,
    check_chain_id,
    connect,
    fee_sink_of,
    open_chain,
    open_chain_later,
    open_chain_unchecked,
    token_address,
    token_of,
)
from usufruct.chain.answers import FeeHistory, Header, Receipt
from usufruct.chain.anvil import Anvil, Devnet, DevnetStateBusy, DevnetStateDamaged, DevnetUnavailable
from usufruct.chain.binding import Artifact, Block, Call, Contract, Creation, Event, Log, NotThisEvent, Reader
from usufruct.chain.client import Client, Topics
from usufruct.chain.codec import InvalidArgument, NoAnswer, Struct, UnreadableAnswer, encode
from usufruct.chain.deploying import AlreadyDeployed, DeploySite, NoContract, Setup, public_contracts
from usufruct.chain.deployments import (
    HORIZON_BLOCKS,
    ContractDeployer,
    Deployed,
    DeployerMissing,
    Deployments,
    NotDeployed,
    WrongCode,
    address_of,
)
from usufruct.chain.escrow import (
    COLLECTOR,
    SETTLEMENT,
    EscrowMissing,
    SettlementMismatch,
    channel_digest,
    check_escrow,
    check_settlement,
)
from usufruct.chain.fees import FeePolicy, FeesOverCap
from usufruct.chain.hashing import address_of_key, create2_address, keccak
from usufruct.chain.indexer import Indexer, LogHandler, NodeLags, ReorgTooDeep, Stream
from usufruct.chain.keystore import KeystoreMissing, keystore_address, open_keystore, write_keystore
from usufruct.chain.metrics import LogStreams
from usufruct.chain.revert import Panic, Reason, Revert, UnknownRevert
from usufruct.chain.roles import Role, claim_address, key_of, signer_of
from usufruct.chain.rpc_errors import NodeAway, NodeBusy, RpcRefused, RpcUnavailable, RpcUnreadable
from usufruct.chain.sender import (
    GasOverLimit,
    KeyReused,
    NonceGap,
    Sender,
    StillPending,
    TransactionDisplaced,
    TransactionReverted,
)
from usufruct.chain.signer import (
    DEVNET_ADDRESSES,
    DevnetKeyRefused,
    DigestSigner,
    InvalidKey,
    KeySigner,
    Signer,
    devnet_signer,
    refuse_devnet_key,
)
from usufruct.chain.store import Checkpoint, Gaps, Outbox, Sent, State, stream_gaps
from usufruct.chain.token import TokenFacts, authorization_used, token_facts
from usufruct.chain.toolchain import ToolMissing, install_anvil
from usufruct.chain.transaction import SignedTransaction, Transaction
from usufruct.chain.transport import RetryPolicy
from usufruct.chain.typed_data import MessageHasher, as_hash32, word

__all__ = [
    "COLLECTOR",
    "DEVNET_ADDRESSES",
    "FEE_SINK",
    "HORIZON_BLOCKS",
    "SETTLEMENT",
    "AlreadyDeployed",
    "Anvil",
    "Artifact",
    "Block",
    "Call",
    "ChainAccess",
    "Checkpoint",
    "Client",
    "Contract",
    "ContractDeployer",
    "Creation",
    "DeploySite",
    "Deployed",
    "DeployerMissing",
    "Deployments",
    "Devnet",
    "DevnetKeyRefused",
    "DevnetStateBusy",
    "DevnetStateDamaged",
    "DevnetUnavailable",
    "DigestSigner",
    "EscrowMissing",
    "Event",
    "FeeHistory",
    "FeePolicy",
    "FeesOverCap",
    "Gaps",
    "GasOverLimit",
    "Header",
    "Indexer",
    "InvalidArgument",
    "InvalidKey",
    "KeyReused",
    "KeySigner",
    "KeystoreMissing",
    "Log",
    "LogHandler",
    "LogStreams",
    "MessageHasher",
    "NoAnswer",
    "NoContract",
    "NodeAway",
    "NodeBusy",
    "NodeLags",
    "NodeUnfit",
    "NonceGap",
    "NotDeployed",
    "NotThisEvent",
    "Outbox",
    "Panic",
    "Reader",
    "Reason",
    "Receipt",
    "ReorgTooDeep",
    "RetryPolicy",
    "Revert",
    "Role",
    "RpcRefused",
    "RpcUnavailable",
    "RpcUnreadable",
    "Sender",
    "Senders",
    "Sent",
    "SettlementMismatch",
    "Setup",
    "SignedTransaction",
    "Signer",
    "State",
    "StillPending",
    "Stream",
    "Struct",
    "TokenFacts",
    "ToolMissing",
    "Topics",
    "Transaction",
    "TransactionDisplaced",
    "TransactionReverted",
    "UnknownRevert",
    "UnreadableAnswer",
    "WrongChain",
    "WrongCode",
    "address_of",
    "address_of_key",
    "amount_of",
    "as_hash32",
    "authorization_used",
    "channel_digest",
    "check_chain_id",
    "check_escrow",
    "check_settlement",
    "claim_address",
    "connect",
    "contracts",
    "create2_address",
    "devnet_signer",
    "encode",
    "fee_sink_of",
    "install_anvil",
    "keccak",
    "key_of",
    "keystore_address",
    "open_chain",
    "open_chain_later",
    "open_chain_unchecked",
    "open_keystore",
    "public_contracts",
    "refuse_devnet_key",
    "signer_of",
    "stream_gaps",
    "token_address",
    "token_facts",
    "token_of",
    "word",
    "write_keystore",
]

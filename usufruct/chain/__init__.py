"""The EVM: typed contracts, and the node, keys, transactions, logs, deployments and devnet behind them.

The only room that knows how a chain is spoken to. `contracts` is generated from `contracts/src`: one module for each
contract, whose methods answer questions or return a `Call` that sends nothing.
"""

from usufruct.chain import contracts
from usufruct.chain.answers import FeeHistory, Header, Receipt
from usufruct.chain.anvil import Anvil, Devnet, DevnetStateBusy, DevnetStateDamaged, DevnetUnavailable
from usufruct.chain.binding import Artifact, Block, Call, Contract, Creation, Event, Log, NotThisEvent, Reader
from usufruct.chain.client import Client, Topics
from usufruct.chain.codec import InvalidArgument, NoAnswer, Struct, UnreadableAnswer, encode
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
from usufruct.chain.escrow import COLLECTOR, SETTLEMENT, channel_digest
from usufruct.chain.fees import FeePolicy, FeesOverCap
from usufruct.chain.hashing import address_of_key, create2_address, keccak
from usufruct.chain.indexer import Indexer, LogHandler, NodeLags, ReorgTooDeep, Stream
from usufruct.chain.keystore import KeystoreMissing, keystore_address, open_keystore, write_keystore
from usufruct.chain.metrics import gap_metrics, lag_metrics, sender_metrics
from usufruct.chain.plan import (
    EscrowMissing,
    SettlementMismatch,
    Terms,
    check_escrow,
    check_settlement,
    deploy_all,
    deploy_devnet,
)
from usufruct.chain.revert import Panic, Reason, Revert, UnknownRevert
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
from usufruct.chain.setup import (
    AlreadyDeployed,
    NoContract,
    Setup,
    Step,
    allow_claims,
    cap_payees,
    list_payee,
    open_till,
    plan_setup,
    set_up,
)
from usufruct.chain.signer import (
    DEVNET_ADDRESSES,
    DEVNET_CHAINS,
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
    "DEVNET_CHAINS",
    "HORIZON_BLOCKS",
    "SETTLEMENT",
    "AlreadyDeployed",
    "Anvil",
    "Artifact",
    "Block",
    "Call",
    "Checkpoint",
    "Client",
    "Contract",
    "ContractDeployer",
    "Creation",
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
    "MessageHasher",
    "NoAnswer",
    "NoContract",
    "NodeAway",
    "NodeBusy",
    "NodeLags",
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
    "RpcRefused",
    "RpcUnavailable",
    "RpcUnreadable",
    "Sender",
    "Sent",
    "SettlementMismatch",
    "Setup",
    "SignedTransaction",
    "Signer",
    "State",
    "Step",
    "StillPending",
    "Stream",
    "Struct",
    "Terms",
    "TokenFacts",
    "ToolMissing",
    "Topics",
    "Transaction",
    "TransactionDisplaced",
    "TransactionReverted",
    "UnknownRevert",
    "UnreadableAnswer",
    "WrongCode",
    "address_of",
    "address_of_key",
    "allow_claims",
    "as_hash32",
    "authorization_used",
    "cap_payees",
    "channel_digest",
    "check_escrow",
    "check_settlement",
    "contracts",
    "create2_address",
    "deploy_all",
    "deploy_devnet",
    "devnet_signer",
    "encode",
    "gap_metrics",
    "install_anvil",
    "keccak",
    "keystore_address",
    "lag_metrics",
    "list_payee",
    "open_keystore",
    "open_till",
    "plan_setup",
    "refuse_devnet_key",
    "sender_metrics",
    "set_up",
    "stream_gaps",
    "token_facts",
    "word",
    "write_keystore",
]

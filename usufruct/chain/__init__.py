"""The EVM: typed contracts, and the node, keys, transactions, logs, deployments and devnet behind them.

The only room that knows how a chain is spoken to. `contracts` is generated from `contracts/src`: one module for each
contract, whose methods answer questions or return a `Call` that sends nothing.
"""

from usufruct.chain import contracts
from usufruct.chain.anvil import Anvil, Devnet, DevnetStateBusy, DevnetUnavailable
from usufruct.chain.binding import Artifact, Block, Call, Contract, Creation, Event, Log, NotThisEvent, Reader
from usufruct.chain.client import Client, FeeHistory, Header, Receipt, Topics
from usufruct.chain.codec import InvalidArgument, Struct, UnreadableAnswer
from usufruct.chain.deployments import (
    ContractDeployer,
    Deployed,
    DeployerMissing,
    Deployments,
    NotDeployed,
    WrongCode,
    address_of,
)
from usufruct.chain.fees import FeePolicy, FeesOverCap
from usufruct.chain.hashing import address_of_key, checksum, create2_address, keccak
from usufruct.chain.indexer import Indexer, LogHandler, ReorgTooDeep, Stream
from usufruct.chain.plan import (
    COLLECTOR,
    SETTLEMENT,
    SettlementMismatch,
    Terms,
    check_settlement,
    deploy_all,
    deploy_devnet,
)
from usufruct.chain.revert import Panic, Reason, Revert, UnknownRevert
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
    KeystoreMissing,
    Signer,
    devnet_signer,
    open_keystore,
    refuse_devnet_key,
    write_keystore,
)
from usufruct.chain.store import Checkpoint, Sent, State
from usufruct.chain.toolchain import ToolMissing, install_anvil
from usufruct.chain.transaction import SignedTransaction, Transaction
from usufruct.chain.transport import RpcRefused, RpcUnavailable

__all__ = [
    "COLLECTOR",
    "DEVNET_ADDRESSES",
    "DEVNET_CHAINS",
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
    "DevnetUnavailable",
    "DigestSigner",
    "Event",
    "FeeHistory",
    "FeePolicy",
    "FeesOverCap",
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
    "NoContract",
    "NonceGap",
    "NotDeployed",
    "NotThisEvent",
    "Panic",
    "Reader",
    "Reason",
    "Receipt",
    "ReorgTooDeep",
    "Revert",
    "RpcRefused",
    "RpcUnavailable",
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
    "check_settlement",
    "checksum",
    "contracts",
    "create2_address",
    "deploy_all",
    "deploy_devnet",
    "devnet_signer",
    "install_anvil",
    "keccak",
    "list_payee",
    "open_keystore",
    "open_till",
    "plan_setup",
    "refuse_devnet_key",
    "set_up",
    "write_keystore",
]

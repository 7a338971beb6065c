// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IBatchSettlement} from "../interfaces/IBatchSettlement.sol";
import {IDepositCollector} from "../interfaces/IDepositCollector.sol";

/// @title BatchSettlement
/// @notice Escrow for pay-per-use, compatible with x402's `batch-settlement`; how it works is described in
///         `IBatchSettlement`.
/// @dev No immutables: the domain separator is built from the address and chain the code runs at, once a transaction,
///      so the code is right wherever it stands, also where a development chain puts it.
contract BatchSettlement is IBatchSettlement, Multicall, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    string public constant VERSION = "1.0.0";

    uint40 public constant MIN_WITHDRAW_DELAY = 15 minutes;
    uint40 public constant MAX_WITHDRAW_DELAY = 30 days;

    bytes32 public constant CHANNEL_CONFIG_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
    );
    bytes32 public constant VOUCHER_TYPEHASH = keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");
    bytes32 public constant REFUND_TYPEHASH = keccak256("Refund(bytes32 channelId,uint256 nonce,uint128 amount)");
    bytes32 public constant CLAIM_ENTRY_TYPEHASH =
        keccak256("ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)");
    bytes32 public constant CLAIM_BATCH_TYPEHASH = keccak256(
        "ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
    );

    string private constant DOMAIN_NAME = "x402 Batch Settlement";
    string private constant DOMAIN_VERSION = "1";
    bytes32 private constant DOMAIN_NAME_HASH = keccak256("x402 Batch Settlement");
    bytes32 private constant DOMAIN_VERSION_HASH = keccak256("1");
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// @inheritdoc IBatchSettlement
    mapping(bytes32 channelId => ChannelState) public channels;
    /// @inheritdoc IBatchSettlement
    mapping(bytes32 channelId => uint256) public refundNonce;
    /// @inheritdoc IBatchSettlement
    mapping(bytes32 channelId => WithdrawalState) public pendingWithdrawals;
    /// @inheritdoc IBatchSettlement
    mapping(address receiver => mapping(address token => ReceiverState)) public receivers;

    /// @inheritdoc IBatchSettlement
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData)
        external
        nonReentrant
    {
        require(
            config.payer != address(0) && config.receiver != address(0) && config.receiverAuthorizer != address(0)
                && config.token != address(0),
            InvalidChannel()
        );
        require(
            config.withdrawDelay >= MIN_WITHDRAW_DELAY && config.withdrawDelay <= MAX_WITHDRAW_DELAY,
            WithdrawDelayOutOfRange()
        );
        require(amount != 0, ZeroDeposit());
        require(collector != address(0), InvalidCollector());

        bytes32 channelId = _channelId(_domainSeparator(), config);
        ChannelState memory state = channels[channelId];
        require(amount <= type(uint128).max - state.balance, DepositOverflow());

        uint128 newBalance = state.balance + amount;
        channels[channelId].balance = newBalance;

        // Encoding the configuration for the event also refuses words with dirty upper bits, which `_channelId` takes
        // as they are: a channel that ever held money is a well-formed one.
        if (newBalance == amount && state.totalClaimed == 0) emit ChannelCreated(channelId, config);
        emit Deposited(channelId, msg.sender, amount, newBalance);

        // Nothing can leave while the collector runs (every way out is locked), so what came in is this deposit.
        uint256 held = IERC20(config.token).balanceOf(address(this));
        IDepositCollector(collector).collect(config.payer, config.token, amount, channelId, collectorData);
        // slither-disable-next-line reentrancy-balance,incorrect-equality
        require(IERC20(config.token).balanceOf(address(this)) == held + amount, DepositCollectionFailed());
    }

    /// @inheritdoc IBatchSettlement
    function claim(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        require(voucherClaims.length != 0, EmptyBatch());
        _claimBatch(_domainSeparator(), voucherClaims, address(0));
    }

    /// @inheritdoc IBatchSettlement
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature)
        external
        nonReentrant
    {
        require(voucherClaims.length != 0, EmptyBatch());
        bytes32 domain = _domainSeparator();
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        require(
            SignatureChecker.isValidSignatureNowCalldata(
                authorizer, _claimBatchDigest(domain, voucherClaims), authorizerSignature
            ),
            InvalidSignature()
        );
        _claimBatch(domain, voucherClaims, authorizer);
    }

    /// @inheritdoc IBatchSettlement
    function settle(address receiver, address token) external nonReentrant {
        ReceiverState memory state = receivers[receiver][token];
        uint128 amount = state.totalClaimed - state.totalSettled;
        if (amount == 0) return;

        receivers[receiver][token].totalSettled = state.totalClaimed;

        emit Settled(receiver, token, msg.sender, amount);
        IERC20(token).safeTransfer(receiver, amount);
    }

    /// @inheritdoc IBatchSettlement
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        require(_isPayerSide(config), InvalidChannel());
        require(amount != 0, NothingToWithdraw());
        bytes32 channelId = _channelId(_domainSeparator(), config);
        require(pendingWithdrawals[channelId].initiatedAt == 0, WithdrawalAlreadyPending());
        require(amount <= _unclaimed(channelId), WithdrawAmountExceedsAvailable());

        pendingWithdrawals[channelId] = WithdrawalState({amount: amount, initiatedAt: uint40(block.timestamp)});

        emit WithdrawInitiated(channelId, amount, uint40(block.timestamp) + config.withdrawDelay);
    }

    /// @inheritdoc IBatchSettlement
    function finalizeWithdraw(ChannelConfig calldata config) external nonReentrant {
        require(_isPayerSide(config), NotAuthorizedToFinalizeWithdraw());
        bytes32 channelId = _channelId(_domainSeparator(), config);
        WithdrawalState memory pending = pendingWithdrawals[channelId];
        require(pending.initiatedAt != 0, WithdrawalNotPending());
        require(block.timestamp >= uint256(pending.initiatedAt) + config.withdrawDelay, WithdrawDelayNotElapsed());

        delete pendingWithdrawals[channelId];
        uint128 available = _unclaimed(channelId);
        uint128 amount = pending.amount < available ? pending.amount : available;
        channels[channelId].balance -= amount;

        emit WithdrawFinalized(channelId, msg.sender, amount);
        _payBack(channelId, config, amount);
    }

    /// @inheritdoc IBatchSettlement
    function refund(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        require(_isReceiverSide(config), NotAuthorizedToRefund());
        _refund(_channelId(_domainSeparator(), config), config, amount);
    }

    /// @inheritdoc IBatchSettlement
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external nonReentrant {
        bytes32 domain = _domainSeparator();
        bytes32 channelId = _channelId(domain, config);
        require(nonce == refundNonce[channelId], InvalidRefundNonce());
        require(
            SignatureChecker.isValidSignatureNowCalldata(
                config.receiverAuthorizer, _refundDigest(domain, channelId, nonce, amount), receiverAuthorizerSignature
            ),
            InvalidSignature()
        );
        _refund(channelId, config, amount);
    }

    /// @inheritdoc IBatchSettlement
    function getChannelId(ChannelConfig calldata config) external view returns (bytes32) {
        return _channelId(_domainSeparator(), config);
    }

    /// @inheritdoc IBatchSettlement
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount) external view returns (bytes32) {
        return _voucherDigest(_domainSeparator(), channelId, maxClaimableAmount);
    }

    /// @inheritdoc IBatchSettlement
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount) external view returns (bytes32) {
        return _refundDigest(_domainSeparator(), channelId, nonce, amount);
    }

    /// @inheritdoc IBatchSettlement
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims) external view returns (bytes32) {
        return _claimBatchDigest(_domainSeparator(), voucherClaims);
    }

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (hex"0f", DOMAIN_NAME, DOMAIN_VERSION, block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    /// @dev Claims every row. `authorizer` is who signed the batch, or zero if the caller must be on the receiver's
    ///      side. What rows in a row with the same receiver and token bring is summed up and stored once. No row can
    ///      observe the stale total but a contract payer's ERC-1271 check, which is a static call.
    function _claimBatch(bytes32 domain, VoucherClaim[] calldata rows, address authorizer) private {
        address receiver = rows[0].voucher.channel.receiver;
        address token = rows[0].voucher.channel.token;
        uint128 claimed = 0;
        for (uint256 i = 0; i < rows.length; ++i) {
            VoucherClaim calldata row = rows[i];
            ChannelConfig calldata config = row.voucher.channel;
            if (authorizer == address(0)) require(_isReceiverSide(config), NotAuthorizedToClaim());
            else require(config.receiverAuthorizer == authorizer, NotReceiverAuthorizer());

            if (config.receiver != receiver || config.token != token) {
                if (claimed != 0) receivers[receiver][token].totalClaimed += claimed;
                (receiver, token, claimed) = (config.receiver, config.token, 0);
            }
            claimed += _claimRow(domain, row, config);
        }
        if (claimed != 0) receivers[receiver][token].totalClaimed += claimed;
    }

    /// @dev Raises one channel's total and returns by how much; zero if the row is not newer than the chain.
    function _claimRow(bytes32 domain, VoucherClaim calldata row, ChannelConfig calldata config)
        private
        returns (uint128 claimed)
    {
        bytes32 channelId = _channelId(domain, config);
        ChannelState storage state = channels[channelId];
        (uint128 balance, uint128 oldTotal) = (state.balance, state.totalClaimed);
        uint128 newTotal = row.totalClaimed;
        if (newTotal <= oldTotal) return 0;
        uint128 ceiling = row.voucher.maxClaimableAmount;
        require(newTotal <= ceiling, ClaimExceedsCeiling());
        require(newTotal <= balance, ClaimExceedsBalance());
        _checkVoucher(config, _voucherDigest(domain, channelId, ceiling), row.signature);

        claimed = newTotal - oldTotal;
        state.totalClaimed = newTotal;
        emit Claimed(channelId, msg.sender, claimed, newTotal);
    }

    /// @dev A named authorizer is a key. Without one the payer signs itself, as an account or as a contract.
    function _checkVoucher(ChannelConfig calldata config, bytes32 digest, bytes calldata signature) private view {
        address signer = config.payerAuthorizer;
        require(
            signer != address(0)
                ? ECDSA.recoverCalldata(digest, signature) == signer
                : SignatureChecker.isValidSignatureNowCalldata(config.payer, digest, signature),
            InvalidSignature()
        );
    }

    function _refund(bytes32 channelId, ChannelConfig calldata config, uint128 amount) private {
        require(amount != 0, ZeroRefund());
        // Also when nothing is left to refund: the signer of this nonce must look again before signing.
        ++refundNonce[channelId];
        uint128 available = _unclaimed(channelId);
        if (amount > available) amount = available;
        if (amount == 0) return;

        channels[channelId].balance -= amount;
        WithdrawalState memory pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt != 0) {
            if (amount >= pending.amount) delete pendingWithdrawals[channelId];
            else pendingWithdrawals[channelId].amount = pending.amount - amount;
        }

        emit Refunded(channelId, msg.sender, amount);
        _payBack(channelId, config, amount);
    }

    /// @dev The end of refund and withdrawal: announces an emptied channel and sends the money to the payer.
    function _payBack(bytes32 channelId, ChannelConfig calldata config, uint128 amount) private {
        (uint128 balance, uint128 totalClaimed) = _load(channelId);
        if (balance == 0 && totalClaimed == 0) emit ChannelClosed(channelId, config);
        if (amount != 0) IERC20(config.token).safeTransfer(config.payer, amount);
    }

    function _isPayerSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.payer || msg.sender == config.payerAuthorizer;
    }

    function _isReceiverSide(ChannelConfig calldata config) private view returns (bool) {
        return msg.sender == config.receiverAuthorizer || msg.sender == config.receiver;
    }

    function _unclaimed(bytes32 channelId) private view returns (uint128) {
        (uint128 balance, uint128 totalClaimed) = _load(channelId);
        return balance - totalClaimed;
    }

    /// @dev Both halves of a channel's slot by one read.
    function _load(bytes32 channelId) private view returns (uint128 balance, uint128 totalClaimed) {
        ChannelState storage state = channels[channelId];
        return (state.balance, state.totalClaimed);
    }

    function _domainSeparator() private view returns (bytes32) {
        return
            keccak256(abi.encode(DOMAIN_TYPEHASH, DOMAIN_NAME_HASH, DOMAIN_VERSION_HASH, block.chainid, address(this)));
    }

    /// @dev Hashes the seven words of `config` as they are in the calldata, without decoding them first.
    function _channelId(bytes32 domain, ChannelConfig calldata config) private pure returns (bytes32) {
        bytes32 typeHash = CHANNEL_CONFIG_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, typeHash)
            calldatacopy(add(words, 0x20), config, 0xe0)
            structHash := keccak256(words, 0x100)
        }
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    /// @dev Hashes above the free memory pointer without moving it, so that a long batch does not grow the memory.
    function _voucherDigest(bytes32 domain, bytes32 channelId, uint128 ceiling) private pure returns (bytes32) {
        bytes32 typeHash = VOUCHER_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, typeHash)
            mstore(add(words, 0x20), channelId)
            mstore(add(words, 0x40), ceiling)
            structHash := keccak256(words, 0x60)
        }
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    function _refundDigest(bytes32 domain, bytes32 channelId, uint256 nonce, uint128 amount)
        private
        pure
        returns (bytes32)
    {
        bytes32 structHash = keccak256(abi.encode(REFUND_TYPEHASH, channelId, nonce, amount));
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    function _claimBatchDigest(bytes32 domain, VoucherClaim[] calldata rows) private pure returns (bytes32) {
        bytes32[] memory entries = new bytes32[](rows.length);
        for (uint256 i = 0; i < rows.length; ++i) {
            VoucherClaim calldata row = rows[i];
            bytes32 channelId = _channelId(domain, row.voucher.channel);
            entries[i] = keccak256(
                abi.encode(CLAIM_ENTRY_TYPEHASH, channelId, row.voucher.maxClaimableAmount, row.totalClaimed)
            );
        }
        bytes32 structHash = keccak256(abi.encode(CLAIM_BATCH_TYPEHASH, keccak256(abi.encodePacked(entries))));
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }
}

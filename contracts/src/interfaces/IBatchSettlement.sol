// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title IBatchSettlement
/// @notice Escrow for pay-per-use: many small payments, few transactions. Speaks x402's `batch-settlement`.
///
/// A channel's life. A payer picks a `ChannelConfig`; its hash is the channel's id and nothing else is ever configured.
/// Someone deposits through a collector: the channel has a `balance`. For each call the payer side signs a voucher: "on
/// this channel you may claim up to this much in total". Vouchers are cumulative, so only the newest counts and an old
/// one is worthless. Now and then the receiver side claims many channels in one batch: each `totalClaimed` rises to
/// what was really charged, at most the voucher's ceiling and the balance. `settle` pays a receiver everything claimed
/// for it in one token. What is not claimed stays the payer's: the receiver side can refund it at once, and the payer
/// can take it alone, by `initiateWithdraw`, the channel's delay, `finalizeWithdraw`. A voucher that is not yet claimed
/// reserves nothing, hence a receiver claims within the delay.
///
/// Always true, for each token: this contract holds at least the sum over channels of `balance - totalClaimed`, plus
/// the sum over receivers of `totalClaimed - totalSettled`; `totalClaimed` never falls and never passes `balance`;
/// money leaves a channel to its receiver or to its payer only.
///
/// @dev Functions, events, errors (hence without arguments), getters, type hashes and the EIP-712 domain
///      "x402 Batch Settlement" / "1" equal those of x402's deployment, so its clients and facilitators work unchanged.
///      Fee-on-transfer tokens cannot be deposited. Rebasing tokens must not be.
interface IBatchSettlement is IERC5267 {
    /// @notice What a channel is; never changes. Its EIP-712 hash under this contract's domain is the channel's id.
    /// @param payer Owns the escrow; gets refunds and withdrawals.
    /// @param payerAuthorizer Key that signs vouchers; zero: `payer` itself signs, by key or ERC-1271.
    /// @param receiver Gets what is claimed; may claim and refund.
    /// @param receiverAuthorizer May claim and refund too, or sign for both.
    /// @param token The ERC-20 of the channel.
    /// @param withdrawDelay Seconds between `initiateWithdraw` and `finalizeWithdraw`.
    /// @param salt Any number; lets the same parties have several channels.
    struct ChannelConfig {
        address payer;
        address payerAuthorizer;
        address receiver;
        address receiverAuthorizer;
        address token;
        uint40 withdrawDelay;
        bytes32 salt;
    }

    /// @notice A channel's money, in atomic units of its token.
    /// @param balance All deposits less all refunds and withdrawals; claims do not lower it.
    /// @param totalClaimed What was ever claimed.
    struct ChannelState {
        uint128 balance;
        uint128 totalClaimed;
    }

    /// @notice A payer's announced withdrawal.
    /// @param amount Atomic units asked for.
    /// @param initiatedAt When, in seconds; zero: none is pending.
    struct WithdrawalState {
        uint128 amount;
        uint40 initiatedAt;
    }

    /// @notice A receiver's totals in one token, in atomic units.
    /// @param totalClaimed What was ever claimed for it.
    /// @param totalSettled What of that was paid out.
    struct ReceiverState {
        uint128 totalClaimed;
        uint128 totalSettled;
    }

    /// @notice What the payer side signs, the channel written out.
    /// @param channel The channel.
    /// @param maxClaimableAmount Ceiling on the channel's `totalClaimed`, in atomic units.
    struct Voucher {
        ChannelConfig channel;
        uint128 maxClaimableAmount;
    }

    /// @notice One row of a batch.
    /// @param voucher The newest voucher of the channel.
    /// @param signature The payer side's signature over it.
    /// @param totalClaimed What the channel's total rises to; a total, not a difference, so repeating a row does
    ///        nothing.
    struct VoucherClaim {
        Voucher voucher;
        bytes signature;
        uint128 totalClaimed;
    }

    /// @notice A channel got its first money, or its first since it was emptied unclaimed.
    event ChannelCreated(bytes32 indexed channelId, ChannelConfig config);

    /// @notice A channel was emptied without a claim ever made on it.
    event ChannelClosed(bytes32 indexed channelId, ChannelConfig config);

    /// @notice `amount` came in; `newBalance` includes it.
    event Deposited(bytes32 indexed channelId, address indexed sender, uint128 amount, uint128 newBalance);

    /// @notice A channel's total rose by `claimAmount` to `newTotalClaimed`.
    event Claimed(bytes32 indexed channelId, address indexed sender, uint128 claimAmount, uint128 newTotalClaimed);

    /// @notice A receiver was paid everything claimed for it so far.
    event Settled(address indexed receiver, address indexed token, address indexed sender, uint128 amount);

    /// @notice The receiver side gave unclaimed money back to the payer.
    event Refunded(bytes32 indexed channelId, address indexed sender, uint128 amount);

    /// @notice The payer side announced a withdrawal: claim before `finalizeAfter`.
    event WithdrawInitiated(bytes32 indexed channelId, uint128 amount, uint40 finalizeAfter);

    /// @notice The payer took unclaimed money back.
    event WithdrawFinalized(bytes32 indexed channelId, address indexed sender, uint128 amount);

    /// @notice A party of the channel is the zero address, or the caller is not on the payer's side.
    error InvalidChannel();
    /// @notice A deposit of nothing.
    error ZeroDeposit();
    /// @notice The channel's balance would pass 2^128 - 1.
    error DepositOverflow();
    /// @notice The signature is not that of the key or contract that must sign.
    error InvalidSignature();
    /// @notice A row's `receiverAuthorizer` is not the one that signed the batch.
    error NotReceiverAuthorizer();
    /// @notice The caller is neither receiver nor receiver authorizer of a row's channel.
    error NotAuthorizedToClaim();
    /// @notice The caller is neither receiver nor receiver authorizer of the channel.
    error NotAuthorizedToRefund();
    /// @notice A row claims more than its voucher allows.
    error ClaimExceedsCeiling();
    /// @notice A row claims more than the channel holds.
    error ClaimExceedsBalance();
    /// @notice The channel already has an announced withdrawal.
    error WithdrawalAlreadyPending();
    /// @notice The channel has no announced withdrawal.
    error WithdrawalNotPending();
    /// @notice The caller is neither payer nor payer authorizer of the channel.
    error NotAuthorizedToFinalizeWithdraw();
    /// @notice The channel's delay is not over.
    error WithdrawDelayNotElapsed();
    /// @notice A withdrawal of nothing.
    error NothingToWithdraw();
    /// @notice More was asked for than is unclaimed.
    error WithdrawAmountExceedsAvailable();
    /// @notice The channel's delay is outside `MIN_WITHDRAW_DELAY` to `MAX_WITHDRAW_DELAY`.
    error WithdrawDelayOutOfRange();
    /// @notice A batch without rows.
    error EmptyBatch();
    /// @notice The collector did not bring exactly the amount.
    error DepositCollectionFailed();
    /// @notice The collector is the zero address.
    error InvalidCollector();
    /// @notice The signed refund is not for the channel's current `refundNonce`.
    error InvalidRefundNonce();
    /// @notice A refund of nothing.
    error ZeroRefund();

    /// @notice Brings `amount` into a channel; anyone may call, the collector checks the payer's authorization.
    /// @param config The channel.
    /// @param amount Atomic units; exactly this much must arrive.
    /// @param collector The contract that fetches the money.
    /// @param collectorData What the collector needs: see there.
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData)
        external;

    /// @notice Raises the claimed totals of many channels; the caller is on the receiver's side of each.
    /// @dev A row that does not raise its channel's total is skipped, whatever its signature; any other fault in a row
    ///      reverts the batch. Rows next to each other with the same receiver and token cost least.
    /// @param voucherClaims The rows.
    function claim(VoucherClaim[] calldata voucherClaims) external;

    /// @notice Same as `claim`, sent by anyone with the receiver authorizer's signature.
    /// @param voucherClaims The rows, all with the same `receiverAuthorizer`.
    /// @param authorizerSignature That authorizer's signature over `getClaimBatchDigest(voucherClaims)`.
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature) external;

    /// @notice Pays `receiver` all that was claimed for it in `token`; anyone may call; does nothing if nothing is due.
    /// @param receiver The payee.
    /// @param token In which ERC-20.
    function settle(address receiver, address token) external;

    /// @notice Announces a withdrawal of unclaimed money; payer or payer authorizer only, one at a time.
    /// @param config The channel.
    /// @param amount Atomic units, at most what is unclaimed now.
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external;

    /// @notice Pays an announced withdrawal to the payer once the delay is over; payer or payer authorizer only.
    /// @dev Pays less, even nothing, if claims have used the money meanwhile.
    /// @param config The channel.
    function finalizeWithdraw(ChannelConfig calldata config) external;

    /// @notice Gives unclaimed money back to the payer at once; receiver or receiver authorizer only.
    /// @dev Counts against an announced withdrawal. Uses up a `refundNonce` even if nothing was left to refund.
    /// @param config The channel.
    /// @param amount Atomic units; lowered to what is unclaimed.
    function refund(ChannelConfig calldata config, uint128 amount) external;

    /// @notice Same as `refund`, sent by anyone with the receiver authorizer's signature.
    /// @param config The channel.
    /// @param amount Atomic units; lowered to what is unclaimed.
    /// @param nonce The channel's current `refundNonce`.
    /// @param receiverAuthorizerSignature The signature over `getRefundDigest(channelId, nonce, amount)`.
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external;

    /// @notice A channel's id: the EIP-712 hash of its configuration under this contract's domain.
    /// @param config The channel.
    /// @return The id, different on every chain and in every deployment.
    function getChannelId(ChannelConfig calldata config) external view returns (bytes32);

    /// @notice What the payer side signs for a voucher.
    /// @param channelId The channel.
    /// @param maxClaimableAmount The ceiling, in atomic units.
    /// @return The EIP-712 digest.
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount) external view returns (bytes32);

    /// @notice What a receiver authorizer signs for a refund.
    /// @param channelId The channel.
    /// @param nonce The channel's current `refundNonce`.
    /// @param amount Atomic units.
    /// @return The EIP-712 digest.
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount) external view returns (bytes32);

    /// @notice What a receiver authorizer signs for a batch; an empty batch has a digest too, though it cannot be
    ///         claimed.
    /// @param voucherClaims The rows; their signatures do not enter the digest.
    /// @return The EIP-712 digest.
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims) external view returns (bytes32);

    /// @notice A channel's money, in atomic units.
    function channels(bytes32 channelId) external view returns (uint128 balance, uint128 totalClaimed);

    /// @notice The nonce the channel's next signed refund must carry.
    function refundNonce(bytes32 channelId) external view returns (uint256);

    /// @notice The channel's announced withdrawal; `initiatedAt` is zero if there is none.
    function pendingWithdrawals(bytes32 channelId) external view returns (uint128 amount, uint40 initiatedAt);

    /// @notice A receiver's totals in one token, in atomic units.
    function receivers(address receiver, address token)
        external
        view
        returns (uint128 totalClaimed, uint128 totalSettled);

    /// @notice The shortest delay a channel may have, in seconds.
    function MIN_WITHDRAW_DELAY() external view returns (uint40);

    /// @notice The longest delay a channel may have, in seconds.
    function MAX_WITHDRAW_DELAY() external view returns (uint40);

    /// @notice EIP-712 type hash of `ChannelConfig`.
    function CHANNEL_CONFIG_TYPEHASH() external view returns (bytes32);

    /// @notice EIP-712 type hash of `Voucher(bytes32 channelId,uint128 maxClaimableAmount)`.
    function VOUCHER_TYPEHASH() external view returns (bytes32);

    /// @notice EIP-712 type hash of `Refund(bytes32 channelId,uint256 nonce,uint128 amount)`.
    function REFUND_TYPEHASH() external view returns (bytes32);

    /// @notice EIP-712 type hash of `ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)`.
    function CLAIM_ENTRY_TYPEHASH() external view returns (bytes32);

    /// @notice EIP-712 type hash of `ClaimBatch(ClaimEntry[] claims)`, the entry's type appended.
    function CLAIM_BATCH_TYPEHASH() external view returns (bytes32);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}

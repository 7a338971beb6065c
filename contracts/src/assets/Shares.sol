// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC6372Utils} from "@openzeppelin/contracts/utils/ERC6372Utils.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";

import {IAssetRegistry} from "../interfaces/IAssetRegistry.sol";
import {IShares} from "../interfaces/IShares.sol";
import {ITransferPolicy} from "../interfaces/ITransferPolicy.sol";
import {IWrappedNative} from "../interfaces/IWrappedNative.sol";
import {SharesTerms} from "../lib/SharesTerms.sol";
import {AssetId} from "../types/AssetId.sol";
import {
    Account,
    Epoch,
    Payouts,
    Receipts,
    packAccount,
    packEpoch,
    packPayouts,
    packReceipts
} from "../types/SharesRows.sol";

/// @title Shares
/// @notice See IShares for what it is and how a share lives.
/// @dev Hot rows are packed (see SharesRows) so that an accrue writes three slots and a collect two; the narrowest counter
///      saturates beyond 10^28 atomic units.
contract Shares is IShares, ERC20Permit, ERC20Votes, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IShares
    string public constant VERSION = "1.0.0";

    /// @inheritdoc IShares
    uint256 public constant SUPPLY = 100_000_000e6;

    /// @dev Scale of the accumulator, as a power of two.
    uint256 private constant SCALE_BITS = 64;

    /// @dev Bits below one atomic unit that accounts keep.
    uint256 private constant FRACTION_BITS = 8;
    uint256 private constant FRACTION = (1 << FRACTION_BITS) - 1;

    /// @dev Hundredths of a per cent in a whole.
    uint256 private constant BPS = 10_000;

    /// @dev Most that the protocol fee can be, whatever the registry says.
    uint256 private constant MAX_FEE_BPS = 1_000;

    /// @inheritdoc IShares
    address public immutable REGISTRY;

    /// @inheritdoc IShares
    address public immutable WRAPPED_NATIVE;

    string private _sharesName;
    string private _sharesSymbol;
    Epoch private _epoch;
    address[4] private _tokens;
    mapping(address token => Payouts) private _payouts;
    mapping(address token => Receipts) private _receipts;
    mapping(address token => uint256) private _feeReleased; // atomic units
    mapping(address token => mapping(address parent => uint256)) private _royaltyPaid; // atomic units
    mapping(address token => mapping(address holder => Account)) private _accounts;
    mapping(address holder => Epoch) private _epochSettled;

    /// @dev The registry deploys the implementation; only clones, which the registry makes, ever hold anything.
    constructor(address wrappedNative) ERC20("", "") ERC20Permit("Usufruct Shares") {
        REGISTRY = msg.sender;
        WRAPPED_NATIVE = wrappedNative;
        _sharesName = "Usufruct Shares"; // a named contract cannot be initialized
    }

    /// @notice Takes native coin; `wrap` turns it into revenue.
    receive() external payable {}

    /// @inheritdoc IShares
    function initialize(string calldata name_, string calldata symbol_, address registrant) external {
        require(msg.sender == REGISTRY, NotRegistry(msg.sender));
        require(bytes(_sharesName).length == 0, AlreadyInitialized());
        _sharesName = name_;
        _sharesSymbol = symbol_;
        _mint(registrant, SUPPLY);
    }

    // -- money in ------------------------------------------------------------------------------------------------------

    /// @inheritdoc IShares
    function accrue(address token) external nonReentrant returns (uint256 amount) {
        return _accrue(token, 0);
    }

    /// @inheritdoc IShares
    function wrap() external nonReentrant returns (uint256 amount) {
        IWrappedNative(WRAPPED_NATIVE).deposit{value: address(this).balance}();
        return _accrue(WRAPPED_NATIVE, 0);
    }

    /// @inheritdoc IShares
    function collectFrom(address child, address token) external nonReentrant returns (uint256 received) {
        _checkShares(child);
        received = _fetch(child, token);
        _accrue(token, received);
    }

    /// @inheritdoc IShares
    function accrueAll(address[] calldata children) external nonReentrant {
        _accrueAll(IAssetRegistry(REGISTRY).revenueTokens(), children);
    }

    // -- money out -----------------------------------------------------------------------------------------------------

    /// @inheritdoc IShares
    function collect(address token) external nonReentrant returns (uint256 amount) {
        return _collect(token, msg.sender);
    }

    /// @inheritdoc IShares
    function collect(address token, address to) external nonReentrant returns (uint256 amount) {
        return _collect(token, to);
    }

    /// @inheritdoc IShares
    function accrueAndCollect(address token, address to) external nonReentrant returns (uint256 amount) {
        _accrue(token, 0);
        return _collect(token, to);
    }

    /// @inheritdoc IShares
    // Locked; what transfers and views read meanwhile is whole after each token's accrue.
    // slither-disable-next-line reentrancy-eth,reentrancy-no-eth
    function collectAll(address[] calldata children, address to)
        external
        nonReentrant
        returns (uint256[] memory amounts)
    {
        address[] memory tokens = IAssetRegistry(REGISTRY).revenueTokens();
        _accrueAll(tokens, children);
        amounts = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            amounts[i] = _collect(tokens[i], to);
        }
    }

    /// @inheritdoc IShares
    function collectRoyalty(address token) external nonReentrant returns (uint256 amount) {
        uint256 paid = _royaltyPaid[token][msg.sender];
        uint256 total = _royaltyDown(_receipts[token].gross(), SharesTerms.royaltyOf(msg.sender));
        amount = total - paid;
        if (amount == 0) return 0;

        _royaltyPaid[token][msg.sender] = total;
        _bookPayment(token, amount);
        emit RoyaltyCollected(SharesTerms.asset(), token, msg.sender, amount, total);
        IERC20(token).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IShares
    function release(address token) external nonReentrant returns (uint256 amount) {
        uint256 credited = _receipts[token].feeCredited();
        amount = credited - _feeReleased[token];
        if (amount == 0) return 0;

        address sink = IAssetRegistry(REGISTRY).feeSink();
        _feeReleased[token] = credited;
        _bookPayment(token, amount);
        emit Released(SharesTerms.asset(), token, sink, amount, credited);
        IERC20(token).safeTransfer(sink, amount);
    }

    /// @inheritdoc IShares
    function swapUnlisted(address tokenOut, uint256 amountOut, address tokenIn, uint256 amountIn)
        external
        nonReentrant
    {
        require(msg.sender == Ownable(REGISTRY).owner(), NotRegistryOwner(msg.sender));
        require(amountIn != 0, NothingPaid(tokenIn));
        require(!IAssetRegistry(REGISTRY).isRevenueToken(tokenOut), RevenueTokenListed(tokenOut));
        require(!IAssetRegistry(REGISTRY).isShares(tokenOut), SharesStay(tokenOut));
        require(IAssetRegistry(REGISTRY).isRevenueToken(tokenIn), IAssetRegistry.NotRevenueToken(tokenIn));

        uint256 coin = address(this).balance;
        emit UnlistedSwapped(SharesTerms.asset(), tokenOut, tokenIn, amountOut, amountIn);
        IERC20(tokenIn).safeTransferFrom(msg.sender, address(this), amountIn);
        IERC20(tokenOut).safeTransfer(msg.sender, amountOut);
        require(address(this).balance >= coin, NativeCoinStays(tokenOut)); // on some chains an ERC-20 moves it, too
    }

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IShares
    /// @dev Refuses to answer in the middle of a payment, when the balance does not match the books.
    function pending(address holder, address token) external view nonReentrantView returns (uint256 amount) {
        Receipts receipts = _receipts[token];
        if (receipts.gross() == 0 && !IAssetRegistry(REGISTRY).isRevenueToken(token)) return 0;
        uint256 balance = IERC20(token).balanceOf(address(this));
        if (token == WRAPPED_NATIVE) balance += address(this).balance;
        (Payouts payouts,) = _notice(token, receipts, 0, balance);
        return _dueDown(_accounts[token][holder], balanceOf(holder), payouts.perShare()) >> FRACTION_BITS;
    }

    /// @inheritdoc IShares
    function pendingRoyalty(address parent, address token) external view returns (uint256 amount) {
        return _royaltyDown(_receipts[token].gross(), SharesTerms.royaltyOf(parent)) - _royaltyPaid[token][parent];
    }

    /// @inheritdoc IShares
    function revenue(address token) external view returns (Revenue memory) {
        Payouts payouts = _payouts[token];
        Receipts receipts = _receipts[token];
        return Revenue({
            gross: receipts.gross(),
            paidOut: payouts.paidOut(),
            perShare: payouts.perShare(),
            remainder: receipts.remainder(),
            feeCredited: receipts.feeCredited(),
            feeReleased: _feeReleased[token]
        });
    }

    /// @inheritdoc IShares
    function royaltyPaid(address parent, address token) external view returns (uint256) {
        return _royaltyPaid[token][parent];
    }

    /// @inheritdoc IShares
    function accruedTokens() external view returns (address[] memory list) {
        list = new address[](_epoch.tokenCount());
        for (uint256 i; i < list.length; ++i) {
            list[i] = _tokens[i];
        }
    }

    /// @inheritdoc IShares
    function assetId() external view returns (AssetId) {
        return SharesTerms.asset();
    }

    /// @inheritdoc IShares
    function noticePeriod() external view returns (uint32) {
        return SharesTerms.noticePeriod();
    }

    /// @inheritdoc IShares
    function transferPolicy() external view returns (address) {
        return SharesTerms.transferPolicy();
    }

    /// @inheritdoc IShares
    function parents() external view returns (Parent[] memory list) {
        list = new Parent[](SharesTerms.parentCount());
        for (uint256 i; i < list.length; ++i) {
            (list[i].shares, list[i].royaltyBps) = SharesTerms.parentAt(i);
        }
    }

    /// @inheritdoc ERC20
    function name() public view override returns (string memory) {
        return _sharesName;
    }

    /// @inheritdoc ERC20
    function symbol() public view override returns (string memory) {
        return _sharesSymbol;
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @inheritdoc ERC20
    function totalSupply() public pure override returns (uint256) {
        return SUPPLY;
    }

    /// @notice The votes there are at any time since the shares exist: all shares.
    function getPastTotalSupply(uint256 timepoint) public view override returns (uint256) {
        _validateTimepoint(timepoint);
        return SUPPLY;
    }

    /// @notice The clock that votes are counted by (ERC-6372): Unix seconds.
    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    /// @notice How to read `clock` (ERC-6372).
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public view override returns (string memory) {
        return ERC6372Utils.timestampClockMode(clock);
    }

    /// @inheritdoc ERC20Permit
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    // -- bookkeeping ---------------------------------------------------------------------------------------------------

    /// @dev Books what arrived in `token`, the first `feeFree` units of it without fee.
    function _accrue(address token, uint256 feeFree) private returns (uint256 amount) {
        Receipts before = _receipts[token];
        bool known = before.gross() != 0;
        require(known || IAssetRegistry(REGISTRY).isRevenueToken(token), IAssetRegistry.NotRevenueToken(token));

        uint256 balance = IERC20(token).balanceOf(address(this));
        (Payouts payouts, Receipts receipts) = _notice(token, before, feeFree, balance);
        amount = receipts.gross() - before.gross();
        if (amount == 0) return 0;

        _payouts[token] = payouts;
        _receipts[token] = receipts;
        Epoch epoch = _epoch;
        uint256 count = epoch.tokenCount();
        if (!known) _tokens[count++] = token; // the registry lists no more than fit
        _epoch = packEpoch(epoch.number() + 1, count);
        emit Accrued(
            SharesTerms.asset(),
            token,
            amount,
            receipts.feeCredited() - before.feeCredited(),
            receipts.gross(),
            receipts.feeCredited(),
            payouts.perShare()
        );
    }

    /// @dev Wraps native coin, fetches what `children` owe, and books all of it, token by token. Both callers are locked.
    // slither-disable-next-line reentrancy-eth,reentrancy-no-eth
    function _accrueAll(address[] memory tokens, address[] calldata children) private {
        for (uint256 i; i < children.length; ++i) {
            _checkShares(children[i]);
        }
        if (address(this).balance != 0) IWrappedNative(WRAPPED_NATIVE).deposit{value: address(this).balance}();
        for (uint256 i; i < tokens.length; ++i) {
            uint256 received = 0;
            for (uint256 j; j < children.length; ++j) {
                received += _fetch(children[j], tokens[i]);
            }
            _accrue(tokens[i], received);
        }
    }

    /// @dev Takes what `child` owes this contract in `token`, what it has not noticed yet included.
    function _fetch(address child, address token) private returns (uint256 received) {
        // What the child noticed is not all this contract's.
        // slither-disable-start unused-return
        if (token == WRAPPED_NATIVE && child.balance != 0) IShares(child).wrap();
        else IShares(child).accrue(token);
        // slither-disable-end unused-return
        return IShares(child).collectRoyalty(token) + IShares(child).collect(token);
    }

    function _checkShares(address account) private view {
        require(IAssetRegistry(REGISTRY).isShares(account), IAssetRegistry.NotShares(account));
    }

    /// @dev The books of `token` as they are once what has arrived is booked; as they were, if nothing has.
    function _notice(address token, Receipts receipts, uint256 feeFree, uint256 balance)
        private
        view
        returns (Payouts, Receipts)
    {
        Payouts payouts = _payouts[token];
        uint256 gross = receipts.gross();
        balance = Math.min(balance, type(uint128).max);
        unchecked {
            // What the contract should hold is gross - paidOut; a balance below that (a token that shrinks) is not new income.
            uint256 received = Math.min(balance + payouts.paidOut(), type(uint112).max);
            if (received <= gross) return (payouts, receipts);
            uint256 amount = received - gross;
            uint256 fee = amount > feeFree ? _feeDown(amount - feeFree, receipts.feeCredited()) : 0;

            // Royalties of all parents are set aside as one sum: rounded one by one they could exceed a tiny amount.
            // As one sum, at most half, they and a fee of at most a tenth never do.
            uint256 scaled = ((amount - fee - _royaltiesDown(gross, received)) << SCALE_BITS) + receipts.remainder();
            receipts = packReceipts(received, scaled % SUPPLY, receipts.feeCredited() + fee);
            payouts = packPayouts(payouts.perShare() + scaled / SUPPLY, payouts.paidOut()); // 2^112 x 2^64 / 10^14 < 2^130
            return (payouts, receipts);
        }
    }

    /// @dev The protocol fee on `amount`, as much of it as the counter of credited fees still takes.
    function _feeDown(uint256 amount, uint256 feeCredited) private view returns (uint256) {
        unchecked {
            uint256 fee = amount * Math.min(IAssetRegistry(REGISTRY).feeBps(), MAX_FEE_BPS) / BPS;
            return Math.min(fee, type(uint96).max - feeCredited);
        }
    }

    /// @dev What all parents together get for gross revenue growing from `gross` to `received`.
    function _royaltiesDown(uint256 gross, uint256 received) private view returns (uint256) {
        uint256 bps = SharesTerms.royalties();
        unchecked {
            return _royaltyDown(received, bps) - _royaltyDown(gross, bps);
        }
    }

    /// @dev Pays `msg.sender`'s accrued income to `to`. Reads neither epoch nor token list: it concerns one token only.
    function _collect(address token, address to) private returns (uint256 amount) {
        Payouts payouts = _payouts[token];
        uint256 due = _dueDown(_accounts[token][msg.sender], balanceOf(msg.sender), payouts.perShare());
        amount = due >> FRACTION_BITS;
        if (amount == 0) return 0; // leaves a fraction of a unit to grow

        _accounts[token][msg.sender] = packAccount(payouts.perShare(), due & FRACTION);
        uint256 paidOut = _bookPayment(token, amount);
        emit Collected(SharesTerms.asset(), token, msg.sender, to, amount, paidOut);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @dev Counts a payment before it is made. All parties together are never owed more than gross, so the total fits.
    function _bookPayment(address token, uint256 amount) private returns (uint256 paidOut) {
        Payouts payouts = _payouts[token];
        paidOut = payouts.paidOut() + amount;
        _payouts[token] = packPayouts(payouts.perShare(), paidOut);
    }

    /// @dev Settles both sides before balances move. Calls no token, so no token can block or re-enter a transfer.
    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        require(to != address(this), ERC20InvalidReceiver(to)); // its income would have no owner
        if (from != address(0)) {
            address policy = SharesTerms.transferPolicy();
            if (policy != address(0)) {
                require(
                    ITransferPolicy(policy).canTransfer(address(this), from, to, value),
                    TransferRefused(policy, from, to, value)
                );
            }
            Epoch epoch = _epoch;
            _settle(from, epoch);
            _settle(to, epoch);
        }
        super._update(from, to, value);
    }

    /// @dev Completes what `holder` is owed in every token, unless nothing accrued since it was last done.
    function _settle(address holder, Epoch epoch) private {
        if (Epoch.unwrap(_epochSettled[holder]) == Epoch.unwrap(epoch)) return;
        uint256 balance = balanceOf(holder);
        uint256 count = epoch.tokenCount();
        for (uint256 i; i < count; ++i) {
            address token = _tokens[i];
            Account account = _accounts[token][holder];
            uint256 perShare = _payouts[token].perShare();
            if (account.perSharePaid() == perShare) continue;
            _accounts[token][holder] = packAccount(perShare, _dueDown(account, balance, perShare)); // due <= gross
        }
        _epochSettled[holder] = epoch;
    }

    /// @dev The supply is constant, so only the votes of delegates are counted.
    function _transferVotingUnits(address from, address to, uint256 amount) internal override {
        _moveDelegateVotes(delegates(from), delegates(to), amount);
    }

    /// @dev What an account with `balance` shares is due when the accumulator is at `perShare`, in 256ths of a unit: so a
    ///      settlement rounds away less than one of them.
    function _dueDown(Account account, uint256 balance, uint256 perShare) private pure returns (uint256) {
        unchecked {
            uint256 income = balance * (perShare - account.perSharePaid()); // 2^47 x 2^130 at most
            return account.due() + (income >> (SCALE_BITS - FRACTION_BITS));
        }
    }

    /// @dev Royalty at `bps` on all revenue so far.
    function _royaltyDown(uint256 gross, uint256 bps) private pure returns (uint256) {
        unchecked {
            return gross * bps / BPS; // 2^112 x 2^14 at most
        }
    }
}

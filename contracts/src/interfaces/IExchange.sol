// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IExchange
/// @notice A market of signed listings: revenue shares, titles, pass credits and any other ERC-20, ERC-721 and ERC-1155, one
///         or a bundle, for native coin or a revenue token.
///
/// A listing's life. Its maker approves the items to the exchange and signs the listing, off chain and for free; the items
/// stay theirs. A buyer sends the listing and the money; in that one transaction the royalties of the items (ERC-2981) and
/// the rest, the maker's, are paid out, and the items move. Only the protocol fee stays, until anyone calls `release`: so a
/// sink that cannot be paid stops no sale. The maker ends listings by using up their nonces; a listing's expiry ends it
/// anyway. A listing whose maker has parted with an item, has withdrawn the approval, or may no longer transfer it, fails
/// with an error that names the reason, and costs its buyer nothing but gas.
///
/// What a maker can rely on. They get the price less at most `maxDeductionBps`, whatever royalties and fee become later.
/// The price of a part of a divisible listing is rounded up. What a buyer can rely on. They pay at most the price that
/// they name, and get exactly the items or pay nothing. What everyone can rely on. The owner sets the fee, `MAX_FEE_BPS`
/// at most, and where it goes. No one can move what others approved, other than by a listing that they signed.
///
/// Royalties go to the receiver that the item's contract names at the sale. If it is a registered Shares contract, the
/// royalty is accrued at once as its holders' income. Bundles name a price for each item, and each royalty is asked on
/// that.
/// @dev Money is in atomic units of the currency. Listings are EIP-712 messages, bound to chain and exchange. Makers may be
///      contracts (ERC-1271), also ones that are yet to be deployed (ERC-6492).
interface IExchange {
    /// @notice What an item is.
    enum ItemKind {
        ERC20,
        ERC721,
        ERC1155
    }

    /// @notice One thing that is sold.
    /// @param kind What it is.
    /// @param token Its contract.
    /// @param id Its id; 0 for an ERC-20.
    /// @param amount How much of it, not zero; 1 for an ERC-721.
    /// @param price For all of `amount`, not zero.
    struct Item {
        ItemKind kind;
        address token;
        uint256 id;
        uint128 amount;
        uint128 price;
    }

    /// @notice What a maker signs.
    /// @param maker Owns the items and is paid.
    /// @param currency The ERC-20 of all prices, a revenue token of the registry; zero: native coin.
    /// @param expiry Unix seconds; from then on nothing is sold.
    /// @param maxDeductionBps Most that royalties and fee together may take of the price, hundredths of a per cent.
    /// @param divisible Whether parts are sold, too; only for one item, an ERC-20 or ERC-1155.
    /// @param nonce Any number. An indivisible listing uses it up when it is sold: of several with the same nonce one is
    ///        sold. Divisible listings with the same nonce count together what they have sold.
    /// @param item What is sold.
    /// @param more What is sold with it, as a bundle: `item` and these in strictly ascending order of token and id, at most
    ///        `MAX_ITEMS` in all.
    struct Listing {
        address maker;
        address currency;
        uint64 expiry;
        uint16 maxDeductionBps;
        bool divisible;
        uint256 nonce;
        Item item;
        Item[] more;
    }

    /// @notice A buyer's ERC-2612 allowance, for the highest price that they name.
    struct Permit {
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice A buyer's ERC-3009 authorization of the price to the exchange, with `authorizationNonce` as nonce.
    /// @param buyer Pays, and has signed.
    /// @param validAfter Unix seconds.
    /// @param validBefore Unix seconds.
    /// @param salt A random number of the buyer's.
    /// @param signature As the currency's `receiveWithAuthorization` takes it.
    struct Authorization {
        address buyer;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 salt;
        bytes signature;
    }

    /// @notice A listing, or a part of it, was sold. The maker got `price - royalties - fee`.
    /// @param listing Its EIP-712 hash.
    /// @param maker Who sold.
    /// @param token The contract of the first item.
    /// @param buyer Who paid.
    /// @param nonce The listing's nonce.
    /// @param amount How much of a divisible listing's item; 0: the whole listing, which was indivisible.
    /// @param price What was paid, of which
    /// @param royalties went to the items' receivers and
    /// @param fee to the protocol: it waits for `release`.
    event Sold(
        bytes32 indexed listing,
        address indexed maker,
        address indexed token,
        address buyer,
        uint256 nonce,
        uint256 amount,
        uint256 price,
        uint256 royalties,
        uint256 fee
    );

    /// @notice A maker used up nonces: those of the bits in `mask`, the lowest of which is nonce `256 * word`.
    event NoncesCancelled(address indexed maker, uint256 indexed word, uint256 mask);

    /// @notice Fees were paid to the sink.
    event Released(address indexed currency, address indexed sink, uint256 amount);

    /// @notice The protocol fee was set.
    event FeeSet(address indexed sink, uint16 bps);

    /// @notice Shares have their royalty, but did not accrue it; anyone may do it later.
    event AccrueFailed(address indexed shares, address indexed currency);

    /// @notice The listing expired at `expiry`.
    error ListingExpired(uint256 expiry);

    /// @notice The nonce was cancelled, or its listing was sold.
    error NonceUsed(address maker, uint256 nonce);

    /// @notice The maker did not sign this listing for this exchange and chain.
    error InvalidSignature(address maker);

    /// @notice The bundle has more than `MAX_ITEMS`.
    error TooManyItems(uint256 count);

    /// @notice Items are not in strictly ascending order of token and id; so one is there twice, perhaps.
    error ItemsNotAscending(uint256 index);

    /// @notice The item has no price, no amount, or an amount or id that its kind does not allow.
    error InvalidItem(uint256 index);

    /// @notice Only a single ERC-20 or ERC-1155 item can be sold in parts.
    error NotDivisible();

    /// @notice Of the divisible listing less is left.
    error NotEnoughLeft(uint256 asked, uint256 left);

    /// @notice The currency is neither native coin nor a revenue token of the registry.
    error CurrencyNotAllowed(address currency);

    /// @notice The price is above what the buyer allowed.
    error PriceAboveMax(uint256 price, uint256 maxPrice);

    /// @notice Another amount of native coin than the price was sent, or some for a price in an ERC-20.
    error WrongValue(uint256 sent, uint256 needed);

    /// @notice Maker and buyer, or maker and recipient, are the same.
    error SelfTrade(address account);

    /// @notice Nothing can be sent to this address: zero, or the contract itself.
    error InvalidRecipient(address to);

    /// @notice Royalties, or royalties and fee, are more than the maker allowed.
    error DeductionsTooHigh(uint256 deductions, uint256 most);

    /// @notice The item's address has no code.
    error NotAContract(address token);

    /// @notice The maker has less of the item than is sold.
    error ItemNotOwned(address token, uint256 id, address maker, uint256 amount);

    /// @notice The maker has not approved the item to the exchange, or not enough of it.
    error ItemNotApproved(address token, uint256 id, address maker, uint256 amount);

    /// @notice The item's contract, a transfer policy or the recipient refused the transfer, for `reason`.
    error ItemRefused(address token, uint256 id, address from, address to, bytes reason);

    /// @notice The item's contract claims to have transferred, and has not.
    error ItemNotDelivered(address token, uint256 id);

    /// @notice The token delivered another amount than it was asked for.
    error WrongAmountReceived(address token, uint256 received, uint256 expected);

    /// @notice Two lists that belong together differ in length.
    error LengthMismatch(uint256 first, uint256 second);

    /// @notice The fee is above `MAX_FEE_BPS`, or has no receiver.
    error InvalidFee(address sink, uint256 bps);

    // -- buyers --------------------------------------------------------------------------------------------------------

    /// @notice Buys a listing, or a part of a divisible one, with native coin sent along or an allowance of the caller's.
    /// @param listing As the maker signed it.
    /// @param signature The maker's.
    /// @param amount Of a divisible listing's item; 0: all that was listed.
    /// @param maxPrice The most that the caller pays.
    /// @param to Who gets the items.
    /// @return price What was paid.
    function buy(Listing calldata listing, bytes calldata signature, uint256 amount, uint256 maxPrice, address to)
        external
        payable
        returns (uint256 price);

    /// @notice The same, with an allowance that the caller signed: one transaction for buyers who never approved.
    /// @param permit For `maxPrice`. One that was used already is passed over.
    function buyWithPermit(
        Listing calldata listing,
        bytes calldata signature,
        uint256 amount,
        uint256 maxPrice,
        address to,
        Permit calldata permit
    ) external returns (uint256 price);

    /// @notice The same for a buyer who only signs; anyone may send it, and no one can change it.
    /// @param authorization Of exactly the price: its nonce binds listing, amount and recipient.
    function buyWithAuthorization(
        Listing calldata listing,
        bytes calldata signature,
        uint256 amount,
        address to,
        Authorization calldata authorization
    ) external returns (uint256 price);

    // -- makers --------------------------------------------------------------------------------------------------------

    /// @notice Uses up nonces of the caller's: those of the bits in `mask`, the lowest of which is nonce `256 * word`.
    /// @dev Makers who regret an unknown signature withdraw the approvals, or cancel the nonce that the listing names.
    function cancel(uint256 word, uint256 mask) external;

    /// @notice The same for several words at once.
    function cancel(uint256[] calldata words, uint256[] calldata masks) external;

    // -- anyone --------------------------------------------------------------------------------------------------------

    /// @notice Pays the fees that wait here to the sink. Anyone may call.
    /// @param currency An ERC-20; zero: native coin.
    /// @return amount What was paid: all that is here, so also what someone sent here by mistake.
    function release(address currency) external returns (uint256 amount);

    // -- the owner -----------------------------------------------------------------------------------------------------

    /// @notice Sets the protocol fee. Owner only. Listings that allow no such deduction cannot be sold then.
    /// @param sink Receives it.
    /// @param bps Hundredths of a per cent of the price, at most `MAX_FEE_BPS`.
    function setFee(address sink, uint16 bps) external;

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @notice Whether a listing can be sold: reverts with the reason if not. To be simulated; it changes nothing, but that
    ///         a maker's ERC-6492 account may be deployed.
    /// @dev It does not know the buyer, whom a transfer policy may refuse: simulate `buy` for that.
    /// @return left How much of a divisible listing is left to sell; of another, 1.
    function check(Listing calldata listing, bytes calldata signature) external returns (uint256 left);

    /// @notice What a listing, or a part of it, costs now, and what is deducted from that for others than the maker.
    /// @param amount As for `buy`.
    function quote(Listing calldata listing, uint256 amount)
        external
        view
        returns (uint256 price, uint256 royalties, uint256 fee);

    /// @notice The EIP-712 hash that the maker signs.
    function hashOf(Listing calldata listing) external view returns (bytes32);

    /// @notice The ERC-3009 nonce that binds a buyer's authorization to its purpose.
    function authorizationNonce(bytes32 listing, uint256 amount, address to, bytes32 salt)
        external
        pure
        returns (bytes32);

    /// @notice Whether a maker's nonce was cancelled, or used up by a sale.
    function isNonceUsed(address maker, uint256 nonce) external view returns (bool);

    /// @notice What divisible listings of this nonce have sold.
    function soldOf(address maker, uint256 nonce) external view returns (uint256);

    /// @notice Who gets the protocol fee, and how much of a price it is, in hundredths of a per cent.
    function protocolFee() external view returns (address sink, uint16 bps);

    /// @notice The most that the protocol fee can be: 5 %.
    function MAX_FEE_BPS() external view returns (uint16);

    /// @notice The most items that a listing can have.
    function MAX_ITEMS() external view returns (uint256);

    /// @notice The registry whose revenue tokens are the currencies, and whose Shares accrue royalties at once.
    function REGISTRY() external view returns (address);

    /// @notice What is paid instead of native coin to who does not take that.
    function WRAPPED_NATIVE() external view returns (address);

    /// @notice The version of this contract, as "major.minor.patch".
    function VERSION() external view returns (string memory);
}

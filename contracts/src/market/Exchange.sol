// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IAssetRegistry} from "../interfaces/IAssetRegistry.sol";
import {IERC3009Bytes} from "../interfaces/IERC3009Bytes.sol";
import {IExchange} from "../interfaces/IExchange.sol";
import {IShares} from "../interfaces/IShares.sol";
import {IWrappedNative} from "../interfaces/IWrappedNative.sol";
import {AccountDeployer} from "../lib/AccountDeployer.sol";
import {TwoStepOwner} from "../lib/TwoStepOwner.sol";

/// @title Exchange
/// @notice See IExchange for what is sold and how.
/// @dev Each purchase has the same beats: check the listing, use it up, take and pay out the money, move the items. Why a
///      transfer failed is looked up only after it did.
contract Exchange is IExchange, EIP712, TwoStepOwner, ReentrancyGuardTransient {
    using LowLevelCall for address;
    using SafeERC20 for IERC20;

    /// @dev The protocol fee. One slot.
    struct Fee {
        address sink;
        uint16 bps;
    }

    /// @dev A purchase in progress.
    struct Sale {
        bytes32 listing;
        address currency;
        address buyer;
        address to;
        uint256 amount; // of a divisible listing's item, 0 for an indivisible listing
        uint256 price;
        bool held; // whether the exchange has the money already
    }

    /// @inheritdoc IExchange
    string public constant VERSION = "1.0.0";
    /// @inheritdoc IExchange
    uint16 public constant MAX_FEE_BPS = 500;
    /// @inheritdoc IExchange
    uint256 public constant MAX_ITEMS = 20;

    bytes32 private constant ITEM_TYPEHASH =
        keccak256("Item(uint8 kind,address token,uint256 id,uint128 amount,uint128 price)");
    bytes32 private constant LISTING_TYPEHASH = keccak256(
        "Listing(address maker,address currency,uint64 expiry,uint16 maxDeductionBps,bool divisible,uint256 nonce,"
        "Item item,Item[] more)Item(uint8 kind,address token,uint256 id,uint128 amount,uint128 price)"
    );
    /// @dev The last word of an ERC-6492 signature.
    bytes32 private constant ERC6492_SUFFIX = 0x6492649264926492649264926492649264926492649264926492649264926492;
    /// @dev `type(IERC1155).interfaceId`, as an argument.
    uint256 private constant ERC1155_ID = uint256(bytes32(type(IERC1155).interfaceId));
    uint256 private constant BPS = 10_000;
    /// @dev What a payee of native coin may use up; a payee that takes more is paid in the wrapped coin.
    uint256 private constant PAYMENT_GAS = 100_000;

    /// @inheritdoc IExchange
    address public immutable REGISTRY;
    /// @inheritdoc IExchange
    address public immutable WRAPPED_NATIVE;
    AccountDeployer private immutable DEPLOYER;

    /// @inheritdoc IExchange
    Fee public protocolFee;
    /// @inheritdoc IExchange
    mapping(address maker => mapping(uint256 nonce => uint256)) public soldOf; // atomic units of the item
    mapping(address maker => mapping(uint256 word => uint256)) private _usedNonces;

    /// @param owner Sets the fee.
    /// @param registry The asset registry.
    /// @param wrappedNative The chain's wrapped native coin.
    /// @param feeSink Receives the fee.
    /// @param feeBps Hundredths of a per cent.
    constructor(address owner, address registry, address wrappedNative, address feeSink, uint16 feeBps)
        EIP712("Usufruct Exchange", "1")
        Ownable(owner)
    {
        REGISTRY = registry;
        WRAPPED_NATIVE = wrappedNative;
        DEPLOYER = new AccountDeployer();
        _setFee(feeSink, feeBps);
    }

    // -- buyers --------------------------------------------------------------------------------------------------------

    /// @inheritdoc IExchange
    function buy(Listing calldata listing, bytes calldata signature, uint256 amount, uint256 maxPrice, address to)
        external
        payable
        nonReentrant
        returns (uint256 price)
    {
        return _buy(listing, signature, amount, maxPrice, to);
    }

    /// @inheritdoc IExchange
    function buyWithPermit(
        Listing calldata listing,
        bytes calldata signature,
        uint256 amount,
        uint256 maxPrice,
        address to,
        Permit calldata permit
    ) external nonReentrant returns (uint256 price) {
        _checkToken(listing.currency);
        try IERC20Permit(listing.currency)
            .permit(msg.sender, address(this), maxPrice, permit.deadline, permit.v, permit.r, permit.s) {}
            catch {} // front-run, or superfluous: the allowance decides
        return _buy(listing, signature, amount, maxPrice, to);
    }

    /// @inheritdoc IExchange
    function buyWithAuthorization(
        Listing calldata listing,
        bytes calldata signature,
        uint256 amount,
        address to,
        Authorization calldata authorization
    ) external nonReentrant returns (uint256 price) {
        Sale memory sale = _open(listing, signature, amount, authorization.buyer, to);
        bytes32 nonce = authorizationNonce(sale.listing, amount, to, authorization.salt);
        price = sale.price;
        _receive(sale.currency, price, authorization, nonce);
        sale.held = true;
        _finish(listing, sale);
    }

    // -- makers --------------------------------------------------------------------------------------------------------

    /// @inheritdoc IExchange
    function cancel(uint256 word, uint256 mask) external {
        _cancel(word, mask);
    }

    /// @inheritdoc IExchange
    function cancel(uint256[] calldata words, uint256[] calldata masks) external {
        require(words.length == masks.length, LengthMismatch(words.length, masks.length));
        for (uint256 i = 0; i < words.length; ++i) {
            _cancel(words[i], masks[i]);
        }
    }

    // -- anyone --------------------------------------------------------------------------------------------------------

    /// @inheritdoc IExchange
    function release(address currency) external nonReentrant returns (uint256 amount) {
        address sink = protocolFee.sink;
        bool coin = currency == address(0);
        amount = coin ? address(this).balance : IERC20(currency).balanceOf(address(this));
        if (amount == 0) return 0;
        emit Released(currency, sink, amount);
        if (coin) _payNative(sink, amount);
        else IERC20(currency).safeTransfer(sink, amount);
    }

    // -- the owner -----------------------------------------------------------------------------------------------------

    /// @inheritdoc IExchange
    function setFee(address sink, uint16 bps) external onlyOwner {
        _setFee(sink, bps);
    }

    // -- views ---------------------------------------------------------------------------------------------------------

    /// @inheritdoc IExchange
    function check(Listing calldata listing, bytes calldata signature) external nonReentrant returns (uint256 left) {
        address maker = listing.maker;
        _checkTerms(listing);
        _checkSignature(maker, hashOf(listing), signature);
        require(!isNonceUsed(maker, listing.nonce), NonceUsed(maker, listing.nonce));
        left = 1;
        if (listing.divisible) {
            left = Math.saturatingSub(listing.item.amount, soldOf[maker][listing.nonce]);
            require(left != 0, NotEnoughLeft(1, 0));
        }
        _checkHeld(maker, listing.item, listing.divisible ? left : listing.item.amount);
        for (uint256 i = 0; i < listing.more.length; ++i) {
            _checkHeld(maker, listing.more[i], listing.more[i].amount);
        }
    }

    /// @inheritdoc IExchange
    function quote(Listing calldata listing, uint256 amount)
        external
        view
        returns (uint256 price, uint256 royalties, uint256 fee)
    {
        _checkTerms(listing);
        (, price) = _priceUp(listing, amount);
        (, royalties) = _royalty(listing.item, listing.divisible ? price : listing.item.price);
        for (uint256 i = 0; i < listing.more.length; ++i) {
            (, uint256 royalty) = _royalty(listing.more[i], listing.more[i].price);
            royalties += royalty;
        }
        fee = price * protocolFee.bps / BPS;
    }

    /// @inheritdoc IExchange
    function hashOf(Listing calldata listing) public view returns (bytes32) {
        bytes32 itemType = ITEM_TYPEHASH;
        bytes32 listingType = LISTING_TYPEHASH;
        bytes32 more = _hashMore(listing.more);
        bytes32 hash;
        // The members are hashed as they lie in the calldata: six words, the item's five, and the place of `more`.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, itemType)
            calldatacopy(add(free, 0x20), add(listing, 0xc0), 0xa0)
            let item := keccak256(free, 0xc0)
            mstore(free, listingType)
            calldatacopy(add(free, 0x20), listing, 0xc0)
            mstore(add(free, 0xe0), item)
            mstore(add(free, 0x100), more)
            hash := keccak256(free, 0x120)
        }
        return _hashTypedDataV4(hash);
    }

    /// @inheritdoc IExchange
    function authorizationNonce(bytes32 listing, uint256 amount, address to, bytes32 salt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(listing, amount, to, salt));
    }

    /// @inheritdoc IExchange
    function isNonceUsed(address maker, uint256 nonce) public view returns (bool) {
        return _usedNonces[maker][nonce >> 8] & _bit(nonce) != 0;
    }

    // -- a purchase ----------------------------------------------------------------------------------------------------

    // slither-disable-next-line msg-value-in-nonpayable (`buy` is payable)
    function _buy(Listing calldata listing, bytes calldata signature, uint256 amount, uint256 maxPrice, address to)
        private
        returns (uint256 price)
    {
        Sale memory sale = _open(listing, signature, amount, msg.sender, to);
        price = sale.price;
        require(price <= maxPrice, PriceAboveMax(price, maxPrice));
        uint256 value = sale.currency == address(0) ? price : 0;
        require(msg.value == value, WrongValue(msg.value, value));
        _finish(listing, sale);
    }

    /// @dev Checks the listing and uses it up, or the part of it.
    function _open(Listing calldata listing, bytes calldata signature, uint256 amount, address buyer, address to)
        private
        returns (Sale memory sale)
    {
        address maker = listing.maker;
        require(buyer != maker && to != maker, SelfTrade(maker));
        require(to != address(0) && to != address(this), InvalidRecipient(to));
        _checkTerms(listing);
        bytes32 hash = hashOf(listing);
        _checkSignature(maker, hash, signature);
        sale.listing = hash;
        sale.currency = listing.currency;
        sale.buyer = buyer;
        sale.to = to;
        (sale.amount, sale.price) = _priceUp(listing, amount);
        _use(listing, sale.amount);
    }

    /// @dev Pays everyone, and moves the items.
    function _finish(Listing calldata listing, Sale memory sale) private {
        uint256 count = listing.more.length;
        uint256 royalties = _payRoyalty(listing.item, sale, sale.amount == 0 ? listing.item.price : sale.price);
        for (uint256 i = 0; i < count; ++i) {
            royalties += _payRoyalty(listing.more[i], sale, listing.more[i].price);
        }
        uint256 fee = _payRest(listing, sale, royalties);
        emit Sold(
            sale.listing,
            listing.maker,
            listing.item.token,
            sale.buyer,
            listing.nonce,
            sale.amount,
            sale.price,
            royalties,
            fee
        );
        _deliver(listing.maker, sale.to, listing.item, sale.amount == 0 ? listing.item.amount : sale.amount);
        for (uint256 i = 0; i < count; ++i) {
            _deliver(listing.maker, sale.to, listing.more[i], listing.more[i].amount);
        }
    }

    /// @dev All that can be told without knowing buyer or signature.
    function _checkTerms(Listing calldata listing) private view {
        uint256 count = listing.more.length;
        require(block.timestamp < listing.expiry, ListingExpired(listing.expiry));
        _checkItem(listing.item, 0);
        if (listing.divisible) require(count == 0 && listing.item.kind != ItemKind.ERC721, NotDivisible());
        if (listing.currency != address(0)) _checkToken(listing.currency);
        if (count != 0) _checkMore(listing);
    }

    function _checkMore(Listing calldata listing) private pure {
        Item[] calldata more = listing.more;
        require(more.length < MAX_ITEMS, TooManyItems(more.length + 1));
        Item calldata last = listing.item;
        for (uint256 i = 0; i < more.length; ++i) {
            Item calldata item = more[i];
            _checkItem(item, i + 1);
            require(
                last.token < item.token || (last.token == item.token && last.id < item.id), ItemsNotAscending(i + 1)
            );
            last = item;
        }
    }

    function _checkItem(Item calldata item, uint256 index) private pure {
        ItemKind kind = item.kind;
        uint256 amount = item.amount;
        bool valid = item.price != 0
            && (kind == ItemKind.ERC721 ? amount == 1 : amount != 0 && (kind != ItemKind.ERC20 || item.id == 0));
        require(valid, InvalidItem(index));
    }

    /// @dev What is sold, 0 for an indivisible listing, and its price: of a part, rounded up for the maker.
    function _priceUp(Listing calldata listing, uint256 amount) private pure returns (uint256, uint256 price) {
        price = listing.item.price;
        if (listing.divisible) {
            uint256 all = listing.item.amount;
            if (amount == 0) return (all, price);
            require(amount <= all, NotEnoughLeft(amount, all));
            return (amount, Math.ceilDiv(amount * price, all));
        }
        require(amount == 0, NotDivisible());
        for (uint256 i = 0; i < listing.more.length; ++i) {
            price += listing.more[i].price;
        }
        return (0, price);
    }

    /// @dev The account's own key first, also if it has code by EIP-7702.
    function _checkSignature(address maker, bytes32 hash, bytes calldata signature) private {
        // slither-disable-next-line unused-return
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(hash, signature);
        if (failure == ECDSA.RecoverError.NoError && signer == maker) return;
        if (signature.length > 32 && bytes32(signature[signature.length - 32:]) == ERC6492_SUFFIX) {
            (address factory, bytes memory data, bytes memory inner) =
                abi.decode(signature[:signature.length - 32], (address, bytes, bytes));
            if (maker.code.length == 0) DEPLOYER.deploy(factory, data);
            require(SignatureChecker.isValidERC1271SignatureNow(maker, hash, inner), InvalidSignature(maker));
        } else {
            require(
                SignatureChecker.isValidERC1271SignatureNowCalldata(maker, hash, signature), InvalidSignature(maker)
            );
        }
    }

    /// @dev Uses the nonce up; of a divisible listing, counts what is sold under it.
    function _use(Listing calldata listing, uint256 amount) private {
        address maker = listing.maker;
        uint256 nonce = listing.nonce;
        uint256 used = _usedNonces[maker][nonce >> 8];
        require(used & _bit(nonce) == 0, NonceUsed(maker, nonce));
        if (amount == 0) {
            _usedNonces[maker][nonce >> 8] = used | _bit(nonce);
        } else {
            uint256 sold = soldOf[maker][nonce];
            uint256 left = Math.saturatingSub(listing.item.amount, sold);
            require(amount <= left, NotEnoughLeft(amount, left));
            soldOf[maker][nonce] = sold + amount;
        }
    }

    function _cancel(uint256 word, uint256 mask) private {
        _usedNonces[msg.sender][word] |= mask;
        emit NoncesCancelled(msg.sender, word, mask);
    }

    function _hashMore(Item[] calldata more) private pure returns (bytes32) {
        if (more.length == 0) return keccak256("");
        bytes32[] memory hashes = new bytes32[](more.length);
        for (uint256 i = 0; i < more.length; ++i) {
            hashes[i] = keccak256(abi.encode(ITEM_TYPEHASH, more[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function _checkToken(address currency) private view {
        require(IAssetRegistry(REGISTRY).isRevenueToken(currency), CurrencyNotAllowed(currency));
    }

    // -- money ---------------------------------------------------------------------------------------------------------

    /// @dev Takes the price by the buyer's authorization; the token must deliver all of it.
    function _receive(address currency, uint256 price, Authorization calldata authorization, bytes32 nonce) private {
        _checkToken(currency);
        uint256 before = IERC20(currency).balanceOf(address(this));
        IERC3009Bytes(currency)
            .receiveWithAuthorization(
                authorization.buyer,
                address(this),
                price,
                authorization.validAfter,
                authorization.validBefore,
                nonce,
                authorization.signature
            );
        _checkReceived(currency, address(this), before, price);
    }

    /// @dev Pays an item's royalty on its price, and has Shares accrue it.
    function _payRoyalty(Item calldata item, Sale memory sale, uint256 price) private returns (uint256) {
        (address receiver, uint256 royalty) = _royalty(item, price);
        if (royalty == 0) return 0;
        require(royalty <= price, DeductionsTooHigh(royalty, price));
        _pay(sale, receiver, royalty);
        if (receiver.code.length != 0 && IAssetRegistry(REGISTRY).isShares(receiver)) _accrue(receiver, sale.currency);
        return royalty;
    }

    /// @dev Keeps the fee, rounded down, for `release`, and pays the maker. A token that keeps something for itself shows in the maker's part.
    function _payRest(Listing calldata listing, Sale memory sale, uint256 royalties) private returns (uint256 fee) {
        uint256 price = sale.price;
        fee = price * protocolFee.bps / BPS;
        uint256 deductions = royalties + fee;
        uint256 most = price * Math.min(listing.maxDeductionBps, BPS) / BPS;
        require(deductions <= most, DeductionsTooHigh(deductions, most));
        // The fee in native coin is here with the rest, as is what an authorization brought.
        if (fee != 0 && sale.currency != address(0) && !sale.held) _pay(sale, address(this), fee);
        if (price == deductions) return fee;
        address maker = listing.maker;
        if (sale.currency == address(0)) {
            _payNative(maker, price - deductions);
        } else {
            uint256 before = IERC20(sale.currency).balanceOf(maker);
            _pay(sale, maker, price - deductions);
            _checkReceived(sale.currency, maker, before, price - deductions);
        }
    }

    function _pay(Sale memory sale, address to, uint256 amount) private {
        address currency = sale.currency;
        if (currency == address(0)) _payNative(to, amount);
        else if (sale.held) IERC20(currency).safeTransfer(to, amount);
        // slither-disable-next-line arbitrary-send-erc20 (the sender: of a buyer who only signed, the exchange holds the money)
        else IERC20(currency).safeTransferFrom(sale.buyer, to, amount);
    }

    /// @dev A payee that does not take native coin, or not for this little gas, gets the wrapped coin: none can stop a sale.
    function _payNative(address to, uint256 amount) private {
        bool paid;
        assembly ("memory-safe") {
            paid := call(PAYMENT_GAS, to, amount, 0, 0, 0, 0)
        }
        if (paid) return;
        IWrappedNative(WRAPPED_NATIVE).deposit{value: amount}();
        IERC20(WRAPPED_NATIVE).safeTransfer(to, amount);
    }

    /// @dev Nothing that Shares do here can stop the sale.
    function _accrue(address shares, address currency) private {
        bytes memory data =
            currency == address(0) ? abi.encodeCall(IShares.wrap, ()) : abi.encodeCall(IShares.accrue, (currency));
        if (!shares.callNoReturn(data)) emit AccrueFailed(shares, currency);
    }

    /// @dev What the item's contract names as royalty on `price`; none, if it knows nothing of royalties.
    function _royalty(Item calldata item, uint256 price) private view returns (address receiver, uint256 royalty) {
        if (item.kind == ItemKind.ERC20) return (address(0), 0);
        (uint256 size, uint256 first, uint256 second) = _ask(item.token, IERC2981.royaltyInfo.selector, item.id, price);
        receiver = address(uint160(first));
        if (size < 64 || receiver == address(0) || receiver == address(this)) return (address(0), 0);
        return (receiver, second);
    }

    // -- items ---------------------------------------------------------------------------------------------------------

    /// @dev Moves an item and looks whether it came: contracts that answer every call, or keep a part, are refused.
    function _deliver(address maker, address to, Item calldata item, uint256 amount) private {
        address token = item.token;
        require(token.code.length != 0, NotAContract(token));
        ItemKind kind = item.kind;
        if (kind == ItemKind.ERC20) _deliverERC20(maker, to, item, amount);
        else if (kind == ItemKind.ERC721) _deliverERC721(maker, to, item);
        else _deliverERC1155(maker, to, item, amount);
    }

    function _deliverERC20(address maker, address to, Item calldata item, uint256 amount) private {
        uint256 before = IERC20(item.token).balanceOf(to);
        if (!IERC20(item.token).trySafeTransferFrom(maker, to, amount)) _explain(maker, to, item, amount);
        _checkReceived(item.token, to, before, amount);
    }

    function _deliverERC721(address maker, address to, Item calldata item) private {
        if (!item.token.callNoReturn(abi.encodeCall(IERC721.transferFrom, (maker, to, item.id)))) {
            _explain(maker, to, item, 1);
        }
        require(_ownerOf(item) == to, ItemNotDelivered(item.token, item.id));
    }

    /// @dev The recipient may have passed the item on when its callback returns; so no balance is looked at.
    function _deliverERC1155(address maker, address to, Item calldata item, uint256 amount) private {
        address token = item.token;
        bytes memory data = abi.encodeCall(IERC1155.safeTransferFrom, (maker, to, item.id, amount, ""));
        if (!token.callNoReturn(data)) _explain(maker, to, item, amount);
        (uint256 size, uint256 answer,) = _ask(token, IERC165.supportsInterface.selector, ERC1155_ID, 0);
        require(size >= 32 && answer == 1, ItemNotDelivered(token, item.id));
    }

    /// @dev Reverts with the reason why a transfer has just failed.
    function _explain(address maker, address to, Item calldata item, uint256 amount) private view {
        bytes memory reason = LowLevelCall.returnData();
        _checkHeld(maker, item, amount);
        revert ItemRefused(item.token, item.id, maker, to, reason);
    }

    /// @dev Whether the maker has what they sell, and has approved it.
    function _checkHeld(address maker, Item calldata item, uint256 amount) private view {
        require(item.token.code.length != 0, NotAContract(item.token));
        bool held;
        bool approved;
        if (item.kind == ItemKind.ERC20) {
            held = IERC20(item.token).balanceOf(maker) >= amount;
            approved = IERC20(item.token).allowance(maker, address(this)) >= amount;
        } else if (item.kind == ItemKind.ERC721) {
            held = _ownerOf(item) == maker;
            approved = held
                && (IERC721(item.token).getApproved(item.id) == address(this)
                    || IERC721(item.token).isApprovedForAll(maker, address(this)));
        } else {
            held = IERC1155(item.token).balanceOf(maker, item.id) >= amount;
            approved = IERC1155(item.token).isApprovedForAll(maker, address(this));
        }
        require(held, ItemNotOwned(item.token, item.id, maker, amount));
        require(approved, ItemNotApproved(item.token, item.id, maker, amount));
    }

    /// @dev The zero address if the contract does not know the token, or is not an ERC-721.
    function _ownerOf(Item calldata item) private view returns (address) {
        // slither-disable-next-line unused-return
        (uint256 size, uint256 owner,) = _ask(item.token, IERC721.ownerOf.selector, item.id, 0);
        return size >= 32 ? address(uint160(owner)) : address(0);
    }

    /// @dev The first two words of an answer to `selector(first, second)`, and its size; 0, if there is none.
    function _ask(address token, bytes4 selector, uint256 first, uint256 second)
        private
        view
        returns (uint256 size, uint256 word, uint256 nextWord)
    {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, selector)
            mstore(add(free, 0x04), first)
            mstore(add(free, 0x24), second)
            if staticcall(gas(), token, free, 0x44, 0, 0x40) {
                size := returndatasize()
                word := mload(0)
                nextWord := mload(0x20)
            }
        }
    }

    function _checkReceived(address token, address account, uint256 before, uint256 asked) private view {
        uint256 balance = IERC20(token).balanceOf(account);
        uint256 received = Math.saturatingSub(balance, before);
        // slither-disable-next-line incorrect-equality (exact on purpose)
        require(received == asked, WrongAmountReceived(token, received, asked));
    }

    function _setFee(address sink, uint16 bps) private {
        require(bps <= MAX_FEE_BPS && sink != address(0), InvalidFee(sink, bps));
        protocolFee = Fee({sink: sink, bps: bps});
        emit FeeSet(sink, bps);
    }

    function _bit(uint256 nonce) private pure returns (uint256) {
        return 1 << (nonce & 0xff);
    }
}

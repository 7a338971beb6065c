// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IExchange} from "../../src/interfaces/IExchange.sol";
import {WrappedShares} from "../../src/market/WrappedShares.sol";
import {WrappedSharesFactory} from "../../src/market/WrappedSharesFactory.sol";
import {MarketBase} from "../MarketBase.t.sol";
import {ThirdParty} from "./ThirdParty.t.sol";

interface ISafe {
    function setup(
        address[] calldata owners,
        uint256 threshold,
        address to,
        bytes calldata data,
        address fallbackHandler,
        address paymentToken,
        uint256 payment,
        address payable paymentReceiver
    ) external;
    function execTransaction(
        address to,
        uint256 value,
        bytes calldata data,
        uint8 operation,
        uint256 safeTxGas,
        uint256 baseGas,
        uint256 gasPrice,
        address gasToken,
        address payable refundReceiver,
        bytes calldata signatures
    ) external payable returns (bool);
    function getTransactionHash(
        address to,
        uint256 value,
        bytes calldata data,
        uint8 operation,
        uint256 safeTxGas,
        uint256 baseGas,
        uint256 gasPrice,
        address gasToken,
        address refundReceiver,
        uint256 nonce
    ) external view returns (bytes32);
    function nonce() external view returns (uint256);
    function domainSeparator() external view returns (bytes32);
}

interface ISafeFactory {
    function createProxyWithNonce(address singleton, bytes calldata initializer, uint256 salt)
        external
        returns (address);
}

/// @notice A Safe of two owners who both have to sign, the bytecode of its npm package 1.5.0: it holds 15 % of the shares.
contract SafeTest is MarketBase, ThirdParty {
    string private constant ARTIFACTS = "@safe-global/safe-smart-account/build/artifacts/contracts/";
    bytes32 private constant MESSAGE_TYPEHASH = keccak256("SafeMessage(bytes message)");
    uint256 private constant PART = SUPPLY * 15 / 100;
    uint256 private constant INCOME = 30_000e6;
    uint256 private constant EARNED = 4_500e6; // of 15 %

    WrappedShares private _wrapped;
    ISafe private _safe;
    uint256 private _firstKey = 0x5AFE1;
    uint256 private _secondKey = 0x5AFE2;

    function setUp() public override {
        super.setUp();
        _setFee(0);
        WrappedSharesFactory factory =
            WrappedSharesFactory(deploy("WrappedSharesFactory.sol:WrappedSharesFactory", abi.encode(registry)));
        _wrapped = WrappedShares(factory.create(address(shares)));
        if (vm.addr(_firstKey) > vm.addr(_secondKey)) (_firstKey, _secondKey) = (_secondKey, _firstKey);
        _safe = _createSafe();
        _give(shares, address(_safe), PART);
    }

    function test_a_safe_collects_the_income_of_plain_shares() public {
        _earn(shares, INCOME);
        _execute(address(shares), abi.encodeWithSignature("collectAll(address[],address)", new address[](0), carol));
        assertEq(money.balanceOf(carol), EARNED - 1, "to whom it names");
    }

    function test_a_safe_wraps_and_unwraps_with_the_income() public {
        _wrapAll();
        assertEq(_wrapped.balanceOf(address(_safe)), PART, "wrapped");
        _earn(shares, INCOME);
        address[] memory tokens = new address[](1);
        tokens[0] = address(money);
        _execute(address(_wrapped), abi.encodeCall(_wrapped.unwrap, (PART, carol, tokens)));
        assertEq(shares.balanceOf(carol), PART, "the shares");
        assertEq(money.balanceOf(carol), EARNED - 1, "and the income, to whom it names");
    }

    function test_one_owner_alone_takes_nothing() public {
        _wrapAll();
        bytes memory call = abi.encodeCall(_wrapped.transfer, (carol, PART));
        bytes32 hash = _hash(address(_wrapped), call);
        bytes memory once = _sign(_firstKey, hash);
        vm.expectRevert();
        _send(address(_wrapped), call, bytes.concat(once, once));
        assertEq(_wrapped.balanceOf(address(_safe)), PART, "still there");
    }

    /// @dev Its owners sign the listing as a message of the Safe (ERC-1271); its handler checks that.
    function test_a_safe_sells_wrapped_shares_by_a_signed_listing() public {
        _wrapAll();
        _execute(address(_wrapped), abi.encodeCall(IERC20.approve, (address(exchange), PART)));
        IExchange.Listing memory listing =
            _forDollars(_item(IExchange.ItemKind.ERC20, address(_wrapped), 0, uint128(PART)));
        listing.maker = address(_safe);
        bytes32 hash = exchange.hashOf(listing);
        bytes memory signature = _signMessage(hash);
        bytes memory ofOther = _signMessage(keccak256("another listing"));
        vm.startPrank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IExchange.InvalidSignature.selector, address(_safe)));
        exchange.buy(listing, ofOther, 0, PRICE, buyer);
        exchange.buy(listing, signature, 0, PRICE, buyer);
        vm.stopPrank();
        assertEq(_wrapped.balanceOf(buyer), PART, "sold");
        assertEq(dollar.balanceOf(address(_safe)), PRICE - FEE, "and paid");
    }

    function _createSafe() private returns (ISafe) {
        address singleton = _deployFrom(string.concat(ARTIFACTS, "Safe.sol/Safe.json"), ".bytecode", "");
        address handler = _deployFrom(
            string.concat(ARTIFACTS, "handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler.json"),
            ".bytecode",
            ""
        );
        ISafeFactory factory = ISafeFactory(
            _deployFrom(string.concat(ARTIFACTS, "proxies/SafeProxyFactory.sol/SafeProxyFactory.json"), ".bytecode", "")
        );
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (vm.addr(_firstKey), vm.addr(_secondKey));
        bytes memory setup =
            abi.encodeCall(ISafe.setup, (owners, 2, address(0), "", handler, address(0), 0, payable(address(0))));
        return ISafe(factory.createProxyWithNonce(singleton, setup, 0));
    }

    function _wrapAll() private {
        _execute(address(shares), abi.encodeCall(IERC20.approve, (address(_wrapped), PART)));
        uint256[] memory most = new uint256[](3); // nothing: it is the first to wrap
        _execute(address(_wrapped), abi.encodeCall(_wrapped.wrap, (PART, address(_safe), most)));
    }

    function _execute(address to, bytes memory call) private {
        _send(to, call, _signBoth(_hash(to, call)));
    }

    function _send(address to, bytes memory call, bytes memory signatures) private {
        _safe.execTransaction(to, 0, call, 0, 0, 0, 0, address(0), payable(address(0)), signatures);
    }

    function _hash(address to, bytes memory call) private view returns (bytes32) {
        return _safe.getTransactionHash(to, 0, call, 0, 0, 0, 0, address(0), address(0), _safe.nonce());
    }

    function _signMessage(bytes32 hash) private view returns (bytes memory) {
        bytes32 message = keccak256(abi.encode(MESSAGE_TYPEHASH, keccak256(abi.encode(hash))));
        return _signBoth(keccak256(abi.encodePacked(hex"1901", _safe.domainSeparator(), message)));
    }

    function _signBoth(bytes32 digest) private view returns (bytes memory) {
        return bytes.concat(_sign(_firstKey, digest), _sign(_secondKey, digest));
    }
}

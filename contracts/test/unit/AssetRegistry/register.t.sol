// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {Shares} from "../../../src/assets/Shares.sol";
import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {IIdentity8004} from "../../../src/interfaces/IIdentity8004.sol";
import {IShares} from "../../../src/interfaces/IShares.sol";
import {AssetId} from "../../../src/types/AssetId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {AllowListPolicy} from "../../mocks/AllowListPolicy.sol";

contract RegisterTest is AssetsBase {
    function test_gives_title_and_all_shares_to_the_registrant() public view {
        assertEq(registry.ownerOf(_title()), alice, "title");
        assertEq(shares.balanceOf(alice), SUPPLY, "shares");
        assertEq(shares.totalSupply(), SUPPLY, "supply");
        assertEq(shares.decimals(), 6, "decimals");
        assertTrue(shares.assetId() == id, "shares know their asset");
        assertTrue(registry.assetOf(address(shares)) == id, "the registry knows the shares");
        assertTrue(registry.isShares(address(shares)), "is shares");
        assertTrue(!registry.isShares(registry.SHARES_IMPLEMENTATION()), "the implementation is not an asset's shares");
    }

    function test_stores_what_was_registered() public {
        AllowListPolicy policy = new AllowListPolicy();
        IAssetRegistry.Registration memory registration = _registration("second");
        registration.kind = IAssetRegistry.Kind.Agent;
        registration.endpoint = "https://api.example";
        registration.transferPolicy = address(policy);
        registration.parents = new IShares.Parent[](1);
        registration.parents[0] = IShares.Parent(address(shares), 5_000);
        (AssetId second, Shares child) = _register(bob, registration);

        IAssetRegistry.Asset memory asset = registry.asset(second);
        assertEq(asset.shares, address(child), "shares");
        assertEq(asset.noticePeriod, 1 days, "notice");
        assertEq(uint256(asset.kind), uint256(IAssetRegistry.Kind.Agent), "kind");
        assertEq(asset.resaleRoyaltyBps, 500, "resale royalty");
        assertEq(asset.retiresAt, 0, "not retiring");
        assertEq(asset.currency, address(money), "currency");
        assertEq(asset.meter, meter, "meter");
        assertEq(asset.meterSince, time(), "meter since");
        assertEq(keccak256(bytes(child.name())), keccak256("First shares"), "name");
        assertEq(keccak256(bytes(child.symbol())), keccak256("ONE"), "symbol");
        assertEq(child.noticePeriod(), 1 days, "the clone's notice");
        assertEq(child.transferPolicy(), address(policy), "the clone's policy");
        assertEq(child.parents().length, 1, "parents");
        assertEq(child.parents()[0].shares, address(shares), "parent");
        assertEq(child.parents()[0].royaltyBps, 5_000, "royalty");
        assertEq(registry.priceCard(second).inputPerMillion, 150_000, "price card");
        assertEq(keccak256(bytes(registry.tokenURI(AssetId.unwrap(second)))), keccak256("ipfs://first"), "uri");
        assertEq(
            keccak256(registry.getMetadata(AssetId.unwrap(second), "endpoint")), keccak256("https://api.example"), "api"
        );
    }

    function test_keeps_four_parents_apart() public {
        IAssetRegistry.Registration memory registration = _registration("child");
        registration.parents = _parents(4, 1_250);
        (, Shares child) = _register(alice, registration);
        IShares.Parent[] memory stored = child.parents();
        assertEq(stored.length, 4, "count");
        for (uint256 i; i < 4; ++i) {
            assertEq(stored[i].shares, registration.parents[i].shares, "shares");
            assertEq(stored[i].royaltyBps, 1_250, "royalty");
        }
    }

    function test_predicts_id_and_address(bytes32 salt, uint32 notice) public {
        IAssetRegistry.Registration memory registration = _registration(salt);
        registration.noticePeriod = uint32(bound(notice, 1 hours, 30 days));
        (AssetId id_, address predicted) = registry.predict(carol, registration);
        (AssetId got, Shares made) = _register(carol, registration);
        assertTrue(got == id_, "id");
        assertEq(address(made), predicted, "address");
        assertEq(
            AssetId.unwrap(got),
            uint128(uint256(keccak256(abi.encode(block.chainid, address(registry), carol, salt)))),
            "id by its definition"
        );
    }

    function test_another_registrant_cannot_take_the_id() public {
        IAssetRegistry.Registration memory registration = _registration("wanted");
        (AssetId wanted, address predicted) = registry.predict(bob, registration);
        (AssetId carols,) = _register(carol, registration);
        assertTrue(carols != wanted, "carol has an id of her own");
        (AssetId bobs, Shares made) = _register(bob, registration);
        assertTrue(bobs == wanted, "bob still gets his");
        assertEq(address(made), predicted, "and the address");
    }

    function test_emits_what_indexers_need() public {
        IAssetRegistry.Registration memory registration = _registration("second");
        (AssetId second, address predicted) = registry.predict(bob, registration);
        vm.expectEmit(address(registry));
        emit IAssetRegistry.MeterSet(second, meter);
        vm.expectEmit(address(registry));
        emit IERC721.Transfer(address(0), bob, AssetId.unwrap(second));
        vm.expectEmit(address(registry));
        emit IAssetRegistry.AssetRegistered(
            second,
            bob,
            predicted,
            IAssetRegistry.Kind.Model,
            address(money),
            1 days,
            address(0),
            500,
            registration.parents
        );
        vm.expectEmit(address(registry));
        emit IAssetRegistry.PriceCardSet(second, 1, uint40(time()), _card(1));
        vm.expectEmit(address(registry));
        emit IIdentity8004.Registered(AssetId.unwrap(second), "ipfs://first", bob);
        vm.expectEmit(address(registry));
        emit IIdentity8004.MetadataSet(
            AssetId.unwrap(second), "agentWallet", "agentWallet", abi.encodePacked(predicted)
        );
        _register(bob, registration);
    }

    function test_reverts_whenSaltIsUsedAgain() public {
        _refused(_registration("first"), abi.encodeWithSelector(IAssetRegistry.AssetExists.selector, id));
    }

    function test_reverts_whenPaused() public {
        vm.prank(guardian);
        registry.pause(1 hours);
        _refused(
            _registration("second"), abi.encodeWithSelector(IAssetRegistry.IsPaused.selector, uint40(time() + 1 hours))
        );
    }

    function test_reverts_whenNameOrSymbolIsEmpty() public {
        IAssetRegistry.Registration memory registration = _registration("second");
        registration.name = "";
        _refused(registration, abi.encodeWithSelector(IAssetRegistry.EmptyName.selector));
        registration = _registration("second");
        registration.symbol = "";
        _refused(registration, abi.encodeWithSelector(IAssetRegistry.EmptyName.selector));
    }

    function test_reverts_whenCurrencyIsNotListed() public {
        IAssetRegistry.Registration memory registration = _registration("second");
        registration.currency = address(this);
        _refused(registration, abi.encodeWithSelector(IAssetRegistry.NotRevenueToken.selector, address(this)));
    }

    function test_reverts_whenNoticeIsOutOfRange(uint32 notice) public {
        notice = uint32(bound(notice, 30 days + 1, type(uint32).max));
        IAssetRegistry.Registration memory registration = _registration("second");
        registration.noticePeriod = notice;
        _refused(
            registration,
            abi.encodeWithSelector(IAssetRegistry.NoticePeriodOutOfRange.selector, notice, 1 hours, 30 days)
        );
        registration.noticePeriod = 1 hours - 1;
        _refused(
            registration,
            abi.encodeWithSelector(IAssetRegistry.NoticePeriodOutOfRange.selector, 1 hours - 1, 1 hours, 30 days)
        );
    }

    function test_reverts_whenFirstPriceCardIsNotVersionOne() public {
        IAssetRegistry.Registration memory registration = _registration("second");
        registration.priceCard.version = 2;
        AssetId second = registry.assetIdOf(alice, "second");
        _refused(
            registration,
            abi.encodeWithSelector(IAssetRegistry.WrongPriceCardVersion.selector, second, uint256(2), uint256(1))
        );
    }

    function test_reverts_whenCachedInputCostsMoreThanInput() public {
        IAssetRegistry.Registration memory registration = _registration("second");
        registration.priceCard.cachedInputBps = 10_001;
        _refused(
            registration, abi.encodeWithSelector(IAssetRegistry.RateTooHigh.selector, uint256(10_001), uint256(10_000))
        );
    }

    function test_reverts_whenResaleRoyaltyIsTooHigh() public {
        IAssetRegistry.Registration memory registration = _registration("second");
        registration.resaleRoyaltyBps = 1_001;
        _refused(
            registration, abi.encodeWithSelector(IAssetRegistry.RateTooHigh.selector, uint256(1_001), uint256(1_000))
        );
    }

    function test_reverts_whenPolicyHasNoCode() public {
        IAssetRegistry.Registration memory registration = _registration("second");
        registration.transferPolicy = bob;
        _refused(registration, abi.encodeWithSelector(IAssetRegistry.NotContract.selector, bob));
    }

    function test_reverts_whenThereAreFiveParents() public {
        IAssetRegistry.Registration memory registration = _registration("child");
        registration.parents = _parents(5, 1);
        _refused(registration, abi.encodeWithSelector(IAssetRegistry.TooManyParents.selector, uint256(5), uint256(4)));
    }

    function test_reverts_whenParentIsNotRegisteredShares() public {
        IAssetRegistry.Registration memory registration = _registration("child");
        registration.parents = new IShares.Parent[](1);
        registration.parents[0] = IShares.Parent(bob, 100);
        _refused(registration, abi.encodeWithSelector(IAssetRegistry.NotShares.selector, bob));
    }

    function test_reverts_whenParentIsTheAssetItself() public {
        IAssetRegistry.Registration memory registration = _registration("child");
        registration.parents = new IShares.Parent[](1);
        (, address own) = registry.predict(alice, registration);
        registration.parents[0] = IShares.Parent(own, 100);
        _refused(registration, abi.encodeWithSelector(IAssetRegistry.NotShares.selector, own));
    }

    function test_reverts_whenParentIsNamedTwice() public {
        IAssetRegistry.Registration memory registration = _registration("child");
        registration.parents = new IShares.Parent[](2);
        registration.parents[0] = IShares.Parent(address(shares), 100);
        registration.parents[1] = IShares.Parent(address(shares), 200);
        _refused(registration, abi.encodeWithSelector(IAssetRegistry.DuplicateParent.selector, address(shares)));
    }

    function test_reverts_whenParentHasNoRoyalty() public {
        IAssetRegistry.Registration memory registration = _registration("child");
        registration.parents = new IShares.Parent[](1);
        registration.parents[0] = IShares.Parent(address(shares), 0);
        _refused(registration, abi.encodeWithSelector(IAssetRegistry.ZeroRoyalty.selector, address(shares)));
    }

    function test_reverts_whenRoyaltiesExceedHalf() public {
        IAssetRegistry.Registration memory registration = _registration("child");
        registration.parents = _parents(2, 2_501);
        _refused(
            registration, abi.encodeWithSelector(IAssetRegistry.RateTooHigh.selector, uint256(5_002), uint256(5_000))
        );
    }

    function _parents(uint256 count, uint16 royaltyBps) private returns (IShares.Parent[] memory parents) {
        parents = new IShares.Parent[](count);
        for (uint256 i; i < count; ++i) {
            (, Shares parent) = _register(alice, _registration(bytes32(i)));
            parents[i] = IShares.Parent(address(parent), royaltyBps);
        }
    }

    function _refused(IAssetRegistry.Registration memory registration, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(alice);
        registry.register(registration);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {AssetId} from "../../../src/types/AssetId.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract SetPriceCardTest is AssetsBase {
    function test_takes_effect_after_the_notice_period() public {
        uint40 effectiveAt = uint40(time() + 1 days);
        vm.expectEmit(address(registry));
        emit IAssetRegistry.PriceCardSet(id, 2, effectiveAt, _card(2));
        _set(2);

        assertEq(registry.priceCard(id).version, 1, "old card in force");
        (IAssetRegistry.PriceCard memory next, uint40 at) = registry.pendingPriceCard(id);
        assertEq(next.version, 2, "announced");
        assertEq(at, effectiveAt, "when");

        vm.warp(effectiveAt - 1);
        assertEq(registry.priceCard(id).version, 1, "one second before");
        vm.warp(effectiveAt);
        assertEq(registry.priceCard(id).version, 2, "in force");
        assertEq(registry.priceCard(id).inputPerMillion, 300_000, "its price");
        (next, at) = registry.pendingPriceCard(id);
        assertEq(next.version, 0, "nothing announced any more");
        assertEq(at, 0, "nor when");
    }

    function test_replaces_the_pending_card_and_restarts_the_period() public {
        _set(2);
        skip(1 days - 1);
        _set(3);
        skip(1);
        assertEq(registry.priceCard(id).version, 1, "the replaced card never comes into force");
        skip(1 days - 1);
        assertEq(registry.priceCard(id).version, 3, "the last one does");
    }

    /// @dev Against the obvious model: a list of cards with the times they take effect, replaced ones struck out.
    function test_follows_the_model(uint32[12] memory waits) public {
        uint256 inForce = 1;
        uint256 pending;
        uint256 pendingAt;
        for (uint256 i; i < waits.length; ++i) {
            skip(bound(waits[i], 0, 3 days));
            if (pending != 0 && time() >= pendingAt) (inForce, pending) = (pending, 0);
            assertEq(registry.priceCard(id).version, inForce, "in force");
            (IAssetRegistry.PriceCard memory next,) = registry.pendingPriceCard(id);
            assertEq(next.version, pending, "pending");
            _set(uint32(i + 2));
            (pending, pendingAt) = (i + 2, time() + 1 days);
        }
    }

    /// @dev Every field at the largest value it has a meaning for, and prices no 18-decimals currency comes near.
    function test_keeps_every_field() public {
        IAssetRegistry.PriceCard memory card = IAssetRegistry.PriceCard({
            inputPerMillion: type(uint128).max,
            outputPerMillion: type(uint128).max - 1,
            perCall: type(uint128).max - 2,
            cachedInputBps: 10_000,
            unit: IAssetRegistry.PriceUnit.Step,
            contextWindow: type(uint32).max,
            version: 2
        });
        vm.prank(alice);
        registry.setPriceCard(id, card);
        (IAssetRegistry.PriceCard memory next,) = registry.pendingPriceCard(id);
        assertEq(keccak256(abi.encode(next)), keccak256(abi.encode(card)), "announced");
        skip(1 days);
        assertEq(keccak256(abi.encode(registry.priceCard(id))), keccak256(abi.encode(card)), "in force");
    }

    /// @dev With 16 bits an operator of the title could use the versions up and freeze the price.
    function test_no_operator_can_use_the_versions_up() public {
        for (uint32 version = 2; version <= 65_537; ++version) {
            _set(version);
        }
        skip(1 days);
        assertEq(registry.priceCard(id).version, 65_537, "a card after all those of 16 bits");
    }

    function test_reverts_whenCachedInputCostsMoreThanInput() public {
        IAssetRegistry.PriceCard memory card = _card(2);
        card.cachedInputBps = 10_001;
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.RateTooHigh.selector, uint256(10_001), uint256(10_000)));
        vm.prank(alice);
        registry.setPriceCard(id, card);
    }

    function test_an_approved_operator_may() public {
        vm.prank(alice);
        registry.setApprovalForAll(bob, true);
        vm.prank(bob);
        registry.setPriceCard(id, _card(2));
        (IAssetRegistry.PriceCard memory next,) = registry.pendingPriceCard(id);
        assertEq(next.version, 2, "announced");
    }

    function test_follows_the_title() public {
        uint256 title = _title();
        vm.prank(alice);
        registry.transferFrom(alice, bob, title);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, alice, title));
        _set(2);
        vm.prank(bob);
        registry.setPriceCard(id, _card(2));
    }

    function test_reverts_whenVersionIsNotTheNext() public {
        _set(2);
        vm.expectRevert(
            abi.encodeWithSelector(IAssetRegistry.WrongPriceCardVersion.selector, id, uint256(2), uint256(3))
        );
        _set(2);
        vm.expectRevert(
            abi.encodeWithSelector(IAssetRegistry.WrongPriceCardVersion.selector, id, uint256(4), uint256(3))
        );
        _set(4);
    }

    function test_reverts_whenAssetIsUnknown() public {
        AssetId unknown = AssetId.wrap(7);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, uint256(7)));
        vm.prank(alice);
        registry.setPriceCard(unknown, _card(2));
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.UnknownAsset.selector, unknown));
        registry.priceCard(unknown);
    }

    function _set(uint32 version) private {
        vm.prank(alice);
        registry.setPriceCard(id, _card(version));
    }
}

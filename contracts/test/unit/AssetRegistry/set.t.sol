// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IAssetRegistry} from "../../../src/interfaces/IAssetRegistry.sol";
import {IERC7572} from "../../../src/interfaces/IERC7572.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";
import {PlainToken} from "../../mocks/PlainToken.sol";

/// @notice What the owner can set: fee, sink, revenue tokens, guardian, contract document.
contract SetTest is AssetsBase {
    function test_sets_the_protocol_fee_up_to_its_limit(uint16 bps) public {
        bps = uint16(bound(bps, 0, 1_000));
        vm.expectEmit(address(registry));
        emit IAssetRegistry.ProtocolFeeSet(bps);
        _setFee(bps);
        assertEq(registry.feeBps(), bps, "fee");
        assertEq(registry.feeSink(), sink, "the sink in the same slot is untouched");
    }

    function test_reverts_whenProtocolFeeIsTooHigh() public {
        bytes memory reason =
            abi.encodeWithSelector(IAssetRegistry.RateTooHigh.selector, uint256(1_001), uint256(1_000));
        vm.expectRevert(reason);
        _setFee(1_001);
        vm.expectRevert(reason);
        this.deployRegistry(1_001);
    }

    /// @dev External, so that a revert inside can be expected.
    function deployRegistry(uint16 feeBps) external {
        _deployRegistry(feeBps);
    }

    function test_sets_the_fee_sink() public {
        vm.expectEmit(address(registry));
        emit IAssetRegistry.FeeSinkSet(bob);
        vm.prank(owner);
        registry.setFeeSink(bob);
        assertEq(registry.feeSink(), bob, "sink");
        assertEq(registry.feeBps(), FEE_BPS, "fee");
    }

    function test_reverts_whenFeeSinkIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.ZeroAddress.selector));
        vm.prank(owner);
        registry.setFeeSink(address(0));
    }

    function test_lists_revenue_tokens_native_first() public {
        address third = address(new PlainToken());
        vm.expectEmit(address(registry));
        emit IAssetRegistry.RevenueTokenListed(third);
        _list(third);
        address[] memory list = registry.revenueTokens();
        assertEq(list.length, 3, "count");
        assertEq(list[0], address(native), "native");
        assertEq(list[2], third, "appended");
        assertTrue(registry.isRevenueToken(third) && !registry.isRevenueToken(bob), "lookup");
    }

    function test_reverts_whenFifthTokenIsListed() public {
        _list(address(new PlainToken()));
        _list(address(new PlainToken()));
        address fifth = address(new PlainToken());
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.TooManyRevenueTokens.selector, uint256(4)));
        _list(fifth);
    }

    function test_reverts_whenTokenIsListedTwice() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.RevenueTokenExists.selector, address(money)));
        _list(address(money));
    }

    function test_reverts_whenTokenHasNoCode() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotContract.selector, bob));
        _list(bob);
    }

    function test_sets_the_guardian() public {
        vm.expectEmit(address(registry));
        emit IAssetRegistry.GuardianSet(bob);
        vm.prank(owner);
        registry.setGuardian(bob);
        assertEq(registry.guardian(), bob, "guardian");
    }

    function test_sets_the_contract_document() public {
        assertEq(keccak256(bytes(registry.contractURI())), keccak256("ipfs://titles"), "from the constructor");
        vm.expectEmit(address(registry));
        emit IERC7572.ContractURIUpdated();
        vm.prank(owner);
        registry.setContractURI("ipfs://new");
        assertEq(keccak256(bytes(registry.contractURI())), keccak256("ipfs://new"), "replaced");
    }

    function test_hands_ownership_over_in_two_steps() public {
        vm.prank(owner);
        registry.transferOwnership(bob);
        assertEq(registry.owner(), owner, "not yet");
        vm.prank(bob);
        registry.acceptOwnership();
        assertEq(registry.owner(), bob, "now");
    }

    function test_reverts_whenCallerIsNotTheOwner() public {
        bytes memory reason = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, bob);
        vm.startPrank(bob);
        vm.expectRevert(reason);
        registry.setProtocolFee(0);
        vm.expectRevert(reason);
        registry.setFeeSink(bob);
        vm.expectRevert(reason);
        registry.listRevenueToken(bob);
        vm.expectRevert(reason);
        registry.setGuardian(bob);
        vm.expectRevert(reason);
        registry.setContractURI("");
        vm.stopPrank();
    }
}

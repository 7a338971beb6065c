// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";

import {IIdentity8004} from "../../../src/interfaces/IIdentity8004.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

contract SetMetadataTest is AssetsBase {
    function test_writes_an_entry() public {
        vm.expectEmit(address(registry));
        emit IIdentity8004.MetadataSet(_title(), "endpoint", "endpoint", "https://b.example");
        _set("endpoint", "https://b.example");
        assertEq(keccak256(registry.getMetadata(_title(), "endpoint")), keccak256("https://b.example"), "value");
        assertEq(registry.getMetadata(_title(), "never written").length, 0, "empty");
    }

    function test_points_to_another_registration_file() public {
        uint256 title = _title();
        vm.expectEmit(address(registry));
        emit IIdentity8004.URIUpdated(title, "ipfs://moved", alice);
        vm.expectEmit(address(registry));
        emit IERC4906.MetadataUpdate(title);
        vm.prank(alice);
        registry.setAgentURI(title, "ipfs://moved");
        assertEq(keccak256(bytes(registry.tokenURI(title))), keccak256("ipfs://moved"), "uri");
    }

    function test_the_agents_wallet_is_the_shares() public view {
        assertEq(registry.getAgentWallet(_title()), address(shares), "wallet");
        assertEq(
            keccak256(registry.getMetadata(_title(), "agentWallet")), keccak256(abi.encodePacked(shares)), "as metadata"
        );
    }

    function test_reverts_whenKeyIsReserved() public {
        vm.expectRevert(abi.encodeWithSelector(IIdentity8004.ReservedMetadataKey.selector, "agentWallet"));
        _set("agentWallet", abi.encodePacked(bob));
    }

    function test_reverts_whenCallerIsNotTheTitleHolder() public {
        uint256 title = _title();
        bytes memory reason = abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, bob, title);
        vm.expectRevert(reason);
        vm.prank(bob);
        registry.setMetadata(title, "endpoint", "");
        vm.expectRevert(reason);
        vm.prank(bob);
        registry.setAgentURI(title, "");
    }

    function test_reverts_whenAgentIsUnknown(uint256 agent) public {
        vm.assume(agent != _title());
        bytes memory reason = abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, agent);
        vm.expectRevert(reason);
        registry.getMetadata(agent, "endpoint");
        vm.expectRevert(reason);
        registry.getAgentWallet(agent);
        vm.expectRevert(reason);
        registry.tokenURI(agent);
        vm.expectRevert(reason);
        registry.royaltyInfo(agent, 1);
    }

    /// @dev A title id with bits above the AssetId's 128 must not be cut down to another asset.
    function test_reverts_whenTitleHasHigherBits() public {
        uint256 longer = _title() | 1 << 200;
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, longer));
        vm.prank(alice);
        registry.setMetadata(longer, "endpoint", "");
    }

    function _set(string memory key, bytes memory value) private {
        uint256 title = _title();
        vm.prank(alice);
        registry.setMetadata(title, key, value);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";

import {IPlatformToken} from "../../../src/interfaces/IPlatformToken.sol";
import {TwoStepOwner} from "../../../src/lib/TwoStepOwner.sol";
import {PlatformToken} from "../../../src/staking/PlatformToken.sol";
import {AirdropBase} from "../../AirdropBase.t.sol";

contract PlatformTokenDeployTest is AirdropBase {
    function test_mints_the_whole_supply_once() public {
        token = _token(_terms(), _allocations());
        assertEq(token.totalSupply(), SUPPLY, "supply");
        assertEq(token.cap(), SUPPLY, "cap");
        assertEq(token.airdropReserve(), SUPPLY / 2, "reserve");
        assertEq(token.balanceOf(treasury), SUPPLY / 2, "treasury");
        assertEq(token.tokenBridge(), address(0), "no bridge");
        assertEq(token.LEAST_AIRDROP_BPS(), 5_000, "promise");
        assertEq(uint256(token.decimals()), 18, "decimals");
    }

    /// @dev Whatever the parts are: a deployment that passes has minted the supply, and the reserve is what was promised.
    function test_a_deployed_supply_is_whole(uint96 supply, uint96 reserve, uint16 leastBps) public {
        IPlatformToken.Terms memory terms = _terms();
        terms.supply = bound(supply, 2, type(uint96).max);
        terms.leastAirdropBps = uint16(bound(leastBps, 0, 10_000));
        uint256 least = (terms.supply * terms.leastAirdropBps + 9_999) / 10_000;
        terms.airdropReserve = bound(reserve, 0, terms.supply - 1);
        IPlatformToken.Allocation[] memory rows = _allocations();
        rows[0].amount = terms.supply - terms.airdropReserve;
        if (terms.airdropReserve < least) {
            _refused(
                terms,
                rows,
                abi.encodeWithSelector(IPlatformToken.AirdropTooSmall.selector, terms.airdropReserve, least)
            );
            return;
        }
        token = _token(terms, rows);
        assertEq(token.totalSupply(), terms.supply, "supply");
        assertEq(token.airdropReserve() + token.balanceOf(treasury), terms.supply, "parts");
        assertLe(terms.supply * terms.leastAirdropBps, token.airdropReserve() * 10_000, "promise");
    }

    function test_reverts_whenTheAirdropIsLessThanPromised() public {
        IPlatformToken.Terms memory terms = _terms();
        terms.airdropReserve = SUPPLY / 2 - 1;
        _refused(terms, abi.encodeWithSelector(IPlatformToken.AirdropTooSmall.selector, SUPPLY / 2 - 1, SUPPLY / 2));
    }

    function test_reverts_whenThePartsAreNotTheSupply() public {
        IPlatformToken.Terms memory terms = _terms();
        terms.airdropReserve += 1;
        _refused(terms, abi.encodeWithSelector(IPlatformToken.AllocationMismatch.selector, SUPPLY + 1, SUPPLY));
    }

    function test_reverts_whenTheSupplyDoesNotFitIntoNinetySixBits() public {
        IPlatformToken.Terms memory terms = _terms();
        terms.supply = 1 << 96;
        _refused(terms, abi.encodeWithSelector(IPlatformToken.InvalidSupply.selector, terms.supply));
    }

    function test_reverts_whenTheSupplyIsZero() public {
        IPlatformToken.Terms memory terms = _terms();
        terms.supply = 0;
        _refused(terms, abi.encodeWithSelector(ERC20Capped.ERC20InvalidCap.selector, 0));
    }

    function test_reverts_whenAnAllocationHasNoRecipientOrNoAmount() public {
        IPlatformToken.Allocation[] memory rows = _allocations();
        rows[0].recipient = address(0);
        bytes memory refusal = abi.encodeWithSelector(IPlatformToken.InvalidAllocation.selector, address(0), SUPPLY / 2);
        _refused(_terms(), rows, refusal);

        rows = new IPlatformToken.Allocation[](2);
        rows[0] = IPlatformToken.Allocation(treasury, SUPPLY / 2);
        rows[1] = IPlatformToken.Allocation(stranger, 0);
        _refused(_terms(), rows, abi.encodeWithSelector(IPlatformToken.InvalidAllocation.selector, stranger, 0));
    }

    function test_ownership_moves_in_two_steps_and_never_to_none() public {
        vm.prank(owner);
        token.transferOwnership(stranger);
        assertEq(token.owner(), owner, "not yet");
        vm.prank(stranger);
        token.acceptOwnership();
        assertEq(token.owner(), stranger, "accepted");
        vm.expectRevert(TwoStepOwner.OwnershipNotRenounceable.selector);
        vm.prank(stranger);
        token.renounceOwnership();
    }

    function test_the_owner_replaces_the_metadata_document() public {
        vm.prank(owner);
        token.setContractURI("https://example.org/token.json");
        assertEq(keccak256(bytes(token.contractURI())), keccak256("https://example.org/token.json"), "uri");
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger));
        vm.prank(stranger);
        token.setContractURI("");
    }

    function _refused(IPlatformToken.Terms memory terms, bytes memory refusal) private {
        _refused(terms, _allocations(), refusal);
    }

    function _refused(IPlatformToken.Terms memory terms, IPlatformToken.Allocation[] memory rows, bytes memory refusal)
        private
    {
        vm.expectRevert(refusal);
        new PlatformToken(terms, rows, owner);
    }
}

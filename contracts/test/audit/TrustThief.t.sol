// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {IAssetRegistry} from "../../src/interfaces/IAssetRegistry.sol";
import {IIdentity8004} from "../../src/interfaces/IIdentity8004.sol";
import {ITitleTrust} from "../../src/interfaces/ITitleTrust.sol";
import {TrustBase} from "../unit/TitleTrust/TrustBase.t.sol";

/// @notice What a thief of a service tries on the trust that holds its title.
contract TrustThiefTest is TrustBase {
    address private thief = actor("thief");

    /// @dev Whatever is voted on, it is one of four verbs, of the registry, about this title.
    function test_no_other_verb_can_be_proposed(bytes4 selector, bytes32 first, bytes32 second, bytes32 third) public {
        vm.assume(selector != IERC721.transferFrom.selector);
        bool known = selector == IAssetRegistry.setPriceCard.selector || selector == IIdentity8004.setAgentURI.selector
            || selector == IIdentity8004.setMetadata.selector;
        vm.assume(!known || uint256(first) != _title());
        _refuse(_call(abi.encodeWithSelector(selector, first, second, third), "Anything"), selector);
    }

    function test_named_verbs_of_the_title_that_are_not_for_the_trust() public {
        _refuse(_call(abi.encodeCall(registry.setMeter, (id, thief)), "meter"), registry.setMeter.selector);
        _refuse(_call(abi.encodeCall(registry.retire, (id)), "retire"), registry.retire.selector);
        _refuse(_call(abi.encodeCall(registry.approve, (thief, _title())), "approve"), registry.approve.selector);
        bytes memory all = abi.encodeCall(registry.setApprovalForAll, (thief, true));
        _refuse(_call(all, "approve all"), registry.setApprovalForAll.selector);
        bytes memory safe =
            abi.encodeWithSignature("safeTransferFrom(address,address,uint256)", address(trust), thief, _title());
        _refuse(_call(safe, "safe"), bytes4(safe));
        _refuse(_call("", "nothing"), bytes4(0));
    }

    function test_no_call_to_another_contract_and_no_native_coin() public {
        Proposal memory proposal = _pricing(2);
        proposal.targets[0] = address(trust);
        _refused(
            alice,
            abi.encodeWithSelector(
                ITitleTrust.CallNotAllowed.selector, 0, address(trust), registry.setPriceCard.selector
            )
        );
        trust.propose(proposal.targets, proposal.values, proposal.calldatas, proposal.description);
        proposal = _pricing(2);
        proposal.values[0] = 1;
        _refuse(proposal, registry.setPriceCard.selector);
    }

    /// @dev Shares borrowed for one transaction, even in the second of the snapshot, are back before it counts.
    function test_flash_loaned_shares_have_no_vote() public {
        vm.prank(thief);
        shares.delegate(thief);
        uint256 proposalId = _propose(alice, _dissolution(thief));
        vm.warp(trust.proposalSnapshot(proposalId));
        _give(shares, thief, SUPPLY * 40 / 100);
        vm.prank(thief);
        shares.transfer(alice, SUPPLY * 40 / 100);
        skip(1);
        assertEq(_vote(thief, proposalId, FOR), 0, "no vote");
        assertEq(_vote(alice, proposalId, FOR), SUPPLY * 40 / 100, "the lender has it");
    }

    function test_shares_that_are_sold_on_vote_once() public {
        vm.prank(thief);
        shares.delegate(thief);
        uint256 proposalId = _propose(alice, _pricing(2));
        vm.warp(trust.proposalSnapshot(proposalId) + 1);
        _vote(alice, proposalId, FOR);
        _give(shares, thief, SUPPLY * 40 / 100);
        skip(1);
        assertEq(_vote(thief, proposalId, FOR), 0, "bought after the snapshot");
    }

    function test_a_proposer_borrows_no_threshold() public {
        vm.prank(thief);
        shares.delegate(thief);
        _give(shares, thief, SUPPLY * 40 / 100);
        Proposal memory pricing = _pricing(2);
        _refused(
            thief, abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, thief, 0, SUPPLY / 100)
        );
        trust.propose(pricing.targets, pricing.values, pricing.calldatas, pricing.description);
    }

    /// @dev A decision about an old card does not replace a newer one.
    function test_a_price_card_is_not_set_twice_by_two_votes() public {
        Proposal memory first = _pricing(2);
        Proposal memory second = _pricing(2);
        second.description = "The same version";
        uint256 firstId = _propose(alice, first);
        uint256 secondId = _propose(alice, second);
        vm.warp(trust.proposalSnapshot(firstId) + 1);
        _vote(alice, firstId, FOR);
        _vote(alice, secondId, FOR);
        vm.warp(trust.proposalDeadline(firstId) + 1);
        _execute(first);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.WrongPriceCardVersion.selector, id, 2, 3));
        this.executeProposal(second);
    }

    function test_the_former_holder_of_the_title_has_no_power_left() public {
        assertTrue(!registry.mayManage(alice, id), "alice");
        vm.expectRevert();
        vm.prank(alice);
        registry.setPriceCard(id, _card(2));
    }

    function test_the_trust_takes_no_other_token_and_no_coin() public {
        IAssetRegistry.Registration memory registration = _registration("second");
        (, address shares2) = registry.predict(alice, registration);
        _register(alice, registration);
        uint256 other = registry.assetOf(shares2).titleOf();
        _refused(alice, abi.encodeWithSelector(ITitleTrust.NotTheTitle.selector, address(registry), other));
        registry.safeTransferFrom(alice, address(trust), other);
        vm.deal(thief, 1);
        vm.prank(thief);
        (bool done,) = address(trust).call{value: 1}("");
        assertTrue(!done, "coin");
        vm.expectRevert(abi.encodeWithSelector(ITitleTrust.NotTheTitle.selector, address(this), 7));
        trust.onERC1155Received(thief, thief, 7, 1, "");
    }

    /// @dev Shares that are wrapped, in a pool, or of holders who named no delegate have no vote; the quorum counts them.
    function test_limit_shares_without_a_delegate_do_not_vote() public {
        address pool = actor("pool");
        _give(shares, pool, SUPPLY * 20 / 100);
        skip(1);
        uint256 proposalId = _propose(alice, _pricing(2));
        vm.warp(trust.proposalSnapshot(proposalId) + 1);
        assertEq(_vote(pool, proposalId, FOR), 0, "no vote");
    }

    /// @dev Calls that `expectRevert` sees whole.
    function executeProposal(Proposal memory proposal) external {
        _execute(proposal);
    }

    function _refuse(Proposal memory proposal, bytes4 selector) private {
        _refused(alice, abi.encodeWithSelector(ITitleTrust.CallNotAllowed.selector, 0, address(registry), selector));
        trust.propose(proposal.targets, proposal.values, proposal.calldatas, proposal.description);
    }
}

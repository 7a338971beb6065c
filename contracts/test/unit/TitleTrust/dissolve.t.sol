// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {ITitleTrust} from "../../../src/interfaces/ITitleTrust.sol";
import {TrustBase} from "./TrustBase.t.sol";

contract TitleTrustDissolveTest is TrustBase {
    function test_two_thirds_of_all_shares_hand_the_title_on() public {
        Proposal memory end = _dissolution(carol);
        uint256 proposalId = _decided(end, _both()); // 75 %
        assertTrue(trust.isDissolution(proposalId), "noted");
        _execute(end);
        assertEq(registry.ownerOf(_title()), carol, "title");
    }

    function test_less_than_two_thirds_do_not_even_where_no_one_votes_against() public {
        address[] memory two = new address[](2);
        (two[0], two[1]) = (alice, carol); // 65 %
        uint256 proposalId = _decided(_dissolution(carol), two);
        _assertState(proposalId, IGovernor.ProposalState.Defeated, "65 %");
    }

    /// @dev Exactly two thirds, rounded up, and one share less.
    function test_the_least_majority_is_two_thirds_rounded_up(bool enough) public {
        uint256 least = (SUPPLY * 2 + 2) / 3;
        uint256 spare = SUPPLY * 75 / 100 - least + (enough ? 0 : 1);
        address silent = actor("silent");
        _give(shares, silent, spare);
        skip(1);
        uint256 proposalId = _decided(_dissolution(carol), _both());
        _assertState(
            proposalId, enough ? IGovernor.ProposalState.Succeeded : IGovernor.ProposalState.Defeated, "boundary"
        );
    }

    function test_reverts_whenADissolutionIsNotAlone() public {
        Proposal memory two = _dissolution(carol);
        bytes memory end = two.calldatas[0];
        two.targets = new address[](2);
        two.values = new uint256[](2);
        two.calldatas = new bytes[](2);
        (two.targets[0], two.targets[1]) = (address(registry), address(registry));
        (two.calldatas[0], two.calldatas[1]) = (_pricing(2).calldatas[0], end);
        _refused(alice, abi.encodeWithSelector(ITitleTrust.DissolutionNotAlone.selector, 2));
        trust.propose(two.targets, two.values, two.calldatas, two.description);
    }

    function test_reverts_whenItHandsOnAnotherTitle_orOfAnotherHolder() public {
        bytes memory wrong = abi.encodeCall(registry.transferFrom, (address(trust), carol, _title() + 1));
        _refuse(_call(wrong, "another title"));
        wrong = abi.encodeCall(registry.transferFrom, (alice, carol, _title()));
        _refuse(_call(wrong, "another holder"));
    }

    function _refuse(Proposal memory proposal) private {
        _refused(
            alice,
            abi.encodeWithSelector(
                ITitleTrust.CallNotAllowed.selector, 0, address(registry), registry.transferFrom.selector
            )
        );
        trust.propose(proposal.targets, proposal.values, proposal.calldatas, proposal.description);
    }
}

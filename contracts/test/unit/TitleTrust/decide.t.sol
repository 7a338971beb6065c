// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {ITitleTrust} from "../../../src/interfaces/ITitleTrust.sol";
import {TrustBase} from "./TrustBase.t.sol";

contract TitleTrustDecideTest is TrustBase {
    function test_the_shareholders_set_the_price_card() public {
        Proposal memory pricing = _pricing(2);
        _decided(pricing, _both());
        vm.prank(actor("anyone"));
        _execute(pricing);
        skip(1 days);
        assertEq(registry.priceCard(id).version, 2, "card");
        assertEq(registry.priceCard(id).inputPerMillion, 300_000, "price");
    }

    function test_the_shareholders_set_endpoint_document_and_configuration_together() public {
        Proposal memory all = _configuring("sha256:1234 ipfs://prompts");
        (bytes memory configuration, address target) = (all.calldatas[0], all.targets[0]);
        all.targets = new address[](3);
        all.values = new uint256[](3);
        all.calldatas = new bytes[](3);
        (all.targets[0], all.targets[1], all.targets[2]) = (target, target, target);
        all.calldatas[0] = configuration;
        all.calldatas[1] = abi.encodeCall(registry.setMetadata, (_title(), "endpoint", "https://new"));
        all.calldatas[2] = abi.encodeCall(registry.setAgentURI, (_title(), "ipfs://second"));
        _decided(all, _both());
        _execute(all);
        assertEq(
            keccak256(registry.getMetadata(_title(), "configuration")), keccak256("sha256:1234 ipfs://prompts"), "model"
        );
        assertEq(keccak256(registry.getMetadata(_title(), "endpoint")), keccak256("https://new"), "endpoint");
        assertEq(keccak256(bytes(registry.tokenURI(_title()))), keccak256("ipfs://second"), "document");
    }

    function test_income_of_the_shares_does_not_pass_through_the_trust() public {
        _earn(shares, 1_000_000);
        uint256 income = _collect(shares, bob);
        assertLe(income, 341_250, "bob's 35 % of 975,000 at most");
        assertLe(341_249, income, "rounded down");
        assertEq(shares.pending(address(trust), address(money)), 0, "trust");
    }

    function test_reverts_underTheThreshold() public {
        address dave = actor("dave");
        vm.prank(dave);
        shares.delegate(dave);
        _give(shares, dave, SUPPLY / 100 - 1);
        skip(1);
        Proposal memory pricing = _pricing(2);
        _refused(
            dave,
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector, dave, SUPPLY / 100 - 1, SUPPLY / 100
            )
        );
        trust.propose(pricing.targets, pricing.values, pricing.calldatas, pricing.description);
        _give(shares, dave, 1);
        skip(1);
        _propose(dave, pricing);
    }

    function test_too_few_votes_decide_nothing() public {
        address[] memory one = new address[](1);
        one[0] = carol; // a quarter; the quorum is 30 %
        uint256 proposalId = _decided(_pricing(2), one);
        _assertState(proposalId, IGovernor.ProposalState.Defeated, "no quorum");
    }

    function test_more_votes_against_than_for_decide_nothing() public {
        uint256 proposalId = _propose(alice, _pricing(2));
        vm.warp(trust.proposalSnapshot(proposalId) + 1);
        _vote(alice, proposalId, FOR);
        _vote(bob, proposalId, AGAINST);
        _vote(carol, proposalId, AGAINST);
        vm.warp(trust.proposalDeadline(proposalId) + 1);
        _assertState(proposalId, IGovernor.ProposalState.Defeated, "against");
    }

    /// @dev A decision that waits must not undo a later one.
    function test_what_passed_expires_when_it_is_not_executed() public {
        Proposal memory old = _configuring("old");
        uint256 proposalId = _decided(old, _both());
        vm.warp(trust.proposalDeadline(proposalId) + GRACE);
        _assertState(proposalId, IGovernor.ProposalState.Succeeded, "last second");
        skip(1);
        _assertState(proposalId, IGovernor.ProposalState.Expired, "expired");
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector,
                proposalId,
                IGovernor.ProposalState.Expired,
                bytes32(uint256(1 << 4))
            )
        );
        this.executeProposal(old);
    }

    function test_has_the_terms_that_it_was_made_with() public view {
        assertEq(trust.votingDelay(), 1 days, "delay");
        assertEq(trust.votingPeriod(), 3 days, "period");
        assertEq(trust.proposalThreshold(), SUPPLY / 100, "threshold");
        assertEq(trust.quorum(0), SUPPLY * 30 / 100, "quorum");
        assertEq(address(trust.REGISTRY()), address(registry), "registry");
        assertEq(address(trust.token()), address(shares), "votes");
        assertTrue(trust.ASSET() == id, "asset");
    }

    function test_reverts_whenATermIsOutOfBounds() public {
        ITitleTrust.Terms memory terms = _terms();
        terms.votingDelay = 1 hours - 1;
        _refuse(terms, "votingDelay", 1 hours - 1, 1 hours, 14 days);
        terms = _terms();
        terms.votingPeriod = 28 days + 1;
        _refuse(terms, "votingPeriod", 28 days + 1, 1 days, 28 days);
        terms = _terms();
        terms.thresholdBps = 0;
        _refuse(terms, "thresholdBps", 0, 1, 1_000);
        terms = _terms();
        terms.quorumBps = 5_001;
        _refuse(terms, "quorumBps", 5_001, 100, 5_000);
    }

    function _refuse(ITitleTrust.Terms memory terms, string memory term, uint256 value, uint256 least, uint256 most)
        private
    {
        vm.expectRevert(abi.encodeWithSelector(ITitleTrust.TermOutOfBounds.selector, term, value, least, most));
        this.deployTrust(terms);
    }

    /// @dev Calls that `expectRevert` sees whole.
    function executeProposal(Proposal memory proposal) external {
        _execute(proposal);
    }

    function deployTrust(ITitleTrust.Terms memory terms) external {
        _deployTrust(terms);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

import {TitleTrust} from "../../../src/governance/TitleTrust.sol";
import {ITitleTrust} from "../../../src/interfaces/ITitleTrust.sol";
import {AssetsBase} from "../../AssetsBase.t.sol";

/// @notice The asset of AssetsBase, whose title alice gave to a trust. Of the shares, alice has 40 %, bob 35 %, carol 25 %, and
///         each votes for themselves.
abstract contract TrustBase is AssetsBase {
    struct Proposal {
        address[] targets;
        uint256[] values;
        bytes[] calldatas;
        string description;
    }

    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;
    uint256 internal constant GRACE = 14 days;

    TitleTrust internal trust;

    function setUp() public virtual override {
        super.setUp();
        trust = _deployTrust(_terms());
        uint256 title = _title();
        vm.prank(alice);
        registry.safeTransferFrom(alice, address(trust), title);
        _give(shares, bob, SUPPLY * 35 / 100);
        _give(shares, carol, SUPPLY * 25 / 100);
        address[3] memory holders = [alice, bob, carol];
        for (uint256 i = 0; i < holders.length; ++i) {
            vm.prank(holders[i]);
            shares.delegate(holders[i]);
        }
        skip(1);
    }

    function _terms() internal pure returns (ITitleTrust.Terms memory) {
        return ITitleTrust.Terms({votingDelay: 1 days, votingPeriod: 3 days, thresholdBps: 100, quorumBps: 3_000});
    }

    function _deployTrust(ITitleTrust.Terms memory terms) internal returns (TitleTrust) {
        return TitleTrust(payable(deploy("TitleTrust.sol:TitleTrust", abi.encode(registry, id, terms))));
    }

    function _call(bytes memory data, string memory description) internal view returns (Proposal memory proposal) {
        proposal.targets = new address[](1);
        proposal.values = new uint256[](1);
        proposal.calldatas = new bytes[](1);
        proposal.targets[0] = address(registry);
        proposal.calldatas[0] = data;
        proposal.description = description;
    }

    function _pricing(uint32 version) internal view returns (Proposal memory) {
        return _call(abi.encodeCall(registry.setPriceCard, (id, _card(version))), "Price");
    }

    function _configuring(bytes memory value) internal view returns (Proposal memory) {
        return _call(abi.encodeCall(registry.setMetadata, (_title(), "configuration", value)), string(value));
    }

    function _dissolution(address to) internal view returns (Proposal memory) {
        return _call(abi.encodeCall(registry.transferFrom, (address(trust), to, _title())), "End");
    }

    function _propose(address account, Proposal memory proposal) internal returns (uint256) {
        vm.prank(account);
        return trust.propose(proposal.targets, proposal.values, proposal.calldatas, proposal.description);
    }

    function _vote(address account, uint256 proposalId, uint8 support) internal returns (uint256) {
        vm.prank(account);
        return trust.castVote(proposalId, support);
    }

    function _execute(Proposal memory proposal) internal {
        trust.execute(proposal.targets, proposal.values, proposal.calldatas, keccak256(bytes(proposal.description)));
    }

    /// @dev Proposed by alice, voted for by `supporters`.
    function _decided(Proposal memory proposal, address[] memory supporters) internal returns (uint256 proposalId) {
        proposalId = _propose(alice, proposal);
        vm.warp(trust.proposalSnapshot(proposalId) + 1);
        for (uint256 i = 0; i < supporters.length; ++i) {
            _vote(supporters[i], proposalId, FOR);
        }
        vm.warp(trust.proposalDeadline(proposalId) + 1);
    }

    function _both() internal view returns (address[] memory supporters) {
        supporters = new address[](2);
        (supporters[0], supporters[1]) = (alice, bob);
    }

    function _assertState(uint256 proposalId, IGovernor.ProposalState expected, string memory what) internal view {
        assertEq(uint256(trust.state(proposalId)), uint256(expected), what);
    }

    function _refused(address account, bytes memory reason) internal {
        vm.expectRevert(reason);
        vm.prank(account);
    }
}

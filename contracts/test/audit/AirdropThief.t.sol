// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAirdrop} from "../../src/interfaces/IAirdrop.sol";
import {AirdropBase} from "../AirdropBase.t.sol";
import {MerkleTree} from "../MerkleTree.sol";

/// @notice What a thief tries on a Merkle airdrop, by the name of the known fault.
contract AirdropThiefTest is AirdropBase {
    /// @dev An inner node is the hash of 64 bytes. With leaves hashed once, (left, right) would pass as an entry of 64 bytes.
    function test_second_preimage_an_inner_node_is_no_leaf(bytes32 left, bytes32 right) public {
        vm.assume(left < right);
        airdrop = _airdrop(MerkleTree.pair(left, right), address(0));
        _funded();
        bytes32[] memory none = new bytes32[](0);
        _refused(uint256(left), address(uint160(uint256(right))), 0, none);
        _refused(uint256(left), stranger, uint256(right), none);
        _refused(uint256(left) >> 8, stranger, uint256(right), none);
    }

    /// @dev A proof that stops early or goes on past the root leads to another node.
    function test_a_proof_that_is_too_short_or_too_long_is_refused() public {
        bytes32[] memory proof = _proof(4);
        bytes32[] memory short = new bytes32[](proof.length - 1);
        bytes32[] memory long = new bytes32[](proof.length + 1);
        for (uint256 i = 0; i < proof.length; ++i) {
            long[i] = proof[i];
            if (i < short.length) short[i] = proof[i];
        }
        _refused(4, _accountOf(4), _amountOf(4), short);
        _refused(4, _accountOf(4), _amountOf(4), long);
        _refused(4, _accountOf(4), _amountOf(4), new bytes32[](0));
    }

    /// @dev A bit is marked for the index of the leaf: another index with the same proof is another leaf.
    function test_an_entry_is_not_paid_again_under_another_index(uint256 other) public {
        vm.assume(other != 11);
        _claim(11);
        _refused(other, _accountOf(11), _amountOf(11), _proof(11));
    }

    function test_an_entry_pays_no_other_account_and_no_other_amount(address account, uint256 amount) public {
        vm.assume(account != _accountOf(12) && amount != _amountOf(12));
        _refused(12, account, _amountOf(12), _proof(12));
        _refused(12, _accountOf(12), amount, _proof(12));
    }

    function test_a_proof_of_another_entry_is_refused(uint256 a, uint256 b) public {
        a = bound(a, 0, ENTRIES - 1);
        b = bound(b, 0, ENTRIES - 1);
        vm.assume(a != b);
        _refused(a, _accountOf(a), _amountOf(a), _proof(b));
    }

    /// @dev Whatever is called between two claims, the tree stays; there is no owner who could ask.
    function test_the_root_cannot_be_swapped_mid_claim(bytes4 selector, bytes32 root) public {
        _claim(13);
        vm.prank(owner);
        (bool done,) = address(airdrop).call(abi.encodeWithSelector(selector, root, root, root, root));
        done;
        assertEq(airdrop.root(), _root(), "root");
        _claim(14);
    }

    function test_no_sweep_before_the_deadline_and_no_claim_after_it(uint64 at) public {
        at = uint64(bound(at, time(), time() + 2 * uint256(DURATION)));
        bytes32[] memory proof = _proof(15);
        vm.warp(at);
        if (at < airdrop.deadline()) {
            vm.expectRevert(abi.encodeWithSelector(IAirdrop.ClaimsRunning.selector, airdrop.deadline()));
            airdrop.sweep();
            airdrop.claim(15, _accountOf(15), _amountOf(15), proof);
        } else {
            vm.expectRevert(abi.encodeWithSelector(IAirdrop.ClaimsEnded.selector, airdrop.deadline()));
            airdrop.claim(15, _accountOf(15), _amountOf(15), proof);
            airdrop.sweep();
        }
    }

    function test_no_other_chains_or_airdrops_claims_count_here() public {
        _claim(16);
        airdrop = _airdrop(_root(), address(0));
        assertTrue(!airdrop.isClaimed(16), "a second airdrop keeps its own book");
    }

    /// @dev The address comes with 12 bytes in front; dirty ones must not make a second form of the same entry.
    function test_an_account_with_dirty_upper_bytes_is_refused() public {
        bytes memory call_ = abi.encodeCall(IAirdrop.claim, (17, _accountOf(17), _amountOf(17), _proof(17)));
        call_[4 + 32] = 0x01;
        (bool done,) = address(airdrop).call(call_);
        assertTrue(!done, "taken");
    }

    /// @dev A proof whose length reaches past the call's data reads zeros: it never wraps around to a shorter proof.
    function test_a_proof_longer_than_the_call_is_refused() public {
        bytes memory call_ =
            abi.encodeWithSelector(IAirdrop.claim.selector, 18, _accountOf(18), _amountOf(18), 128, uint256(1) << 251);
        (bool done,) = address(airdrop).call(call_);
        assertTrue(!done, "taken");
    }

    function _funded() private {
        vm.prank(treasury);
        require(token.transfer(address(airdrop), SUPPLY / 4));
    }

    function _refused(uint256 index, address account, uint256 amount, bytes32[] memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.InvalidProof.selector, index, account, amount));
        airdrop.claim(index, account, amount, proof);
    }
}

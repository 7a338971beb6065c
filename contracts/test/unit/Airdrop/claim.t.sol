// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAirdrop} from "../../../src/interfaces/IAirdrop.sol";
import {Airdrop} from "../../../src/staking/Airdrop.sol";
import {AirdropBase} from "../../AirdropBase.t.sol";
import {FalseToken} from "../../mocks/FalseToken.sol";

contract AirdropClaimTest is AirdropBase {
    function test_pays_the_account_once(uint256 index) public {
        index = bound(index, 0, ENTRIES - 1);
        vm.expectEmit(address(airdrop));
        emit IAirdrop.Claimed(index, _accountOf(index), _amountOf(index));
        _claim(index);
        assertEq(token.balanceOf(_accountOf(index)), _amountOf(index), "paid");
        assertTrue(airdrop.isClaimed(index), "marked");
        bytes32[] memory proof = _proof(index);
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.AlreadyClaimed.selector, index));
        airdrop.claim(index, _accountOf(index), _amountOf(index), proof);
    }

    function test_claiming_for_another_pays_the_leafs_address() public {
        bytes32[] memory proof = _proof(3);
        vm.prank(stranger);
        airdrop.claim(3, _accountOf(3), _amountOf(3), proof);
        assertEq(token.balanceOf(_accountOf(3)), _amountOf(3), "the account");
        assertEq(token.balanceOf(stranger), 0, "not the caller");
    }

    function test_every_entry_is_paid_and_marks_no_other() public {
        for (uint256 i = 0; i < ENTRIES; ++i) {
            assertTrue(!airdrop.isClaimed(i), "marked before");
            _claim(i);
        }
        assertEq(token.balanceOf(address(airdrop)), SUPPLY / 2 - ENTRIES * (ENTRIES + 1) / 2 * TOKEN, "left");
        assertTrue(!airdrop.isClaimed(ENTRIES), "beyond the last");
    }

    /// @dev A tree and proofs that OpenZeppelin's npm package wrote: entry i pays 0x(i + 1)... i + 1 tokens.
    function test_takes_the_proofs_of_openzeppelins_npm_package() public {
        airdrop = _airdrop(0xf0eb7e8357552b8722f7829b81eefd8239d2378f6dd63588ec3876d39798d7e5, address(0));
        vm.prank(treasury);
        require(token.transfer(address(airdrop), 6 * TOKEN));
        bytes32[] memory proof = new bytes32[](2);
        proof[0] = 0x8579799b5c67dcec21d21ae1c8477298b53a160085db3bc8b811c8388e3191f6;
        proof[1] = 0xa2a589bfbd1277819365af18096645d01d965cce08c4593408554c6998bbf544;
        airdrop.claim(4, 0x5555555555555555555555555555555555555555, 5 * TOKEN, proof);
        proof[0] = 0x38decfbe6beef7b0920cda7cb72922b5b9b3cfcce7629d46bc03c5fe4ccba1bd;
        proof[1] = 0x59186333fc02a5c901020865c76a4b6a5894f475f9730cb21e857a5070b6a4a8;
        airdrop.claim(0, 0x1111111111111111111111111111111111111111, TOKEN, proof);
        assertEq(token.balanceOf(address(airdrop)), 0, "paid");
    }

    function test_a_tree_of_one_entry_has_an_empty_proof() public {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(uint256(0), stranger, uint256(7)))));
        airdrop = _airdrop(leaf, address(0));
        vm.prank(treasury);
        require(token.transfer(address(airdrop), 7));
        airdrop.claim(0, stranger, 7, new bytes32[](0));
        assertEq(token.balanceOf(stranger), 7, "paid");
    }

    function test_pays_until_the_deadline_and_not_at_it() public {
        vm.warp(airdrop.deadline() - 1);
        _claim(0);
        bytes32[] memory proof = _proof(1);
        vm.warp(airdrop.deadline());
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.ClaimsEnded.selector, airdrop.deadline()));
        airdrop.claim(1, _accountOf(1), _amountOf(1), proof);
    }

    function test_reverts_whenTheAirdropIsNotFunded() public {
        airdrop = _airdrop(_root(), address(0));
        bytes32[] memory proof = _proof(1);
        vm.expectRevert(
            abi.encodeWithSignature(
                "ERC20InsufficientBalance(address,uint256,uint256)", address(airdrop), 0, _amountOf(1)
            )
        );
        airdrop.claim(1, _accountOf(1), _amountOf(1), proof);
        assertTrue(!airdrop.isClaimed(1), "may be claimed once it is funded");
    }

    function test_reverts_whenTheTokenAnswersFalse() public {
        RefusingToken refusing = new RefusingToken();
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(uint256(0), stranger, uint256(7)))));
        Airdrop broken = new Airdrop(address(refusing), leaf, uint64(time() + 1), treasury, address(0));
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.TransferFailed.selector, stranger, 7));
        broken.claim(0, stranger, 7, new bytes32[](0));
    }
}

contract RefusingToken is FalseToken {
    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }
}

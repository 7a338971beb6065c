// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPlatformToken} from "../../../src/interfaces/IPlatformToken.sol";
import {Airdrop} from "../../../src/staking/Airdrop.sol";
import {PlatformToken} from "../../../src/staking/PlatformToken.sol";
import {AirdropBase} from "../../AirdropBase.t.sol";

contract PlatformTokenFundAirdropTest is AirdropBase {
    function setUp() public override {
        super.setUp();
        token = _token(_terms(), _allocations());
        airdrop = _airdrop(_root(), address(0));
    }

    function test_moves_a_part_of_the_reserve(uint256 amount) public {
        amount = bound(amount, 0, SUPPLY / 2);
        vm.expectEmit(address(token));
        emit IPlatformToken.AirdropFunded(address(airdrop), amount);
        vm.prank(owner);
        token.fundAirdrop(address(airdrop), amount);
        assertEq(token.balanceOf(address(airdrop)), amount, "funded");
        assertEq(token.airdropReserve(), SUPPLY / 2 - amount, "rest");
    }

    function test_tokens_sent_to_the_token_join_the_reserve() public {
        vm.prank(treasury);
        require(token.transfer(address(token), 5));
        assertEq(token.airdropReserve(), SUPPLY / 2 + 5, "reserve");
    }

    function test_reverts_whenTheReserveIsExceeded() public {
        vm.expectRevert(
            abi.encodeWithSignature(
                "ERC20InsufficientBalance(address,uint256,uint256)", address(token), SUPPLY / 2, SUPPLY / 2 + 1
            )
        );
        vm.prank(owner);
        token.fundAirdrop(address(airdrop), SUPPLY / 2 + 1);
    }

    function test_reverts_whenTheContractPaysAnotherToken() public {
        PlatformToken own = token;
        token = _token(_terms(), _allocations());
        Airdrop other = _airdrop(_root(), address(0));
        vm.expectRevert(abi.encodeWithSelector(IPlatformToken.NotAnAirdrop.selector, other));
        vm.prank(owner);
        own.fundAirdrop(address(other), 1);
    }

    function test_reverts_whenItIsNoContract() public {
        vm.expectRevert();
        vm.prank(owner);
        token.fundAirdrop(stranger, 1);
    }

    function test_reverts_whenCallerIsNotTheOwner() public {
        vm.expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", stranger));
        vm.prank(stranger);
        token.fundAirdrop(address(airdrop), 1);
    }

    /// @dev The token asks a contract which token it pays, and cannot know what else it does.
    function test_limit_the_owner_can_fund_a_contract_that_only_claims_to_be_an_airdrop() public {
        address impostor = address(new Impostor(address(token)));
        vm.prank(owner);
        token.fundAirdrop(impostor, 7);
        assertEq(token.balanceOf(impostor), 7, "taken");
    }
}

contract Impostor {
    address public immutable token;

    constructor(address token_) {
        token = token_;
    }
}

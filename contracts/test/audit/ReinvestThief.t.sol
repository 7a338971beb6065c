// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {TestMarket} from "../../src/devnet/TestMarket.sol";
import {IReinvestments} from "../../src/interfaces/IReinvestments.sol";
import {IReinvestor} from "../../src/interfaces/IReinvestor.sol";
import {IVoteEscrow} from "../../src/interfaces/IVoteEscrow.sol";
import {VoteEscrow} from "../../src/staking/VoteEscrow.sol";
import {ContractWallet} from "../mocks/ContractWallet.sol";
import {OddRouter} from "../mocks/OddRouter.sol";
import {ReinvestBase} from "../staking/ReinvestBase.t.sol";

/// @notice What a thief tries on reinvestments: with signatures, as a market, with loans, and as a locker.
contract ReinvestThiefTest is ReinvestBase {
    uint256 private constant KEY = 0xA11CE;
    bytes32 private constant TYPEHASH =
        keccak256("Reinvestment(address account,address reinvestor,uint256 minOut,uint256 nonce,uint256 deadline)");
    address private thief = actor("thief");

    // -- who may -------------------------------------------------------------------------------------------------------

    function test_no_one_else_reinvests_an_accounts_revenue() public {
        address[3] memory others = [thief, owner, bob];
        uint256 deadline = time();
        for (uint256 i = 0; i < others.length; ++i) {
            _refused(others[i], abi.encodeWithSelector(IReinvestments.NothingToReinvest.selector, others[i]));
            escrow.reinvest(address(reinvestor), 0, deadline);
            _refused(others[i], abi.encodeWithSelector(IReinvestor.NotTheEscrow.selector, others[i]));
            reinvestor.reinvest(alice, DUE, 0);
        }
        _assertUntouched();
    }

    function test_a_contract_that_is_no_locker_gets_no_revenue() public {
        uint256 deadline = time();
        _refused(alice, abi.encodeWithSelector(IVoteEscrow.NotALocker.selector, thief));
        escrow.reinvest(thief, 0, deadline);
        _assertUntouched();
    }

    // -- signatures ----------------------------------------------------------------------------------------------------

    function test_a_signature_is_carried_out_once_by_anyone() public {
        address signer = _signer();
        bytes memory signature = _sign(signer, LEAST, 0, time());
        vm.prank(thief);
        uint256 bought = escrow.reinvestBySig(signer, address(reinvestor), LEAST, time(), signature);
        assertEq(_amountOf(signer), LOCKED + bought, "into the signer's lock");
        assertEq(escrow.nonces(signer), 1, "its nonce is used");
        _moreRevenue();
        _refusedSignature(signer, LEAST, time(), signature);
    }

    function test_a_signature_is_of_no_use_with_other_values() public {
        address signer = _signer();
        bytes memory signature = _sign(signer, LEAST, 0, time());
        _refusedSignature(signer, LEAST - 1, time(), signature);
        _refusedSignature(signer, LEAST, time() + 1, signature);
        _refusedSignature(alice, LEAST, time(), signature);
        _refusedSignature(signer, LEAST, time(), _sign(signer, LEAST, 1, time()));
        vm.expectRevert(abi.encodeWithSelector(IReinvestments.InvalidReinvestmentSignature.selector, signer));
        escrow.reinvestBySig(signer, market, LEAST, time(), signature);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IReinvestments.ReinvestmentExpired.selector, time() - 1));
        escrow.reinvestBySig(signer, address(reinvestor), LEAST, time() - 1, signature);
        assertEq(_amountOf(signer), LOCKED, "nothing happened");
        assertEq(escrow.nonces(signer), 0, "no nonce is used");
    }

    function test_a_signature_is_of_no_use_on_another_chain_or_at_another_escrow() public {
        address signer = _signer();
        bytes memory signature = _sign(signer, LEAST, 0, time());
        vm.chainId(31_338);
        _refusedSignature(signer, LEAST, time(), signature);
        vm.chainId(31_337);
        VoteEscrow first = escrow;
        escrow = _deploy(token, dollar, 0, 0);
        vm.prank(owner);
        escrow.setLocker(address(reinvestor), true);
        _refusedSignature(signer, LEAST, time(), signature);
        escrow = first;
        escrow.reinvestBySig(signer, address(reinvestor), LEAST, time(), signature);
    }

    /// @dev So whoever signed two of them, or a delegation too, has taken back those that were not sent first.
    function test_a_signature_ends_with_any_other_that_uses_its_nonce() public {
        address signer = _signer();
        bytes memory first = _sign(signer, LEAST, 0, time());
        bytes memory second = _sign(signer, LEAST + 1, 0, time());
        escrow.reinvestBySig(signer, address(reinvestor), LEAST + 1, time(), second);
        _moreRevenue();
        _refusedSignature(signer, LEAST, time(), first);
    }

    function test_a_wallets_owner_signs_for_it_while_it_is_the_owner() public {
        ContractWallet wallet = new ContractWallet(vm.addr(KEY));
        _stake(address(wallet));
        _moreRevenue();
        bytes memory signature = _sign(address(wallet), LEAST, 0, time());
        uint256 state = vm.snapshotState();
        uint256 bought = escrow.reinvestBySig(address(wallet), address(reinvestor), LEAST, time(), signature);
        assertEq(_amountOf(address(wallet)), LOCKED + bought, "the wallet's lock");
        vm.revertToState(state);
        wallet.setOwner(thief);
        _refusedSignature(address(wallet), LEAST, time(), signature);
    }

    // -- markets -------------------------------------------------------------------------------------------------------

    /// @dev With as much capital as they like: the loss is at most the slippage that the owner has set, below the price.
    function test_a_sandwich_costs_at_most_the_slippage(uint256 capital) public {
        capital = bound(capital, DOLLAR, 100_000_000 * DOLLAR);
        dollar.mint(thief, capital);
        uint256 got = _swap(thief, address(dollar), address(token), capital);
        uint256 deadline = time();
        vm.prank(alice);
        try escrow.reinvest(address(reinvestor), 1, deadline) returns (uint256 bought) {
            assertLe(LEAST, bought, "at least what the price allows");
        } catch {
            _assertUntouched();
        }
        _swap(thief, address(token), address(dollar), got);
        assertLe(dollar.balanceOf(thief), capital + DUE * 2 / 100, "no more to gain than that");
    }

    /// @dev Moved so far that nothing can be bought, and moved back: the staker has lost nothing but a while.
    function test_a_moved_market_stops_reinvestments_and_takes_nothing() public {
        dollar.mint(thief, 100_000 * DOLLAR);
        uint256 got = _swap(thief, address(dollar), address(token), 100_000 * DOLLAR);
        uint256 expected = reinvestor.expectedOut(DUE);
        _failing(0, abi.encodeWithSelector(TestMarket.TooLittle.selector, expected, LEAST));
        _swap(thief, address(token), address(dollar), got);
        _reinvest(alice, LEAST);
    }

    function test_a_router_that_takes_everything_and_gives_too_little_gets_nothing(uint256 given) public {
        given = bound(given, 0, LEAST - 1);
        OddRouter router = _oddRouter(10_000, given);
        _failing(0, _tooLittle(given, LEAST));
        assertEq(dollar.balanceOf(address(router)), 0, "it has nothing");
        router.set(0, given);
        _failing(0, _tooLittle(given, LEAST));
    }

    function test_a_router_cannot_take_more_than_it_was_given_and_later_nothing() public {
        OddRouter router = _oddRouter(10_001, 2 * LEAST);
        dollar.mint(address(reinvestor), DUE);
        _failingWith(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(router), DUE, DUE * 10_001 / 10_000
            )
        );
        router.set(5_000, 2 * LEAST);
        _reinvest(alice, LEAST);
        dollar.mint(address(reinvestor), DUE);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(router), 0, 1));
        router.pull(IERC20(address(dollar)), address(reinvestor), 1);
    }

    /// @dev The router has a lock and revenue of its own, and the guard of the escrow is open meanwhile.
    function test_a_router_cannot_reinvest_within_a_reinvestment() public {
        OddRouter router = _oddRouter(10_000, LEAST);
        _stake(address(router));
        _moreRevenue();
        router.aim(address(escrow), abi.encodeCall(IReinvestments.reinvest, (address(reinvestor), 0, time())));
        router.set(10_000, 10 * LEAST);
        _reinvest(alice, 0);
        assertTrue(!router.succeeded(), "refused");
        bytes4 guard = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        assertTrue(bytes4(router.answer()) == guard, "by the guard");
        _assertEmpty();
    }

    /// @dev What it claims to the reinvestor meanwhile is alice's: it is neither counted as bought nor stays there.
    function test_a_router_that_claims_to_the_reinvestor_meanwhile_makes_a_gift() public {
        OddRouter router = _oddRouter(10_000, 10 * LEAST);
        _stake(address(router));
        _moreRevenue();
        router.aim(address(escrow), abi.encodeCall(IVoteEscrow.claim, (address(reinvestor))));
        _reinvest(alice, 0);
        assertTrue(router.succeeded(), "it did");
        assertLe(1, dollar.balanceOf(alice), "hers");
        _assertEmpty();
    }

    /// @dev The limit of what is promised: with a market and a feed of their own, only `minOut` stands.
    function test_limit_a_stolen_owner_leaves_the_least_that_the_account_named() public {
        OddRouter router = _oddRouter(10_000, LEAST);
        feed.set(type(int64).max, time());
        _reinvest(alice, LEAST);
        assertEq(_amountOf(alice), LOCKED + LEAST, "what she named");
        router.set(10_000, LEAST - 1);
        _moreRevenue();
        feed.set(type(int64).max, time());
        vm.expectRevert(_tooLittle(LEAST - 1, LEAST));
        _reinvest(alice, LEAST);
    }

    function _signer() private returns (address signer) {
        signer = vm.addr(KEY);
        _stake(signer);
        _moreRevenue();
    }

    /// @dev The account has as much locked as alice.
    function _stake(address account) private {
        token.mint(account, LOCKED);
        vm.prank(account);
        token.approve(address(escrow), LOCKED);
        _lock(account, LOCKED, 52);
        _nextWeek(1);
    }

    function _moreRevenue() private {
        _earn(3 * DUE);
        _nextWeek(1);
        feed.set(PRICE, time());
    }

    function _sign(address account, uint256 minOut, uint256 nonce, uint256 deadline)
        private
        view
        returns (bytes memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Usufruct VoteEscrow"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
        bytes32 hash = keccak256(abi.encode(TYPEHASH, account, address(reinvestor), minOut, nonce, deadline));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, keccak256(abi.encodePacked("\x19\x01", domain, hash)));
        return abi.encodePacked(r, s, v);
    }

    function _refusedSignature(address account, uint256 minOut, uint256 deadline, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(IReinvestments.InvalidReinvestmentSignature.selector, account));
        escrow.reinvestBySig(account, address(reinvestor), minOut, deadline, signature);
    }

    function _failingWith(bytes memory reason) private {
        vm.expectRevert(reason);
        _reinvest(alice, 0);
    }

    function _swap(address account, address sold, address bought, uint256 amount) private returns (uint256 got) {
        address[] memory path = new address[](2);
        (path[0], path[1]) = (sold, bought);
        vm.startPrank(account);
        IERC20(sold).approve(market, amount);
        got = TestMarket(market).swapExactTokensForTokens(amount, 0, path, account, time())[1];
        vm.stopPrank();
    }

    function _oddRouter(uint256 takenBps, uint256 given) private returns (OddRouter router) {
        router = new OddRouter();
        token.mint(address(router), FUNDS);
        router.set(takenBps, given);
        _setVenue(address(router));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowHandler} from "./EscrowHandler.sol";
import {StakingBase} from "./StakingBase.t.sol";

/// @notice The contract beside a slow model that walks every week and every staker.
contract VoteEscrowModelTest is StakingBase {
    uint256 private constant STEPS = 40;

    /// @dev Each run is forty steps; `FOUNDRY_PROFILE=ci` makes a thousand runs.
    /// forge-config: test.fuzz.runs = 64
    function test_every_answer_equals_the_slow_model(uint256 seed) public {
        EscrowHandler handler = new EscrowHandler(escrow, token, dollar, owner);
        handler.prepare();
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(handler, seed % 20, seed >> 8, seed >> 16, seed >> 128);
            if (i % 4 == 0) handler.check(seed);
        }
        handler.checkMoney();
        handler.finish();
        handler.check(seed);
        handler.checkMoney();
    }

    function _step(EscrowHandler handler, uint256 kind, uint256 one, uint256 two, uint256 three) private {
        if (kind < 4) handler.lock(one, two, three);
        else if (kind < 6) handler.change(one, two, three);
        else if (kind == 6) handler.renew(one);
        else if (kind == 7) handler.withdraw(one);
        else if (kind == 8) handler.exitEarly(one, two);
        else if (kind < 11) handler.delegate(one, two);
        else if (kind < 13) handler.earn(two);
        else if (kind == 13) handler.claim(one);
        else if (kind == 14) handler.claimPenalties(one);
        else if (kind == 15) handler.setFloor(two);
        else if (kind == 16) handler.passSeconds(two);
        else if (kind < 19) handler.passToTheWeeksStart(two);
        else if (two % 3 == 0) handler.passManyWeeks(three);
        else handler.roll(two);
    }
}

/// @notice The same, with calls that forge chooses and remembers.
contract VoteEscrowInvariant is StakingBase {
    EscrowHandler private _handler;

    function setUp() public override {
        super.setUp();
        _handler = new EscrowHandler(escrow, token, dollar, owner);
        _handler.prepare();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        selectors[0].addr = address(_handler);
        selectors[0].selectors = new bytes4[](14);
        selectors[0].selectors[0] = EscrowHandler.lock.selector;
        selectors[0].selectors[1] = EscrowHandler.change.selector;
        selectors[0].selectors[2] = EscrowHandler.renew.selector;
        selectors[0].selectors[3] = EscrowHandler.withdraw.selector;
        selectors[0].selectors[4] = EscrowHandler.exitEarly.selector;
        selectors[0].selectors[5] = EscrowHandler.delegate.selector;
        selectors[0].selectors[6] = EscrowHandler.earn.selector;
        selectors[0].selectors[7] = EscrowHandler.claim.selector;
        selectors[0].selectors[8] = EscrowHandler.claimPenalties.selector;
        selectors[0].selectors[9] = EscrowHandler.setFloor.selector;
        selectors[0].selectors[10] = EscrowHandler.passSeconds.selector;
        selectors[0].selectors[11] = EscrowHandler.passToTheWeeksStart.selector;
        selectors[0].selectors[12] = EscrowHandler.passManyWeeks.selector;
        selectors[0].selectors[13] = EscrowHandler.roll.selector;
    }

    /// @dev Total weight = sum of weights, votes = sum of delegated weights; paid out is at most what was paid in; every locked
    ///      token is here.
    function invariant_weights_add_up_and_all_money_is_here() public {
        _handler.check(uint256(keccak256(abi.encode(time()))));
        _handler.checkMoney();
    }

    function afterInvariant() public {
        _handler.finish();
    }
}

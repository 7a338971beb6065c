// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DealRoom} from "../../src/staking/DealRoom.sol";
import {LevelsBase} from "../LevelsBase.t.sol";
import {PlainToken} from "../mocks/PlainToken.sol";
import {DealsHandler} from "./DealsHandler.sol";

/// @notice Deals beside a slow model that keeps every payment in a list.
abstract contract DealsModelBase is LevelsBase {
    DealsHandler internal handler;

    function _prepare(uint256 seed) internal {
        PlainToken sale = new PlainToken();
        bytes memory arguments = abi.encode(owner, levels, actor("sink"), uint16(seed % 501));
        DealRoom room = DealRoom(deploy("DealRoom.sol:DealRoom", arguments));
        handler = new DealsHandler(room, sale, new PlainToken(), actor("issuer"), [alice, bob, carol, dave]);
        handler.prepare(seed);
    }

    function _finish() internal {
        handler.checkMoney();
        handler.finish();
        handler.checkAccounts();
        handler.checkMoney();
        handler.checkEmpty();
    }
}

contract DealRoomModelTest is DealsModelBase {
    uint256 private constant STEPS = 40;

    /// @dev Each run is three deals and forty steps; `FOUNDRY_PROFILE=ci` makes a thousand runs.
    /// forge-config: test.fuzz.runs = 64
    function test_every_answer_equals_the_slow_model(uint256 seed) public {
        _prepare(seed);
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed % 16, seed >> 8, seed >> 16, seed >> 128);
            if (i % 8 == 0) handler.checkAccounts();
        }
        _finish();
    }

    function _step(uint256 kind, uint256 one, uint256 two, uint256 three) private {
        if (kind < 7) handler.subscribe(one, two, three);
        else if (kind < 10) handler.pass(one);
        else if (kind == 10) handler.claim(one, two);
        else if (kind == 11) handler.refund(one, two);
        else if (kind == 12) handler.allot(one, two);
        else if (kind == 13) handler.takeProceeds(one);
        else if (kind == 14) handler.takeUnsold(one);
        else handler.passDays(one);
    }
}

/// @notice The same, with calls that forge chooses and remembers.
contract DealRoomInvariant is DealsModelBase {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() public override {
        super.setUp();
        _prepare(20);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        selectors[0].addr = address(handler);
        selectors[0].selectors = new bytes4[](9);
        selectors[0].selectors[0] = DealsHandler.subscribe.selector;
        selectors[0].selectors[1] = DealsHandler.claim.selector;
        selectors[0].selectors[2] = DealsHandler.refund.selector;
        selectors[0].selectors[3] = DealsHandler.allot.selector;
        selectors[0].selectors[4] = DealsHandler.takeProceeds.selector;
        selectors[0].selectors[5] = DealsHandler.takeUnsold.selector;
        selectors[0].selectors[6] = DealsHandler.releaseFees.selector;
        selectors[0].selectors[7] = DealsHandler.pass.selector;
        selectors[0].selectors[8] = DealsHandler.passDays.selector;
    }

    /// @dev Each account has what the model says and is within its cap, allocations are at most what is for sale; what was paid
    ///      in is paid out or held, and so are the tokens.
    function invariant_accounts_have_their_part_and_all_money_is_here() public view {
        handler.checkAccounts();
        handler.checkMoney();
    }

    function afterInvariant() public {
        _finish();
    }
}

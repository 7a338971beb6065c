// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../../src/interfaces/ITill.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillPayOwedTest is TillBase {
    BlacklistToken private token;

    function setUp() public override {
        super.setUp();
        token = new BlacklistToken();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(token), 1000);
        token.blacklist(address(shares), true);
        _claimAndSplit(config, 600, _splits(address(shares), 600));
    }

    function test_anyoneMaySendItOnceItCanBePaid() public {
        token.blacklist(address(shares), false);
        vm.expectEmit(address(till));
        emit ITill.OwedPaid(address(shares), address(token), 600);
        vm.prank(stranger);
        till.payOwed(address(shares), address(token));
        assertEq(token.balanceOf(address(shares)), 600, "shares");
        assertEq(shares.accrued(address(token)), 1, "accrue calls");
        assertEq(till.owed(address(shares), address(token)), 0, "owed");
        assertEq(till.totalOwed(address(token)), 0, "total owed");
    }

    function test_stillOwedAfterThePayeeWasRemoved() public {
        token.blacklist(address(shares), false);
        vm.prank(owner);
        till.setPayee(address(shares), ITill.PayeeKind.None);
        till.payOwed(address(shares), address(token));
        assertEq(token.balanceOf(address(shares)), 600, "shares");
        assertEq(shares.accrued(address(token)), 0, "no longer asked to accrue");
    }

    function test_reverts_whileItCannotBePaid() public {
        vm.expectRevert(abi.encodeWithSelector(BlacklistToken.Blacklisted.selector, address(shares)));
        till.payOwed(address(shares), address(token));
        assertEq(till.owed(address(shares), address(token)), 600, "owed");
    }

    function test_reverts_whenNothingIsOwed() public {
        vm.expectRevert(abi.encodeWithSelector(ITill.NothingOwed.selector, treasury, address(token)));
        till.payOwed(treasury, address(token));
        token.blacklist(address(shares), false);
        till.payOwed(address(shares), address(token));
        vm.expectRevert(abi.encodeWithSelector(ITill.NothingOwed.selector, address(shares), address(token)));
        till.payOwed(address(shares), address(token));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../../src/interfaces/ITill.sol";
import {BlacklistToken} from "../../mocks/BlacklistToken.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillSplitTest is TillBase {
    function test_attributesWhatWasClaimedElsewhere(uint128 claimed, uint128 part) public {
        claimed = uint128(bound(claimed, 2, 1e12));
        part = uint128(bound(part, 1, claimed - 1));
        _strangerClaims(address(dollar), claimed);
        vm.expectEmit(address(till));
        emit ITill.Paid(treasury, address(dollar), claimed - part, claimed - part);
        vm.expectEmit(address(till));
        emit ITill.Paid(address(shares), address(dollar), part, claimed);
        _split(_splits(address(shares), part));
        assertEq(dollar.balanceOf(address(shares)), part, "shares");
        assertEq(dollar.balanceOf(treasury), claimed - part, "rest");
        assertEq(shares.accrued(address(dollar)), 1, "accrue calls");
        _assertTotalSplit(address(dollar), claimed, 0);
    }

    function test_attributesWhatWasSettledElsewhere() public {
        _strangerClaims(address(dollar), 100);
        settlement.settle(address(till), address(dollar));
        _assertUnsplit(address(dollar), 100, 0);
        _split(_splits(address(shares), 100));
        assertEq(dollar.balanceOf(address(shares)), 100, "shares");
        _assertTotalSplit(address(dollar), 100, 0);
    }

    function test_attributesDonations(uint128 donated) public {
        donated = uint128(bound(donated, 1, 1e12));
        dollar.mint(address(till), donated);
        _split(_splits(address(shares), donated));
        assertEq(dollar.balanceOf(address(shares)), donated, "shares");
        _assertTotalSplit(address(dollar), 0, donated);
        _assertUnsplit(address(dollar), 0, 0);
    }

    function test_attributesBothAtOnce() public {
        _strangerClaims(address(dollar), 100);
        dollar.mint(address(till), 30);
        _assertUnsplit(address(dollar), 100, 30);
        _split(_splits(address(shares), 120));
        assertEq(dollar.balanceOf(address(shares)), 120, "shares");
        assertEq(dollar.balanceOf(treasury), 10, "rest");
        _assertTotalSplit(address(dollar), 100, 30);
    }

    function test_neverTouchesWhatIsOwed() public {
        BlacklistToken token = new BlacklistToken();
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(token), 1000);
        token.blacklist(address(shares), true);
        _claimAndSplit(config, 700, _splits(address(shares), 700));
        _assertUnsplit(address(token), 0, 0);
        token.mint(address(till), 9);
        vm.expectRevert(abi.encodeWithSelector(ITill.SplitExceedsUnsplit.selector, 10, 9));
        vm.prank(claimKey);
        till.split(address(token), _splits(treasury, 10), treasury);
        vm.prank(claimKey);
        till.split(address(token), new ITill.Split[](0), treasury);
        assertEq(token.balanceOf(treasury), 9, "treasury");
        assertEq(token.balanceOf(address(till)), till.owed(address(shares), address(token)), "owed is there");
    }

    function test_anExtraUnitCannotStopIt() public {
        _strangerClaims(address(dollar), 100);
        dollar.mint(address(till), 1); // slipped in just before
        _split(_splits(address(shares), 100));
        assertEq(dollar.balanceOf(address(shares)), 100, "shares");
        assertEq(dollar.balanceOf(treasury), 1, "rest");
    }

    function test_reverts_whenThereIsNothing() public {
        vm.expectRevert(abi.encodeWithSelector(ITill.NothingToSplit.selector, address(dollar)));
        _split(_splits(address(shares), 1));
    }

    function test_reverts_whenMoreIsSplitThanThereIs() public {
        _strangerClaims(address(dollar), 100);
        vm.expectRevert(abi.encodeWithSelector(ITill.SplitExceedsUnsplit.selector, 101, 100));
        _split(_splits(address(shares), 101));
    }

    function test_reverts_whenAPayeeIsNotListed() public {
        _strangerClaims(address(dollar), 100);
        vm.expectRevert(abi.encodeWithSelector(ITill.NotAPayee.selector, owner));
        _split(_splits(owner, 100));
        vm.expectRevert(abi.encodeWithSelector(ITill.NotAPayee.selector, owner));
        vm.prank(claimKey);
        till.split(address(dollar), _splits(treasury, 100), owner);
    }

    function test_reverts_whenTheCallerIsNotAClaimKey() public {
        _strangerClaims(address(dollar), 100);
        vm.expectRevert(abi.encodeWithSelector(ITill.NotAClaimKey.selector, owner));
        vm.prank(owner);
        till.split(address(dollar), _splits(treasury, 100), treasury);
    }

    function _split(ITill.Split[] memory splits) private {
        vm.prank(claimKey);
        till.split(address(dollar), splits, treasury);
    }
}

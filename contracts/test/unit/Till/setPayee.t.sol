// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {ITill} from "../../../src/interfaces/ITill.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillSetPayeeTest is TillBase {
    function test_ownerListsAndRemovesPayees() public {
        vm.startPrank(owner);
        vm.expectEmit(address(till));
        emit ITill.PayeeSet(stranger, ITill.PayeeKind.Plain);
        till.setPayee(stranger, ITill.PayeeKind.Plain);
        assertEq(uint256(till.payees(stranger)), uint256(ITill.PayeeKind.Plain), "listed");
        till.setPayee(stranger, ITill.PayeeKind.None);
        assertEq(uint256(till.payees(stranger)), uint256(ITill.PayeeKind.None), "removed");
    }

    function test_aPlainPayeeIsNotAskedToAccrue() public {
        vm.prank(owner);
        till.setPayee(address(shares), ITill.PayeeKind.Plain);
        _claimAndSplit(_tillChannel(address(dollar), 100), 10, _splits(address(shares), 10));
        assertEq(shares.accrued(address(dollar)), 0, "accrue calls");
    }

    function test_reverts_whenAPayeeCannotBeOne() public {
        _expectInvalid(address(0), ITill.PayeeKind.Plain);
        _expectInvalid(address(till), ITill.PayeeKind.Plain);
        _expectInvalid(address(settlement), ITill.PayeeKind.Plain);
        _expectInvalid(stranger, ITill.PayeeKind.Shares);
    }

    function test_reverts_whenTheCallerIsNotTheOwner() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, claimKey));
        vm.prank(claimKey);
        till.setPayee(stranger, ITill.PayeeKind.Plain);
    }

    function _expectInvalid(address payTo, ITill.PayeeKind kind) private {
        vm.expectRevert(abi.encodeWithSelector(ITill.InvalidPayee.selector, payTo, kind));
        vm.prank(owner);
        till.setPayee(payTo, kind);
    }
}

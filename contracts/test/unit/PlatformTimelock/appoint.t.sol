// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {PlatformTimelock} from "../../../src/governance/PlatformTimelock.sol";
import {IPlatformTimelock} from "../../../src/interfaces/IPlatformTimelock.sol";
import {GovernanceBase} from "../../GovernanceBase.t.sol";

contract PlatformTimelockAppointTest is GovernanceBase {
    function test_the_governor_has_every_role_and_no_one_else() public view {
        bytes32[3] memory roles = _roles();
        address[5] memory others = [address(0), address(this), owner, guardian, address(timelock)];
        for (uint256 i = 0; i < roles.length; ++i) {
            assertTrue(timelock.hasRole(roles[i], address(governor)), "governor");
            for (uint256 j = 0; j < others.length; ++j) {
                assertTrue(!timelock.hasRole(roles[i], others[j]), "another");
            }
        }
        assertTrue(timelock.hasRole(bytes32(0), address(timelock)), "its own administrator");
        assertTrue(!timelock.hasRole(bytes32(0), address(this)), "no administrator left");
        assertEq(timelock.appointer(), address(0), "no appointer left");
    }

    function test_reverts_whenAppointedTwice_orByAStranger() public {
        vm.expectRevert(abi.encodeWithSelector(IPlatformTimelock.NotTheAppointer.selector, address(this)));
        timelock.appoint(address(governor));
        PlatformTimelock fresh = _deployTimelock(TIMELOCK_DELAY);
        _refused(alice, abi.encodeWithSelector(IPlatformTimelock.NotTheAppointer.selector, alice));
        fresh.appoint(address(governor));
    }

    function test_reverts_whenTheGovernorWorksWithAnotherTimelock() public {
        PlatformTimelock fresh = _deployTimelock(TIMELOCK_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IPlatformTimelock.AnotherTimelock.selector, governor, timelock));
        fresh.appoint(address(governor));
    }

    /// @dev Until it is appointed, the appointer can do nothing but appoint.
    function test_the_appointer_has_no_role() public {
        PlatformTimelock fresh = _deployTimelock(TIMELOCK_DELAY);
        bytes32[3] memory roles = _roles();
        for (uint256 i = 0; i < roles.length; ++i) {
            assertTrue(!fresh.hasRole(roles[i], address(this)), "role");
        }
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, address(this), bytes32(0))
        );
        fresh.grantRole(roles[0], address(this));
    }

    function test_a_decision_sets_the_delay_within_its_bounds() public {
        _stakeAll();
        _decide(_call(address(timelock), abi.encodeCall(timelock.updateDelay, (5 days)), "Delay"));
        assertEq(timelock.getMinDelay(), 5 days, "delay");
        vm.expectRevert(abi.encodeWithSelector(TimelockController.TimelockUnauthorizedCaller.selector, address(this)));
        timelock.updateDelay(2 days);
    }

    function test_reverts_whenTheDelayIsOutOfBounds() public {
        uint256[2] memory delays = [uint256(1 days - 1), 30 days + 1];
        for (uint256 i = 0; i < delays.length; ++i) {
            bytes memory reason =
                abi.encodeWithSelector(IPlatformTimelock.DelayOutOfBounds.selector, delays[i], 1 days, 30 days);
            vm.expectRevert(reason);
            this.deployTimelock(delays[i]);
            _refused(address(timelock), reason);
            timelock.updateDelay(delays[i]);
        }
    }

    /// @dev A call that `expectRevert` sees whole.
    function deployTimelock(uint256 delay) external {
        _deployTimelock(delay);
    }

    function _roles() private view returns (bytes32[3] memory) {
        return [timelock.PROPOSER_ROLE(), timelock.CANCELLER_ROLE(), timelock.EXECUTOR_ROLE()];
    }
}

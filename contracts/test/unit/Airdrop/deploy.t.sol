// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAirdrop} from "../../../src/interfaces/IAirdrop.sol";
import {Airdrop} from "../../../src/staking/Airdrop.sol";
import {AirdropBase} from "../../AirdropBase.t.sol";

contract AirdropDeployTest is AirdropBase {
    function test_shows_its_terms() public view {
        assertEq(airdrop.token(), address(token), "token");
        assertEq(airdrop.root(), _root(), "root");
        assertEq(uint256(airdrop.deadline()), time() + DURATION, "deadline");
        assertEq(airdrop.treasury(), treasury, "treasury");
        assertEq(airdrop.escrow(), address(escrow), "escrow");
    }

    function test_reverts_whenATermIsMissingOrTheDeadlineIsPastOrTooFar() public {
        uint64 now_ = uint64(time());
        uint64 most = now_ + 3 * 365 days;
        _refused(address(0), _root(), now_ + 1, treasury);
        _refused(address(token), 0, now_ + 1, treasury);
        _refused(address(token), _root(), now_ + 1, address(0));
        _refused(address(token), _root(), now_, treasury);
        _refused(address(token), _root(), most + 1, treasury);
        new Airdrop(address(token), _root(), most, treasury, address(0));
    }

    function _refused(address token_, bytes32 root, uint64 deadline, address treasury_) private {
        vm.expectRevert(abi.encodeWithSelector(IAirdrop.InvalidTerms.selector, token_, root, treasury_, deadline));
        new Airdrop(token_, root, deadline, treasury_, address(0));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ILockFor} from "../../src/interfaces/ILockFor.sol";

/// @notice The part of a vote escrow that an airdrop needs: takes the tokens and writes down for whom.
contract LockBook is ILockFor {
    IERC20 private immutable _token;
    mapping(address holder => uint256) public lockedOf;
    mapping(address holder => uint256) public weeksOf;

    error WeeksOutOfRange(uint256 weeks_);

    constructor(IERC20 token) {
        _token = token;
    }

    function lockFor(address holder, uint256 amount, uint256 weeks_) external virtual {
        require(weeks_ != 0 && weeks_ <= 52, WeeksOutOfRange(weeks_));
        lockedOf[holder] += amount;
        weeksOf[holder] = weeks_;
        require(_token.transferFrom(msg.sender, address(this), amount));
    }
}

/// @notice Keeps no promise: takes nothing, or takes and calls back.
contract FaithlessLock is ILockFor {
    bytes private _reentry;

    function reenterWith(bytes calldata call_) external {
        _reentry = call_;
    }

    function lockFor(address, uint256, uint256) external {
        if (_reentry.length == 0) return;
        (bool ok, bytes memory answer) = msg.sender.call(_reentry);
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }
}

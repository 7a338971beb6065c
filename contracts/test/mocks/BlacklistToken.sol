// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @notice Refuses to move for accounts on its list, in either direction.
contract BlacklistToken is PlainToken {
    error Blacklisted(address account);

    mapping(address account => bool) public blacklisted;

    function blacklist(address account, bool on) external {
        blacklisted[account] = on;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!blacklisted[from], Blacklisted(from));
        require(!blacklisted[to], Blacklisted(to));
        super._update(from, to, amount);
    }
}

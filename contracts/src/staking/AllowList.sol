// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAllowList} from "../interfaces/IAllowList.sol";
import {IDealPolicy} from "../interfaces/IDealPolicy.sol";
import {IDealRoom} from "../interfaces/IDealRoom.sol";
import {DealId} from "../types/DealId.sol";

/// @title AllowList
/// @notice See IAllowList for whose list it is and what it decides.
contract AllowList is IAllowList {
    /// @inheritdoc IAllowList
    string public constant VERSION = "1.0.0";

    /// @inheritdoc IAllowList
    IDealRoom public immutable ROOM;

    mapping(DealId deal => mapping(address account => bool)) private _allowed;

    /// @param room The deal room whose issuers keep lists here.
    constructor(IDealRoom room) {
        require(address(room).code.length != 0, InvalidDealRoom(address(room)));
        ROOM = room;
    }

    /// @inheritdoc IAllowList
    function setAccounts(DealId deal, address[] calldata accounts, bool allowed) external {
        require(msg.sender == ROOM.dealOf(deal).issuer, NotTheIssuer(deal, msg.sender));
        mapping(address account => bool) storage list = _allowed[deal];
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[i];
            if (list[account] == allowed) continue;
            list[account] = allowed;
            emit AccountSet(deal, account, allowed);
        }
    }

    /// @inheritdoc IDealPolicy
    function canSubscribe(DealId deal, address account) external view returns (bool allowed) {
        return _allowed[deal][account];
    }
}

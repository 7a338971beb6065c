// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

import {IReinvestments} from "../interfaces/IReinvestments.sol";
import {IReinvestor} from "../interfaces/IReinvestor.sol";

/// @title Who may have revenue reinvested
/// @notice The part of the vote escrow that hands revenue to a reinvestor: for the account itself, or by its signature.
/// @dev The claim is complete, its guard open again, before the reinvestor is called, which locks tokens through `lockFor`. So
///      whatever a reinvestor or its market does meanwhile, it finds the escrow as between two transactions.
abstract contract Reinvestments is IReinvestments, EIP712, Nonces {
    bytes32 private constant REINVESTMENT_TYPEHASH =
        keccak256("Reinvestment(address account,address reinvestor,uint256 minOut,uint256 nonce,uint256 deadline)");

    /// @inheritdoc IReinvestments
    function reinvest(address reinvestor, uint256 minOut, uint256 deadline) external returns (uint256 bought) {
        return _reinvest(msg.sender, reinvestor, minOut, deadline);
    }

    /// @inheritdoc IReinvestments
    function reinvestBySig(
        address account,
        address reinvestor,
        uint256 minOut,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 bought) {
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(REINVESTMENT_TYPEHASH, account, reinvestor, minOut, _useNonce(account), deadline))
        );
        require(
            SignatureChecker.isValidSignatureNowCalldata(account, digest, signature),
            InvalidReinvestmentSignature(account)
        );
        return _reinvest(account, reinvestor, minOut, deadline);
    }

    function _reinvest(address account, address reinvestor, uint256 minOut, uint256 deadline)
        private
        returns (uint256 bought)
    {
        require(block.timestamp <= deadline, ReinvestmentExpired(deadline));
        _requireLocker(reinvestor);
        uint256 amount = _claim(account, reinvestor);
        require(amount != 0, NothingToReinvest(account));
        return IReinvestor(reinvestor).reinvest(account, amount, minOut);
    }

    /// @dev Pays the revenue that `account` is due to `to`.
    function _claim(address account, address to) internal virtual returns (uint256 amount);

    /// @dev Reverts unless the owner lets `account` lock for others.
    function _requireLocker(address account) internal view virtual;
}

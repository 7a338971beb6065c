// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What collects read and write of a revenue token: income per share (136 bits) and money paid out (112 bits).
/// @dev The rows of Shares are packed by hand: the compiler writes a packed struct field by field, which costs a collect and
///      an accrue about a thousand gas each. All arguments must fit; callers say why they do.
type Payouts is uint256;

/// @notice What only accrues write of a revenue token: gross (112 bits), remainder (48) and credited fee (96).
type Receipts is uint256;

/// @notice One holder's side of a revenue token: the income per share (136 bits) up to which what is due (120) is complete.
type Account is uint256;

/// @notice How often anything accrued (248 bits) and how many tokens ever did (8).
type Epoch is uint256;

using {perShare, paidOut} for Payouts global;
using {gross, remainder, feeCredited} for Receipts global;
using {perSharePaid, due} for Account global;
using {number, tokenCount} for Epoch global;

function packPayouts(uint256 perShare_, uint256 paidOut_) pure returns (Payouts) {
    return Payouts.wrap(perShare_ << 112 | paidOut_);
}

/// @notice Income of one atomic share so far, atomic units x 2^64.
function perShare(Payouts row) pure returns (uint256) {
    return Payouts.unwrap(row) >> 112;
}

/// @notice Money that has left so far, atomic units.
function paidOut(Payouts row) pure returns (uint256) {
    return uint112(Payouts.unwrap(row));
}

function packReceipts(uint256 gross_, uint256 remainder_, uint256 feeCredited_) pure returns (Receipts) {
    return Receipts.wrap(gross_ << 144 | remainder_ << 96 | feeCredited_);
}

/// @notice Money noticed so far, atomic units.
function gross(Receipts row) pure returns (uint256) {
    return Receipts.unwrap(row) >> 144;
}

/// @notice What the last division by the supply left over, atomic units x 2^64.
function remainder(Receipts row) pure returns (uint256) {
    return uint48(Receipts.unwrap(row) >> 96);
}

/// @notice Protocol fee booked so far, atomic units.
function feeCredited(Receipts row) pure returns (uint256) {
    return uint96(Receipts.unwrap(row));
}

function packAccount(uint256 perSharePaid_, uint256 due_) pure returns (Account) {
    return Account.wrap(perSharePaid_ << 120 | due_);
}

/// @notice Income of one atomic share up to which `due` is complete, atomic units x 2^64.
function perSharePaid(Account row) pure returns (uint256) {
    return Account.unwrap(row) >> 120;
}

/// @notice Settled income not yet collected, atomic units x 2^8.
function due(Account row) pure returns (uint256) {
    return uint120(Account.unwrap(row));
}

function packEpoch(uint256 number_, uint256 tokenCount_) pure returns (Epoch) {
    return Epoch.wrap(number_ << 8 | tokenCount_);
}

/// @notice How often anything accrued.
function number(Epoch row) pure returns (uint256) {
    return Epoch.unwrap(row) >> 8;
}

/// @notice How many tokens have ever accrued.
function tokenCount(Epoch row) pure returns (uint256) {
    return uint8(Epoch.unwrap(row));
}

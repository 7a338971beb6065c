// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {TillBase} from "./TillBase.t.sol";

contract TillIsValidSignatureTest is TillBase {
    bytes4 private constant INVALID = 0xffffffff;

    function test_aClaimKeySignsBatchesForTheTill() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 100);
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, 30, 30);
        vm.prank(stranger);
        settlement.claimWithSignature(rows, _sign(CLAIM_KEY, _batchDigest(rows)));
        _assertUnsplit(address(dollar), 30, 0);
    }

    function test_aClaimKeySignsRefundsForTheTill() public {
        IBatchSettlement.ChannelConfig memory config = _tillChannel(address(dollar), 100);
        bytes memory signature = _sign(CLAIM_KEY, _refundDigest(_channelId(config), 0, 40));
        settlement.refundWithSignature(config, 40, 0, signature);
        _assertChannel(config, 60, 0);
    }

    function test_validForTheSettlementOnly(bytes32 digest, address asker) public {
        bytes memory signature = _sign(CLAIM_KEY, digest);
        vm.prank(address(settlement));
        assertEq(till.isValidSignature(digest, signature), bytes4(0x1626ba7e), "settlement");
        if (asker == address(settlement)) asker = stranger;
        vm.prank(asker);
        assertEq(till.isValidSignature(digest, signature), INVALID, "anyone else");
    }

    /// @dev A stolen or tricked claim key cannot move the till's tokens by a token's contract signatures.
    function test_cannotActInFrontOfATokenThatTakesContractSignatures() public {
        dollar.mint(address(till), 100);
        uint256 validBefore = block.timestamp + 1 hours;
        bytes32 digest = _authorizationDigest("Transfer", address(till), stranger, 100, 0, validBefore, "nonce");
        bytes memory signature = _sign(CLAIM_KEY, digest);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        dollar.transferWithAuthorization(address(till), stranger, 100, 0, validBefore, "nonce", signature);
    }

    function test_invalid_whenTheKeyIsNoClaimKey(bytes32 digest) public {
        bytes memory signature = _sign(SESSION_KEY, digest);
        vm.prank(address(settlement));
        assertEq(till.isValidSignature(digest, signature), INVALID, "session key");
    }

    function test_invalid_afterTheKeyWasRemoved(bytes32 digest) public {
        vm.prank(owner);
        till.setClaimKey(claimKey, false);
        bytes memory signature = _sign(CLAIM_KEY, digest);
        vm.prank(address(settlement));
        assertEq(till.isValidSignature(digest, signature), INVALID, "removed key");
    }

    function test_invalid_whenMalleableOrMalformed(bytes32 digest, bytes memory garbage) public {
        bytes memory signature = _malleate(_sign(CLAIM_KEY, digest));
        vm.startPrank(address(settlement));
        assertEq(till.isValidSignature(digest, signature), INVALID, "high s");
        assertEq(till.isValidSignature(digest, garbage), INVALID, "garbage");
        assertEq(till.isValidSignature(digest, new bytes(65)), INVALID, "zeros recover to no account");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {BatchSettlement} from "../../../src/payments/BatchSettlement.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

/// @notice Ids and digests equal straight EIP-712, also where the code was put rather than deployed.
contract BatchSettlementDigestsTest is PaymentsBase {
    function test_channelIdIsItsEip712Hash(IBatchSettlement.ChannelConfig memory config) public view {
        assertEq(settlement.getChannelId(config), _channelId(config), "channel id");
    }

    function test_voucherDigest(bytes32 channelId, uint128 ceiling) public view {
        bytes32 expected = _voucherDigest(_settlementDomain(), channelId, ceiling);
        assertEq(settlement.getVoucherDigest(channelId, ceiling), expected, "voucher");
    }

    function test_refundDigest(bytes32 channelId, uint256 nonce, uint128 amount) public view {
        bytes32 expected = _refundDigest(channelId, nonce, amount);
        assertEq(settlement.getRefundDigest(channelId, nonce, amount), expected, "refund");
    }

    function test_claimBatchDigest(IBatchSettlement.VoucherClaim[] memory rows) public view {
        assertEq(settlement.getClaimBatchDigest(rows), _batchDigest(rows), "batch");
    }

    function test_anEmptyBatchHasADigest() public view {
        IBatchSettlement.VoucherClaim[] memory none = new IBatchSettlement.VoucherClaim[](0);
        assertEq(settlement.getClaimBatchDigest(none), _batchDigest(none), "empty batch");
    }

    function test_typeHashes() public view {
        assertEq(
            settlement.CHANNEL_CONFIG_TYPEHASH(),
            keccak256(
                "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
            ),
            "channel"
        );
        assertEq(
            settlement.VOUCHER_TYPEHASH(), keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)"), "voucher"
        );
        assertEq(
            settlement.REFUND_TYPEHASH(), keccak256("Refund(bytes32 channelId,uint256 nonce,uint128 amount)"), "refund"
        );
        bytes memory entry = "ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)";
        assertEq(settlement.CLAIM_ENTRY_TYPEHASH(), keccak256(entry), "entry");
        assertEq(
            settlement.CLAIM_BATCH_TYPEHASH(),
            keccak256(abi.encodePacked("ClaimBatch(ClaimEntry[] claims)", entry)),
            "batch"
        );
    }

    function test_tellsItsDomain() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifying, bytes32 salt,) =
            settlement.eip712Domain();
        assertEq(uint8(fields), 0x0f, "fields");
        assertEq(_domain(name, version, chainId, verifying), _settlementDomain(), "domain");
        assertEq(salt, bytes32(0), "salt");
    }

    /// @dev A development chain copies the code to x402's canonical addresses: everything must work there.
    function test_worksWhereTheCodeWasPut() public {
        address canonical = 0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003;
        vm.etch(canonical, address(settlement).code);
        settlement = BatchSettlement(canonical);
        collector = _deployCollector(canonical);

        IBatchSettlement.ChannelConfig memory config = _fundedChannel(100);
        assertEq(settlement.getChannelId(config), _channelId(config), "channel id");
        _claim(config, 30);
        settlement.settle(receiver, address(dollar));
        assertEq(dollar.balanceOf(receiver), 30, "receiver");
    }

    function test_idsChangeWithTheChain() public {
        bytes32 here = settlement.getChannelId(_channel());
        vm.chainId(block.chainid + 1);
        assertTrue(settlement.getChannelId(_channel()) != here, "same id on another chain");
        assertEq(settlement.getChannelId(_channel()), _channelId(_channel()), "id on the other chain");
    }

    function test_version() public view {
        assertEq(keccak256(bytes(settlement.VERSION())), keccak256("1.0.0"), "version");
    }
}

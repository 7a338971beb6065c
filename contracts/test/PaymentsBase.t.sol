// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {TestDollar} from "../src/devnet/TestDollar.sol";
import {IBatchSettlement} from "../src/interfaces/IBatchSettlement.sol";
import {BatchSettlement} from "../src/payments/BatchSettlement.sol";
import {ERC3009DepositCollector} from "../src/payments/ERC3009DepositCollector.sol";
import {Base} from "./Base.t.sol";
import {AllowanceCollector} from "./mocks/AllowanceCollector.sol";

/// @notice A settlement, its collector, a play dollar, and the hand of every party: channels, signatures, rows.
/// @dev Digests are computed here from the EIP-712 type strings alone, so the contracts are checked against the
///      standard and not against themselves.
abstract contract PaymentsBase is Base {
    uint256 internal constant PAYER_KEY = 0xA11CE;
    uint256 internal constant SESSION_KEY = 0x5E551;
    uint256 internal constant AUTHORIZER_KEY = 0xBEEF;
    uint40 internal constant DELAY = 1 days;
    /// @dev The order of secp256k1, to turn a signature into its other, malleable form.
    uint256 internal constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    BatchSettlement internal settlement;
    ERC3009DepositCollector internal collector;
    AllowanceCollector internal allowanceCollector;
    TestDollar internal dollar;

    address internal payer;
    address internal session;
    address internal authorizer;
    address internal receiver;
    address internal stranger;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        settlement = BatchSettlement(deploy("BatchSettlement.sol:BatchSettlement", ""));
        collector = _deployCollector(address(settlement));
        allowanceCollector = new AllowanceCollector();
        dollar = _deployDollar();
        payer = vm.addr(PAYER_KEY);
        session = vm.addr(SESSION_KEY);
        authorizer = vm.addr(AUTHORIZER_KEY);
        receiver = actor("receiver");
        stranger = actor("stranger");
        dollar.mint(payer, 1e18);
    }

    function _deployCollector(address forSettlement) internal returns (ERC3009DepositCollector) {
        bytes memory arguments = abi.encode(forSettlement);
        return ERC3009DepositCollector(deploy("ERC3009DepositCollector.sol:ERC3009DepositCollector", arguments));
    }

    function _deployDollar() internal returns (TestDollar) {
        return TestDollar(deploy("TestDollar.sol:TestDollar", ""));
    }

    /// @dev The usual channel: a session key signs, an authorizer with a key claims.
    function _channel() internal view returns (IBatchSettlement.ChannelConfig memory) {
        return IBatchSettlement.ChannelConfig({
            payer: payer,
            payerAuthorizer: session,
            receiver: receiver,
            receiverAuthorizer: authorizer,
            token: address(dollar),
            withdrawDelay: DELAY,
            salt: keccak256("first")
        });
    }

    /// @dev The usual channel holding `amount`.
    function _fundedChannel(uint128 amount) internal returns (IBatchSettlement.ChannelConfig memory config) {
        config = _channel();
        _deposit(config, amount);
    }

    /// @dev Deposits by EIP-3009, for the payer whose key is PAYER_KEY.
    function _deposit(IBatchSettlement.ChannelConfig memory config, uint128 amount) internal {
        bytes memory data =
            _collectorData(config, amount, uint256(keccak256(abi.encode("deposit", config, amount, _count++))));
        settlement.deposit(config, amount, address(collector), data);
    }

    uint256 private _count;

    /// @dev Deposits by allowance: any token, any payer without a key.
    function _depositByAllowance(IBatchSettlement.ChannelConfig memory config, uint128 amount) internal {
        vm.prank(config.payer);
        IERC20(config.token).approve(address(allowanceCollector), amount);
        settlement.deposit(config, amount, address(allowanceCollector), "");
    }

    /// @dev What the collector needs for a deposit of `amount` that PAYER_KEY signed.
    function _collectorData(IBatchSettlement.ChannelConfig memory config, uint256 amount, uint256 salt)
        internal
        view
        returns (bytes memory)
    {
        uint256 validBefore = block.timestamp + 1 hours;
        bytes32 nonce = keccak256(abi.encode(_channelId(config), salt));
        bytes32 digest = _authorizationDigest("Receive", payer, address(collector), amount, 0, validBefore, nonce);
        return abi.encode(uint256(0), validBefore, salt, _sign(PAYER_KEY, digest));
    }

    function _authorizationDigest(
        string memory verb,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                verb,
                "WithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
            )
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, from, to, value, validAfter, validBefore, nonce));
        return _typed(_domain("Test Dollar", "1", block.chainid, address(dollar)), structHash);
    }

    function _domain(string memory name, string memory version, uint256 chainId, address contractAt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                chainId,
                contractAt
            )
        );
    }

    function _typed(bytes32 domain, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _settlementDomain() internal view returns (bytes32) {
        return _domain("x402 Batch Settlement", "1", block.chainid, address(settlement));
    }

    function _channelId(IBatchSettlement.ChannelConfig memory c) internal view returns (bytes32) {
        return _channelIdUnder(_settlementDomain(), c);
    }

    function _channelIdUnder(bytes32 domain, IBatchSettlement.ChannelConfig memory c) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
        );
        return _typed(
            domain,
            keccak256(
                abi.encode(
                    typeHash,
                    c.payer,
                    c.payerAuthorizer,
                    c.receiver,
                    c.receiverAuthorizer,
                    c.token,
                    c.withdrawDelay,
                    c.salt
                )
            )
        );
    }

    function _voucherDigest(bytes32 domain, bytes32 channelId, uint128 ceiling) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");
        return _typed(domain, keccak256(abi.encode(typeHash, channelId, ceiling)));
    }

    function _refundDigest(bytes32 channelId, uint256 nonce, uint128 amount) internal view returns (bytes32) {
        bytes32 typeHash = keccak256("Refund(bytes32 channelId,uint256 nonce,uint128 amount)");
        return _typed(_settlementDomain(), keccak256(abi.encode(typeHash, channelId, nonce, amount)));
    }

    function _batchDigest(IBatchSettlement.VoucherClaim[] memory rows) internal view returns (bytes32) {
        bytes memory entries;
        for (uint256 i = 0; i < rows.length; ++i) {
            bytes32 entry = keccak256(
                abi.encode(
                    keccak256("ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"),
                    _channelId(rows[i].voucher.channel),
                    rows[i].voucher.maxClaimableAmount,
                    rows[i].totalClaimed
                )
            );
            entries = abi.encodePacked(entries, entry);
        }
        bytes32 typeHash = keccak256(
            "ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
        );
        return _typed(_settlementDomain(), keccak256(abi.encode(typeHash, keccak256(entries))));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The same signature with the other s: what ecrecover also accepts, and no contract should.
    function _malleate(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        uint8 v = uint8(signature[64]);
        return abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
    }

    /// @dev A row signed by `key`.
    function _row(IBatchSettlement.ChannelConfig memory config, uint128 ceiling, uint128 total, uint256 key)
        internal
        view
        returns (IBatchSettlement.VoucherClaim memory)
    {
        return IBatchSettlement.VoucherClaim({
            voucher: IBatchSettlement.Voucher({channel: config, maxClaimableAmount: ceiling}),
            signature: _sign(key, _voucherDigest(_settlementDomain(), _channelId(config), ceiling)),
            totalClaimed: total
        });
    }

    /// @dev A batch of one row, signed by the session key.
    function _batch(IBatchSettlement.ChannelConfig memory config, uint128 ceiling, uint128 total)
        internal
        view
        returns (IBatchSettlement.VoucherClaim[] memory rows)
    {
        rows = new IBatchSettlement.VoucherClaim[](1);
        rows[0] = _row(config, ceiling, total, SESSION_KEY);
    }

    /// @dev The authorizer claims `total` on a channel of the session key.
    function _claim(IBatchSettlement.ChannelConfig memory config, uint128 total) internal {
        IBatchSettlement.VoucherClaim[] memory rows = _batch(config, total, total);
        vm.prank(config.receiverAuthorizer);
        settlement.claim(rows);
    }

    function _assertChannel(IBatchSettlement.ChannelConfig memory config, uint128 balance, uint128 claimed)
        internal
        view
    {
        (uint128 actualBalance, uint128 actualClaimed) = settlement.channels(_channelId(config));
        assertEq(actualBalance, balance, "channel balance");
        assertEq(actualClaimed, claimed, "channel totalClaimed");
    }

    function _assertReceiver(address who, address token, uint128 claimed, uint128 settled) internal view {
        (uint128 actualClaimed, uint128 actualSettled) = settlement.receivers(who, token);
        assertEq(actualClaimed, claimed, "receiver totalClaimed");
        assertEq(actualSettled, settled, "receiver totalSettled");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {ITill} from "../../../src/interfaces/ITill.sol";
import {Till} from "../../../src/payments/Till.sol";
import {AccruingPayee} from "../../mocks/AccruingPayee.sol";
import {PlainToken} from "../../mocks/PlainToken.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

/// @notice A till with an owner, a claim key, one Shares and one plain payee, and money on its channels.
abstract contract TillBase is PaymentsBase {
    uint256 internal constant CLAIM_KEY = 0xC1A1;

    Till internal till;
    AccruingPayee internal shares;
    address internal owner;
    address internal claimKey;
    address internal treasury;

    function setUp() public virtual override {
        super.setUp();
        owner = actor("owner");
        claimKey = vm.addr(CLAIM_KEY);
        treasury = actor("treasury");
        till = Till(deploy("Till.sol:Till", abi.encode(owner, settlement)));
        shares = new AccruingPayee();
        vm.startPrank(owner);
        till.setClaimKey(claimKey, true);
        till.setPayee(address(shares), ITill.PayeeKind.Shares);
        till.setPayee(treasury, ITill.PayeeKind.Plain);
        vm.stopPrank();
    }

    /// @dev A funded channel of the till in `token`, which is a mock that anyone may mint.
    function _tillChannel(address token, uint128 amount)
        internal
        returns (IBatchSettlement.ChannelConfig memory config)
    {
        config = _channel();
        (config.receiver, config.receiverAuthorizer, config.token) = (address(till), address(till), token);
        PlainToken(token).mint(payer, amount);
        _depositByAllowance(config, amount);
    }

    /// @dev A stranger's channel that names the till as receiver, claimed by the stranger.
    function _strangerClaims(address token, uint128 amount) internal {
        IBatchSettlement.ChannelConfig memory config = _channel();
        (config.receiver, config.receiverAuthorizer, config.token) = (address(till), stranger, token);
        config.salt = keccak256("a stranger's channel");
        PlainToken(token).mint(payer, amount);
        _depositByAllowance(config, amount);
        (, uint128 claimed) = settlement.channels(_channelId(config));
        _claim(config, claimed + amount);
    }

    function _call(IBatchSettlement.ChannelConfig memory config, uint128 total) internal view returns (bytes memory) {
        return abi.encodeCall(IBatchSettlement.claim, (_batch(config, total, total)));
    }

    function _splits(address payTo, uint256 amount) internal pure returns (ITill.Split[] memory splits) {
        splits = new ITill.Split[](1);
        splits[0] = ITill.Split({payTo: payTo, amount: amount});
    }

    function _splits(address first, uint256 firstAmount, address second, uint256 secondAmount)
        internal
        pure
        returns (ITill.Split[] memory splits)
    {
        splits = new ITill.Split[](2);
        splits[0] = ITill.Split({payTo: first, amount: firstAmount});
        splits[1] = ITill.Split({payTo: second, amount: secondAmount});
    }

    /// @dev Claims up to `total` and splits; the remainder, if any, goes to the treasury; nothing is anchored.
    function _claimAndSplit(IBatchSettlement.ChannelConfig memory config, uint128 total, ITill.Split[] memory splits)
        internal
    {
        bytes memory call = _call(config, total);
        vm.prank(claimKey);
        till.claimAndSplit(call, config.token, splits, treasury, 0, 0);
    }

    function _assertUnsplit(address token, uint256 claimed, uint256 donated) internal view {
        (uint256 actualClaimed, uint256 actualDonated) = till.unsplit(token);
        assertEq(actualClaimed, claimed, "unsplit, claimed");
        assertEq(actualDonated, donated, "unsplit, donated");
    }

    function _assertTotalSplit(address token, uint256 claimed, uint256 donated) internal view {
        (uint128 actualClaimed, uint128 actualDonated) = till.totalSplit(token);
        assertEq(actualClaimed, claimed, "split, claimed");
        assertEq(actualDonated, donated, "split, donated");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

import {IBatchSettlement} from "../../../src/interfaces/IBatchSettlement.sol";
import {IERC3009DepositCollector} from "../../../src/interfaces/IERC3009DepositCollector.sol";
import {ERC3009DepositCollector} from "../../../src/payments/ERC3009DepositCollector.sol";
import {ContractWallet} from "../../mocks/ContractWallet.sol";
import {PaymentsBase} from "../../PaymentsBase.t.sol";

contract ERC3009DepositCollectorCollectTest is PaymentsBase {
    function test_usesTheNonceThatBindsTheChannel(uint256 salt) public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        settlement.deposit(config, 100, address(collector), _collectorData(config, 100, salt));
        bytes32 nonce = keccak256(abi.encode(_channelId(config), salt));
        assertTrue(dollar.authorizationState(payer, nonce), "nonce unused");
    }

    function test_contractPayerSignsByErc1271() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        config.payer = address(new ContractWallet(payer));
        dollar.mint(config.payer, 100);
        uint256 validBefore = block.timestamp + 1 hours;
        bytes32 nonce = keccak256(abi.encode(_channelId(config), uint256(7)));
        bytes32 digest = _authorizationDigest("Receive", config.payer, address(collector), 100, 0, validBefore, nonce);
        bytes memory data = abi.encode(uint256(0), validBefore, uint256(7), _sign(PAYER_KEY, digest));
        settlement.deposit(config, 100, address(collector), data);
        _assertChannel(config, 100, 0);
    }

    function test_reverts_whenTheCallerIsNotTheSettlement() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        bytes memory data = _collectorData(config, 100, 1);
        bytes32 id = _channelId(config);
        vm.expectRevert(IERC3009DepositCollector.OnlyX402BatchSettlement.selector);
        collector.collect(payer, address(dollar), 100, id, data);
    }

    function test_reverts_whenTheAuthorizationIsForAnotherChannel() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        bytes memory data = _collectorData(config, 100, 1);
        config.receiver = stranger; // a relayer's wish
        _expectRevert(config, 100, data, ERC3009.ERC3009InvalidSignature.selector);
    }

    function test_reverts_whenTheAmountWasChanged() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        _expectRevert(config, 101, _collectorData(config, 100, 1), ERC3009.ERC3009InvalidSignature.selector);
    }

    function test_reverts_whenReplayed() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        bytes memory data = _collectorData(config, 100, 1);
        settlement.deposit(config, 100, address(collector), data);
        bytes32 nonce = keccak256(abi.encode(_channelId(config), uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, payer, nonce));
        settlement.deposit(config, 100, address(collector), data);
    }

    function test_reverts_whenLate() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        bytes memory data = _collectorData(config, 100, 1);
        uint256 validBefore = block.timestamp + 1 hours;
        vm.warp(validBefore);
        vm.expectRevert(
            abi.encodeWithSelector(ERC3009.ERC3009InvalidAuthorizationTime.selector, uint256(0), validBefore)
        );
        settlement.deposit(config, 100, address(collector), data);
    }

    function test_reverts_whenTheSignatureIsMalleable() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(_collectorData(config, 100, 1), (uint256, uint256, uint256, bytes));
        bytes memory data = abi.encode(validAfter, validBefore, salt, _malleate(signature));
        _expectRevert(config, 100, data, ERC3009.ERC3009InvalidSignature.selector);
    }

    /// @dev The signature goes to the collector, so a stranger cannot execute it alone and strand the money.
    function test_reverts_whenAStrangerExecutesTheAuthorization() public {
        IBatchSettlement.ChannelConfig memory config = _channel();
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(_collectorData(config, 100, 1), (uint256, uint256, uint256, bytes));
        bytes32 nonce = keccak256(abi.encode(_channelId(config), salt));
        bytes4 wrongReceiver = bytes4(keccak256("ERC20InvalidReceiver(address)"));
        vm.expectRevert(abi.encodeWithSelector(wrongReceiver, address(collector)));
        vm.prank(stranger);
        dollar.receiveWithAuthorization(payer, address(collector), 100, validAfter, validBefore, nonce, signature);
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        dollar.transferWithAuthorization(payer, address(collector), 100, validAfter, validBefore, nonce, signature);
    }

    function test_donationStaysWhereItIs() public {
        dollar.mint(address(collector), 5);
        _fundedChannel(100);
        assertEq(dollar.balanceOf(address(collector)), 5, "collector");
        assertEq(dollar.balanceOf(address(settlement)), 100, "settlement");
    }

    function test_refusesNativeCurrency() public {
        vm.deal(stranger, 1 ether);
        vm.prank(stranger);
        (bool ok,) = address(collector).call{value: 1}("");
        assertTrue(!ok, "took native currency");
    }

    function test_knowsItsSettlement() public view {
        assertEq(collector.x402BatchSettlement(), address(settlement), "settlement");
        assertEq(keccak256(bytes(collector.VERSION())), keccak256("1.0.0"), "version");
    }

    function test_reverts_whenBuiltWithoutASettlement() public {
        vm.expectRevert(IERC3009DepositCollector.InvalidX402BatchSettlementAddress.selector);
        new ERC3009DepositCollector(address(0));
    }

    function _expectRevert(
        IBatchSettlement.ChannelConfig memory config,
        uint128 amount,
        bytes memory data,
        bytes4 selector
    ) private {
        vm.expectRevert(selector);
        settlement.deposit(config, amount, address(collector), data);
    }
}

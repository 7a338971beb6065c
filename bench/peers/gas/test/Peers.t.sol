// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {PaymentSplitter, IERC20 as IERC20v4} from "oz4/finance/PaymentSplitter.sol";

interface Vm {
    function prank(address sender) external;
    function warp(uint256 timestamp) external;
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256);
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
}

contract Dollar is ERC3009 {
    constructor() ERC20("USD", "USD") EIP712("USD", "1") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function domain() external view returns (bytes32) {
        return _domainSeparatorV4();
    }
}

/// @notice A revenue-less share token of OpenZeppelin parts: what our shares are before they carry income.
contract VotesToken is ERC20, ERC20Permit, ERC20Votes {
    constructor() ERC20("Shares", "S") ERC20Permit("Shares") {
        _mint(msg.sender, 1e14);
    }

    function _update(address from, address to, uint256 amount) internal override(ERC20, ERC20Votes) {
        super._update(from, to, amount);
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }
}

struct Authorization {
    address from;
    uint256 value;
    bytes32 nonce;
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @notice What a facilitator of x402 `exact` does with a token without multicall: one authorization after the other.
contract Facilitator {
    function settle(Dollar token, address to, Authorization[] calldata rows) external {
        for (uint256 i; i < rows.length; ++i) {
            Authorization calldata a = rows[i];
            token.transferWithAuthorization(a.from, to, a.value, 0, 1e11, a.nonce, a.v, a.r, a.s);
        }
    }
}

interface MultiPartyEscrow {
    function depositAndOpenChannel(address signer, address recipient, bytes32 group, uint256 value, uint256 expiry)
        external
        returns (bool);
    function channelExtendAndAddFunds(uint256 channelId, uint256 newExpiry, uint256 amount) external;
    function deposit(uint256 value) external returns (bool);
    function channelClaim(uint256 id, uint256 actual, uint256 planned, uint8 v, bytes32 r, bytes32 s, bool back) external;
    function multiChannelClaim(
        uint256[] calldata ids,
        uint256[] calldata actual,
        uint256[] calldata planned,
        bool[] calldata back,
        uint8[] calldata v,
        bytes32[] calldata r,
        bytes32[] calldata s
    ) external;
    function withdraw(uint256 value) external returns (bool);
}

interface OceanFactory {
    struct Nft {
        string name;
        string symbol;
        uint256 templateIndex;
        string tokenURI;
        bool transferable;
        address owner;
    }

    struct Erc {
        uint256 templateIndex;
        string[] strings;
        address[] addresses;
        uint256[] uints;
        bytes[] bytess;
    }

    function createNftWithErc20(Nft calldata nft, Erc calldata erc) external returns (address nftAddress, address erc20);
}

interface OceanRouter {
    function addFactory(address factory) external;
}

interface OceanDatatoken {
    struct ProviderFee {
        address providerFeeAddress;
        address providerFeeToken;
        uint256 providerFeeAmount;
        uint8 v;
        bytes32 r;
        bytes32 s;
        uint256 validUntil;
        bytes providerData;
    }

    struct MarketFee {
        address consumeMarketFeeAddress;
        address consumeMarketFeeToken;
        uint256 consumeMarketFeeAmount;
    }

    function mint(address account, uint256 value) external;
    function startOrder(address consumer, uint256 service, ProviderFee calldata fee, MarketFee calldata market) external;
}

/// @notice Gas of peers on the work our own gas tests measure; every call is its own transaction (`isolate`).
contract PeersTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_TEST = true;
    bytes32 private constant AUTHORIZATION_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    uint256 private constant FIRST_KEY = 1001;
    address private constant SELLER = address(0x5E11E4);

    Dollar private dollar;

    function setUp() public {
        vm.warp(1_800_000_000);
        dollar = new Dollar();
        dollar.mint(SELLER, 1);
        for (uint256 i; i <= 100; ++i) dollar.mint(vm.addr(FIRST_KEY + i), 1e24);
    }

    function test_openzeppelin_erc3009() public {
        Facilitator facilitator = new Facilitator();
        uint256 ten = _settle3009(facilitator, 10);
        uint256 hundred = _settle3009(facilitator, 100);
        vm.snapshotValue("peers", "openzeppelin-3009.voucher_claim_marginal", (hundred - ten) / 90);
    }

    function _settle3009(Facilitator facilitator, uint256 count) private returns (uint256 gasUsed) {
        Authorization[] memory rows = new Authorization[](count);
        for (uint256 i; i < count; ++i) {
            address from = vm.addr(FIRST_KEY + i);
            bytes32 nonce = keccak256(abi.encode(count, i));
            bytes32 body = keccak256(abi.encode(AUTHORIZATION_TYPEHASH, from, SELLER, 1e6, 0, 1e11, nonce));
            (uint8 v, bytes32 r, bytes32 s) =
                vm.sign(FIRST_KEY + i, keccak256(abi.encodePacked("\x19\x01", dollar.domain(), body)));
            rows[i] = Authorization(from, 1e6, nonce, v, r, s);
        }
        facilitator.settle(dollar, SELLER, rows);
        return vm.snapshotGasLastCall("peers-raw", "openzeppelin-3009.batch");
    }

    function test_openzeppelin_votes_transfer() public {
        VotesToken token = new VotesToken();
        token.transfer(SELLER, 1e6);
        token.transfer(SELLER, 1e6);
        vm.snapshotGasLastCall("peers", "openzeppelin-votes.shares_transfer_idle");
    }

    function test_openzeppelin_payment_splitter() public {
        address[] memory payees = new address[](3);
        uint256[] memory weights = new uint256[](3);
        (payees[0], payees[1], payees[2]) = (address(0xA), address(0xB), address(0xC));
        (weights[0], weights[1], weights[2]) = (70, 20, 10);
        for (uint256 i; i < 3; ++i) dollar.mint(payees[i], 1);
        PaymentSplitter splitter = new PaymentSplitter(payees, weights);
        dollar.mint(address(splitter), 1e12);
        splitter.release(IERC20v4(address(dollar)), payees[0]);
        dollar.mint(address(splitter), 1e12);
        splitter.release(IERC20v4(address(dollar)), payees[0]);
        vm.snapshotGasLastCall("peers", "openzeppelin4-splitter.collect_again");
    }

    function test_singularitynet() public {
        string memory code = vm.readFile("node_modules/singularitynet-platform-contracts/bytecode/MultiPartyEscrow.json");
        bytes memory creation = vm.parseJsonBytes(string.concat('{"b":', code, "}"), ".b");
        MultiPartyEscrow escrow = MultiPartyEscrow(_create(bytes.concat(creation, abi.encode(address(dollar)))));
        for (uint256 i; i <= 100; ++i) {
            address payer = vm.addr(FIRST_KEY + i);
            vm.prank(payer);
            dollar.approve(address(escrow), type(uint256).max);
            vm.prank(payer);
            escrow.depositAndOpenChannel(payer, SELLER, bytes32(uint256(7)), 100e18, 1e11);
        }
        vm.snapshotGasLastCall("peers", "singularitynet.channel_deposit");
        vm.prank(vm.addr(FIRST_KEY));
        escrow.deposit(1e18);
        uint256 deposit = vm.snapshotGasLastCall("peers-raw", "singularitynet.deposit");
        vm.prank(vm.addr(FIRST_KEY));
        escrow.channelExtendAndAddFunds(0, 2e11, 1e18);
        uint256 addFunds = vm.snapshotGasLastCall("peers-raw", "singularitynet.add_funds");
        vm.snapshotValue("peers", "singularitynet.channel_topup", deposit + addFunds);
        _claimSingularity(escrow, 100, 0);
        uint256 ten = _claimSingularity(escrow, 10, 1);
        for (uint256 i; i < 10; ++i) _claimOneSingularity(escrow, i, 2);
        uint256 ninety = _claimSingularityRange(escrow, 10, 90, 1);
        vm.snapshotValue("peers", "singularitynet.voucher_claim_marginal", (ninety - ten) / 80);
        uint256 claim = _claimOneSingularity(escrow, 0, 3);
        vm.prank(SELLER);
        escrow.withdraw(1e18);
        uint256 whole = claim + vm.snapshotGasLastCall("peers-raw", "singularitynet.withdraw");
        vm.snapshotValue("peers", "singularitynet.gas_per_call_10", whole / 10);
        vm.snapshotValue("peers", "singularitynet.gas_per_call_1000", whole / 1000);
        vm.snapshotValue("peers", "singularitynet.gas_per_call_100000", whole / 100_000);
    }

    function _claimSingularity(MultiPartyEscrow escrow, uint256 count, uint256 nonce) private returns (uint256) {
        return _claimSingularityRange(escrow, 0, count, nonce);
    }

    function _claimSingularityRange(MultiPartyEscrow escrow, uint256 from, uint256 count, uint256 nonce)
        private
        returns (uint256)
    {
        uint256[] memory ids = new uint256[](count);
        uint256[] memory amounts = new uint256[](count);
        bool[] memory back = new bool[](count);
        uint8[] memory v = new uint8[](count);
        bytes32[] memory r = new bytes32[](count);
        bytes32[] memory s = new bytes32[](count);
        for (uint256 i; i < count; ++i) {
            (ids[i], amounts[i]) = (from + i, 1e18);
            (v[i], r[i], s[i]) = _signSingularity(escrow, from + i, nonce);
        }
        vm.prank(SELLER);
        escrow.multiChannelClaim(ids, amounts, amounts, back, v, r, s);
        return vm.snapshotGasLastCall("peers-raw", "singularitynet.claims");
    }

    function _claimOneSingularity(MultiPartyEscrow escrow, uint256 id, uint256 nonce) private returns (uint256) {
        (uint8 v, bytes32 r, bytes32 s) = _signSingularity(escrow, id, nonce);
        vm.prank(SELLER);
        escrow.channelClaim(id, 1e18, 1e18, v, r, s, false);
        return vm.snapshotGasLastCall("peers-raw", "singularitynet.claim");
    }

    function _signSingularity(MultiPartyEscrow escrow, uint256 id, uint256 nonce)
        private
        pure
        returns (uint8, bytes32, bytes32)
    {
        bytes32 inner = keccak256(abi.encodePacked("__MPE_claim_message", address(escrow), id, nonce, uint256(1e18)));
        return vm.sign(FIRST_KEY + id, keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", inner)));
    }

    function test_ocean() public {
        address template20 = _create(_ocean("templates/ERC20Template"));
        address template721 = _create(_ocean("templates/ERC721Template"));
        address router = _create(
            bytes.concat(
                _ocean("pools/FactoryRouter"),
                abi.encode(address(this), address(dollar), address(1), address(2), new address[](0))
            )
        );
        OceanFactory factory =
            OceanFactory(_create(bytes.concat(_ocean("ERC721Factory"), abi.encode(template721, template20, router))));
        OceanRouter(router).addFactory(address(factory));
        (, address datatoken) = factory.createNftWithErc20(_oceanNft(), _oceanErc());
        vm.snapshotGasLastCall("peers", "ocean.register_asset");

        address consumer = vm.addr(FIRST_KEY);
        vm.prank(SELLER);
        OceanDatatoken(datatoken).mint(consumer, 100e18);
        OceanDatatoken.ProviderFee memory fee = _oceanFee();
        vm.prank(consumer);
        OceanDatatoken(datatoken).startOrder(consumer, 1, fee, OceanDatatoken.MarketFee(address(0), address(0), 0));
        vm.prank(consumer);
        OceanDatatoken(datatoken).startOrder(consumer, 1, fee, OceanDatatoken.MarketFee(address(0), address(0), 0));
        uint256 order = vm.snapshotGasLastCall("peers-raw", "ocean.start_order");
        vm.snapshotValue("peers", "ocean.gas_per_call_10", order);
        vm.snapshotValue("peers", "ocean.gas_per_call_1000", order);
        vm.snapshotValue("peers", "ocean.gas_per_call_100000", order);
    }

    function _oceanNft() private pure returns (OceanFactory.Nft memory) {
        return OceanFactory.Nft("Service", "SVC", 1, "https://example.org/service.json", true, SELLER);
    }

    function _oceanErc() private pure returns (OceanFactory.Erc memory erc) {
        erc.templateIndex = 1;
        erc.strings = new string[](2);
        (erc.strings[0], erc.strings[1]) = ("Service", "SVC");
        erc.addresses = new address[](4);
        (erc.addresses[0], erc.addresses[1]) = (SELLER, SELLER);
        erc.uints = new uint256[](2);
        erc.uints[0] = 1e26;
        erc.bytess = new bytes[](0);
    }

    function _oceanFee() private pure returns (OceanDatatoken.ProviderFee memory fee) {
        fee.providerFeeAddress = vm.addr(42);
        bytes32 inner = keccak256(abi.encodePacked("", fee.providerFeeAddress, address(0), uint256(0), uint256(0)));
        (fee.v, fee.r, fee.s) = vm.sign(42, keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", inner)));
    }

    function _ocean(string memory name) private view returns (bytes memory) {
        string[2] memory parts = [name, _last(name)];
        string memory path =
            string.concat("node_modules/@oceanprotocol/contracts/artifacts/contracts/", parts[0], ".sol/", parts[1], ".json");
        return vm.parseJsonBytes(vm.readFile(path), ".bytecode");
    }

    function _last(string memory path) private pure returns (string memory) {
        bytes memory b = bytes(path);
        uint256 start;
        for (uint256 i; i < b.length; ++i) if (b[i] == "/") start = i + 1;
        bytes memory out = new bytes(b.length - start);
        for (uint256 i; i < out.length; ++i) out[i] = b[start + i];
        return string(out);
    }

    function _create(bytes memory code) private returns (address deployed) {
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        require(deployed != address(0), "deployment failed");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

interface VmMarket {
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
    function warp(uint256 timestamp) external;
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256);
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
}

contract Collectible is ERC721 {
    constructor() ERC721("Collection", "COL") {}

    function mint(address to, uint256 id) external {
        _mint(to, id);
    }
}

contract Pass is ERC1155 {
    constructor() ERC1155("") {}

    function mint(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }
}

contract Money is ERC20 {
    constructor() ERC20("Plain", "PLAIN") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

interface ISeaport {
    struct OfferItem {
        uint8 itemType;
        address token;
        uint256 id;
        uint256 startAmount;
        uint256 endAmount;
    }

    struct ConsiderationItem {
        uint8 itemType;
        address token;
        uint256 id;
        uint256 startAmount;
        uint256 endAmount;
        address recipient;
    }

    struct OrderComponents {
        address offerer;
        address zone;
        OfferItem[] offer;
        ConsiderationItem[] consideration;
        uint8 orderType;
        uint256 startTime;
        uint256 endTime;
        bytes32 zoneHash;
        uint256 salt;
        bytes32 conduitKey;
        uint256 counter;
    }

    struct OrderParameters {
        address offerer;
        address zone;
        OfferItem[] offer;
        ConsiderationItem[] consideration;
        uint8 orderType;
        uint256 startTime;
        uint256 endTime;
        bytes32 zoneHash;
        uint256 salt;
        bytes32 conduitKey;
        uint256 totalOriginalConsiderationItems;
    }

    struct Order {
        OrderParameters parameters;
        bytes signature;
    }

    struct AdditionalRecipient {
        uint256 amount;
        address recipient;
    }

    struct BasicOrderParameters {
        address considerationToken;
        uint256 considerationIdentifier;
        uint256 considerationAmount;
        address offerer;
        address zone;
        address offerToken;
        uint256 offerIdentifier;
        uint256 offerAmount;
        uint8 basicOrderType;
        uint256 startTime;
        uint256 endTime;
        bytes32 zoneHash;
        uint256 salt;
        bytes32 offererConduitKey;
        bytes32 fulfillerConduitKey;
        uint256 totalOriginalAdditionalRecipients;
        AdditionalRecipient[] additionalRecipients;
        bytes signature;
    }

    function fulfillBasicOrder_efficient_6GL6yc(BasicOrderParameters calldata) external payable returns (bool);
    function fulfillOrder(Order calldata, bytes32) external payable returns (bool);
    function getOrderHash(OrderComponents calldata) external view returns (bytes32);
    function information() external view returns (string memory, bytes32 domainSeparator, address);
}

/// @notice Seaport 1.6, the bytecode of OpenSea's npm package, on the work that `contracts/test/gas/Market.t.sol` measures:
///         a signed order, a royalty of 5 % and a fee of 2.5 % where the item has a royalty, payees that hold a balance.
contract SeaportGas {
    VmMarket private constant vm = VmMarket(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_TEST = true;
    uint256 private constant MAKER_KEY = 0xA11CE;
    uint256 private constant PRICE = 1e9;
    uint256 private constant ROYALTY = 5e7;
    uint256 private constant FEE = 2.5e7;
    uint8 private constant ERC20_ITEM = 1;
    uint8 private constant ERC721_ITEM = 2;
    uint8 private constant ERC1155_ITEM = 3;

    address private immutable _maker = vm.addr(MAKER_KEY);
    address private immutable _buyer = vm.addr(0xB0B);
    address private immutable _artist = address(0xA12715);
    address private immutable _market = address(0x5E11);
    ISeaport private _seaport;

    function setUp() public {
        vm.warp(1_800_000_000);
        address controller = _create(_code("conduit/ConduitController.sol/LocalConduitController"));
        _seaport = ISeaport(_create(bytes.concat(_code("Seaport.sol/Seaport"), abi.encode(controller))));
        vm.deal(_buyer, 100e9);
        vm.deal(_maker, 1);
        vm.deal(_artist, 1);
        vm.deal(_market, 1);
    }

    function test_721() public {
        Collectible token = new Collectible();
        token.mint(_maker, 1);
        token.mint(_maker, 2);
        token.mint(_buyer, 100);
        vm.prank(_maker);
        token.setApprovalForAll(address(_seaport), true);
        _basic(address(token), ERC721_ITEM, 1, 1, 0);
        vm.snapshotGasLastCall("peers", "seaport.exchange_buy_721_eth");
        require(token.ownerOf(1) == _buyer);
    }

    function test_1155() public {
        Pass token = new Pass();
        token.mint(_maker, 7, 1_000);
        token.mint(_buyer, 7, 1);
        vm.prank(_maker);
        token.setApprovalForAll(address(_seaport), true);
        _basic(address(token), ERC1155_ITEM, 7, 10, 4);
        vm.snapshotGasLastCall("peers", "seaport.exchange_buy_1155");
        require(token.balanceOf(_buyer, 7) == 11);
    }

    function test_20() public {
        Money token = new Money();
        token.mint(_maker, 1_000);
        token.mint(_buyer, 1);
        vm.prank(_maker);
        token.approve(address(_seaport), type(uint256).max);
        ISeaport.OrderComponents memory order = _order(address(token), ERC20_ITEM, 0, 10, false);
        bytes memory signature = _sign(order);
        ISeaport.OrderParameters memory parameters = ISeaport.OrderParameters(
            order.offerer,
            order.zone,
            order.offer,
            order.consideration,
            order.orderType,
            order.startTime,
            order.endTime,
            order.zoneHash,
            order.salt,
            order.conduitKey,
            order.consideration.length
        );
        vm.prank(_buyer);
        _seaport.fulfillOrder{value: PRICE}(ISeaport.Order(parameters, signature), 0);
        vm.snapshotGasLastCall("peers", "seaport.exchange_buy_20");
        require(token.balanceOf(_buyer) == 11);
    }

    function _basic(address token, uint8 kind, uint256 id, uint256 amount, uint8 orderType) private {
        ISeaport.OrderComponents memory order = _order(token, kind, id, amount, true);
        ISeaport.BasicOrderParameters memory basic;
        basic.considerationAmount = PRICE - ROYALTY - FEE;
        basic.offerer = _maker;
        basic.offerToken = token;
        basic.offerIdentifier = id;
        basic.offerAmount = amount;
        basic.basicOrderType = orderType;
        basic.startTime = order.startTime;
        basic.endTime = order.endTime;
        basic.totalOriginalAdditionalRecipients = 2;
        basic.additionalRecipients = new ISeaport.AdditionalRecipient[](2);
        basic.additionalRecipients[0] = ISeaport.AdditionalRecipient(ROYALTY, _artist);
        basic.additionalRecipients[1] = ISeaport.AdditionalRecipient(FEE, _market);
        basic.signature = _sign(order);
        vm.prank(_buyer);
        _seaport.fulfillBasicOrder_efficient_6GL6yc{value: PRICE}(basic);
    }

    function _order(address token, uint8 kind, uint256 id, uint256 amount, bool royalty)
        private
        view
        returns (ISeaport.OrderComponents memory order)
    {
        order.offerer = _maker;
        order.offer = new ISeaport.OfferItem[](1);
        order.offer[0] = ISeaport.OfferItem(kind, token, id, amount, amount);
        order.consideration = new ISeaport.ConsiderationItem[](royalty ? 3 : 2);
        order.consideration[0] = _paid(PRICE - (royalty ? ROYALTY : 0) - FEE, _maker);
        if (royalty) order.consideration[1] = _paid(ROYALTY, _artist);
        order.consideration[royalty ? 2 : 1] = _paid(FEE, _market);
        order.startTime = 1_799_999_999;
        order.endTime = 1_800_086_400;
    }

    function _paid(uint256 amount, address to) private pure returns (ISeaport.ConsiderationItem memory) {
        return ISeaport.ConsiderationItem(0, address(0), 0, amount, amount, to);
    }

    function _sign(ISeaport.OrderComponents memory order) private view returns (bytes memory) {
        (, bytes32 domain,) = _seaport.information();
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", domain, _seaport.getOrderHash(order)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(MAKER_KEY, digest);
        return abi.encodePacked(r, s, v);
    }

    function _code(string memory name) private view returns (bytes memory) {
        string memory path =
            string.concat("node_modules/@opensea/seaport-js/src/artifacts/seaport/contracts/", name, ".json");
        return vm.parseJsonBytes(vm.readFile(path), ".bytecode");
    }

    function _create(bytes memory code) private returns (address deployed) {
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        require(deployed != address(0), "deployment failed");
    }
}

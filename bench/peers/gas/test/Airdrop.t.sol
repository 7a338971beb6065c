// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {ERC20 as SoladyERC20} from "solady/tokens/ERC20.sol";
import {LibBitmap} from "solady/utils/LibBitmap.sol";
import {MerkleProofLib} from "solady/utils/MerkleProofLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {Vm} from "./Peers.t.sol";

interface Distributor {
    event Claimed(uint256 index, address account, uint256 amount);

    function claim(uint256 index, address account, uint256 amount, bytes32[] calldata proof) external;
}

contract OpenZeppelinToken is ERC20 {
    constructor() ERC20("Token", "T") {
        _mint(msg.sender, 1e28);
    }
}

contract SoladyToken is SoladyERC20 {
    constructor() {
        _mint(msg.sender, 1e28);
    }

    function name() public pure override returns (string memory) {
        return "Token";
    }

    function symbol() public pure override returns (string memory) {
        return "T";
    }
}

/// @notice What OpenZeppelin's parts make: a bitmap, leaves hashed twice, a safe transfer. No deadline, no sweep.
contract OpenZeppelinDistributor is Distributor {
    using BitMaps for BitMaps.BitMap;

    address private immutable _token;
    bytes32 private immutable _root;
    BitMaps.BitMap private _claimed;

    constructor(address token, bytes32 root) {
        (_token, _root) = (token, root);
    }

    function claim(uint256 index, address account, uint256 amount, bytes32[] calldata proof) external {
        require(!_claimed.get(index), "claimed");
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(index, account, amount))));
        require(MerkleProof.verifyCalldata(proof, _root, leaf), "proof");
        _claimed.set(index);
        emit Claimed(index, account, amount);
        SafeERC20.safeTransfer(IERC20(_token), account, amount);
    }
}

/// @notice The same of Solady's parts.
contract SoladyDistributor is Distributor {
    using LibBitmap for LibBitmap.Bitmap;

    address private immutable _token;
    bytes32 private immutable _root;
    LibBitmap.Bitmap private _claimed;

    constructor(address token, bytes32 root) {
        (_token, _root) = (token, root);
    }

    function claim(uint256 index, address account, uint256 amount, bytes32[] calldata proof) external {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(index, account, amount))));
        require(MerkleProofLib.verifyCalldata(proof, _root, leaf), "proof");
        require(_claimed.toggle(index), "claimed");
        emit Claimed(index, account, amount);
        SafeTransferLib.safeTransfer(_token, account, amount);
    }
}

/// @notice A claim from trees of 2^20 and 2^10 entries, as `contracts/test/gas/Airdrop.t.sol` measures ours: the account holds
///         tokens already, and no neighbour has claimed.
/// @dev Solady's parts pay out a Solady token, the others an OpenZeppelin token, as ours is.
contract AirdropPeers {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_TEST = true;
    uint256 private constant INDEX = 700_001;
    uint256 private constant AMOUNT = 5e18;
    address private constant ACCOUNT = address(uint160(uint256(keccak256("account"))));

    function test_uniswap() public {
        bytes memory code = vm.parseJsonBytes(
            vm.readFile("node_modules/@uniswap/merkle-distributor/build/MerkleDistributor.json"), ".bytecode"
        );
        for (uint256 depth = 10; depth <= 20; depth += 10) {
            (bytes32 root, bytes32[] memory proof) = _tree(keccak256(abi.encodePacked(INDEX, ACCOUNT, AMOUNT)), depth);
            address token = address(new OpenZeppelinToken());
            bytes memory creation = bytes.concat(code, abi.encode(token, root));
            address made;
            assembly ("memory-safe") {
                made := create(0, add(creation, 0x20), mload(creation))
            }
            _claim(made, token, proof, "uniswap-merkle");
        }
    }

    function test_openzeppelin() public {
        for (uint256 depth = 10; depth <= 20; depth += 10) {
            (bytes32 root, bytes32[] memory proof) = _tree(_leaf(), depth);
            address token = address(new OpenZeppelinToken());
            _claim(address(new OpenZeppelinDistributor(token, root)), token, proof, "openzeppelin-merkle");
        }
    }

    function test_solady() public {
        for (uint256 depth = 10; depth <= 20; depth += 10) {
            (bytes32 root, bytes32[] memory proof) = _tree(_leaf(), depth);
            address token = address(new SoladyToken());
            _claim(address(new SoladyDistributor(token, root)), token, proof, "solady-merkle");
        }
    }

    function _claim(address distributor, address token, bytes32[] memory proof, string memory peer) private {
        require(IERC20(token).transfer(distributor, 1e24));
        require(IERC20(token).transfer(ACCOUNT, 1));
        vm.prank(address(0xCAFE));
        Distributor(distributor).claim(INDEX, ACCOUNT, AMOUNT, proof);
        string memory metric = proof.length == 20 ? ".airdrop_claim_2p20" : ".airdrop_claim_2p10";
        vm.snapshotGasLastCall("peers", string.concat(peer, metric));
    }

    function _leaf() private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(INDEX, ACCOUNT, AMOUNT))));
    }

    function _tree(bytes32 node, uint256 depth) private pure returns (bytes32, bytes32[] memory proof) {
        proof = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            proof[i] = keccak256(abi.encode("sibling", i));
            node = node < proof[i] ? keccak256(abi.encode(node, proof[i])) : keccak256(abi.encode(proof[i], node));
        }
        return (node, proof);
    }
}

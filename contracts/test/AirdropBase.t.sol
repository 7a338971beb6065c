// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IPlatformToken} from "../src/interfaces/IPlatformToken.sol";
import {Airdrop} from "../src/staking/Airdrop.sol";
import {PlatformToken} from "../src/staking/PlatformToken.sol";
import {Base} from "./Base.t.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {LockBook} from "./mocks/LockBook.sol";

/// @notice A platform token of 10^10, half of it in an airdrop to 300 accounts: entry i pays `_accountOf(i)` i + 1 tokens.
abstract contract AirdropBase is Base {
    uint256 internal constant TOKEN = 1e18;
    uint256 internal constant SUPPLY = 10_000_000_000 * TOKEN;
    uint256 internal constant ENTRIES = 300;
    uint64 internal constant DURATION = 90 days;

    PlatformToken internal token;
    Airdrop internal airdrop;
    LockBook internal escrow;
    address internal owner;
    address internal treasury;
    address internal stranger;
    bytes32[] private _nodes;
    mapping(bytes32 node => uint256) private _positionOf;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        owner = actor("owner");
        treasury = actor("treasury");
        stranger = actor("stranger");
        token = _token(_terms(), _allocations());
        escrow = new LockBook(IERC20(address(token)));
        _nodes = MerkleTree.build(_entries());
        for (uint256 i = 0; i < _nodes.length; ++i) {
            _positionOf[_nodes[i]] = i;
        }
        airdrop = _airdrop(_root(), address(escrow));
        vm.prank(owner);
        token.fundAirdrop(address(airdrop), SUPPLY / 2);
    }

    function _terms() internal pure returns (IPlatformToken.Terms memory) {
        return IPlatformToken.Terms("Example", "EXM", "data:,", SUPPLY, SUPPLY / 2, 5_000);
    }

    function _allocations() internal view returns (IPlatformToken.Allocation[] memory rows) {
        rows = new IPlatformToken.Allocation[](1);
        rows[0] = IPlatformToken.Allocation(treasury, SUPPLY / 2);
    }

    function _token(IPlatformToken.Terms memory terms, IPlatformToken.Allocation[] memory allocations)
        internal
        returns (PlatformToken)
    {
        return PlatformToken(deploy("PlatformToken.sol:PlatformToken", abi.encode(terms, allocations, owner)));
    }

    function _airdrop(bytes32 root, address escrow_) internal returns (Airdrop) {
        return
            Airdrop(
                deploy("Airdrop.sol:Airdrop", abi.encode(token, root, uint64(time()) + DURATION, treasury, escrow_))
            );
    }

    function _accountOf(uint256 index) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("account", index)))));
    }

    function _amountOf(uint256 index) internal pure returns (uint256) {
        return (index + 1) * TOKEN;
    }

    function _entry(uint256 index) internal pure returns (MerkleTree.Entry memory) {
        return MerkleTree.Entry(index, _accountOf(index), _amountOf(index));
    }

    function _entries() internal pure returns (MerkleTree.Entry[] memory entries) {
        entries = new MerkleTree.Entry[](ENTRIES);
        for (uint256 i = 0; i < ENTRIES; ++i) {
            entries[i] = _entry(i);
        }
    }

    function _root() internal view returns (bytes32) {
        return _nodes[0];
    }

    function _proof(uint256 index) internal view returns (bytes32[] memory) {
        return MerkleTree.proofOf(_nodes, _positionOf[MerkleTree.leafOf(_entry(index))]);
    }

    function _claim(uint256 index) internal {
        airdrop.claim(index, _accountOf(index), _amountOf(index), _proof(index));
    }

    /// @dev The proof is read first: it would use up the prank.
    function _lock(uint256 index, uint256 weeks_) internal {
        bytes32[] memory proof = _proof(index);
        vm.prank(_accountOf(index));
        airdrop.claimAndLock(index, _amountOf(index), weeks_, proof);
    }
}

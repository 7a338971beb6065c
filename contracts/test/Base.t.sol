// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The cheat codes our tests use (forge-std on npm is not the official package).
interface Vm {
    function prank(address sender) external;
    function prank(address sender, address origin) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function deal(address account, uint256 balance) external;
    function warp(uint256 timestamp) external;
    function getBlockTimestamp() external view returns (uint256);
    function roll(uint256 blockNumber) external;
    function chainId(uint256 id) external;
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function signP256(uint256 key, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
    function publicKeyP256(uint256 key) external pure returns (uint256 x, uint256 y);
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
    function expectRevert() external;
    function expectRevert(bytes calldata revertData) external;
    function expectRevert(bytes4 selector) external;
    function expectEmit(address emitter) external;
    function expectCall(address callee, bytes calldata data) external;
    function assume(bool condition) external pure;
    function etch(address target, bytes calldata code) external;
    function label(address account, string calldata name) external;
    function snapshotState() external returns (uint256);
    function revertToState(uint256 id) external returns (bool);
    function snapshotGasLastCall(string calldata group, string calldata name) external returns (uint256);
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function store(address target, bytes32 slot, bytes32 value) external;
    function toString(uint256 value) external pure returns (string memory);
    function toString(address value) external pure returns (string memory);
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function getCode(string calldata artifact) external view returns (bytes memory);
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }
}

/// @notice Asserts and actors shared by every test contract.
abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_TEST = true;

    error NotEqual(string what, uint256 left, uint256 right);
    error NotEqualBytes32(string what, bytes32 left, bytes32 right);
    error NotAtMost(string what, uint256 left, uint256 right);
    error NotTrue(string what);

    function assertEq(uint256 left, uint256 right, string memory what) internal pure {
        require(left == right, NotEqual(what, left, right));
    }

    function assertEq(address left, address right, string memory what) internal pure {
        require(left == right, NotEqual(what, uint160(left), uint160(right)));
    }

    function assertEq(bytes32 left, bytes32 right, string memory what) internal pure {
        require(left == right, NotEqualBytes32(what, left, right));
    }

    function assertLe(uint256 left, uint256 right, string memory what) internal pure {
        require(left <= right, NotAtMost(what, left, right));
    }

    function assertTrue(bool condition, string memory what) internal pure {
        require(condition, NotTrue(what));
    }

    /// @notice Folds `x` into [low, high], so that fuzz arguments are used rather than thrown away.
    function bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        unchecked {
            uint256 size = high - low + 1;
            return size == 0 ? x : low + (x % size);
        }
    }

    /// @notice The chain's time. The optimizer reads `block.timestamp` once and would miss a warp in between.
    function time() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    /// @notice Lets `duration` seconds pass.
    function skip(uint256 duration) internal {
        vm.warp(time() + duration);
    }

    /// @notice Deploys `artifact` ("File.sol:Contract") with ABI-encoded constructor arguments.
    /// @dev A test that says `new` carries the contract in its own code, and the compiler optimizes it again for each test.
    function deploy(string memory artifact, bytes memory arguments) internal returns (address deployed) {
        bytes memory code = bytes.concat(vm.getCode(artifact), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
            if iszero(deployed) {
                returndatacopy(code, 0, returndatasize())
                revert(code, returndatasize())
            }
        }
    }

    /// @notice A named account without a key.
    function actor(string memory name) internal returns (address account) {
        account = address(uint160(uint256(keccak256(bytes(name)))));
        vm.label(account, name);
    }
}

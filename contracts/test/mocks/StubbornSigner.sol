// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A contract signer (ERC-1271) that answers badly.
contract StubbornSigner {
    enum Mood {
        Reverts,
        ShortAnswer,
        Refuses,
        LongAnswer,
        BurnsGas
    }

    Mood private _mood;

    function set(Mood mood) external {
        _mood = mood;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4 answer) {
        Mood mood = _mood;
        assembly {
            answer := 0
            switch mood
            case 0 { revert(0, 0) }
            case 1 {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
            case 2 {
                mstore(0, shl(224, 0xffffffff))
                return(0, 32)
            }
            case 3 { return(0, 100000) }
            default { for {} 1 {} {} }
        }
    }
}

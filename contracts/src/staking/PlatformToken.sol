// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Bridgeable} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC20Bridgeable.sol";

import {IAirdrop} from "../interfaces/IAirdrop.sol";
import {IERC7572} from "../interfaces/IERC7572.sol";
import {IPlatformToken} from "../interfaces/IPlatformToken.sol";
import {TwoStepOwner} from "../lib/TwoStepOwner.sol";

/// @title PlatformToken
/// @notice The operator's token with a hard cap; `IPlatformToken` describes its life.
contract PlatformToken is IPlatformToken, IERC7572, ERC20Capped, ERC20Permit, ERC20Bridgeable, TwoStepOwner {
    string public constant VERSION = "1.0.0";

    uint256 private constant BPS = 10_000;
    /// @dev Contracts that count the token pack an amount into 96 bits.
    uint256 private constant MOST_SUPPLY = type(uint96).max;

    /// @inheritdoc IPlatformToken
    uint16 public immutable LEAST_AIRDROP_BPS;

    /// @inheritdoc IPlatformToken
    address public tokenBridge;
    /// @inheritdoc IERC7572
    string public contractURI;

    /// @param terms Name, symbol, metadata, supply and the airdrop's part.
    /// @param allocations What of the supply does not wait for airdrops.
    /// @param owner Funds airdrops and may name a bridge.
    constructor(Terms memory terms, Allocation[] memory allocations, address owner)
        ERC20(terms.name, terms.symbol)
        ERC20Capped(terms.supply)
        ERC20Permit(terms.name)
        Ownable(owner)
    {
        require(terms.supply <= MOST_SUPPLY, InvalidSupply(terms.supply));
        uint256 least = (terms.supply * terms.leastAirdropBps + BPS - 1) / BPS;
        require(terms.airdropReserve >= least, AirdropTooSmall(terms.airdropReserve, least));
        LEAST_AIRDROP_BPS = terms.leastAirdropBps;
        contractURI = terms.contractURI;

        uint256 allocated = terms.airdropReserve;
        for (uint256 i = 0; i < allocations.length; ++i) {
            allocated += allocations[i].amount;
        }
        require(allocated == terms.supply, AllocationMismatch(allocated, terms.supply));

        _mint(address(this), terms.airdropReserve);
        for (uint256 i = 0; i < allocations.length; ++i) {
            (address recipient, uint256 amount) = (allocations[i].recipient, allocations[i].amount);
            require(
                recipient != address(0) && recipient != address(this) && amount != 0,
                InvalidAllocation(recipient, amount)
            );
            _mint(recipient, amount);
        }
    }

    /// @inheritdoc IPlatformToken
    function fundAirdrop(address airdrop, uint256 amount) external onlyOwner {
        require(IAirdrop(airdrop).token() == address(this), NotAnAirdrop(airdrop));
        emit AirdropFunded(airdrop, amount);
        _transfer(address(this), airdrop, amount);
    }

    /// @inheritdoc IPlatformToken
    function setTokenBridge(address bridge) external onlyOwner {
        tokenBridge = bridge;
        emit TokenBridgeSet(bridge);
    }

    /// @inheritdoc IPlatformToken
    function setContractURI(string calldata uri) external onlyOwner {
        contractURI = uri;
        emit ContractURIUpdated();
    }

    /// @notice Burns what `from` approved for the bridge. The bridge only.
    /// @dev ERC-7802 leaves the approval to the token. Without it, a bridge could burn any holder's tokens.
    /// @param from The holder.
    /// @param amount Atomic units.
    function crosschainBurn(address from, uint256 amount) public override {
        _checkTokenBridge(msg.sender);
        _spendAllowance(from, msg.sender, amount);
        super.crosschainBurn(from, amount);
    }

    /// @inheritdoc IPlatformToken
    function airdropReserve() external view returns (uint256) {
        return balanceOf(address(this));
    }

    function _checkTokenBridge(address caller) internal view override {
        require(caller == tokenBridge, NotTheTokenBridge(caller));
    }

    function _update(address from, address to, uint256 amount) internal override(ERC20, ERC20Capped) {
        super._update(from, to, amount);
    }
}

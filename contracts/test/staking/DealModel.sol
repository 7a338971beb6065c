// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A deal as an accountant would keep it: a list of payments in the order of time, filled window by window.
contract DealModel {
    struct Payment {
        address account;
        uint256 window;
        uint256 amount;
    }

    uint256 public immutable forSale;
    uint256 public immutable hardCap;
    uint256 public immutable softCap;
    Payment[] private _payments;

    constructor(uint256 forSale_, uint256 hardCap_, uint256 softCap_) {
        (forSale, hardCap, softCap) = (forSale_, hardCap_, softCap_);
    }

    function pay(address account, uint256 window, uint256 amount) external {
        _payments.push(Payment(account, window, amount));
    }

    function paid() public view returns (uint256 sum) {
        for (uint256 i = 0; i < _payments.length; ++i) {
            sum += _payments[i].amount;
        }
    }

    /// @notice What the account paid, its tokens and its refund: each window, from the highest number (the earliest) down,
    ///         takes what is left of the hard cap, and divides it by what was paid into it.
    function resultOf(address account) external view returns (uint256 own, uint256 allocation, uint256 refund) {
        uint256 left = hardCap;
        for (uint256 above = 11; above > 0; --above) {
            uint256 inWindow = 0;
            uint256 mine = 0;
            for (uint256 i = 0; i < _payments.length; ++i) {
                if (_payments[i].window != above - 1) continue;
                inWindow += _payments[i].amount;
                if (_payments[i].account == account) mine += _payments[i].amount;
            }
            uint256 taken = inWindow < left ? inWindow : left;
            left -= taken;
            own += mine;
            if (mine == 0) continue;
            allocation += mine * taken * forSale / (inWindow * hardCap);
            refund += mine * (inWindow - taken) / inWindow;
        }
        if (paid() < softCap) (allocation, refund) = (0, own);
    }
}

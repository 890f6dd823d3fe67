// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// A Merkle tree of payees and what each has ever earned.
library Tree {
    function leaf(address payee, uint256 cumulative) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(payee, cumulative))));
    }

    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        bytes32[] memory level = leaves;
        while (level.length > 1) {
            level = _above(level);
        }
        return level[0];
    }

    function proof(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](_depth(leaves.length));
        uint256 found;
        for (bytes32[] memory level = leaves; level.length > 1; level = _above(level)) {
            uint256 sibling = index ^ 1;
            if (sibling < level.length) path[found++] = level[sibling];
            index /= 2;
        }
        assembly ("memory-safe") {
            mstore(path, found)
        }
    }

    /// The last node of an odd level goes up as it is.
    function _above(bytes32[] memory level) private pure returns (bytes32[] memory above) {
        above = new bytes32[]((level.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            bool alone = 2 * i + 1 == level.length;
            above[i] = alone ? level[2 * i] : Hashes.commutativeKeccak256(level[2 * i], level[2 * i + 1]);
        }
    }

    function _depth(uint256 count) private pure returns (uint256 depth) {
        while (1 << depth < count) {
            ++depth;
        }
    }
}

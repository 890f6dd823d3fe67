// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IBatchSettlement} from "./IBatchSettlement.sol";

/// The receiver of all channels of one pool in one token. It pays hosts by Merkle roots that the pool posts.
///
/// A leaf is keccak256(keccak256(abi.encode(address payee, uint256 cumulative))), where `cumulative` is all that the
/// payee has ever earned. The owner can cancel a root for `window` seconds. After that, anyone can claim its leaves for
/// their payees, forever.
///
/// Operator and owner are trusted with the split of collected money. A later root can promise an older root's money to
/// others, so a payee whose leaf falls has to claim by the older root while the later one is in its window. Nobody can
/// take more than the fee cap, touch a deposit that no voucher covers, or keep a payer from withdrawing.
///
/// The contract deliberately has no ERC-1271, so the escrow's calls that take a signature of this contract always fail.
/// It counts no tokens but those that the escrow's `settle` brings. Nobody can take others out.
contract Payouts is Ownable2Step, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// The shortest window on chains that are not for development.
    uint256 public constant MIN_WINDOW = 72 hours;
    uint256 public constant MAX_WINDOW = 30 days;
    /// After so long without a root, the owner may post one too.
    uint256 public constant OWNER_POSTS_AFTER = 60 days;
    uint256 private constant BPS = 10_000;

    IBatchSettlement public immutable escrow;
    IERC20 public immutable token;
    /// Seconds from the post of a root to the moment from which it can be claimed and no longer be cancelled.
    uint256 public immutable window;
    /// The most that the owner can ever take of what was collected, in 1/10,000.
    uint256 public immutable feeCapBps;

    /// May redeem vouchers, refund payers, and post roots.
    address public operator;
    uint40 public lastPostedAt;

    /// What all payees got, and what the owner got as the fee. The sum never exceeds what was collected.
    uint128 public paidTotal;
    uint128 public feeTotal;

    /// What each payee got.
    mapping(address payee => uint256) public paid;

    struct Root {
        bytes32 root;
        /// The sum of all leaves. With this root as the cap, all payees together get at most this much.
        uint128 total;
        uint40 postedAt;
        bool cancelled;
    }

    Root[] private _roots;

    struct Claim {
        address payee;
        uint256 cumulative;
        bytes32[] proof;
    }

    event OperatorChanged(address indexed from, address indexed to);
    event RootPosted(uint256 indexed index, bytes32 indexed root, uint128 total, uint256 maturesAt);
    event RootCancelled(uint256 indexed index);
    event Paid(address indexed payee, address indexed to, uint256 amount, uint256 cumulative);
    event PaymentFailed(address indexed payee, uint256 amount);
    event FeeTaken(address indexed to, uint128 amount);
    event RedeemFailed(uint256 chunk);
    event SettleFailed();

    error InvalidWindow(uint256 shortest, uint256 longest);
    error InvalidFeeCap();
    error InvalidAddress(address account);
    error OperatorIsOwner();
    error NotAllowed(address account);
    error UnexpectedIndex(uint256 next);
    error TotalFalls(uint128 atLeast);
    error NotCollected(uint256 atMost);
    error NotMatured(uint256 index);
    error Matured(uint256 index);
    error Cancelled(uint256 index);
    error NotInRoot(address payee);
    error NothingDue(address payee);
    error AboveTotal(uint256 left);
    error AboveFeeCap(uint256 left);

    modifier onlyOperatorOrOwner() {
        if (msg.sender != operator && msg.sender != owner()) revert NotAllowed(msg.sender);
        _;
    }

    constructor(
        IBatchSettlement escrow_,
        IERC20 token_,
        address owner_,
        address operator_,
        uint256 window_,
        uint256 feeCapBps_
    ) Ownable(owner_) {
        if (address(escrow_).code.length == 0) revert InvalidAddress(address(escrow_));
        if (address(token_).code.length == 0) revert InvalidAddress(address(token_));
        uint256 shortest = block.chainid == 31337 || block.chainid == 1337 ? 0 : MIN_WINDOW;
        if (window_ < shortest || window_ > MAX_WINDOW) revert InvalidWindow(shortest, MAX_WINDOW);
        if (feeCapBps_ > BPS) revert InvalidFeeCap();
        escrow = escrow_;
        token = token_;
        window = window_;
        feeCapBps = feeCapBps_;
        lastPostedAt = uint40(block.timestamp);
        _setOperator(operator_);
    }

    // --- Money of clients

    /// Claims vouchers in the escrow, then settles. A chunk with a bad row fails alone (`RedeemFailed`). Each chunk has a
    /// gas limit, so a payer that is a contract cannot burn the gas of the others. If `settle` fails, for example because
    /// the token is paused, the claims stay, and anyone can settle later. Returns the number of chunks that failed.
    function redeem(IBatchSettlement.VoucherClaim[][] calldata chunks)
        external
        onlyOperatorOrOwner
        nonReentrant
        returns (uint256 failed)
    {
        for (uint256 i = 0; i < chunks.length; ++i) {
            try escrow.claim{gas: 100_000 + 30_000 * chunks[i].length}(chunks[i]) {}
            catch {
                ++failed;
                emit RedeemFailed(i);
            }
        }
        try escrow.settle(address(this), address(token)) {}
        catch {
            emit SettleFailed();
        }
    }

    /// Returns unclaimed money from the escrow to the payer. Redeem the channel first: a refund does not wait for it.
    function refund(IBatchSettlement.ChannelConfig calldata config, uint128 amount)
        external
        onlyOperatorOrOwner
        nonReentrant
    {
        escrow.refund(config, amount);
    }

    /// All money that the escrow ever settled to this contract. Anyone can call `settle`, so a counter would miss some.
    function collected() public view returns (uint128 totalSettled) {
        (, totalSettled) = escrow.receivers(address(this), address(token));
    }

    // --- Roots

    /// Appends a root. `expectedIndex` is the number of roots so far, so a repeated transaction cannot post twice, and of
    /// two pools that run on copies of one database, the second fails.
    function post(uint256 expectedIndex, bytes32 root, uint128 total) external nonReentrant {
        if (msg.sender != operator) {
            bool ownerMay = msg.sender == owner() && block.timestamp >= uint256(lastPostedAt) + OWNER_POSTS_AFTER;
            if (!ownerMay) revert NotAllowed(msg.sender);
        }
        if (expectedIndex != _roots.length) revert UnexpectedIndex(_roots.length);
        uint128 atLeast = promised();
        if (total < atLeast) revert TotalFalls(atLeast);
        uint256 atMost = uint256(collected()) - feeTotal;
        if (total > atMost) revert NotCollected(atMost);
        lastPostedAt = uint40(block.timestamp);
        _roots.push(Root(root, total, uint40(block.timestamp), false));
        emit RootPosted(expectedIndex, root, total, block.timestamp + window);
    }

    /// Cancels a root within its window, for example one that a stolen operator key posted.
    function cancel(uint256 index) external onlyOwner {
        Root storage root = _roots[index];
        if (block.timestamp >= root.postedAt + window) revert Matured(index);
        if (root.cancelled) revert Cancelled(index);
        root.cancelled = true;
        emit RootCancelled(index);
    }

    function rootCount() external view returns (uint256) {
        return _roots.length;
    }

    function rootAt(uint256 index)
        external
        view
        returns (bytes32 root, uint128 total, uint256 maturesAt, bool cancelled)
    {
        Root storage found = _roots[index];
        return (found.root, found.total, found.postedAt + window, found.cancelled);
    }

    /// The total of the newest root that is not cancelled, matured or not. The next root's total must not be smaller.
    function promised() public view returns (uint128) {
        for (uint256 i = _roots.length; i > 0; --i) {
            Root storage root = _roots[i - 1];
            if (!root.cancelled) return root.total;
        }
        return 0;
    }

    // --- Money for hosts

    /// Pays a payee the difference between its leaf in a matured root and what it already got. Anyone may call it.
    /// `capIndex` names the matured root whose total limits all payments; name the newest. The total of the leaf's own
    /// root would not do: a host that later roots leave out could not be paid once the others have claimed by those.
    function claim(uint256 rootIndex, uint256 capIndex, address payee, uint256 cumulative, bytes32[] calldata proof)
        external
        nonReentrant
    {
        _claim(rootIndex, capIndex, payee, cumulative, proof, payee);
    }

    /// Like `claim`, but to another account of the payee's choice, for a payee that the token's issuer has blocked.
    function claimTo(uint256 rootIndex, uint256 capIndex, uint256 cumulative, bytes32[] calldata proof, address to)
        external
        nonReentrant
    {
        _claim(rootIndex, capIndex, msg.sender, cumulative, proof, to);
    }

    /// Pays many payees by one root. It skips a payee with nothing due, and one that cannot be paid, because the token
    /// refuses it or the cap is reached (`PaymentFailed`). A wrong proof reverts the batch.
    function claimMany(uint256 rootIndex, uint256 capIndex, Claim[] calldata claims) external nonReentrant {
        bytes32 root = _matured(rootIndex).root;
        uint256 left = _left(capIndex);
        uint256 sum;
        for (uint256 i = 0; i < claims.length; ++i) {
            Claim calldata one = claims[i];
            _checkLeaf(root, one.payee, one.cumulative, one.proof);
            uint256 before = paid[one.payee];
            if (one.cumulative <= before) continue;
            uint256 due = one.cumulative - before;
            paid[one.payee] = one.cumulative;
            if (due <= left - sum && token.trySafeTransfer(one.payee, due)) {
                sum += due;
                emit Paid(one.payee, one.payee, due, one.cumulative);
            } else {
                paid[one.payee] = before;
                emit PaymentFailed(one.payee, due);
            }
        }
        // At most `left`, which fits, and no other function runs in between.
        paidTotal += uint128(sum);
    }

    function _claim(
        uint256 rootIndex,
        uint256 capIndex,
        address payee,
        uint256 cumulative,
        bytes32[] calldata proof,
        address to
    ) private {
        _checkLeaf(_matured(rootIndex).root, payee, cumulative, proof);
        uint256 before = paid[payee];
        if (cumulative <= before) revert NothingDue(payee);
        uint256 due = cumulative - before;
        uint256 left = _left(capIndex);
        if (due > left) revert AboveTotal(left);
        paid[payee] = cumulative;
        paidTotal += uint128(due);
        token.safeTransfer(to, due);
        emit Paid(payee, to, due, cumulative);
    }

    function _matured(uint256 index) private view returns (Root storage root) {
        root = _roots[index];
        if (block.timestamp < root.postedAt + window) revert NotMatured(index);
        if (root.cancelled) revert Cancelled(index);
    }

    /// What all payees together can still get with this root as the cap.
    function _left(uint256 capIndex) private view returns (uint256) {
        uint128 total = _matured(capIndex).total;
        return total > paidTotal ? total - paidTotal : 0;
    }

    function _checkLeaf(bytes32 root, address payee, uint256 cumulative, bytes32[] calldata proof) private pure {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(payee, cumulative))));
        if (!MerkleProof.verifyCalldata(proof, root, leaf)) revert NotInRoot(payee);
    }

    // --- The owner

    /// Takes a part of the fee: at most the cap, and nothing that a root promises to payees.
    function takeFee(address to, uint128 amount) external onlyOwner nonReentrant {
        uint256 total = collected();
        uint256 cap = total * feeCapBps / BPS; // rounded down
        if (feeTotal + uint256(amount) > cap) revert AboveFeeCap(cap - feeTotal);
        uint256 atMost = total - promised() - feeTotal;
        if (amount > atMost) revert NotCollected(atMost);
        feeTotal += amount;
        token.safeTransfer(to, amount);
        emit FeeTaken(to, amount);
    }

    function setOperator(address to) external onlyOwner {
        _setOperator(to);
    }

    /// Always fails: without an owner, nobody could cancel a root.
    function renounceOwnership() public view override onlyOwner {
        revert InvalidAddress(address(0));
    }

    function _setOperator(address to) private {
        if (to == owner()) revert OperatorIsOwner();
        emit OperatorChanged(operator, to);
        operator = to;
    }

    function _transferOwnership(address to) internal override {
        if (to != address(0) && to == operator) revert OperatorIsOwner();
        super._transferOwnership(to);
    }
}

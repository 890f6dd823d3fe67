// Makes calls.json with viem, so that the vectors are independent of this project:
//   npm install viem@2.57.20 && node calls.mjs > calls.json
import { encodeAbiParameters, encodeFunctionData, keccak256, parseAbi } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

// As in contracts/src/IBatchSettlement.sol, whose ABI is that of the standard.
const abi = parseAbi([
  'struct ChannelConfig { address payer; address payerAuthorizer; address receiver; address receiverAuthorizer; address token; uint40 withdrawDelay; bytes32 salt; }',
  'struct Voucher { ChannelConfig channel; uint128 maxClaimableAmount; }',
  'struct VoucherClaim { Voucher voucher; bytes signature; uint128 totalClaimed; }',
  'function deposit(ChannelConfig config, uint128 amount, address collector, bytes collectorData)',
  'function claim(VoucherClaim[] voucherClaims)',
  'function settle(address receiver, address token)',
  'function initiateWithdraw(ChannelConfig config, uint128 amount)',
  'function finalizeWithdraw(ChannelConfig config)',
  'function refund(ChannelConfig config, uint128 amount)',
]);
const ESCROW = '0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003';
const account = privateKeyToAccount(`0x${'07'.repeat(32)}`);
const config = {
  payer: account.address, payerAuthorizer: `0x${'02'.repeat(20)}`, receiver: `0x${'03'.repeat(20)}`,
  receiverAuthorizer: `0x${'04'.repeat(20)}`, token: `0x${'05'.repeat(20)}`, withdrawDelay: 1209600, salt: `0x${'06'.repeat(32)}`,
};
// A valid signature of anything.
const signature = await account.signMessage({ message: 'a signature' });
const words = (...types) => types.map(type => ({ type }));
const salt = `0x${'08'.repeat(32)}`;
const erc3009 = encodeAbiParameters(words('uint256', 'uint256', 'uint256', 'bytes'), [5n, 900n, BigInt(salt), signature]);
const permit2 = encodeAbiParameters(words('uint256', 'uint256', 'bytes', 'bytes'), [2n ** 100n, 900n, signature, '0x']);
const row = (max, total) => ({ voucher: { channel: config, maxClaimableAmount: max }, signature, totalClaimed: total });
const data = (functionName, args) => encodeFunctionData({ abi, functionName, args });
const calls = {
  deposit_erc3009: data('deposit', [config, 25_000_000n, '0x4020806089470a89826cB9fB1f4059150b550004', erc3009]),
  deposit_permit2: data('deposit', [config, 25_000_000n, '0x4020425FAf3B746C082C2f942b4E5159887B0005', permit2]),
  claim_none: data('claim', [[]]),
  claim_two: data('claim', [[row(9n, 7n), row(2n ** 128n - 1n, 2n ** 127n)]]),
  settle: data('settle', [config.receiver, config.token]),
  refund: data('refund', [config, 11n]),
  initiate_withdraw: data('initiateWithdraw', [config, 12n]),
  finalize_withdraw: data('finalizeWithdraw', [config]),
};
const transactions = [];
for (const [chainId, nonce, priority, fee, gas] of [[1, 0, 0n, 7n, 21_000n], [31337, 300, 1_000_000n, 2n ** 70n, 16_777_216n]]) {
  for (const name of ['settle', 'claim_two']) {
    const raw = await account.signTransaction({
      chainId, nonce, maxPriorityFeePerGas: priority, maxFeePerGas: fee, gas, to: ESCROW, data: calls[name], type: 'eip1559',
    });
    transactions.push({
      chain_id: chainId, nonce, priority_fee_wei: priority.toString(), max_fee_wei: fee.toString(), gas: Number(gas),
      call: name, raw, hash: keccak256(raw),
    });
  }
}
console.log(JSON.stringify({ config, signature, salt, calls, transactions }, null, 1));

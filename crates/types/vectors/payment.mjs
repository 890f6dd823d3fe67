// Makes payment.json with viem and the official SDK of x402, so that the vectors are independent of this project:
//   npm install @x402/evm@2.27.0 viem@2.57.20 && node payment.mjs > payment.json
import {
  BATCH_SETTLEMENT_ADDRESS, BATCH_SETTLEMENT_DOMAIN, ERC3009_DEPOSIT_COLLECTOR_ADDRESS, voucherTypes,
} from '@x402/evm';
import { encodeAbiParameters, hashDomain, hashTypedData, keccak256 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

// From the source of @x402/evm 2.27.0, which does not export them.
const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3';
const PERMIT2_COLLECTOR = '0x4020425FAf3B746C082C2f942b4E5159887B0005';
const fields = text => text.split(',').map(field => ({ type: field.split(' ')[0], name: field.split(' ')[1] }));
const channelConfigTypes = {
  ChannelConfig: fields('address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt'),
};
const receiveTypes = {
  ReceiveWithAuthorization: fields('address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce'),
};
const permit2Types = {
  PermitWitnessTransferFrom: fields('TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,DepositWitness witness'),
  TokenPermissions: fields('address token,uint256 amount'),
  DepositWitness: fields('bytes32 channelId'),
};
const domainTypes = { EIP712Domain: fields('string name,string version,uint256 chainId,address verifyingContract') };
const escrow = chainId => ({ ...BATCH_SETTLEMENT_DOMAIN, chainId, verifyingContract: BATCH_SETTLEMENT_ADDRESS });
const secret = byte => `0x${byte.repeat(32)}`;
const hash = text => keccak256(new TextEncoder().encode(text));
const [payer, agent, pool] = ['07', '08', '09'].map(byte => privateKeyToAccount(secret(byte)));
const signed = async (account, data) => ({ digest: hashTypedData(data), signature: await account.signTypedData(data) });

const configs = [
  { payer: payer.address, payerAuthorizer: agent.address, receiver: pool.address, receiverAuthorizer: pool.address,
    token: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', withdrawDelay: 1209600, salt: `0x${'00'.repeat(32)}` },
  { payer: agent.address, payerAuthorizer: payer.address, receiver: `0x${'ff'.repeat(20)}`, receiverAuthorizer: pool.address,
    token: `0x${'01'.repeat(20)}`, withdrawDelay: 900, salt: hash('a salt') },
];
const out = { channels: [], vouchers: [], erc3009: [], permit2: [] };
for (const chainId of [1, 8453, 31337]) {
  for (const config of configs) {
    const id = hashTypedData({ domain: escrow(chainId), types: channelConfigTypes, primaryType: 'ChannelConfig', message: config });
    out.channels.push({ chain_id: chainId, config, id });
    for (const amount of [0n, 5000n, 2n ** 128n - 1n]) {
      const data = { domain: escrow(chainId), types: voucherTypes, primaryType: 'Voucher',
        message: { channelId: id, maxClaimableAmount: amount } };
      const voucher = { channelId: id, maxClaimableAmount: amount.toString() };
      out.vouchers.push({ chain_id: chainId, voucher, signer: agent.address, ...await signed(agent, data) });
    }
    const [validAfter, validBefore, salt, value] = [1764453600n, 1764457200n, hash('a deposit'), 25_000_000n];
    const nonce = keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint256' }], [id, BigInt(salt)]));
    const domain = { name: 'USD Coin', version: '2', chainId, verifyingContract: config.token };
    out.erc3009.push({
      chain_id: chainId, channel: id, ...domain, chainId: undefined, from: payer.address, amount: value.toString(),
      valid_after_s: Number(validAfter), valid_before_s: Number(validBefore), salt,
      separator: hashDomain({ domain, types: domainTypes }),
      ...await signed(payer, { domain, types: receiveTypes, primaryType: 'ReceiveWithAuthorization',
        message: { from: payer.address, to: ERC3009_DEPOSIT_COLLECTOR_ADDRESS, value, validAfter, validBefore, nonce } }),
    });
    const permitNonce = 2n ** 127n + 5n;
    out.permit2.push({
      chain_id: chainId, channel: id, token: config.token, amount: value.toString(), nonce: permitNonce.toString(),
      deadline_s: Number(validBefore),
      ...await signed(payer, { domain: { name: 'Permit2', chainId, verifyingContract: PERMIT2 }, types: permit2Types,
        primaryType: 'PermitWitnessTransferFrom',
        message: { permitted: { token: config.token, amount: value }, spender: PERMIT2_COLLECTOR, nonce: permitNonce,
          deadline: validBefore, witness: { channelId: id } } }),
    });
  }
}
console.log(JSON.stringify(out, null, 1));

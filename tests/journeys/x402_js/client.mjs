// Drives the unmodified x402 client from standard input: one JSON command a line, one JSON answer a line.
//
// {"call": {"url", "body"}}: pay for a request. {"get": {"url", "headers"}}: pay for a GET.
// {"refund": {"url", "amount"}}: ask for money back.
// Argument: a JSON object with privateKey, network, token, most, least (deposit no more than the client's own count asks
// for), rpc ("" for a client that cannot read the chain).

import { createInterface } from "node:readline";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/client";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { createPublicClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const { privateKey, network, token, most, rpc, least } = JSON.parse(process.argv[2]);
const account = privateKeyToAccount(privateKey);
const signer = { address: account.address, signTypedData: (data) => account.signTypedData(data) };
if (rpc) {
  const chain = createPublicClient({ transport: http(rpc) });
  signer.readContract = (call) => chain.readContract(call);
}
const depositStrategy = (context) => (least ? context.minimumDepositAmount : undefined);
const scheme = new BatchSettlementEvmScheme(signer, { depositStrategy });
const client = new x402Client().register(network, scheme);
client.setSpendControls({ allowedAssets: [{ network, asset: token, maxAmountPerPayment: most }] });
const pay = wrapFetchWithPayment(fetch, client);

async function call({ url, body }) {
  const answer = await pay(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return read(answer);
}

async function get({ url, headers }) {
  return read(await pay(url, { headers }));
}

async function read(answer) {
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
}

async function refund({ url, amount }) {
  return scheme.refund(url, amount ? { amount } : undefined);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [[name, given]] = Object.entries(JSON.parse(line));
  let answer;
  try {
    answer = await { call, get, refund }[name](given);
  } catch (error) {
    answer = { error: String(error.message ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}

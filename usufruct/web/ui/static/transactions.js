// Transactions that the signed-in account decides: its wallet sends them, or its passkey signs them and the relayer sends them.

import { hex } from "./hex.js";
import { ask, fill, send, transact } from "./wallet.js";

const texts = document.getElementById("wallet-texts").dataset;

// A call's data, of its function and words.
export async function callData(signature, ...words) {
  const { selector, word } = await import("./keccak.js");
  return selector(signature) + words.map((each) => hex(word(each)).slice(2)).join("");
}

// The functions of the shares by which their holder collects income.
export const COLLECT = ["collectAll(address[],address)", "collectTo(address,address)", "accrueAndCollect(address,address)"];

// Whether such a call pays the signed-in account: the second argument of each is who is paid.
export const paysUs = ({ data }) => data.slice(74, 138) === texts.payer.slice(2).padStart(64, "0");

// Has the passkey sign a transaction. Its prompt shows nothing: that the operation is this transaction is checked here.
export async function relay({ to, data }) {
  const { callsOf } = await import("./keccak.js");
  const request = await ask("POST", "/v1/account/wallet/operations", { calls: [{ to, data }] });
  const [call, ...more] = callsOf(request.document, texts.payer);
  if (call?.to !== to || call.data !== data || call.value || more.length) throw new Error(texts.otherCall);
  await fill(request);
  await send(request);
}

// Has the account make transactions, one after the other; a passkey signs only those of `functions` of `contract` that fit.
export async function perform(transactions, contract, functions, fits = () => true) {
  for (const each of transactions) {
    if ("byPasskey" in texts) {
      await check(each, contract, functions, fits);
      await relay(each);
    } else await transact(each, each.chainId);
  }
}

async function check({ to, data }, contract, functions, fits) {
  const { selector } = await import("./keccak.js");
  const wanted = to === contract && functions.some((each) => data.startsWith(selector(each))) && fits({ data });
  if (!wanted) throw new Error(texts.otherCall);
}

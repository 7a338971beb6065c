// Several calls of a wallet: in one confirmation where it offers that (EIP-5792), else one transaction after the other.

import { keep, recall } from "./page.js";
import { DECLINED, choose, transact, used } from "./wallet.js";

const VERSION = "2.0.0";
const NEVER_SENT = [4200, -32601, -32602, 5700, 5710, 5740, 5750, 5760];  // refused before anything was sent
const UNKNOWN_ID = 5730;
const CONFIRMED = 200;
const FINAL = 200;  // and above
const ANSWER_MILLISECONDS = 3000;
const PAUSE_MILLISECONDS = 1000;
const TRIES = 120;

const texts = document.getElementById("wallet-texts").dataset;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Whether a wallet says that it makes calls on a chain all or none. One that does not answer soon does not.
async function isAtomic(provider, chainId) {
  const asked = provider.request({ method: "wallet_getCapabilities", params: [texts.payer, [chainId]] });
  const found = await Promise.race([asked.catch(() => null), pause(ANSWER_MILLISECONDS)]);
  return ["supported", "ready"].includes(found?.[chainId]?.atomic?.status);
}

async function statusOf(provider, id) {
  try {
    return await provider.request({ method: "wallet_getCallsStatus", params: [id] });
  } catch (error) {
    if (error.code === UNKNOWN_ID) return null;
    throw error;
  }
}

// What was handed to the wallet in this tab and is not mined yet, also before the page was loaded again.
const place = (chainId) => `calls ${chainId} ${texts.payer}`;
const named = ({ to, data }) => to + data;

// Hands calls to the wallet under an id of ours, which is kept first: a page that is loaded again asks what became of it.
// Returns the id, or null where the wallet refused before it sent anything.
async function send(provider, chainId, calls) {
  let id = "0x" + [...crypto.getRandomValues(new Uint8Array(32))].map((each) => each.toString(16).padStart(2, "0")).join("");
  const note = () => keep("sessionStorage", place(chainId), JSON.stringify({ id, calls: calls.map(named) }));
  note();
  const sent = calls.map(({ to, data }) => ({ to, data, value: "0x0" }));
  const wish = { version: VERSION, id, chainId, from: texts.payer, calls: sent, atomicRequired: true };
  try {
    ({ id } = await provider.request({ method: "wallet_sendCalls", params: [wish] }));
    note();
    return id;
  } catch (error) {
    const refused = NEVER_SENT.includes(error.code);
    if (refused || error.code === DECLINED) keep("sessionStorage", place(chainId), null);
    if (refused) return null;
    throw error;  // whether it was sent is not known: nothing is sent in its place
  }
}

async function ended(provider, chainId, id) {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const { status, receipts } = await statusOf(provider, id) ?? {};
    if (status >= FINAL) keep("sessionStorage", place(chainId), null);
    if (status === CONFIRMED && (receipts ?? []).every((each) => Number(each.status) === 1)) return;
    if (status >= FINAL) break;
    await pause(PAUSE_MILLISECONDS);
  }
  throw new Error(`${texts.failed}${id}`);
}

// Waits for what was handed to the wallet before, and returns the calls that were not among it.
async function withoutEarlier(provider, chainId, calls) {
  const earlier = JSON.parse(recall("sessionStorage", place(chainId)));
  if (!earlier || await statusOf(provider, earlier.id) === null) return calls;  // nothing, or it never reached the wallet
  await ended(provider, chainId, earlier.id);
  return calls.filter((each) => !earlier.calls.includes(named(each)));
}

// Has the wallet make calls in this order, and waits until they are mined; `begin` is told of each as its turn comes.
export async function transactAll(calls, chain, begin) {
  const provider = await used();
  await choose(provider, chain);
  const chainId = "0x" + Number(chain).toString(16);
  const left = await withoutEarlier(provider, chainId, calls);
  if (left.length > 1 && await isAtomic(provider, chainId)) {
    left.forEach(begin);
    const id = await send(provider, chainId, left);
    if (id !== null) return ended(provider, chainId, id);
  }
  for (const each of left) {
    begin(each);
    await transact(each, chain);
  }
  return undefined;
}

// A proposal that is being written: what the server shows of it gets the focus; its last button has the account propose it.

import { hex } from "./hex.js";
import { perform } from "./transactions.js";
import { act, ask, leave, resume, send } from "./wallet.js";

const texts = document.getElementById("wallet-texts").dataset;
const PROPOSE = "propose(address[],uint256[],bytes[],string)";

// Also a wallet, which shows a call in bytes, is asked for nothing but the proposal that the page shows.
async function run({ path, page, governor, call, wish, anyway, done }) {
  const body = { ...JSON.parse(wish), anyway: anyway !== undefined };
  const { sent, ...transaction } = await ask("POST", path, body);
  if (!sent) {
    const { to, data, value } = transaction;
    if (to !== governor || data !== call || value !== "0") throw new Error(texts.otherCall);
    await perform([transaction], governor, [PROPOSE]);
  }
  leave(page, done);
}

document.addEventListener("submit", (event) => {
  if (event.target.id !== "propose") return;
  event.preventDefault();
  act(event.submitter, () => run(event.target.dataset));
});

// In contexts that are not secure, browsers offer no hashes of their own.
async function sha256(content) {
  if (crypto.subtle) return new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const hashes = await import("./third_party/noble-hashes/sha2.js");
  return hashes.sha256(new Uint8Array(content));
}

// The SHA-256 of a file that is chosen goes into a field; the file itself goes nowhere.
document.addEventListener("change", ({ target }) => {
  const field = document.getElementById(target.dataset.hashInto);
  if (!field || !target.files[0]) return;
  act(target, async () => {
    field.value = hex(await sha256(await target.files[0].arrayBuffer())).slice(2);
  });
});

document.addEventListener("htmx:after:swap", ({ detail }) => {
  if (detail.ctx.target.id !== "draft") return;
  document.querySelector("#draft [aria-invalid], #draft [role=alert], #draft [data-focus]")?.focus();
});

resume(async (request) => {
  await send(request);
  location.reload();
});

// A proposal of stakers or shareholders: vote about it, queue it, execute it, cancel it, by the wallet or passkey that is
// signed in; and let it vote with its own shares.

import { bytes, hex } from "./hex.js";
import { perform } from "./transactions.js";
import { act, ask, reload, resume, send } from "./wallet.js";

const page = document.getElementById("proposal").dataset;
const texts = document.getElementById("wallet-texts").dataset;
const SUPPORT = { against: 0, for: 1, abstain: 2 };
const PARTS = "(address[],uint256[],bytes[],bytes32)";
const FUNCTIONS = {
  vote: ["castVote(uint256,uint8)", "castVoteWithReason(uint256,uint8,string)"],
  queue: [`queue${PARTS}`],
  execute: [`execute${PARTS}`],
  cancel: [`cancel${PARTS}`],
  delegate: ["delegate(address)"],
};

// Also a wallet, which shows a call in bytes, is asked for nothing but what the page says: this verb, about this proposal.
async function checked({ to, data, value }, action, support) {
  const { keccak, selector, word } = await import("./keccak.js");
  const about = action === "delegate"
    ? data.slice(10) === hex(word(BigInt(texts.payer))).slice(2)
    : action === "vote"
    ? data.slice(10, 138) === page.id.slice(2) + hex(word(SUPPORT[support])).slice(2)
    : hex(keccak(bytes(`0x${data.slice(10)}`))) === page.id;  // an id is the hash of the calls
  const known = FUNCTIONS[action].some((each) => data.startsWith(selector(each)));
  if (to !== contractOf(action) || value !== "0" || !known || !about) throw new Error(texts.otherCall);
}

const contractOf = (action) => (action === "delegate" ? page.shares : page.governor);

async function run(form, button) {
  const action = form.dataset.proposal;
  const wish = action === "vote"
    ? { action, support: button.value, reason: form.elements.reason.value.trim() } : { action };
  if (page.trust) wish.proposal = page.id;
  const { sent, ...call } = await ask("POST", page.path, wish);
  if (!sent) {
    await checked(call, action, wish.support);
    await perform([call], contractOf(action), FUNCTIONS[action]);
  }
  reload(page[action]);
}

for (const form of document.querySelectorAll("form[data-proposal]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter ?? form.querySelector("[type=submit]");
    act(button, () => run(form, button));
  });
}

resume(async (request) => {
  await send(request);
  location.reload();
});

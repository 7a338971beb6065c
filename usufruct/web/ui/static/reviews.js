// The page of a service's reviews: a payer's review, which the wallet signs, and a seller's answers.

import { act, ask, sign } from "./wallet.js";

const form = document.getElementById("review");
const { asset } = form.dataset;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  act(form.querySelector("[type=submit]"), async () => {
    const { rating, text } = form.elements;
    await sign(await ask("POST", "/v1/reviews/requests", { asset, rating: Number(rating.value), text: text.value }));
    location.assign(location.pathname);
  });
});

for (const answer of document.querySelectorAll("form[data-answer]")) {
  answer.addEventListener("submit", (event) => {
    event.preventDefault();
    act(answer.querySelector("[type=submit]"), async () => {
      await ask("POST", `/v1/reviews/${asset}/${answer.dataset.answer}/answer`, { text: answer.elements.text.value });
      location.reload();
    });
  });
}

"""The forms of a sale and of the till: their fields as text, and the documents that they are read into."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from usufruct.core import Invalid, UsufructError
from usufruct.web import read_document
from usufruct_client.desk_documents import LevelDiscount, NewKey, NewPrice
from usufruct_client.operator_documents import CapWish, OwnerWish, PayeeWish
from usufruct_client.sale_documents import (
    CostWish,
    ModelWish,
    NewSample,
    OwnershipWish,
    Part,
    PriceWish,
    SaleDraft,
    ServerWish,
)

Form = dict[str, str]

_THOUSANDS = re.compile(r"[1-9]\d{0,2},\d{3}")
_SAMPLE = ("calls_per_visitor", "calls_per_day", "output_per_call")
_NUMBERS = ("parallel", "busy", "faster_input", "margin")


def refuse(message: str, field: str) -> UsufructError:
    """Refuse a document; a value given as a key is never repeated."""
    if field == "key":
        message = "key must be at most 4096 printable ASCII characters; copy it again"
    return Invalid(message, code="invalid_sale", field=field.partition(".")[0])


def read_page(fields: Mapping[str, str], name: str = "page") -> int:
    """Read which page of a list is asked for; the first, if none is."""
    text = fields.get(name, "") or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise refuse(f"{name} must be a whole number from 1 on, not {text[:40]!r}", name)
    return int(text)


def read_server(form: Form) -> ServerWish:
    """Read the form of a server."""
    return read_document(
        ServerWish, {name: form[name] for name in ("url", "key", "model", "kind") if name in form}, refuse
    )


def read_model(form: Form) -> ModelWish:
    """Read the choice of a model."""
    return read_document(ModelWish, _of(form, "model", "kind"), refuse)


def read_costs(form: Form) -> CostWish:
    """Read what a suggestion is made from."""
    numbers = {_camel(name): _whole(form[name]) for name in _NUMBERS if form.get(name, "").strip()}
    return read_document(CostWish, {"perHour": _decimal(form.get("per_hour", ""))} | numbers, refuse)


def read_price(form: Form) -> PriceWish:
    """Read name and price; costs only where a cost per hour is given."""
    texts: dict[str, Any] = {"name": form.get("name", "")}
    texts |= {name: _decimal(form.get(name, "")) for name in ("input", "output")}
    texts |= {_camel(name): _decimal(form[name]) for name in ("per_call", "cached_input") if form.get(name, "").strip()}
    if form.get("per_hour", "").strip():
        texts["costs"] = read_costs(form).as_json()
    if form.get("calls_per_visitor", "").strip():
        texts["sample"] = read_new_sample(form).as_json()
    return read_document(PriceWish, texts, refuse)


def read_ownership(form: Form) -> OwnershipWish:
    """Read who receives the income; only the fields of the chosen way count."""
    if form.get("mode") != "shares":
        return read_document(OwnershipWish, {"mode": form.get("mode", ""), "payTo": form.get("pay_to", "")}, refuse)
    policy = form.get("policy", "")
    document: dict[str, Any] = {
        "mode": "shares",
        "owners": _parts(form.get("owners", ""), "owners"),
        "parents": _parts(form.get("parents", ""), "parents"),
        "transferPolicy": form.get("policy_contract", "").strip() or "none" if policy == "contract" else policy,
        "resaleRoyalty": _decimal(form.get("resale_royalty", "")) or "0",
    }
    if form.get("notice_hours", "").strip():
        document["noticeHours"] = _whole(form["notice_hours"])
    return read_document(OwnershipWish, document, refuse)


def read_new_price(form: Form) -> NewPrice:
    """Read the form of a price change; an empty field leaves its price as it is."""
    texts = {_camel(name): _decimal(form.get(name, "")) for name in ("input", "output", "per_call", "cached_input")}
    return read_document(NewPrice, texts, refuse)


def read_new_sample(form: Form) -> NewSample:
    """Read what visitors may try without payment."""
    return read_document(NewSample, {_camel(name): _whole(form.get(name, "")) for name in _SAMPLE}, refuse)


def read_level_discount(form: Form) -> LevelDiscount:
    """Read the most that staking levels take off; an empty field is nothing."""
    return read_document(LevelDiscount, {"most": _decimal(form.get("level_discount", "")) or "0"}, refuse)


def read_key(form: Form) -> NewKey:
    """Read another API key."""
    return read_document(NewKey, _of(form, "key", "server"), refuse)


def read_payee(form: Form) -> PayeeWish:
    """Read whether the till is to pay an address."""
    return read_document(PayeeWish, {"payTo": form.get("pay_to", ""), "listed": form.get("listed") == "yes"}, refuse)


def read_owner(form: Form) -> OwnerWish:
    """Read whom the till is offered to; an empty field takes an offer back."""
    return read_document(OwnerWish, {"to": form.get("to", "").strip().lower() or None}, refuse)


def read_cap(form: Form) -> CapWish:
    """Read the most that a payee, or each without a cap of its own, gets a day."""
    return read_document(CapWish, {"payTo": form.get("of") or None, "amount": _decimal(form.get("amount", ""))}, refuse)


def server_fields(draft: SaleDraft | None) -> dict[str, str]:
    """Return what the form of a server shows; never its key."""
    server = draft.server if draft else None
    return {"url": server.url, "model": server.model, "kind": server.kind} if server else _NO_SERVER


def price_fields(draft: SaleDraft) -> dict[str, str]:
    """Return what the form of a price shows."""
    price, server = draft.price, draft.server
    costs = (price.costs if price else None) or CostWish("")
    fields = {"per_hour": costs.per_hour} | {name: str(getattr(costs, name)) for name in _NUMBERS}
    fields |= sample_fields(price.sample if price else None)
    if price is None:
        name = server.model.rpartition("/")[2].removesuffix(":latest") if server else ""
        return fields | {"name": name, "input": "", "output": "", "per_call": "0", "cached_input": "100"}
    chosen = ("name", "input", "output", "per_call", "cached_input")
    return fields | {name: getattr(price, name) for name in chosen}


def sample_fields(sample: NewSample | None) -> dict[str, str]:
    """Return what the fields of a free sample show; without one, no calls of a visitor and the usual other bounds."""
    if sample is None:
        return dict(zip(_SAMPLE, ("", "100", "200"), strict=True))
    return {name: str(getattr(sample, name)) for name in _SAMPLE}


def owner_fields(draft: SaleDraft) -> dict[str, str]:
    """Return what the form of the owners shows."""
    wish = draft.ownership or OwnershipWish("plain")
    contract = wish.transfer_policy not in ("", "open")
    return {
        "mode": wish.mode,
        "pay_to": wish.pay_to,
        "owners": _text(wish.owners),
        "parents": _text(wish.parents),
        "policy": "contract" if contract else wish.transfer_policy,
        "policy_contract": wish.transfer_policy if contract else "",
        "resale_royalty": wish.resale_royalty,
        "notice_hours": str(wish.notice_hours),
    }


_NO_SERVER = {"url": "", "model": "", "kind": "chat"}


def _of(form: Form, *names: str) -> dict[str, str]:
    return {name: form[name] for name in names if name in form}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _whole(text: str) -> int | str:
    """Return a whole number; what is none stays text, and is refused with its field."""
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else plain


def _decimal(text: str) -> str:
    """Return a decimal with a point; "1,500" is left as it is: fifteen hundred, or one and a half."""
    plain = text.strip()
    return plain if _THOUSANDS.fullmatch(plain) else plain.replace(",", ".", 1)


def _parts(text: str, field: str) -> list[dict[str, str]]:
    """Read lines of a name and its per cent.

    Raises:
        Invalid: names the line that is neither.
    """
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        of, _, percent = line.removesuffix("%").strip().rpartition(" ")
        if not of:
            raise Invalid(
                f"{field}: {line[:80]!r} must be a name or an address, a space, and per cent, such as 20",
                code="invalid_sale",
                field=field,
            )
        found.append({"of": of.strip(), "percent": _decimal(percent)})
    return found


def _text(parts: Sequence[Part]) -> str:
    return "\n".join(f"{each.of} {each.percent}" for each in parts)

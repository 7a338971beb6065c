"""A form is read as its page shows it; what it lacks or garbles is refused by field, and a key never repeated."""

import pytest

from usufruct.console import sale_forms as forms
from usufruct.console.refusals import field_of
from usufruct.core import Invalid
from usufruct_client.sale_documents import CostWish, OwnershipWish, Part, PriceFacts, SaleDraft, ServerFacts

POLICY = "0x" + "66" * 20
DRAFT = SaleDraft("0" * 32, 0, 0, ServerFacts("http://one/v1", "hub/llama:latest", "chat", has_key=True))


def test_a_new_sale_is_named_after_the_model_and_shows_no_key():
    assert forms.price_fields(DRAFT)["name"] == "llama"
    assert "key" not in forms.server_fields(DRAFT)


@pytest.mark.parametrize(
    "wish",
    [
        OwnershipWish("plain", pay_to="0x" + "55" * 20),
        OwnershipWish("shares", owners=[Part("0x" + "55" * 20, "20")], transfer_policy="open", notice_hours=48),
        OwnershipWish(
            "shares", parents=[Part("my model", "2.5")], transfer_policy="0x" + "66" * 20, resale_royalty="5"
        ),
    ],
)
def test_what_owners_form_shows_is_read_again_as_it_was(wish):
    shown = forms.owner_fields(SaleDraft("0" * 32, 0, 0, ownership=wish))
    assert forms.read_ownership(shown) == wish


def test_what_the_prices_form_shows_is_read_again_as_it_was():
    price = PriceFacts("name", "0.5", "1.5", "0", "25", CostWish("1.2", 4, 60, 5, 35), 7)
    wish = forms.read_price(forms.price_fields(SaleDraft("0" * 32, 0, 0, price=price)))
    assert (wish.name, wish.input, wish.output, wish.cached_input, wish.costs) == (
        "name",
        "0.5",
        "1.5",
        "25",
        price.costs,
    )


def test_a_decimal_comma_is_read_and_thousands_are_not_guessed():
    wish = forms.read_price({"name": "a", "input": "0,5", "output": "1,500"})
    assert (wish.input, wish.output) == ("0.5", "1,500")


@pytest.mark.parametrize(
    ("read", "form", "field"),
    [
        (forms.read_ownership, {"mode": "shares", "owners": "0x12"}, "owners"),
        (forms.read_ownership, {"mode": "shares", "parents": "a 1\nb 1\nc 1\nd 1\ne 1"}, "parents"),
        (forms.read_ownership, {"mode": "shares", "notice_hours": "0"}, "noticeHours"),
        (forms.read_ownership, {"mode": "both"}, "mode"),
        (forms.read_costs, {"per_hour": "1", "busy": "101"}, "busy"),
        (forms.read_costs, {"per_hour": "1", "parallel": "many"}, "parallel"),
        (forms.read_server, {"key": "x"}, "url"),
        (forms.read_server, {"url": "http://one", "kind": "poems"}, "kind"),
    ],
)
def test_what_is_wrong_is_named(read, form, field):
    with pytest.raises(Invalid) as refused:
        read(form)
    assert refused.value.details["field"] == field


def test_a_key_that_cannot_be_one_is_not_repeated():
    with pytest.raises(Invalid) as refused:
        forms.read_server({"url": "http://one", "key": "sk-secret-ä"})
    assert refused.value.details["field"] == "key"
    assert "secret" not in refused.value.message


def test_an_error_is_about_the_field_that_a_form_shows():
    assert field_of(Invalid("", field="perCall")) == "per_call"
    assert field_of(Invalid("", field="royalties")) == "parents"
    assert field_of(Invalid("", field=None)) == field_of(Invalid("")) == field_of(None) == ""

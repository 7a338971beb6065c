"""What refusals say to a seller or an operator, at the fields of the forms where they are wrong."""

from collections.abc import Mapping, Sequence

from usufruct.core import UsufructError
from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText(
        "not_operator", "Only operators may do this. Sign in with the owner's wallet, or one that the owner named."
    ),
    RefusalText("not_till_owner", "Only the till's owner may do this. Sign in with the owner's wallet."),
    RefusalText("not_next_owner", "The till is not offered to this account. Its owner offers it first."),
    RefusalText("owns_already", "This account owns the till already. Name another.", "to"),
    RefusalText("invalid_cap", "No cap can be so high. Write a smaller amount.", "amount"),
    RefusalText("invalid_amount", "Write an amount such as 2 or 2.50.", "amount"),
    RefusalText("wallet_needed", "Your wallet has to send this, which needs scripts. Allow them, and try again."),
    RefusalText("unknown_server", "The service has no such server. Reload the page and choose again.", "server"),
    RefusalText("server_needed", "The service has several servers. Say whose key it is.", "server"),
    # a sale
    RefusalText("unknown_sale", "There is no such sale of yours. Start a new one."),
    RefusalText("sale_incomplete", "A step before this is missing. Go back to it."),
    RefusalText("sale_incomplete", "Wait until the check of the server is complete.", "server"),
    RefusalText("sale_incomplete", "Set the price first.", "price"),
    RefusalText("sale_incomplete", "Choose who receives the income first.", "ownership"),
    RefusalText("sale_confirmed", "It is on sale already. Change it at the desk, or start a new sale."),
    RefusalText("speed_unknown", "The server did not report its text tokens. Set a price yourself."),
    RefusalText(
        "payee_not_listed",
        "The till does not pay this address yet. Its owner sees it waiting on the operator's page, and lists it there. "
        "Then confirm again.",
    ),
    # forms
    RefusalText("invalid_sale", "Something is missing or wrong in the form. Check its fields."),
    RefusalText("invalid_sale", "This is not a key. Copy it again, without spaces or line breaks.", "key"),
    RefusalText("invalid_sale", "Write an address of at most 2,000 characters.", "url"),
    RefusalText("invalid_sale", "Choose a model; its name has at most 200 characters.", "model"),
    RefusalText("invalid_sale", "Write a whole number from 1 to 100,000.", "parallel"),
    RefusalText("invalid_sale", "Write a whole number from 1 to 100.", "busy"),
    RefusalText("invalid_sale", "Write a whole number from 1 to 1,000.", "faster_input"),
    RefusalText("invalid_sale", "Write a whole number from 0 to 99.", "margin"),
    RefusalText("invalid_sale", "Write a name of at most 200 characters.", "name"),
    RefusalText("invalid_sale", "Write an address: 0x and 40 digits or letters from a to f.", "to"),
    RefusalText("invalid_sale", "One owner a line: an address, a space, and per cent. At most 20 lines.", "owners"),
    RefusalText("invalid_sale", "One service a line: its name or id, a space, and per cent. At most four.", "parents"),
    RefusalText("invalid_sale", "Write a whole number of hours from 1 to 720.", "notice_hours"),
    RefusalText("invalid_sale", "Write a whole number.", "calls_per_visitor"),
    RefusalText("invalid_sale", "Write a whole number.", "calls_per_day"),
    RefusalText("invalid_sale", "Write a whole number.", "output_per_call"),
    RefusalText("invalid_amount", "Write per cent, such as 12.5.", "cached_input"),
    RefusalText("invalid_amount", "Write per cent, such as 12.5.", "resale_royalty"),
    RefusalText("invalid_amount", "Write per cent, such as 12.5.", "level_discount"),
    RefusalText("invalid_amount", "Write per cent behind each address, such as 12.5.", "owners"),
    RefusalText("invalid_amount", "Write per cent behind each service, such as 12.5.", "parents"),
    RefusalText(
        "invalid_address", "Each line begins with an address: 0x and 40 digits or letters from a to f.", "owners"
    ),
    # a service and its price
    RefusalText("listing_exists", "A service of this name is on sale already. Choose another name."),
    RefusalText("invalid_listing", "The service cannot be like this. Check its name and its price."),
    RefusalText("invalid_listing", "Write 1 to 200 characters, without a space at either end.", "name"),
    RefusalText("invalid_listing", "Write per cent from 0 to 100.", "cached_input"),
    RefusalText("invalid_listing", "Write per cent from 0 to 50.", "level_discount"),
    RefusalText("invalid_listing", "Write a number from 1 to 1,000.", "calls_per_visitor"),
    RefusalText(
        "invalid_listing", "Write at least as many as one visitor may have, and at most 1,000,000.", "calls_per_day"
    ),
    RefusalText("invalid_listing", "Write a number from 16 to 65,536.", "output_per_call"),
    *(
        RefusalText(code, "No service can cost so much. Write a smaller price.", field)
        for code in ("invalid_listing", "invalid_asset")
        for field in ("input", "output", "per_call")
    ),
    RefusalText("already_retired", "It is off sale already. Nothing was changed."),
    RefusalText("nothing_to_change", "Write at least one price that is to change."),
    RefusalText("no_shares", "Its income goes to the address by itself. There is nothing to collect."),
    # a service that is registered on the chain
    RefusalText("invalid_asset", "It cannot be registered like this. Check its name, its price and its owners."),
    RefusalText("invalid_asset", "A registered name has 1 to 64 characters, and is not a number.", "name"),
    RefusalText("invalid_asset", "Choose from 1 hour to 30 days.", "notice_hours"),
    RefusalText("invalid_asset", "Write per cent from 0 to 10.", "resale_royalty"),
    RefusalText("invalid_asset", "Write per cent from 0 to 100.", "cached_input"),
    RefusalText("invalid_asset", "At most four, each named once, with 50 per cent together at most.", "parents"),
    RefusalText("invalid_asset", "Each named once, above 0 per cent, with 100 per cent together at most.", "owners"),
    RefusalText("invalid_asset", "This is the price that was announced last. Nothing was changed.", "price"),
    RefusalText("unknown_asset", "There is no such service on the chain."),
    RefusalText("asset_registered", "The name is registered already. Choose another name."),
    RefusalText("registered_otherwise", "It is registered at another price. Start a new sale, or sell that service."),
    RefusalText(
        "registration_under_way", "The name is being registered with other terms. Wait, or choose another name."
    ),
    RefusalText("transfer_policy_needed", "Choose who may hold the shares."),
    RefusalText("not_title_holder", "Only the wallet that holds the owner NFT may do this. Sign in with that wallet."),
    RefusalText("retirement_announced", "Its end is announced already. Nothing was changed."),
    RefusalText("no_retirement", "No end is announced that could be called off."),
    RefusalText("transaction_reverted", "The chain refused the transaction. Nothing was changed."),
    RefusalText("transaction_pending", "The transaction waits for its block. Reload the page in a minute."),
    RefusalText(
        "transaction_displaced", "Another transaction took its place. Reload the page, and look before you try again."
    ),
)

_FORM_FIELDS: Mapping[str, str] = {
    "input_per_million": "input",
    "output_per_million": "output",
    "notice": "notice_hours",
    "owner": "owners",
    "royalty": "parents",
    "royalties": "parents",
    "base_url": "url",
    "api_key": "key",
}
"""Names of errors below this package, as the forms' fields are named."""


def field_of(error: UsufructError | None) -> str:
    """Return the field of a form that an error is about; empty when it is about none."""
    field = error.details.get("field") if error else None
    if not isinstance(field, str):
        return ""
    plain = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in field)
    return _FORM_FIELDS.get(plain, plain)

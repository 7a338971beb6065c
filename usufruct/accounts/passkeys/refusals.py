"""What refusals of passkeys, passkey accounts and the relayer say to a reader."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("passkey_refused", "This passkey was not accepted. Try again, or use another one."),
    RefusalText("passkey_refused", "This passkey is not known here. Create a wallet with it first.", "credentialId"),
    RefusalText("passkey_refused", "You took too long, or the page was old. Try again.", "challenge"),
    RefusalText(
        "passkey_unknown",
        "This site does not know this passkey. If it has a wallet, enter the wallet's address; else create a wallet.",
    ),
    RefusalText("passkey_site", "Browsers take passkeys at https addresses and at localhost only."),
    RefusalText("passkey_unverified", "Your device did not check that it is you. Set up a finger, a face or a PIN."),
    RefusalText("passkey_known", "This passkey has an account already. Sign in with it."),
    RefusalText(
        "passkey_account_unknown",
        "This is not a passkey account of this site. Sign in with a passkey on the account page.",
    ),
    RefusalText("too_many_passkeys", "Too many passkeys were made here today. Try again tomorrow, or use a wallet."),
    RefusalText(
        "too_many_network_passkeys", "Too many passkeys were made from your network today. Try again tomorrow."
    ),
    RefusalText("too_many_account_passkeys", "You made as many passkeys as there may be. Use one of them."),
    RefusalText("account_unfunded", "The account holds too little money. Send it some first."),
    RefusalText(
        "creations_spent",
        "No more accounts without money are put on the chain today. Send yours some, or try again tomorrow.",
    ),
    RefusalText("other_account", "You are signed in with another account. Reload the page."),
    RefusalText("last_signer", "This is the last one that can sign. Add another first."),
    RefusalText("invalid_delay", "Choose a delay from 1 to 30 days."),
    RefusalText("invalid_wallet", "Name another wallet than this account."),
    RefusalText("invalid_wallet_request", "Something is missing or wrong in the form. Check its fields."),
    RefusalText("delay_not_passed", "The change is announced, and its delay has not passed. Try again then."),
    RefusalText("no_recovery", "No recovery of this account is running here."),
    RefusalText("not_recovery_wallet", "This is not the account's recovery wallet. Sign in with that wallet."),
    RefusalText("invalid_operation", "What was signed cannot be sent. Reload the page and sign again."),
    RefusalText("call_not_relayed", "The operator does not pay the gas for this. Use a wallet that pays gas itself."),
    RefusalText("operation_refused", "The chain would refuse this. Nothing was sent."),
    RefusalText("operation_pending", "It is on its way. Reload the page in a minute before you try again."),
    RefusalText("operation_unknown", "Nothing like this was sent here."),
    RefusalText("relay_limited", "The operator pays no more gas for this account today. Try again tomorrow."),
    RefusalText("relay_spent", "The operator's gas for today is spent. Try again tomorrow."),
    RefusalText("relay_failures", "Too many of your calls failed today. Try again tomorrow."),
)

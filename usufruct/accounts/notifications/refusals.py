"""What refusals of notifications say to a reader."""

from collections.abc import Sequence

from usufruct.web.ui import RefusalText

REFUSALS: Sequence[RefusalText] = (
    RefusalText("invalid_notification", "This cannot be set. Check the address, the URL (https) or the amount."),
    RefusalText("invalid_mail_token", "This link is too old, was replaced, or is not whole."),
    RefusalText("mail_not_offered", "E-mail is not sent here. Use a webhook."),
    RefusalText("too_many_messages", "As many messages were asked for as may be. Wait a while."),
    RefusalText("too_many_contacts", "As many people as may be have notifications here. Ask the operator for room."),
    RefusalText("no_way_to_notify", "Set a webhook, or confirm an e-mail address first."),
    RefusalText("unknown_message", "This message cannot be sent again. Reload the page."),
    RefusalText("mail_unavailable", "The mail server does not take the message now. Try again in a minute."),
)

"""E-mails by a real SMTP server: confirmed before anything else is sent, ended by one click, refused and retried."""

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from tests.accounts.notifications.conftest import ADA, BOB, EVE, LANGUAGES, SITE, World
from tests.support.mail_server import PASSWORD, mail_server
from usufruct.accounts.notifications import EventKind, InvalidNotification
from usufruct.accounts.notifications.mail import Mailer, MailUnavailable
from usufruct.accounts.notifications.mail_text import MailTexts
from usufruct.accounts.notifications.model import InvalidMailToken, MailNotOffered, TooManyMessages, check_email
from usufruct.accounts.notifications.notifications import NotificationOffer
from usufruct.accounts.notifications.outbox import new_event
from usufruct.config import Secret
from usufruct.core import address
from usufruct_client.notification_documents import BalanceLow, EventMoney, IncomeArrived, KeyLimitLow

HERS = "ada@example.net"
DOLLARS = EventMoney(1_500_000, ADA, "USDC", 6)
INCOME = IncomeArrived("größer\r\nBcc: eve@example.org", 7, DOLLARS, None).as_json()


def link_in(text: str) -> str:
    [link] = re.findall(rf"{SITE}/account/notifications/confirm\S+", text)
    return link.partition("?token=")[2]


async def confirmed(world: World, language: str = "en") -> None:
    """Have Ada told of income by e-mail."""
    await world.notifications.choose(ADA, frozenset({"income.arrived"}), 0, language, SITE)
    await world.notifications.set_email(ADA, HERS, language, SITE)
    await world.deliveries.send_mails()
    await world.notifications.confirm(link_in(world.post.text()))
    world.post.mails.clear()
    world.clock.advance(1)


async def income(world: World, subject: str = "one") -> int:
    return await world.notifications.report([ADA], EventKind.INCOME, subject, INCOME)


async def test_nothing_but_a_link_is_sent_until_it_is_confirmed(world: World):
    await world.notifications.choose(ADA, frozenset({"income.arrived"}), 0, "de", SITE)
    await world.notifications.set_email(ADA, HERS, "de", SITE)
    assert await income(world) == 0
    await world.deliveries.send_mails()
    [(to, mail)] = world.post.mails
    assert (to, mail["to"], mail["subject"]) == (HERS, HERS, "Bestätigen Sie Ihre Adresse - Site")
    assert world.post.encrypted == [True]
    token = link_in(mail.get_content())
    for false in ("", "x", token[:-1], token[:-1] + ("0" if token[-1] != "0" else "1"), "b" * 40 + token[40:]):
        with pytest.raises(InvalidMailToken):
            await world.notifications.confirm(false)
    await world.notifications.confirm(token)
    await world.notifications.confirm(token)
    assert await income(world) == 1
    await world.deliveries.send_mails()
    assert world.post.mails[-1][1]["subject"] == "Einnahmen sind eingetroffen - Site"
    assert "1,5\N{NO-BREAK SPACE}USDC wurden für größer" in world.post.text()


async def test_a_link_is_over_when_the_address_changes_or_time_passes(world: World):
    await world.notifications.set_email(ADA, HERS, "en", SITE)
    await world.deliveries.send_mails()
    first = link_in(world.post.text())
    await world.notifications.set_email(ADA, "other@example.net", "en", SITE)
    with pytest.raises(InvalidMailToken):
        await world.notifications.confirm(first)
    await world.deliveries.send_mails()
    world.clock.advance(2 * 86_400 + 1)
    with pytest.raises(InvalidMailToken):
        await world.notifications.confirm(link_in(world.post.text()))
    assert (await world.notifications.contact(ADA)).email_confirmed_at is None


async def test_a_link_that_was_replaced_before_it_was_sent_is_not_sent(world: World):
    await world.notifications.set_email(ADA, HERS, "en", SITE)
    await world.notifications.set_email(ADA, "other@example.net", "en", SITE)
    await world.deliveries.send_mails()
    assert [to for to, _ in world.post.mails] == ["other@example.net"]


async def test_one_click_ends_the_e_mails(world: World):
    await confirmed(world)
    await income(world)
    await world.deliveries.send_mails()
    [(_, mail)] = world.post.mails
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    link = mail["list-unsubscribe"].strip("<>")
    assert link in mail.get_content()
    assert mail["message-id"].startswith("<msg_")
    token = link.removeprefix(f"{SITE}/account/notifications/unsubscribe?token=")
    await world.notifications.unsubscribe(token)
    assert (await world.notifications.contact(ADA)).email is None
    assert await income(world, "two") == 0
    with pytest.raises(InvalidMailToken):
        await world.notifications.unsubscribe(token)


async def test_what_waits_when_the_address_is_removed_is_not_sent(world: World):
    await confirmed(world)
    await income(world)
    await world.notifications.remove_email(ADA)
    await world.deliveries.send_mails()
    assert world.post.mails == []
    assert (await world.notifications.latest(ADA))[0].state == "dead"


async def test_the_same_address_again_sends_no_other_link(world: World):
    await confirmed(world)
    await world.notifications.set_email(ADA, HERS, "de", SITE)
    await world.deliveries.send_mails()
    assert world.post.mails == []
    assert (await world.notifications.contact(ADA)).language == "de"


async def test_links_are_limited_by_address_by_person_and_in_all(world: World):
    for person in (ADA, BOB, EVE):
        await world.notifications.set_email(person, HERS, "en", SITE)
    with pytest.raises(TooManyMessages):  # whoever asks: the address had three
        await world.notifications.set_email("0x" + "c" * 40, HERS, "en", SITE)
    for number in range(4):
        await world.notifications.set_email(ADA, f"ada{number}@example.net", "en", SITE)
    with pytest.raises(TooManyMessages):
        await world.notifications.set_email(ADA, "ada9@example.net", "en", SITE)
    world.notifications.policy = replace(world.notifications.policy, confirmations=7)
    with pytest.raises(TooManyMessages):
        await world.notifications.set_email(BOB, "bob@example.net", "en", SITE)
    world.clock.advance(86_401)
    await world.notifications.set_email(ADA, HERS, "en", SITE)


async def outcomes(requests: list[Awaitable[None]]) -> list[str]:
    """Return how requests end that are made at the same time: "made", or the error's code."""
    results = await asyncio.gather(*requests, return_exceptions=True)
    return sorted(getattr(each, "code", "made") for each in results)


async def test_no_two_links_pass_the_limit_of_an_address_together(world: World):
    persons = [address("0x" + f"{number:040x}") for number in range(1, 11)]
    for person in persons:  # so that only the limit of links is raced for
        await world.notifications.choose(person, frozenset(), 0, "en", SITE)
    asked = [world.notifications.set_email(person, HERS, "en", SITE) for person in persons]
    assert await outcomes(asked) == ["made"] * 3 + ["too_many_messages"] * 7
    await world.deliveries.send_mails()
    assert len(world.post.mails) == 3


async def test_no_two_links_pass_the_limit_of_a_person_together(world: World):
    await world.notifications.choose(ADA, frozenset(), 0, "en", SITE)
    asked = [world.notifications.set_email(ADA, f"ada{each}@example.net", "en", SITE) for each in range(10)]
    assert await outcomes(asked) == ["made"] * 5 + ["too_many_messages"] * 5


async def test_no_two_tests_pass_the_limit_of_a_person_together(world: World):
    world.notifications.policy = replace(world.notifications.policy, tests_by_person=3)
    await world.notifications.set_webhook(ADA, "https://hooks.example.net/ada")
    assert await outcomes([world.notifications.test(ADA) for _ in range(10)]) == (
        ["made"] * 3 + ["too_many_messages"] * 7
    )
    assert len(await world.notifications.latest(ADA)) == 3


async def test_no_two_persons_pass_the_number_of_contacts_together(world: World):
    world.notifications.policy = replace(world.notifications.policy, most_contacts=3)
    persons = [address("0x" + f"{number:040x}") for number in range(1, 11)]
    asked = [world.notifications.choose(person, frozenset(), 0, "en", SITE) for person in persons]
    assert await outcomes(asked) == ["made"] * 3 + ["too_many_contacts"] * 7


async def test_a_new_contact_is_made_once_by_requests_at_the_same_time(world: World):
    asked = [world.notifications.choose(ADA, frozenset(), 0, "en", SITE) for _ in range(5)]
    assert await outcomes(asked) == ["made"] * 5


async def test_messages_of_one_second_are_listed_in_the_order_they_were_made(world: World):
    await confirmed(world)
    await world.notifications.set_webhook(ADA, "https://hooks.example.net/ada")
    for number in range(9):
        await income(world, f"number {number}")
    listed = [(each.event.subject, each.way.value) for each in await world.notifications.latest(ADA)][:18]
    assert listed == [(f"number {number}", way) for number in reversed(range(9)) for way in ("email", "webhook")]


async def test_events_of_a_person_share_an_e_mail_and_an_address_gets_few_an_hour(world: World):
    await confirmed(world)
    for number in range(3):
        await income(world, f"first {number}")
    await world.deliveries.send_mails()
    [(_, mail)] = world.post.mails
    assert mail["subject"] == "3 messages - Site"
    assert mail.get_content().count("Income arrived") == 3
    for number in range(20):
        world.clock.advance(1)
        await income(world, f"more {number}")
        await world.deliveries.send_mails()
    assert len(world.post.mails) == 11, "and the link that confirmed it"
    world.clock.advance(3_700)
    await world.deliveries.send_mails()
    assert world.post.mails[-1][1]["subject"] == "10 messages - Site"
    assert {each.state for each in await world.notifications.latest(ADA)} == {"sent"}


async def test_greylisting_is_waited_out_and_a_refusal_is_shown(world: World):
    await confirmed(world)
    await income(world)
    world.post.replies.append("451 4.7.1 Greylisted, try again")
    await world.deliveries.send_mails()
    [delivery, _] = await world.notifications.latest(ADA)
    assert (delivery.state, delivery.error) == ("pending", "451 4.7.1 Greylisted, try again")
    world.clock.advance(5)
    await world.deliveries.send_mails()
    assert (await world.notifications.latest(ADA))[0].state == "sent"
    await income(world, "two")
    world.post.replies.append("550 5.1.1 No such user")
    await world.deliveries.send_mails()
    latest = await world.notifications.latest(ADA)
    refused = next(each for each in latest if each.event.subject == "two")
    assert (refused.state, refused.error) == ("dead", "550 5.1.1 No such user")
    assert len(world.post.mails) == 1


async def test_a_server_that_is_away_loses_nothing_and_fails_the_job(world: World, tmp_path):
    await confirmed(world)
    await income(world)
    away = Mailer(replace(world.post.config, port=1), world.post.trust)
    mailer, texts = world.deliveries._mail
    world.deliveries._mail = away, texts
    with pytest.raises(MailUnavailable, match="localhost:1 cannot be used"):
        await world.deliveries.send_mails()
    world.deliveries._mail = mailer, texts
    world.clock.advance(5)
    await world.deliveries.send_mails()
    assert len(world.post.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_log_in_goes_over_tls_to_a_server_that_is_known(tmp_path, security: str):
    with mail_server(tmp_path, security) as server:
        await Mailer(server.config, server.trust).check()
        with pytest.raises(MailUnavailable, match="certificate"):
            await Mailer(server.config).check()
        wrong = replace(server.config, password=Secret("wrong"))
        with pytest.raises(MailUnavailable, match="535") as refused:
            await Mailer(wrong, server.trust).check()
        assert "wrong" not in refused.value.message
        assert PASSWORD not in repr(server.config)


async def test_a_server_without_starttls_gets_no_password(tmp_path):
    with mail_server(tmp_path, "none") as server, pytest.raises(MailUnavailable, match="STARTTLS"):
        await Mailer(replace(server.config, security="starttls"), server.trust).check()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@localhost",
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org, eve@example.org",
        "Ada <ada@example.org>",
        '"a b"@example.org',
        "a..b@example.org",
        ".a@example.org",
        "ada@exämple.org",
        "ada@-example.org",
        "ada@example.org\n",
        "a" * 65 + "@example.org",
        "ada@" + "x" * 250 + ".org",
    ],
)
def test_what_is_no_plain_address_is_refused(text: str):
    with pytest.raises(InvalidNotification):
        check_email(text)


def test_an_addresss_domain_is_in_lower_case():
    assert check_email("Ada+x@Example.ORG") == "Ada+x@example.org"


def test_nothing_that_others_wrote_is_in_a_header():
    texts = MailTexts("Site", "mail@example.org", "example.org", LANGUAGES)
    label = "x\r\nBcc: eve@example.org"
    written = (
        (EventKind.INCOME, INCOME),
        (EventKind.LOW_BALANCE, BalanceLow("key_1", label, DOLLARS, DOLLARS).as_json()),
        (EventKind.LIMIT_LOW, KeyLimitLow("key_1", label, "day", DOLLARS, DOLLARS).as_json()),
        (EventKind.TEST, {}),
    )
    for kind, data in written:
        for language in LANGUAGES:
            event = new_event(ADA, kind, "subject", data, 1_800_000_000)
            mail = texts.notice([event], HERS, language, f"{SITE}/a", f"{SITE}/" + "u" * 200)
            head = mail.as_bytes().partition(b"\r\n\r\n")[0].decode("ascii")
            assert "eve@" not in head
            assert all(": " in line for line in head.split("\r\n")), "no header is folded"


async def test_without_a_mail_server_no_address_is_taken(world: World):
    world.notifications.offer = NotificationOffer(False, True, frozenset(LANGUAGES))
    with pytest.raises(MailNotOffered):
        await world.notifications.set_email(ADA, HERS, "en", SITE)

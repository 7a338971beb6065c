"""Webhooks: signed as Standard Webhooks' own library verifies, retried under one id, given up, and kept from inside."""

import json

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from tests.accounts.notifications.conftest import ADA, BOB, SITE, World
from usufruct.accounts.notifications import Deliveries, EventKind, InvalidNotification
from usufruct.accounts.notifications.model import TooManyMessages, Way, check_webhook_url
from usufruct.core import Clock, Conflict, NotFound
from usufruct.http import Reach

DATA = {"service": "größer", "calls": 7}


async def told(world: World, url: str = "") -> str:
    """Have Ada told of income by webhook; return the secret."""
    await world.notifications.choose(ADA, frozenset({"income.arrived"}), 0, "en", SITE)
    return await world.notifications.set_webhook(ADA, url or world.receiver.url("/hook?to=ada"))


async def report(world: World, subject: str = "one") -> int:
    return await world.notifications.report([ADA, BOB], EventKind.INCOME, subject, DATA)


async def test_the_schemes_own_library_verifies_what_is_posted(world: World):
    secret = await told(world)
    world.clock._now = Clock().now()  # the library compares the time with its machine's
    assert await report(world) == 1, "Bob did not ask for it"
    assert await world.deliveries.send_webhooks() == 1
    [posted] = world.receiver.posted
    assert posted.line == "POST /hook?to=ada HTTP/1.1"
    body = Webhook(secret).verify(posted.body, posted.headers)
    assert (body["type"], body["data"]) == ("income.arrived", DATA)
    assert json.loads(posted.body)["timestamp"].endswith("Z")
    for other, headers, changed in (
        ("whsec_" + "A" * 44, posted.headers, posted.body),
        (secret, posted.headers | {"webhook-id": "msg_x"}, posted.body),
        (secret, posted.headers, posted.body.replace(b"7", b"8")),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(changed, headers)
    assert await world.deliveries.send_webhooks() == 0
    [delivery] = await world.notifications.latest(ADA)
    assert (delivery.state, delivery.tries, delivery.error) == ("sent", 1, "")


async def test_an_event_is_told_once_however_often_it_is_reported(world: World):
    await told(world)
    assert [await report(world) for _ in range(3)] == [1, 0, 0]
    assert await report(world, "two") == 1
    await world.deliveries.send_webhooks()
    assert len({each.headers["webhook-id"] for each in world.receiver.posted}) == len(world.receiver.posted) == 2


async def test_a_failed_try_is_repeated_under_the_same_id_later_and_later_until_it_is_dead(world: World):
    await told(world)
    await report(world)
    world.receiver.refuse(*[500] * 50)
    waits, last = [], world.clock.now()
    while True:
        await world.deliveries.send_webhooks()
        [delivery] = await world.notifications.latest(ADA)
        if delivery.state != "pending":
            break
        assert delivery.error == "HTTP 500", "nothing of what the server wrote is kept"
        waits.append(delivery.next_at - last)
        world.clock.advance(delivery.next_at - 1 - world.clock.now())
        assert await world.deliveries.send_webhooks() == 0, "not before its time"
        world.clock.advance(1)
        last = world.clock.now()
    assert waits[:7] == [5, 60, 300, 1_800, 7_200, 18_000, 36_000]
    assert (delivery.state, delivery.error) == ("dead", "HTTP 500")
    assert world.clock.now() - delivery.created_at < 3 * 86_400
    assert len({each.headers["webhook-id"] for each in world.receiver.posted}) == 1
    assert len(world.receiver.posted) == delivery.tries == len(waits) + 1


async def test_a_redirect_is_not_followed_and_410_ends_the_webhook(world: World):
    await told(world)
    await report(world)
    elsewhere = world.receiver.url("/elsewhere").encode()
    world.receiver.answers.append(b"HTTP/1.1 307 X\r\nlocation: %s\r\ncontent-length: 0\r\n\r\n" % elsewhere)
    await world.deliveries.send_webhooks()
    assert [each.line for each in world.receiver.posted] == ["POST /hook?to=ada HTTP/1.1"]
    assert "redirects are not followed" in (await world.notifications.latest(ADA))[0].error
    world.clock.advance(5)
    world.receiver.refuse(410)
    await world.deliveries.send_webhooks()
    assert (await world.notifications.latest(ADA))[0].state == "dead"
    assert (await world.notifications.contact(ADA)).webhook_url is None


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n"])
async def test_an_answer_that_is_none_is_a_failure(world: World, answer: bytes):
    await told(world)
    await report(world)
    world.receiver.answers.append(answer)
    await world.deliveries.send_webhooks()
    [delivery] = await world.notifications.latest(ADA)
    assert (delivery.state, bool(delivery.error)) == ("pending", True)


async def test_an_endless_answer_is_not_read_to_its_end(world: World):
    await told(world)
    await report(world)
    world.receiver.answers.append(b"HTTP/1.1 200 X\r\ncontent-length: 99999999\r\n\r\n" + b"x" * 1_000_000)
    await world.deliveries.send_webhooks()
    assert (await world.notifications.latest(ADA))[0].state == "sent"


async def test_a_server_that_never_answers_is_left(world: World):
    await told(world)
    await report(world)
    world.receiver.silent = True
    await world.deliveries.send_webhooks()
    assert (await world.notifications.latest(ADA))[0].error == "no whole answer within 5 s"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"]
)
async def test_where_private_networks_are_not_allowed_nothing_is_sent_into_them(world: World, host: str):
    await told(world, f"http://{host}:{world.receiver.port}/hook")
    await report(world)
    public = Deliveries(world.database, world.notifications, Reach.PUBLIC, now=_now_of(world))
    await public.send_webhooks()
    assert world.receiver.posted == []
    [delivery] = await world.notifications.latest(ADA)
    assert "no public address" in delivery.error
    assert host not in delivery.error, "what a name resolves to is not told"


def _now_of(world: World):
    async def now() -> int:
        return world.clock.now()

    return now


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org/#part",
        "https://example.org/a b",
        "https://example.org/\r\nx: y",
        "https://exämple.org/",
        "https://example.org:99999/",
        "javascript:alert(1)",
        "https://example.org/" + "x" * 2_000,
    ],
)
def test_a_url_that_nothing_can_be_posted_to_is_refused(url: str):
    with pytest.raises(InvalidNotification):
        check_webhook_url(url, private=True)


def test_plain_http_is_for_private_networks_only():
    assert check_webhook_url("http://10.0.0.1/hook", private=True)
    with pytest.raises(InvalidNotification, match="https"):
        check_webhook_url("http://example.org/hook", private=False)


async def test_tests_are_sent_to_each_way_and_are_limited(world: World):
    with pytest.raises(Conflict):
        await world.notifications.test(ADA)
    await told(world)
    for _ in range(10):
        await world.notifications.test(ADA)
    world.clock.advance(600)
    with pytest.raises(TooManyMessages) as refusal:
        await world.notifications.test(ADA)
    assert 2_900 < refusal.value.details["retry_after"] <= 3_000
    world.clock.advance(3_001)
    await world.notifications.test(ADA)
    await world.deliveries.send_webhooks()
    assert len(world.receiver.posted) == 11


async def test_a_level_is_told_once_until_it_is_over(world: World):
    await world.notifications.choose(ADA, frozenset({"balance.low"}), 5, "en", SITE)
    await world.notifications.set_webhook(ADA, world.receiver.url())
    contact = await world.notifications.contact(ADA)

    async def low() -> bool:
        return await world.notifications.report_level(contact, EventKind.LOW_BALANCE, "key_1", {})

    assert [await low(), await low()] == [True, False]
    assert await world.notifications.levels_of([ADA], EventKind) == {(ADA, "balance.low", "key_1")}
    await world.notifications.end_levels([(ADA, "balance.low", "key_1")])
    assert await low()
    assert len(await world.notifications.latest(ADA)) == 2


async def test_what_is_old_is_forgotten(world: World):
    await told(world)
    await report(world)
    await world.deliveries.send_webhooks()
    world.clock.advance(31 * 86_400)
    await report(world, "two")
    await world.deliveries.forget()
    assert [each.event.subject for each in await world.notifications.latest(ADA)] == ["two"]


async def given_up(world: World) -> str:
    """Have a message to Ada given up; return its id."""
    await told(world)
    await report(world)
    world.receiver.refuse(500, 500)
    for seconds in (0, 3 * 86_400):
        world.clock.advance(seconds)
        await world.deliveries.send_webhooks()
    [delivery] = await world.notifications.latest(ADA)
    assert delivery.state == "dead"
    return delivery.event.id


async def test_a_message_that_was_given_up_is_sent_again_under_its_id_once(world: World):
    id_ = await given_up(world)
    await world.notifications.set_webhook(BOB, world.receiver.url("/bob"))
    with pytest.raises(NotFound):
        await world.notifications.send_again(BOB, id_, Way.WEBHOOK)
    assert await world.deliveries.send_webhooks() == 0, "it is not Bob's"
    for _ in range(2):
        await world.notifications.send_again(ADA, id_, Way.WEBHOOK)
    world.receiver.refuse(500)
    assert await world.deliveries.send_webhooks() == 1
    [delivery] = await world.notifications.latest(ADA)
    assert (delivery.state, delivery.tries, delivery.next_at - world.clock.now()) == ("pending", 1, 5), "as a new one"
    world.clock.advance(5)
    assert await world.deliveries.send_webhooks() == 1
    await world.notifications.send_again(ADA, id_, Way.WEBHOOK)
    assert await world.deliveries.send_webhooks() == 0, "it was sent"
    assert [each.headers["webhook-id"] for each in world.receiver.posted] == [id_] * 4
    assert len({each.body for each in world.receiver.posted}) == 1


async def test_without_a_webhook_nothing_is_sent_again_and_a_new_one_gets_it(world: World):
    id_ = await given_up(world)
    await world.notifications.remove_webhook(ADA)
    with pytest.raises(Conflict) as refused:
        await world.notifications.send_again(ADA, id_, Way.WEBHOOK)
    assert refused.value.code == "no_way_to_notify"
    secret = await told(world, world.receiver.url("/new"))
    world.clock._now = Clock().now()  # the library compares the time with its machine's
    await world.notifications.send_again(ADA, id_, Way.WEBHOOK)
    await world.deliveries.send_webhooks()
    posted = world.receiver.posted[-1]
    assert posted.line == "POST /new HTTP/1.1"
    assert Webhook(secret).verify(posted.body, posted.headers)["data"] == DATA


async def test_a_test_is_not_sent_again(world: World):
    await told(world)
    await world.notifications.test(ADA)
    [delivery] = await world.notifications.latest(ADA)
    with pytest.raises(NotFound):
        await world.notifications.send_again(ADA, delivery.event.id, Way.WEBHOOK)


async def test_a_message_that_is_sent_again_is_kept_as_long_as_a_new_one(world: World):
    id_ = await given_up(world)
    world.clock.advance(26 * 86_400)
    await world.notifications.send_again(ADA, id_, Way.WEBHOOK)
    world.clock.advance(2 * 86_400)
    await world.deliveries.forget()
    assert await world.deliveries.send_webhooks() == 1
    world.clock.advance(30 * 86_400)
    await world.deliveries.forget()
    assert await world.notifications.latest(ADA) == []

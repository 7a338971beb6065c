"""A kind of service that the gateway does not know is sold by its own file and its registration."""

from dataclasses import replace

import httpx
import pytest
from aiohttp import web

from tests.support.image_operation import IMAGES
from usufruct.core.price_cards import PriceUnit

PRICE = 40_000
PATH = "/images/generations"


@pytest.fixture
async def painter():
    """An upstream that paints, and what it was asked for."""
    asked = []

    async def paint(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"created": 1, "data": [{"url": f"/{number}"} for number in range(asked[-1]["n"])]})

    app = web.Application()
    app.router.add_post(f"/v1{PATH}", paint)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", asked
    await runner.cleanup()


async def test_images_are_sold_by_the_image(gateway_module, gateway_url, painter):
    url, asked = painter
    card = replace(
        gateway_module.CARD, unit=PriceUnit.IMAGE, input_per_million=0, output_per_million=PRICE * 10**6, per_call=7
    )
    async with gateway_module.gateway_world(gateway_url, operations=[IMAGES]) as world:
        await world.asset("painter", url, endpoint="images", card=card)
        key = await world.key(balance=3 * PRICE + 14)
        headers = {"authorization": f"Bearer {key.text}", "idempotency-key": "once"}
        async with httpx.AsyncClient(base_url=world.url, headers=headers, timeout=120) as http:
            answers = [await http.post(PATH, json={"model": "painter", "prompt": "a rose", "n": 2}) for _ in range(2)]
            for answer in answers:
                assert answer.status_code == 200, answer.text
                assert len(answer.json()["data"]) == 2
                assert answer.headers["x-usufruct-charge"] == str(2 * PRICE + 7)
            assert answers[1].headers["x-usufruct-replayed"] == "true"
            assert [body["n"] for body in asked] == [2]
            del http.headers["idempotency-key"]
            dear = await http.post(PATH, json={"model": "painter", "prompt": "a rose", "n": 2})
            assert (dear.status_code, dear.json()["error"]["code"]) == (402, "insufficient_balance")
            wrong = await http.post("/chat/completions", json={"model": "painter", "messages": []})
            assert wrong.json()["error"]["code"] == "wrong_endpoint"
            listed = (await http.get("/models/painter")).json()
        (bill,) = await world.bills(key)
        assert [(line.unit, line.quantity) for line in bill.bill.lines] == [("output_image", 2), ("call", 1)]
        assert (listed["endpoint"], listed["price"]["unit"]) == ("images", "image")
        assert await world.charged(key) == 2 * PRICE + 7

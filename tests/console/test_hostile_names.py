"""A hostile name of a service on sale: desk, operator's pages and the sale itself show it as text, and nothing else."""

import pytest

from tests.console.test_sales import SHARES, ready
from tests.console.test_sales import upstream as upstream
from tests.support.hostile_names import HOSTILE, check_names
from usufruct.core import format_asset
from usufruct.gateway import Catalogue

pytestmark = pytest.mark.anvil


async def test_desk_operator_and_sale_show_a_name_as_text(world, seller, upstream):
    sale = await ready(seller, upstream.url(), SHARES, name=HOSTILE)
    await check_page(seller, f"/sell/{sale}/price", HOSTILE)
    await check_page(seller, f"/sell/{sale}/review", HOSTILE)
    confirmed = await seller.post(f"/sales/{sale}/confirm")
    assert confirmed.json()["draft"]["service"] == HOSTILE, confirmed.text
    asset = format_asset((await world.gateway.get(Catalogue).find(HOSTILE)).id)
    await check_page(seller, f"/sell/{sale}/live", HOSTILE)
    await check_page(seller, "/desk", HOSTILE)
    await check_page(seller, f"/desk/{asset}", HOSTILE)
    await check_page(seller, "/operator", HOSTILE)


async def check_page(http, path: str, *names: str) -> None:
    for language in ("en", "de"):
        page = http.base_url.copy_with(path=path)
        shown = await http.get(page, headers={"accept": "text/html", "accept-language": language})
        assert shown.status_code == 200, (path, shown.text)
        check_names(shown.text, *names)

"""Which assets a text names."""

import pytest

from usufruct.connectors.news import AssetName, AssetNames, InvalidNames, read_names

NAMES = AssetNames(
    [
        AssetName("bitcoin", "Bitcoin"),
        AssetName("bitcoin", "BTC", exact=True),
        AssetName("bitcoin-cash", "Bitcoin Cash"),
        AssetName("near", "NEAR", exact=True),
        AssetName("near", "Near Protocol"),
        AssetName("usd-plus", "USD+", exact=True),
        AssetName("dollar-near", "$NEAR", exact=True),
    ]
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("BITCOIN rises", ["bitcoin"]),
        ("Bitcoin\n Cash forks", ["bitcoin-cash"]),
        ("Bitcoin Cash and bitcoin", ["bitcoin", "bitcoin-cash"]),
        ("The end is near", []),
        ("NEAR's price", ["near"]),
        ("near protocol grows", ["near"]),
        ("BTC", ["bitcoin"]),
        ("btc, WBTC and BTCs", []),
        ("USD+ holds", ["usd-plus"]),
        ("$NEAR", ["dollar-near"]),
        ("", []),
    ],
)
def test_whole_words_and_longer_names_first(text, found):
    assert NAMES.find(text) == tuple(found)


def test_a_table_without_names_finds_nothing():
    assert AssetNames([]).find("Bitcoin") == ()


def test_the_table(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("asset,name,exact\nbitcoin,Bitcoin,\nbitcoin,BTC,yes\n")
    assert read_names(path).find("BTC or btc") == ("bitcoin",)
    for text, message in (
        ("name\nx\n", "must have the first line"),
        ("asset,name\na,Coin\nb,coin\n", "give each name one asset"),
        ("asset,name\na,\n", "give each name one asset"),
        ("asset,name,exact\na,A,maybe\n", "line 2: exact must be yes or no"),
    ):
        path.write_text(text)
        with pytest.raises(InvalidNames, match=message):
            read_names(path)
    with pytest.raises(InvalidNames, match="is not readable"):
        read_names(tmp_path / "none.csv")

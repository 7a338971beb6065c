"""Rulebooks: strict TOML, one hash for one meaning, and refusals that name the field and the remedy."""

import pytest

from usufruct.indices import InvalidRulebook, UnknownRulebook, load_rulebook, parse_rulebook, shipped, shipped_text

SHORT = 'name = "mine"\ntitle = "Mine"\n'


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_rulebook_is_valid_and_named_as_its_file(name: str):
    rulebook = load_rulebook(name)
    assert rulebook.name == name
    assert rulebook.description
    assert "stablecoin" in rulebook.universe.exclude
    assert rulebook.universe.minimum_daily_volume > 0


def test_what_the_issue_asks_for_is_shipped():
    wanted = {"top-10", "top-50", "top-100", "defi", "layer-1", "metaverse-gaming", "ai", "momentum", "low-volatility"}
    assert wanted | {"global-100"} <= set(shipped())
    assert len({load_rulebook(each).hash for each in shipped()}) == len(shipped())


def test_the_hash_is_that_of_the_meaning_not_of_the_text():
    plain = parse_rulebook(SHORT)
    assert parse_rulebook(SHORT + "version = 1 # the first\n[selection]\ncount = 100\n").hash == plain.hash
    assert parse_rulebook('title = "Mine"\nname = "mine"\nbase = 1000\n').hash == plain.hash
    assert parse_rulebook(SHORT + "[selection]\ncount = 99\n").hash != plain.hash
    assert plain.hash == "33ba929e3b00c878dfaabd1ca5d59af55c7cadb6bfee748698e005316efef7fc"


@pytest.mark.parametrize(
    ("addition", "problem"),
    [
        ("extra = 1", "the key 'extra' is not known; remove it"),
        ("[universe]\nminimum_age = 3", "the key 'universe.minimum_age' is not known"),
        ("[weights]\neach_at_most = 1.5", "weights.each_at_most is 1.5"),
        ("[weights]\neach_at_most = 0", "weights.each_at_most is 0"),
        ("[weights]\nrule = 'best'", "weights.rule is 'best'"),
        ("[weights]\neach_at_most = 0.2\nlargest_at_most = 0.1", "largest_at_most is under each_at_most; raise it"),
        ("[selection]\ncount = '100'", "selection.count is '100'"),
        ("[selection]\ncount = 5\nminimum_count = 6", "selection.minimum_count is over count"),
        ("[selection]\nleave_rank = 0.5", "selection.leave_rank is 0.5"),
        ("[calendar]\ndelay_days = 0", "calendar.delay_days is 0"),
        ("[calendar]\non_regime_change = true", "needs a [regime]; add one"),
        ("[universe]\nstay_market_cap = 5.0", "universe.stay_market_cap is over minimum_market_cap"),
        ("[costs]\ncapital = inf", "costs.capital is inf"),
        ("[stablecoins]\nrepeg = 0.02", "stablecoins.repeg is over depeg"),
        ("[stablecoins]\neach_at_most = 0.2", "stablecoins.minimum_count x each_at_most is under 1"),
        ("[universe]\ninclude = ['De Fi']", "universe.include.0 is 'De Fi'"),
        ("[[float_factors]]\nasset = 'a'\nfactor = 0.5", "float_factors.0.known_from is missing"),
        ("base = = 1", "is not valid TOML"),
    ],
)
def test_a_wrong_rulebook_is_refused_with_the_field_and_the_remedy(addition: str, problem: str):
    with pytest.raises(InvalidRulebook) as caught:
        parse_rulebook(f"{SHORT}{addition}\n", "mine.toml")
    assert problem in caught.value.message
    assert caught.value.message.startswith("mine.toml")
    assert caught.value.code == "invalid_rulebook"


def test_an_unknown_index_is_named_beside_those_there_are(tmp_path):
    with pytest.raises(UnknownRulebook, match="'top-7' is not a shipped index; choose one of ai, defi"):
        load_rulebook("top-7")
    with pytest.raises(UnknownRulebook, match="there is no file"):
        load_rulebook(str(tmp_path / "no.toml"))


def test_a_file_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(shipped_text("top-10"))
    assert load_rulebook(str(path)).hash == load_rulebook("top-10").hash

from datetime import date
from pathlib import Path

import pytest

from levsleeve.errors import StudyError
from levsleeve.margin.book import FundTerms
from levsleeve.margin.profile import load_profile, profile_names
from levsleeve.margin.requirement import initial_per_share, maintenance_per_share
from levsleeve.margin.rulebook import rulebook
from levsleeve.margin.schedule import BROAD

HEAD = "source = 'a letter'\nstanding = 'confirmed'\n"
ROUNDED = 1e-9


def per_share(funds: FundTerms) -> list[list[float]]:
    """Maintenance long and short, and initial long and short, of each fund at 100 dollars."""
    return [
        [
            rule(100.0, multiple, short, BROAD, overlay, funds.rules)
            for rule in (maintenance_per_share, initial_per_share)
            for short in (False, True)
        ]
        for multiple, overlay in zip(funds.multiples, funds.overlays, strict=True)
    ]


def asked(profile: str, on: date, volatility: float, index_return: float) -> list[list[float]]:
    """What a profile asks of 1x, 2x and 3x funds."""
    funds = rulebook(profile).terms(on, [1.0, 2.0, 3.0], [BROAD] * 3, volatility, index_return)
    return per_share(funds)


def test_the_bundled_profiles_are_listed_by_name_and_say_where_they_come_from() -> None:
    assert profile_names() == [
        "finra", "house_flow", "house_volatility", "ibkr", "retail_100", "scottrade_2010",
        "td_2010",
    ]  # fmt: skip
    for name in profile_names():
        profile = load_profile(name)
        assert profile.title
        assert profile.source
        assert profile.standing
        for overlay in profile.house:
            assert overlay.source
            assert overlay.standing


PLAIN = [25.0, 30.0, 50.0, 50.0]
RULE = [PLAIN, [50.0, 60.0, 50.0, 60.0], [75.0, 90.0, 75.0, 90.0]]
TD = [PLAIN, [60.0] * 4, [90.0] * 4]


@pytest.mark.parametrize(
    ("profile", "on", "figures"),
    [
        # Long and short maintenance, then initial, per 100 dollars of 1x, 2x and 3x.
        ("finra", date(2019, 6, 3), RULE),
        ("ibkr", date(2019, 6, 3), RULE),
        # 25 to 33.75 and 50 to 67.5 %; a long 3x stops at 100, a short one does not.
        (
            "ibkr",
            date(2020, 11, 2),
            [[33.75, 40.5, 67.5, 67.5], [67.5, 81.0, 67.5, 81.0], [100.0, 121.5, 100.0, 121.5]],
        ),
        # Half way: 17.5 % more maintenance on 16 October, 26.25 % more initial margin.
        (
            "ibkr",
            date(2020, 10, 16),
            [
                [29.375, 35.25, 63.125, 63.125],
                [58.75, 70.5, 63.125, 75.75],
                [88.125, 105.75, 94.6875, 113.625],
            ],
        ),
        ("ibkr", date(2020, 12, 1), RULE),
        ("retail_100", date(2019, 6, 3), [PLAIN, [100.0] * 4, [100.0] * 4]),
        ("retail_100", date(2008, 6, 3), [PLAIN, [100.0] * 4, [100.0] * 4]),
        # TD Ameritrade: 2x 60 and 3x 90 on both sides, once the notice is in force.
        ("td_2010", date(2009, 12, 1), TD),
        ("td_2010", date(2009, 11, 30), [PLAIN] * 3),
        # Scottrade: 2x 55 long and 60 short, 3x 85 and 90.
        (
            "scottrade_2010",
            date(2012, 6, 1),
            [PLAIN, [55.0, 60.0, 55.0, 60.0], [85.0, 90.0, 85.0, 90.0]],
        ),
        ("scottrade_2010", date(2009, 11, 30), [PLAIN] * 3),
        # A volatility index of 30, half above 20: a quarter more, to 100 %.
        (
            "house_volatility",
            date(2019, 6, 3),
            [PLAIN, [62.5, 75.0, 62.5, 75.0], [93.75, 100.0, 93.75, 100.0]],
        ),
        # The index fell by 4 %: a 2x fund trades 8 % of its assets, a third above 6, a 3x one 24 %,
        # three times above: 1/15 and 60 % more, to 100 %.
        (
            "house_flow",
            date(2019, 6, 3),
            [PLAIN, [53.3333333333, 64.0, 53.3333333333, 64.0], [100.0] * 4],
        ),
    ],
)
def test_a_profile_asks_the_figures_that_its_source_prints(
    profile: str, on: date, figures: list[list[float]]
) -> None:
    for got, printed in zip(asked(profile, on, 0.30, -0.04), figures, strict=True):
        assert got == pytest.approx(printed, abs=ROUNDED)


def test_a_bear_of_a_profile_is_asked_what_its_bull_is() -> None:
    for name in profile_names():
        funds = rulebook(name).terms(date(2020, 11, 2), [3.0, -3.0], [BROAD] * 2, 0.5, 0.0)
        bull, bear = per_share(funds)
        assert bull == bear


# --- a user's own --------------------------------------------------------------------------------


def test_a_users_own_profile_is_a_file_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        HEAD
        + """
title = "my broker"
commission = "ibkr_tiered"

[policy]
order_initial = "broker"

[[house]]
kind = "rate"
long_rate = 0.9
effective = 2020-03-02

[[house]]
kind = "factor"
factor = 1.2
until = 2020-03-31
""",
        encoding="utf-8",
    )
    mine = load_profile("mine.toml", tmp_path)
    assert mine == load_profile(str(tmp_path / "mine.toml"))
    assert (mine.title, mine.commission, mine.policy.order_initial) == (
        "my broker", "ibkr_tiered", "broker",
    )  # fmt: skip
    for on, kept in ((date(2020, 3, 1), 60.0), (date(2020, 3, 2), 90.0), (date(2020, 4, 1), 90.0)):
        funds = rulebook(mine).terms(on, [2.0], [BROAD])
        assert per_share(funds)[0][0] == pytest.approx(kept, abs=ROUNDED)


def test_a_path_beside_nothing_starts_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(HEAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_profile("mine.toml").financing == "ibkr"


def refusal(name: str, beside: Path) -> str:
    with pytest.raises(StudyError) as refused:
        load_profile(name, beside)
    return str(refused.value)


def test_an_unknown_profile_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    assert refusal("ikbr", tmp_path) == (
        "ikbr: no broker profile of that name; known are finra, house_flow, house_volatility, "
        "ibkr, retail_100, scottrade_2010, td_2010, or the path of a TOML file"
    )


def test_a_file_that_cannot_be_read_is_refused_by_its_path(tmp_path: Path) -> None:
    missing, folder, bytes_ = (tmp_path / f"{name}.toml" for name in ("missing", "folder", "bytes"))
    folder.mkdir()
    bytes_.write_bytes(b"\xff\xfe\x00")
    assert refusal("missing.toml", tmp_path) == (
        f"{missing}: no such file; a broker profile is a TOML file"
    )
    assert (
        refusal("folder.toml", tmp_path) == f"{folder}: a folder; a broker profile is a TOML file"
    )
    assert refusal("bytes.toml", tmp_path) == (
        f"{bytes_}: not UTF-8 text; a broker profile is a TOML file"
    )


def test_a_file_that_the_system_withholds_is_refused_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def withhold(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", withhold)
    assert refusal("mine.toml", tmp_path) == (
        f"{tmp_path / 'mine.toml'}: cannot be read (Permission denied); "
        "a broker profile is a TOML file"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = = 1", "not TOML: Invalid value (at line 1, column 9)"),
        ("standing = 'confirmed'", "source: missing; this key is required"),
        ("source = 1\nstanding = 'confirmed'", "source: 1; text in quotes is right"),
        (HEAD + "huose = 1", "huose: unknown key; did you mean house?"),
        (HEAD + "policy = 3", "policy: 3; a table is right"),
        (HEAD + "borrow = 3", "borrow: 3; a table is right"),
        (HEAD + "financing_plan = 3", "financing_plan: 3; a table is right"),
        (
            HEAD + "[policy]\nhedge_releif = 'finra'",
            "policy.hedge_releif: unknown key; did you mean hedge_relief?",
        ),
        (
            HEAD + "[policy.house]\nkind = 'rate'\nlong_rte = 1.0",
            "policy.house.long_rte: unknown key; did you mean long_rate?",
        ),
        (
            HEAD + "[policy]\nmargin_mode = 'portfolio'\nhedge_relief = 'finra'",
            "policy.hedge_relief: finra contradicts margin_mode portfolio, which knows no such "
            "rule; margin_mode strategy is right",
        ),
        (
            HEAD + "[house]\nkind = 'rate'",
            "house: {'kind': 'rate'}; a list of [[house]] tables is right",
        ),
        (HEAD + "house = [3]", "house.0: 3; a table is right"),
        (
            HEAD + "[[house]]\nkind = 'rate'\n[[house]]\nkind = 'facto'",
            "house.1.kind: 'facto'; one of 'factor', 'rate', 'volatility', 'flow' is right",
        ),
        (HEAD + "[[house]]\nlong_rate = 1.0", "house.0.kind: missing; this key is required"),
        (
            HEAD + "[[house]]\nkind = 'rate'\neffective = 'soon'",
            "house.0.effective: 'soon'; a date such as 2018-12-31 without quotes is right",
        ),
        (
            HEAD + "[[house]]\nkind = 'rate'\neffective = 2020-01-02\nuntil = 2019-12-31",
            "house.0.until: 2019-12-31 is before effective 2020-01-02; a later date is right",
        ),
        (
            HEAD + "financing = 'gratis'",
            "gratis: no financing plan of that name; known are ibkr, ibkr_2021, ibkr_lite, "
            "ibkr_older_credit",
        ),
        (
            HEAD + "commission = 'gratis'",
            "gratis: no commission plan of that name; known are ibkr_fixed, ibkr_tiered, none",
        ),
    ],
)
def test_a_profile_that_is_wrong_is_refused_with_its_path_and_what_would_be_right(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert refusal("mine.toml", tmp_path) == f"{tmp_path / 'mine.toml'}: {message}"

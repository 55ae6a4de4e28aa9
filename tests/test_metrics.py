"""The registry of figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dashboard
from dashboard.asks.made_figures import FIGURES
from dashboard.asks.tables import METRIC_OF, METRIC_OF_SUBJECT
from dashboard.panels import kpi
from models.cube import Tally
from models.errors import InputError
from models.metrics import METRICS, share_of_voice
from models.networks import BY_ID, NETWORKS, network_by_key

SHOWN = {
    "mentions",
    "net_sentiment",
    "reach",
    "share_of_voice",
    "expected_range",
    "times_expected",
    "engagement_rate",
    "topic_rise",
    "data_age",
    "times_normal",
    "detection_lag",
    "cost_of_listening",
}


def test_every_figure_has_a_definition_and_a_formula_under_its_own_key() -> None:
    assert METRICS.keys() >= SHOWN
    for key, metric in METRICS.items():
        assert metric.key == key
        assert metric.label
        assert metric.formula
        assert metric.version >= 1
        for sentence in (metric.definition, *metric.left_out):
            assert sentence[0].isupper()
            assert sentence.endswith(".")


def test_what_the_screen_names_is_in_the_registry() -> None:
    assert set(kpi.CELLS) <= METRICS.keys()
    assert {*METRIC_OF.values(), *METRIC_OF_SUBJECT.values()} <= METRICS.keys()
    assert FIGURES.keys() <= METRICS.keys()
    named = {
        key
        for path in Path(dashboard.__file__).parent.rglob("*.py")
        for key in re.findall(r'METRICS\["(\w+)"\]', path.read_text("utf-8"))
    }
    assert named
    assert named <= METRICS.keys()


def test_every_ratio_says_below_which_n_it_gets_no_arrow() -> None:
    ratios = [metric for metric in METRICS.values() if metric.unit in ("%", "pts", "z")]

    assert len(ratios) >= 5
    assert all(metric.least_n >= 20 for metric in ratios)
    assert not any(metric.adds_up for metric in ratios)


def test_share_of_voice_of_nothing_is_none_and_not_zero() -> None:
    assert share_of_voice(0, 0) is None
    assert share_of_voice(0, 10) == 0
    assert share_of_voice(5, 20) == 25


def test_net_sentiment_leaves_the_unscored_out_of_its_base() -> None:
    assert Tally(mentions=10, positive=3, neutral=1, negative=1, unscored=5).net_sentiment == pytest.approx(40)
    assert Tally(mentions=5, unscored=5).net_sentiment is None


def test_networks_have_stable_small_numbers_and_one_name_each() -> None:
    assert [network.id for network in NETWORKS] == list(range(1, len(NETWORKS) + 1))
    assert BY_ID[2].key == "x"
    assert network_by_key(" X ").name == "X"
    with pytest.raises(InputError, match='no network "twiter"; known: bluesky'):
        network_by_key("twiter")

"""The registry of figures."""

from __future__ import annotations

import pytest

from models.cube import Tally
from models.errors import InputError
from models.metrics import METRICS, share_of_voice
from models.networks import BY_ID, NETWORKS, network_by_key


def test_every_figure_has_a_definition_and_a_formula_under_its_own_key() -> None:
    assert METRICS.keys() >= {"mentions", "net_sentiment", "reach", "share_of_voice", "data_age"}
    for key, metric in METRICS.items():
        assert metric.key == key
        assert metric.label
        assert metric.definition.endswith(".")
        assert metric.formula


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

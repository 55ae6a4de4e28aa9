"""The rollups: what is counted is defined, written, read, checked and rebuilt here and nowhere else.

A cell counts one bucket of time for one brand and one combination of location, team and network, where 0 means
"all of them". Kept are, at hours and local days: all, network, location + network, team + network; at 15 minutes the
same without all; at 5 minutes all. A figure is a sum of cells: one location or team is the sum of its networks.
"""

from __future__ import annotations

from models.cube.cells import (
    DAY,
    FINE_KEPT,
    HOUR,
    NOTHING,
    QUARTER,
    VALUES,
    Cells,
    Tally,
    local_day,
    packed_engagement,
    packed_mention,
    packed_reach,
    packed_sentiment,
)
from models.cube.followers import Reach, reach, reach_by
from models.cube.grouped import (
    BRAND,
    LOCATION,
    NETWORK,
    SENTIMENTS,
    TEAM,
    Totals,
    by_team,
    counts,
    counts_by,
    needs_rows,
    series_by,
    steps,
    totals_by,
)
from models.cube.past import fine_counts, kept_for, mentions_in
from models.cube.reading import EACH_ONCE, Series, by_brand, by_brand_of, series
from models.cube.truth import Difference, check, forget_fine, rebuild

__all__ = [
    "BRAND",
    "DAY",
    "EACH_ONCE",
    "FINE_KEPT",
    "HOUR",
    "LOCATION",
    "NETWORK",
    "NOTHING",
    "QUARTER",
    "SENTIMENTS",
    "TEAM",
    "VALUES",
    "Cells",
    "Difference",
    "Reach",
    "Series",
    "Tally",
    "Totals",
    "by_brand",
    "by_brand_of",
    "by_team",
    "check",
    "counts",
    "counts_by",
    "fine_counts",
    "forget_fine",
    "kept_for",
    "local_day",
    "mentions_in",
    "needs_rows",
    "packed_engagement",
    "packed_mention",
    "packed_reach",
    "packed_sentiment",
    "reach",
    "reach_by",
    "rebuild",
    "series",
    "series_by",
    "steps",
    "totals_by",
]

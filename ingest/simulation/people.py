"""Who writes: accounts with a name, a handle that nobody has, a following and a home, the same every time."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import NamedTuple

from ingest.found import Author
from ingest.simulation.dice import UNIT, normal, sixteen
from ingest.simulation.world import NETWORKS, SITES

# Accounts that write about us or the others in a month or so, over all networks and sites.
ACCOUNTS = 30_000

_NAMES: dict[str, tuple[str, str]] = {
    "dutch": (
        "Sanne Joost Petra Bram Fleur Daan Noor Thijs Maud Ruben Lotte Sjoerd Anouk Wessel Femke Teun",
        "Veldhoek Dijkzicht Molenbrug Waterhof Kleinvoort Rietkamp Zandman Polderling Hoefsloot Brinkveer",
    ),
    "german": (
        "Hülya Jakob Hanna Lukas Mirjam Emre Greta Tobias Leni Jonas Frieda Matthis Elif Ansgar Ronja Malte",
        "Brandauer Kellermoos Steinfurth Lindhöfer Auersand Rabenau Holzwies Kranichfeld Demirsu Tannrode",
    ),
    "french": (
        "Chloé Hugo Inès Mathis Louane Bastien Maëlle Théo Amina Rémi Solène Yanis",
        "Clairvaux Montferrin Beaupuits Rochelande Valserin Dumarais Lacombère Fontagne",
    ),
    "spanish": (
        "Lucía Mateo Valeria Diego Ximena Íñigo Paloma Andrés Rocío Emilio Marisol Tadeo",
        "Valdeoro Peñalisa Montesclaro Riofrío Aldabarra Solanilla Carrasqueda Altavela",
    ),
    "brazilian": (
        "Beatriz Thiago Larissa Caio Yasmin Murilo Iara Heitor Jussara Otávio Luana Davi",
        "Campolindo Serravale Ribeirão Moreiral Pinhalta Cascadura Ouroverde Figueirol",
    ),
    "italian": (
        "Chiara Matteo Giulia Davide Serena Nicolò Marta Tommaso Ilaria Fabio",
        "Contarelli Montebruno Valdorso Pietranera Fiorelio Castelvero Boscarino",
    ),
    "polish": (
        "Zofia Piotr Hania Kacper Ola Mikołaj Jagoda Tymon Ewa Bartek",
        "Zającek Lipowski Brzozan Kamieniec Wierzbak Olszynek Modrzejak",
    ),
    "swedish": (
        "Astrid Elias Freja Nils Saga Albin Tove Oskar Maja Viggo",
        "Lindqvarn Bergshult Åkersund Nordvall Sjöstrand Ekmark Björkås",
    ),
    "turkish": (
        "Elif Kerem Zeynep Baran Defne Omar Layla Yusuf Noor Selin Tariq Hala",
        "Aydıner Yıldızlı Karasuoğlu Demirkent Haddadi Mansouria Rahmani Taşlıdere",
    ),
    "african": (
        "Thandi Tunde Amara Sipho Wanjiru Kofi Zanele Chidi Naledi Otieno Lerato Femi",
        "Mokoena Bellori Adeyoye Ndlovane Kamaura Okaforde Mbekeni Wambure Dlaminore",
    ),
    "indian": (
        "Ravi Ananya Kabir Meera Arjun Isha Vikram Nandini Rohan Priya Farhan Leela",
        "Nairam Deshpura Kulkarin Banerjal Chavandi Iyengara Patwardhi Rao-Sen",
    ),
    "asian": (
        "Wei Mei Jun Hana Kai Min Priya Daniel Seo Li Farah Jia",
        "Tanaro Limqvist Parkhae Ongwen Chuanli Kimura-Lee Rahimin Yeoway",
    ),
    "japanese": (
        "Keiko Haruto Yui Ren Sakura Sota Aoi Riku Mio Takumi Hina Kaito",
        "Morikage Tanimori Hoshikawa Asahina Kiritani Sakabe Umezono Fujimaki",
    ),
    "english": (
        "Dana Marcus Ellie Jamal Priya Owen Tess Caleb Ruth Mo Harper Theo Nadia Wes Bea Curtis",
        "Whitfieldson Ashgrove Okaforde Larkmoor Penhollow Brightwell Stonebury Marlowick Fenwright Hollis-Ray",
    ),
}
_CULTURES = {culture: (first.split(), last.split()) for culture, (first, last) in _NAMES.items()}
_LATIN = str.maketrans("áàâäãåąéèêëęíìîïıóòôöõøúùûüçćñńłśşźżğÅÍÉıʼ'- ", "aaaaaaaeeeeeiiiiioooooouuuuccnnlsszzgaiei    ")
_WORDS = (
    "kellerbier", "tramspotter", "halfempty_jar", "quietgarden", "slowtrain", "teapot_crisis", "northwindow",
    "oddsocks", "paperboat", "rainy_tuesday", "citybiker", "lentilsoup", "nightshift_nora", "spareparts",
    "latecomer", "sunday_driver",
)  # fmt: skip
_PAPERS = (
    "Handelskrant", "Geldzaken", "Polderbericht", "Commuter Watch", "Volt & Verge", "The Till Receipt", "Stadtblatt",
    "Boersenbogen", "The Evening Ledger", "Market Lane", "Kilowatt Weekly", "The Harbour Post", "La Hoja Urbana",
    "Diário da Praça", "Le Quai", "Denki Dayori", "The Daily Platform", "Shelf Life",
)  # fmt: skip
_ODD_PLACES = ("the internet", "between two trains", "Earth, mostly", "wherever the coffee is", "127.0.0.1", "here")

# Median following and share of accounts that say where they are; None = the network does not tell.
_FOLLOWING: dict[str, tuple[float | None, float]] = {
    "x": (330.0, 0.84),
    "bluesky": (210.0, 0.76),
    "mastodon": (160.0, 0.72),
    "reddit": (None, 0.55),
    "youtube": (95.0, 0.66),
    "rss": (None, 0.80),
}
_SPREAD = 1.9
# Accounts that are made private some day.
HIDING_SHARE = 0.004
_MOST_FOLLOWERS = 2_400_000


class Person(NamedTuple):
    """An author and where their profile says they live.

    `carried` is how many likes an ordinary post of theirs brings. `hides` says when they make their account private,
    as a share of the simulated time; None for almost everybody: never.
    """

    author: Author
    home: str | None
    carried: float
    hides: float | None


def carried(followers: int | None) -> float:
    """How many likes an ordinary post brings to somebody with that following."""
    return 0.1 * math.pow(followers if followers is not None else 120, 0.45)


def pool(share: float) -> int:
    """How many accounts write where `share` of everything is written."""
    return max(20, int(ACCOUNTS * share))


@lru_cache(maxsize=32768)
def person(network: int, site: int, language: str, number: int, seed: int) -> Person:
    """The account with that number among those of a network, site and language."""
    key = NETWORKS[network]
    drawn = sixteen(f"{seed}/person/{network}/{site}/{language}/{number}".encode())
    home = SITES[site]
    if key == "rss":
        name = _PAPERS[drawn[2] % len(_PAPERS)]
        handle = f"{plain(name)}.example"
    else:
        first, last = _CULTURES[home.culture]
        given, family = first[drawn[2] % len(first)], last[drawn[3] % len(last)]
        name = f"{given} {family}"
        handle = _handle(key, plain(given), plain(family), drawn[4], drawn[5])
        if key == "reddit":
            name = handle
    median, tells = _FOLLOWING[key]
    followers = None
    if median is not None:
        spread = math.exp(_SPREAD * normal(drawn[6] * UNIT, drawn[7] * UNIT))
        followers = min(_MOST_FOLLOWERS, int(median * spread))
    said = None
    if drawn[8] * UNIT < tells:
        places = home.places if drawn[9] * UNIT > 0.04 else _ODD_PLACES
        said = places[drawn[10] % len(places)]
    return Person(
        author=Author(key=f"{drawn[0]:08x}{drawn[1]:08x}", handle=handle, name=name, followers=followers),
        home=said,
        carried=carried(followers),
        hides=drawn[12] * UNIT if drawn[11] * UNIT < HIDING_SHARE and key != "rss" else None,
    )


def _handle(network: str, given: str, family: str, number: int, shape: int) -> str:
    # Every handle ends in something that the real network cannot have given to anybody we mean.
    number = number % 990 + 10
    if network == "reddit":
        return f"{_WORDS[shape % len(_WORDS)]}_{number}_sim"
    form = shape & 3
    if form < 2:
        base = f"{given}_{family}" if form else f"{given}{family}"
    else:
        base = f"{given[0]}{family}{number}" if form == 2 else f"{given}{number}"
    if network == "bluesky":
        return f"{base.replace('_', '-')}.example"
    if network == "mastodon":
        return f"{base}@{('social', 'mastodon', 'tram', 'berlin')[(shape >> 2) & 3]}.example"
    return f"{base}_sim"


@cache
def plain(name: str) -> str:
    """A name as handles write it: lower case, letters a to z."""
    latin = name.lower().translate(_LATIN).replace("&", "and")
    return "".join(character for character in latin if character.isascii() and character.isalnum())

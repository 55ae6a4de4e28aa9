"""Commands about who we are: the organisation's file, the rules of its brands, and who may sign in."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import select

from models import identity, organisation, people, settings
from models.access import ROLES, VIEWER
from models.errors import InputError, NotFound, RuleError
from models.networks import network_by_key
from models.organisation import Organisation
from models.organisation_file import apply, read
from models.rules import Subject, parse, parse_all
from models.start import existing_database
from models.tables import mention
from models.terminal import age, counted, existing, now, opened, out, print_table

app = typer.Typer(no_args_is_help=True)
organisation_app = typer.Typer(no_args_is_help=True, help="Brands, locations and teams.")
rules_app = typer.Typer(no_args_is_help=True, help="The rules that make a post a mention of a brand.")
user_app = typer.Typer(no_args_is_help=True, help="Who may sign in.")
app.add_typer(organisation_app, name="organisation")
app.add_typer(rules_app, name="rules")
app.add_typer(user_app, name="user")
MOST_KEYS_SHOWN = 30


@organisation_app.command("load", epilog="Example: watchfloor organisation load airlines.toml --dry-run")
def organisation_load(
    file: Path, dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the difference.")] = False
) -> None:
    """Bring brands, rules, locations and teams to what a TOML or CSV file says; what it does not name stays."""
    wanted = read(file)
    with opened().write() as connection:
        applied = connection.begin_nested()
        differences = apply(connection, wanted, actor="command line", now=now())
        has_mentions = connection.execute(select(mention.c.id).limit(1)).first() is not None
        if dry_run:
            applied.rollback()
    for difference in differences:
        sign = "+" if difference.action == "add" else "~"
        out.print(escape(f"{sign} {difference.thing} {difference.key} {difference.what}".rstrip()))
    if not differences:
        out.print("Nothing to change.")
        return
    verb = "would be" if dry_run else "were" if len(differences) > 1 else "was"
    out.print(f"{escape(str(file))}: {counted(len(differences), 'difference')} {verb} applied.")
    if has_mentions and any(d.thing == "organisation" and d.key == "zone" for d in differences):
        out.print("The zone is another one: run `watchfloor cube rebuild`, so that days begin at midnight there.")


@rules_app.command("test", epilog="Example: watchfloor rules test 'My Halden card is declined' --language en")
def rules_test(
    text: str,
    rule: Annotated[str | None, typer.Option(help="A rule to try, instead of those of the brands.")] = None,
    author: Annotated[str | None, typer.Option(help="Handle of the one who wrote it.")] = None,
    language: Annotated[str | None, typer.Option(help="Of the text, e.g. en or pt-br.")] = None,
    network: Annotated[str, typer.Option(help="Key of the network it was posted on, e.g. x or reddit.")] = "other",
) -> None:
    """Say which brands a text is a mention of, and by which words."""
    subject = Subject(text=text, author=author, language=language, network=network_by_key(network).key)
    if rule is not None:
        try:
            hit = parse(rule).matches(subject)
        except RuleError as error:
            raise InputError(f"the rule does not parse:\n{error.pointed()}") from error
        matched = f"The rule matches by {_said(hit)}." if hit is not None else "The rule does not match."
        out.print(escape(matched))
        return
    with existing().read() as connection:
        current = organisation.current(connection, now())
    hits = 0
    for brand in current.brands:
        hit = parse_all(brand.rules).matches(subject) if brand.rules else None
        if hit is not None:
            out.print(escape(f"{brand.name} ({brand.key}): {_said(hit)}"))
            hits += 1
    if not any(brand.rules for brand in current.brands):
        out.print("No brand has a rule yet; load some with `watchfloor organisation load`.")
    elif hits:
        out.print(f"A mention of {counted(hits, 'brand')}.")
    else:
        out.print("No brand's rule matches: the post would be kept as unmatched.")


def _said(words: tuple[str, ...]) -> str:
    return ", ".join(f'"{word}"' for word in words) or "its author"


@user_app.command("add", epilog="Example: watchfloor user add ana@example.org --name 'Ana Novak' --brand halden-bank")
def user_add(
    email: str,
    name: Annotated[str, typer.Option(help="As colleagues see it.")],
    role: Annotated[str, typer.Option(help=", ".join(ROLES))] = VIEWER,
    brand: Annotated[list[str] | None, typer.Option(help="Key of a brand they may see; all without it.")] = None,
    location: Annotated[
        list[str] | None, typer.Option(help="Key of a location they may see, with those below.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a password from standard input.")
    ] = False,
) -> None:
    """Let somebody sign in; without a password by a link from `watchfloor signin-link`."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with opened().write() as connection:
        current = organisation.current(connection, now())
        people.add_person(
            connection,
            email=email,
            name=name,
            role=role,
            now=now(),
            brand_ids=_brand_ids(brand, current) if brand else None,
            location_ids=_location_ids(location, current) if location else None,
            password=password,
        )
    way = "with the password" if password_stdin else f"by a link: watchfloor signin-link {email}"
    out.print(escape(f"{email} may sign in as {role}, {way}."))


def _brand_ids(keys: Iterable[str], current: Organisation) -> list[int]:
    try:
        return [current.brand_by_key(key).id for key in keys]
    except NotFound as error:
        raise InputError(f"{error}; {_known(item.key for item in current.brands)}") from error


def _location_ids(keys: Iterable[str], current: Organisation) -> list[int]:
    try:
        return [current.location_by_key(key).id for key in keys]
    except NotFound as error:
        raise InputError(f"{error}; {_known(item.key for item in current.locations)}") from error


def _known(keys: Iterable[str]) -> str:
    listed = list(keys)
    more = f" and {len(listed) - MOST_KEYS_SHOWN} more" if len(listed) > MOST_KEYS_SHOWN else ""
    return f"known: {', '.join(listed[:MOST_KEYS_SHOWN])}{more}"


@user_app.command("list", epilog="Example: watchfloor user list")
def user_list() -> None:
    """Everybody who may or might sign in."""
    with existing().read() as connection:
        current = organisation.current(connection, now())
        found = people.list_people(connection, now())
    table = Table("email", "name", "roles", "brands", "locations", "last seen", box=None)
    brands = {item.id: item.key for item in current.brands}
    places = {item.id: item.key for item in current.locations}
    for person in found:
        table.add_row(
            escape(person.email),
            escape(person.name),
            "disabled" if person.disabled_at else ", ".join(person.roles) or "none",
            _keys(person.brand_ids, brands),
            _keys(person.location_ids, places),
            "never" if person.last_seen_at is None else f"{age((now() - person.last_seen_at).total_seconds())} ago",
        )
    if found:
        print_table(table)
    out.print(f"{counted(len(found), 'person', 'people')}.")


def _keys(ids: frozenset[int] | None, keys: dict[int, str]) -> str:
    return "all" if ids is None else ", ".join(keys.get(i, str(i)) for i in sorted(ids))


@user_app.command("disable", epilog="Example: watchfloor user disable ana@example.org")
def user_disable(email: str) -> None:
    """End somebody's sessions and let them sign in no more."""
    with existing().write() as connection:
        ended = identity.disable_person(connection, email, now())
    out.print(escape(f"{email} may not sign in any more; {counted(ended, 'open session')} ended."))


@app.command("signin-link", epilog="Example: watchfloor signin-link ana@example.org")
def signin_link(email: str) -> None:
    """Print a link that signs somebody in once, within 15 minutes."""
    loaded = settings.load()
    with existing_database(loaded).write() as connection:
        token = identity.make_link(connection, email, now())
    typer.echo(f"{loaded.address}/signin/link?token={token}")

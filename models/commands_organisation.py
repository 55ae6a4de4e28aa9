"""Commands about who we are: the organisation's file, and the rules of its brands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import select

from models import organisation
from models.errors import InputError, RuleError
from models.networks import network_by_key
from models.organisation_file import apply, read
from models.rules import Subject, parse, parse_all
from models.tables import mention
from models.terminal import counted, existing, now, opened, out

app = typer.Typer(no_args_is_help=True)
organisation_app = typer.Typer(no_args_is_help=True, help="Brands, locations and teams.")
rules_app = typer.Typer(no_args_is_help=True, help="The rules that make a post a mention of a brand.")
app.add_typer(organisation_app, name="organisation")
app.add_typer(rules_app, name="rules")


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

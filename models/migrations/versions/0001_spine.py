"""The spine: organisation, people, sources, mentions, rollups, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# What text search looks through, the same columns on both databases.
SQLITE_TEXT = """
create virtual table mention_text using fts5(
    text, author_handle, author_name,
    content='mention', content_rowid='id', tokenize="unicode61 remove_diacritics 0"
)
"""
POSTGRES_TEXT = """
create index ix_mention_text on mention using gin (
    to_tsvector('simple', text || ' ' || coalesce(author_handle, '') || ' ' || coalesce(author_name, ''))
) with (fastupdate = on, gin_pending_list_limit = 16384)
"""


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "audit",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_table(
        "author_day",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("network_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("author_key", sa.String(length=512), nullable=False),
        sa.Column("followers", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "day", "network_id", "author_key", name="pk_author_day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "brand",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("monogram", sa.String(length=4), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind in ('own', 'competitor', 'unmatched')", name="ck_brand_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_brand"),
        sa.UniqueConstraint("key", name="uq_brand_key"),
    )
    op.create_table(
        "change",
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "brand_id", name="pk_change"),
    )
    op.create_table(
        "cube",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("granularity", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("team_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("network_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mentions", sa.BigInteger(), nullable=False),
        sa.Column("positive", sa.BigInteger(), nullable=False),
        sa.Column("neutral", sa.BigInteger(), nullable=False),
        sa.Column("negative", sa.BigInteger(), nullable=False),
        sa.Column("unscored", sa.BigInteger(), nullable=False),
        sa.Column("likes", sa.BigInteger(), nullable=False),
        sa.Column("replies", sa.BigInteger(), nullable=False),
        sa.Column("reposts", sa.BigInteger(), nullable=False),
        sa.Column("reach", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "brand_id", "granularity", "location_id", "team_id", "network_id", "bucket", name="pk_cube"
        ),
        postgresql_with={"fillfactor": 70},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "location",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("monogram", sa.String(length=4), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind in ('region', 'country', 'site', 'unknown')", name="ck_location_kind"),
        sa.ForeignKeyConstraint(["parent_id"], ["location.id"], name="fk_location_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_location"),
        sa.UniqueConstraint("key", name="uq_location_key"),
    )
    keys: tuple[sa.Constraint, ...] = (sa.PrimaryKeyConstraint("brand_id", "id", name="pk_mention"),)
    if sqlite:
        # Full text needs an integer rowid; "INTEGER PRIMARY KEY" alone makes the id one.
        keys = (
            sa.PrimaryKeyConstraint("id", name="pk_mention"),
            sa.UniqueConstraint("brand_id", "id", name="uq_mention_brand_id_id"),
        )
    op.create_table(
        "mention",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("network_id", sa.SmallInteger(), nullable=False),
        sa.Column("external_id", sa.String(length=512), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.Column("posted_at_given", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("author_key", sa.String(length=512), nullable=False),
        sa.Column("author_handle", sa.Text(), nullable=True),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("author_followers", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("reply_to", sa.String(length=512), nullable=True),
        sa.Column("media", sa.JSON(), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("language_by", sa.String(length=32), nullable=True),
        sa.Column("sentiment", sa.SmallInteger(), nullable=True),
        sa.Column("sentiment_score", sa.Float(), nullable=True),
        sa.Column("sentiment_by", sa.String(length=32), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("matched", sa.JSON(), nullable=True),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.Column("replies", sa.BigInteger(), nullable=True),
        sa.Column("reposts", sa.BigInteger(), nullable=True),
        sa.Column("impressions", sa.BigInteger(), nullable=True),
        *keys,
        sa.UniqueConstraint("brand_id", "network_id", "external_id", name="uq_mention_brand_id_network_id_external_id"),
    )
    op.create_index("ix_mention_brand_id_location_id_id", "mention", ["brand_id", "location_id", "id"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("email", name="uq_person_email"),
    )
    op.create_table(
        "post",
        sa.Column("network_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.String(length=512), nullable=False),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.Column("replies", sa.BigInteger(), nullable=True),
        sa.Column("reposts", sa.BigInteger(), nullable=True),
        sa.Column("impressions", sa.BigInteger(), nullable=True),
        sa.Column("measured_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("network_id", "external_id", name="pk_post"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_setting"),
    )
    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("network_id", sa.SmallInteger(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=True),
        sa.Column("every_seconds", sa.Float(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=True),
        sa.Column("progress", sa.Float(), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True),
        sa.Column("last_new_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_error_at", sa.BigInteger(), nullable=True),
        sa.Column("rate_left", sa.Float(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state in ('active', 'paused', 'disconnected', 'gone', 'done')", name="ck_source_state"),
        sa.PrimaryKeyConstraint("id", name="pk_source"),
        sa.UniqueConstraint("name", name="uq_source_name"),
    )
    op.create_index("ix_source_state_due_at", "source", ["state", "due_at"], unique=False)
    op.create_table(
        "team",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_team"),
        sa.UniqueConstraint("key", name="uq_team_key"),
    )
    op.create_table(
        "brand_rule",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name="fk_brand_rule_brand_id"),
        sa.PrimaryKeyConstraint("brand_id", "version", name="pk_brand_rule"),
    )
    op.create_table(
        "competitor",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("competitor_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name="fk_competitor_brand_id"),
        sa.ForeignKeyConstraint(["competitor_id"], ["brand.id"], name="fk_competitor_competitor_id"),
        sa.PrimaryKeyConstraint("brand_id", "competitor_id", name="pk_competitor"),
    )
    op.create_table(
        "coverage",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("covered_from", sa.BigInteger(), nullable=False),
        sa.Column("covered_to", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_coverage_source_id"),
        sa.PrimaryKeyConstraint("source_id", "covered_from", name="pk_coverage"),
    )
    op.create_table(
        "fetch",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("window_from", sa.BigInteger(), nullable=True),
        sa.Column("window_to", sa.BigInteger(), nullable=True),
        sa.Column("fetches", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("new_items", sa.Integer(), nullable=False),
        sa.Column("set_aside", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("rate_left", sa.Float(), nullable=True),
        sa.Column("error_kind", sa.String(length=16), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_fetch_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fetch"),
    )
    op.create_index("ix_fetch_source_id_ended_at", "fetch", ["source_id", "ended_at"], unique=False)
    op.create_table(
        "membership",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("right", sa.String(length=16), nullable=False),
        sa.Column("brand_ids", sa.JSON(), nullable=True),
        sa.Column("location_ids", sa.JSON(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("\"right\" in ('admin', 'viewer')", name="ck_membership_right"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_membership_person_id"),
        sa.PrimaryKeyConstraint("person_id", "right", name="pk_membership"),
    )
    op.create_table(
        "session",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("csrf_token", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_session_person_id"),
        sa.PrimaryKeyConstraint("id_hash", name="pk_session"),
    )
    op.create_index("ix_session_person_id", "session", ["person_id"], unique=False)
    op.create_table(
        "set_aside",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_set_aside_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_set_aside"),
        sa.UniqueConstraint("digest", name="uq_set_aside_digest"),
    )
    op.create_index("ix_set_aside_source_id_at", "set_aside", ["source_id", "at"], unique=False)
    op.create_table(
        "signin_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_signin_link_person_id"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_signin_link"),
    )
    op.create_table(
        "team_cover",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("location_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_team_cover_team_id"),
        sa.PrimaryKeyConstraint("team_id", "brand_id", "location_id", name="pk_team_cover"),
    )
    op.create_index("ix_team_cover_rank", "team_cover", ["rank"], unique=False)
    op.execute(SQLITE_TEXT if sqlite else POSTGRES_TEXT)
    # What no brand claimed, no place is known for and no team covers has a row of its own, 1 in every dimension.
    since_2000 = 946_684_800_000_000
    unmatched = {"key": "unmatched", "name": "Unmatched", "kind": "unmatched", "monogram": "··"}
    unknown = {"key": "unknown", "name": "Unknown place", "kind": "unknown", "monogram": "··", "aliases": []}
    for table, row in (("brand", unmatched), ("location", unknown), ("team", {"key": "none", "name": "No team"})):
        columns = [sa.column(name, sa.JSON() if name == "aliases" else None) for name in ("id", *row, "valid_from")]
        op.bulk_insert(sa.table(table, *columns), [{"id": 1, **row, "valid_from": since_2000}])

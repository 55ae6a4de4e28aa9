"""Ingest in depth: conversations, posts of ours, edits and deletions, copies, places, quotas, money."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Sums that other cells hold: a location or a team over all networks, and everything at 15 minutes.
    op.execute("delete from cube where network_id = 0 and (location_id <> 0 or team_id <> 0 or granularity = 900)")
    if op.get_bind().dialect.name == "sqlite" and sqlite3.sqlite_version_info >= (3, 42):
        # The words of a deleted post leave the index at once; older ones drop them when they merge its parts.
        op.execute("insert into mention_text (mention_text, rank) values ('secure-delete', 1)")
    if op.get_bind().dialect.name == "postgresql":
        # What ANALYZE would sample here is a tsvector that no plan asks about.
        op.execute("alter index ix_mention_text alter column 1 set statistics 0")
    op.create_table(
        "copy_account",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("copy_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("network_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("author_key", sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "copy_id", "network_id", "author_key", name="pk_copy_account"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "copy_group",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("copy_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "copy_id", name="pk_copy_group"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "engagement",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("network_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.String(length=512), nullable=False),
        sa.Column("measured_at", sa.BigInteger(), nullable=False),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.Column("replies", sa.BigInteger(), nullable=True),
        sa.Column("reposts", sa.BigInteger(), nullable=True),
        sa.Column("impressions", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("brand_id", "network_id", "external_id", "measured_at", name="pk_engagement"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "measure_due",
        sa.Column("network_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.String(length=512), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "external_id", name="pk_measure_due"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_measure_due_source_id_due_at", "measure_due", ["source_id", "due_at"], unique=False)
    op.create_table(
        "mention_version",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mention_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("edited_at", sa.BigInteger(), nullable=True),
        sa.Column("replaced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "mention_id", "number", name="pk_mention_version"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "our_post",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("network_id", sa.SmallInteger(), nullable=False),
        sa.Column("external_id", sa.String(length=512), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("reply_to", sa.String(length=512), nullable=True),
        sa.Column("media", sa.JSON(), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.Column("replies", sa.BigInteger(), nullable=True),
        sa.Column("reposts", sa.BigInteger(), nullable=True),
        sa.Column("impressions", sa.BigInteger(), nullable=True),
        sa.Column("measured_at", sa.BigInteger(), nullable=False),
        sa.Column("edited_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("brand_id", "id", name="pk_our_post"),
        sa.UniqueConstraint(
            "brand_id", "network_id", "external_id", name="uq_our_post_brand_id_network_id_external_id"
        ),
    )
    op.create_index("ix_our_post_brand_id_account_id_id", "our_post", ["brand_id", "account_id", "id"], unique=False)
    op.create_table(
        "rate_limit",
        sa.Column("app", sa.String(length=64), nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.Column("remaining", sa.Integer(), nullable=True),
        sa.Column("resets_at", sa.BigInteger(), nullable=True),
        sa.Column("blocked_until", sa.BigInteger(), nullable=True),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("app", "endpoint", name="pk_rate_limit"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "thread_post",
        sa.Column("network_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.String(length=512), nullable=False),
        sa.Column("parent", sa.String(length=512), nullable=False),
        sa.Column("root", sa.String(length=512), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.Column("author_key", sa.String(length=512), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("network_id", "external_id", name="pk_thread_post"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_thread_post_network_id_root_posted_at", "thread_post", ["network_id", "root", "posted_at"], unique=False
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("network_id", sa.SmallInteger(), nullable=False),
        sa.Column("handle", sa.String(length=200), nullable=False),
        sa.Column("author_key", sa.String(length=512), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind in ('company', 'support', 'site', 'person')", name="ck_account_kind"),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name="fk_account_brand_id"),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name="fk_account_location_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("network_id", "handle", name="uq_account_network_id_handle"),
    )
    op.create_table(
        "duty",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_duty_source_id"),
        sa.PrimaryKeyConstraint("source_id", "kind", name="pk_duty"),
        sqlite_with_rowid=False,
    )
    op.add_column("fetch", sa.Column("kind", sa.String(length=16), server_default="fetch", nullable=False))
    op.add_column("fetch", sa.Column("units", sa.JSON(), nullable=True))
    op.drop_index("ix_fetch_source_id_ended_at", table_name="fetch")
    op.create_index(
        "ix_fetch_day",
        "fetch",
        ["source_id", "ended_at", "kind", "error_kind", "fetches", "items", "new_items", "cost"],
        unique=False,
    )
    op.add_column("mention", sa.Column("quote_of", sa.String(length=512), nullable=True))
    op.add_column("mention", sa.Column("repost_of", sa.String(length=512), nullable=True))
    op.add_column("mention", sa.Column("home", sa.Text(), nullable=True))
    op.add_column("mention", sa.Column("home_geo", sa.Integer(), nullable=True))
    op.add_column("mention", sa.Column("home_confidence", sa.SmallInteger(), nullable=True))
    op.add_column("mention", sa.Column("place_geo", sa.Integer(), nullable=True))
    op.add_column("mention", sa.Column("place_by", sa.String(length=16), nullable=True))
    op.add_column("mention", sa.Column("place_confidence", sa.SmallInteger(), nullable=True))
    op.add_column("mention", sa.Column("location_by", sa.String(length=16), nullable=True))
    op.add_column("mention", sa.Column("copy_id", sa.BigInteger(), nullable=True))
    op.add_column("mention", sa.Column("edited_at", sa.BigInteger(), nullable=True))
    op.add_column("mention", sa.Column("deleted_at", sa.BigInteger(), nullable=True))
    op.add_column("set_aside", sa.Column("network_id", sa.SmallInteger(), nullable=True))
    op.add_column("set_aside", sa.Column("external_id", sa.String(length=512), nullable=True))
    op.create_index("ix_set_aside_network_id_external_id", "set_aside", ["network_id", "external_id"], unique=False)
    op.add_column("source", sa.Column("secrets", sa.LargeBinary(), nullable=True))
    op.add_column("source", sa.Column("budget", sa.Float(), nullable=True))
    op.add_column("source", sa.Column("month", sa.Integer(), nullable=True))
    op.add_column("source", sa.Column("spent", sa.Float(), nullable=True))
    op.add_column("source", sa.Column("quiet", sa.JSON(), nullable=True))
    op.add_column("source", sa.Column("paused_at", sa.BigInteger(), nullable=True))
    op.add_column("source", sa.Column("paused_because", sa.Text(), nullable=True))
    op.add_column("source", sa.Column("remeasure", sa.String(length=8), server_default="none", nullable=False))
    op.create_table(
        "source_check",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'trying', 'works', 'refused')", name="ck_source_check_state"),
        sa.PrimaryKeyConstraint("id", name="pk_source_check"),
    )
    op.create_index("ix_source_check_state_asked_at", "source_check", ["state", "asked_at"], unique=False)
    op.create_table(
        "correction",
        sa.Column("brand_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("network_id", sa.SmallInteger(), nullable=False),
        sa.Column("external_id", sa.String(length=512), nullable=False),
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.Column("edited_at", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("field in ('sentiment', 'location', 'brand')", name="ck_correction_field"),
        sa.PrimaryKeyConstraint("brand_id", "id", name="pk_correction"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_correction_brand_id_network_id_external_id",
        "correction",
        ["brand_id", "network_id", "external_id"],
        unique=False,
    )
    op.create_table(
        "charged",
        sa.Column("network_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("payer", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("external_id", sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint("network_id", "payer", "day", "unit", "external_id", name="pk_charged"),
        sqlite_with_rowid=False,
    )

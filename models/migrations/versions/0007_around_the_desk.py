"""Around the desk: roles, company sign-on, shifts, accounts, incidents, the audit chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ROLES = "'viewer', 'agent', 'approver', 'manager', 'admin', 'auditor', 'display'"
# Rows of these are only added.
KEPT = ("audit", "audit_link", "audit_head")


def upgrade() -> None:
    _make_tables()
    _add_columns()
    _renumber_memberships()
    _keep_audit()


def _make_tables() -> None:
    op.create_table(
        "audit_head",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("number", BIG_ID, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("exported_to", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("day", name="pk_audit_head"),
    )
    op.create_table(
        "audit_link",
        sa.Column("number", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("audit_id", BIG_ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_link"),
        sa.UniqueConstraint("audit_id", name="uq_audit_link_audit_id"),
    )
    op.create_table(
        "audit_turn",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("fence", BIG_ID, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("checked", sa.JSON(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_turn"),
    )
    op.create_table(
        "signon_flow",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("code_verifier", sa.String(length=128), nullable=False),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name="pk_signon_flow"),
    )
    op.create_table(
        "deputy",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["deputy_id"], ["person.id"], name="fk_deputy_deputy_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_deputy_person_id"),
        sa.PrimaryKeyConstraint("person_id", "valid_from", name="pk_deputy"),
    )
    op.create_table(
        "identity_link",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_identity_link_person_id"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identity_link"),
    )
    op.create_index("ix_identity_link_person_id", "identity_link", ["person_id"])
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("outbound", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("detected_at", sa.BigInteger(), nullable=True),
        sa.Column("alert_id", BIG_ID, nullable=True),
        sa.Column("declared_at", sa.BigInteger(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("next_update_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("outbound in ('frozen', 'manager')", name="ck_incident_outbound"),
        sa.CheckConstraint("severity in (1, 2, 3)", name="ck_incident_severity"),
        sa.ForeignKeyConstraint(["lead_id"], ["person.id"], name="fk_incident_lead_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_table(
        "shift_pattern",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("start_minute", sa.SmallInteger(), nullable=False),
        sa.Column("end_minute", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_shift_pattern_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_shift_pattern_team_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shift_pattern"),
    )
    op.create_table(
        "shift_status",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.CheckConstraint("status in ('on', 'off', 'break')", name="ck_shift_status_status"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_shift_status_person_id"),
        sa.PrimaryKeyConstraint("person_id", "at", name="pk_shift_status"),
    )
    op.create_table(
        "account_breaker",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_breaker_account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_account_breaker"),
    )
    op.create_table(
        "account_health",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("capability", sa.String(length=16), nullable=False),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("capability in ('read', 'reply', 'publish')", name="ck_account_health_capability"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_health_account_id"),
        sa.PrimaryKeyConstraint("account_id", "capability", name="pk_account_health"),
    )
    op.create_table(
        "account_part",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("part in ('owner', 'deputy')", name="ck_account_part_part"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_part_account_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_account_part_person_id"),
        sa.PrimaryKeyConstraint("account_id", "part", "valid_from", name="pk_account_part"),
    )
    op.create_table(
        "incident_event",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("href", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_event_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", "number", name="pk_incident_event"),
    )
    op.create_table(
        "incident_person",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=80), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_person_incident_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_incident_person_person_id"),
        sa.PrimaryKeyConstraint("incident_id", "person_id", name="pk_incident_person"),
    )
    op.create_table(
        "incident_report",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("signed", sa.JSON(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_report_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", name="pk_incident_report"),
    )
    op.create_table(
        "incident_statement",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("in_use_at", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state in ('draft', 'in_use', 'withdrawn')", name="ck_incident_statement_state"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_statement_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", "version", name="pk_incident_statement"),
    )
    op.create_table(
        "incident_task",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_task_incident_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name="fk_incident_task_owner_id"),
        sa.PrimaryKeyConstraint("incident_id", "number", name="pk_incident_task"),
    )


def _add_columns() -> None:
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("owner_id", sa.Integer()))
        batch_op.add_column(sa.Column("deputy_id", sa.Integer()))
        batch_op.add_column(sa.Column("team_id", sa.Integer()))
        batch_op.add_column(sa.Column("purpose", sa.Text()))
        batch_op.add_column(sa.Column("audience", sa.Text()))
        batch_op.add_column(sa.Column("voice", sa.JSON()))
        batch_op.add_column(sa.Column("secrets", sa.LargeBinary()))
        batch_op.add_column(sa.Column("secrets_expire_at", sa.BigInteger()))
        batch_op.create_foreign_key("fk_account_owner_id", "person", ["owner_id"], ["id"])
        batch_op.create_foreign_key("fk_account_deputy_id", "person", ["deputy_id"], ["id"])
        batch_op.create_foreign_key("fk_account_team_id", "team", ["team_id"], ["id"])
    op.add_column("audit", sa.Column("address", sa.String(64)))
    op.add_column("audit", sa.Column("brand_id", sa.Integer()))
    op.add_column("audit", sa.Column("case_id", BIG_ID))
    op.create_index("ix_audit_brand_id_case_id", "audit", ["brand_id", "case_id"])
    for name in ("is_break_glass", "is_trainee"):
        op.add_column("person", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("person", sa.Column("invited_at", sa.BigInteger()))


def _renumber_memberships() -> None:
    """A person may have one role twice, for two brands: the key becomes a number."""
    op.execute("create table membership_before as select * from membership")
    op.drop_table("membership")
    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("right", sa.String(16), nullable=False),
        sa.Column("brand_ids", sa.JSON()),
        sa.Column("location_ids", sa.JSON()),
        sa.Column("team_ids", sa.JSON()),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger()),
        sa.Column("granted_by", sa.Text()),
        sa.Column("reviewed_at", sa.BigInteger()),
        sa.CheckConstraint(f'"right" in ({ROLES})', name="ck_membership_right"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_membership_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
    )
    op.create_index("ix_membership_person_id", "membership", ["person_id"])
    op.execute(
        'insert into membership (id, person_id, "right", brand_ids, location_ids, valid_from, valid_to)'
        ' select row_number() over (order by person_id, "right"), person_id, "right", brand_ids, location_ids,'
        " valid_from, valid_to from membership_before"
    )
    op.drop_table("membership_before")


def _keep_audit() -> None:
    """The database itself refuses to change or delete what was written to the audit log."""
    if op.get_bind().dialect.name == "sqlite":
        for table in KEPT:
            for verb in ("update", "delete"):
                op.execute(
                    f"create trigger {table}_no_{verb} before {verb} on {table}"
                    f" begin select raise(abort, 'rows of {table} are only added'); end"
                )
        return
    op.execute(
        "create function audit_is_kept() returns trigger language plpgsql as"
        " $$ begin raise exception 'rows of % are only added', tg_table_name using errcode = '42501'; end $$"
    )
    for table in KEPT:
        op.execute(
            f"create trigger {table}_kept before update or delete or truncate on {table}"
            " for each statement execute function audit_is_kept()"
        )

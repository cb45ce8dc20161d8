"""The whole schema of the first version."""

import sqlalchemy as sa
from alembic import op

import casewell.kernel.types

revision = "first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activity_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("recorded_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column(
            "actor_kind",
            sa.Enum(
                "staff",
                "client",
                "system",
                "provider",
                name="actorkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("subject_type", sa.String(length=64), nullable=True),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_events")),
        sa.UniqueConstraint("client_id", "seq", name=op.f("uq_activity_events_client_id_seq")),
    )
    op.create_index(
        op.f("ix_activity_events_client_id_occurred_at_id"),
        "activity_events",
        ["client_id", "occurred_at", "id"],
        unique=False,
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_key_at"), "attempts", ["key", "at"], unique=False)
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("staff_name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("seq", name=op.f("uq_audit_events_seq")),
    )
    op.create_index(op.f("ix_audit_events_kind"), "audit_events", ["kind"], unique=False)
    op.create_index(op.f("ix_audit_events_staff_id"), "audit_events", ["staff_id"], unique=False)
    op.create_table(
        "carrier_reports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column(
            "error_code", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("received_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_reports")),
        sa.UniqueConstraint(
            "provider_id", "status", name=op.f("uq_carrier_reports_provider_id_status")
        ),
    )
    op.create_table(
        "channel_states",
        sa.Column(
            "channel",
            sa.Enum(
                "email",
                "sms",
                "portal",
                "call",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stopped_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("away_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_states")),
    )
    op.create_table(
        "file_faults",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "missing",
                "damaged",
                "unused",
                name="filefaultkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("named_by", sa.String(length=64), nullable=True),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("found_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("checked_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_file_faults")),
    )
    op.create_table(
        "firm",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("second_factor_required", sa.Boolean(), nullable=False),
        sa.Column("second_factor_off_reason", sa.String(length=500), nullable=True),
        sa.Column("sending_paused_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("sending_paused_reason", sa.String(length=500), nullable=True),
        sa.Column("opening_hours", sa.JSON(), nullable=False),
        sa.Column(
            "answer_within_hours",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("anchor_email", sa.String(length=254), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "answer_within_hours BETWEEN 1 AND 80", name=op.f("ck_firm_target_in_reach")
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_firm_only_one")),
        sa.CheckConstraint(
            "second_factor_required OR second_factor_off_reason IS NOT NULL",
            name=op.f("ck_firm_reason_to_turn_it_off"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firm")),
    )
    op.create_table(
        "ledger_anchors",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=True),
        sa.Column("chains", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("written_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("mailed_to", sa.String(length=254), nullable=False),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_anchors")),
        sa.UniqueConstraint("day", name=op.f("uq_ledger_anchors_day")),
    )
    op.create_index(
        "ix_ledger_anchors_due",
        "ledger_anchors",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "ledger_heads",
        sa.Column(
            "client_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_ledger_heads")),
    )
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "security",
            sa.Enum(
                "tls",
                "starttls",
                "plain",
                name="imapsecurity",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("username", sa.String(length=320), nullable=False),
        sa.Column(
            "password", casewell.kernel.types.Encrypted("mailboxes.password"), nullable=False
        ),
        sa.Column("folder", sa.String(length=255), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "connecting",
                "working",
                "sign_in_refused",
                "unreachable",
                "paused",
                name="mailboxstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("state_since", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column(
            "uid_validity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("last_uid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "first_uid_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "first_total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "first_done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("last_success_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("last_mail_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("refusals", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("compared_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "server_mails", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "missing_mails", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("missing_uids", sa.JSON(), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
        sa.UniqueConstraint(
            "host", "username", "folder", name=op.f("uq_mailboxes_host_username_folder")
        ),
    )
    op.create_table(
        "part_health",
        sa.Column("part", sa.String(length=40), nullable=False),
        sa.Column(
            "standing",
            sa.Enum(
                "working",
                "attention",
                "failing",
                "off",
                name="standing",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("since", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("checked_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("finding", sa.String(length=500), nullable=False),
        sa.Column("advice", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_part_health")),
    )
    op.create_table(
        "period_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("schedule", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=32), nullable=False),
        sa.Column("started_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("finished_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period_runs")),
        sa.UniqueConstraint("schedule", "period", name=op.f("uq_period_runs_schedule_period")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "owner",
                "manager",
                "attorney",
                "case_manager",
                "viewer",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column(
            "theme",
            sa.Enum(
                "system",
                "light",
                "dark",
                name="theme",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("preferences", sa.JSON(), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=True),
        sa.Column(
            "totp_secret", casewell.kernel.types.Encrypted("staff.totp_secret"), nullable=True
        ),
        sa.Column("totp_confirmed_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "totp_last_step", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("deactivated_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("last_sign_in_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )
    op.create_table(
        "system_mails",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invitation",
                "password_reset",
                "email_change_old",
                "email_change_new",
                "account_changed",
                "anchor",
                "anchor_address_changed",
                "client_invitation",
                "client_link",
                "client_message",
                name="systemmailkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("to", sa.String(length=254), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("sent_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_mails")),
    )
    op.create_index(
        "ix_system_mails_due",
        "system_mails",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "text_comparisons",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("compared_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("seen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stored", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fetched", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_comparisons")),
    )
    op.create_table(
        "text_counts",
        sa.Column(
            "counted",
            sa.Enum(
                "number",
                "prefix",
                "source",
                "day",
                "month",
                "answers",
                name="counted",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("counted", "key", "day", name=op.f("pk_text_counts")),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secret", casewell.kernel.types.Encrypted("webhooks.secret"), nullable=False),
        sa.Column(
            "old_secret", casewell.kernel.types.Encrypted("webhooks.old_secret"), nullable=True
        ),
        sa.Column("old_secret_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "paused",
                "stopped",
                name="hookstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("state_since", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("last_success_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("failing_since", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("away_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("expires_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("last_used_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("revoked_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_api_tokens_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_staff_id"), "api_tokens", ["staff_id"], unique=False)
    op.create_table(
        "client_imports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("file_key", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("encoding", sa.String(length=32), nullable=False),
        sa.Column("delimiter", sa.String(length=1), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "uploaded",
                "running",
                "done",
                "cancelled",
                "failed",
                name="importstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "rows_total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "rows_done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("updated", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "unchanged", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("refused", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("finished_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_client_imports_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_imports")),
    )
    op.create_table(
        "client_tags",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("name_key", sa.String(length=120), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["staff.id"], name=op.f("fk_client_tags_made_by_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_tags")),
        sa.UniqueConstraint("name_key", name=op.f("uq_client_tags_name_key")),
    )
    op.create_table(
        "client_views",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("name_key", sa.String(length=120), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_client_views_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_views")),
        sa.UniqueConstraint("staff_id", "name_key", name=op.f("uq_client_views_staff_id_name_key")),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=32), nullable=True),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("sort_name", sa.String(length=210), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "lead",
                "onboarding",
                "active",
                "waiting",
                "completed",
                "cancelled",
                name="clientstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "main_responsible_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "second_responsible_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("postal_code", sa.String(length=10), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column(
            "preferred_channel",
            sa.Enum(
                "email",
                "sms",
                "portal",
                "call",
                name="preferredchannel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("date_of_birth", sa.Date(), nullable=True),
        sa.Column("ssn", casewell.kernel.types.Encrypted("clients.ssn"), nullable=True),
        sa.Column("ssn_last4", sa.String(length=4), nullable=True),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("updated_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column(
            "merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("import_key", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "(ssn IS NULL) = (ssn_last4 IS NULL)", name=op.f("ck_clients_ssn_with_last4")
        ),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR merged_into_id <> id", name=op.f("ck_clients_not_into_self")
        ),
        sa.CheckConstraint(
            "second_responsible_id IS NULL OR second_responsible_id <> main_responsible_id",
            name=op.f("ck_clients_two_different_people"),
        ),
        sa.ForeignKeyConstraint(
            ["main_responsible_id"], ["staff.id"], name=op.f("fk_clients_main_responsible_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["clients.id"], name=op.f("fk_clients_merged_into_id_clients")
        ),
        sa.ForeignKeyConstraint(
            ["second_responsible_id"],
            ["staff.id"],
            name=op.f("fk_clients_second_responsible_id_staff"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
        sa.UniqueConstraint("import_key", name=op.f("uq_clients_import_key")),
    )
    op.create_index(op.f("ix_clients_created_at_id"), "clients", ["created_at", "id"], unique=False)
    op.create_index(
        op.f("ix_clients_main_responsible_id_sort_name_id"),
        "clients",
        ["main_responsible_id", "sort_name", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_clients_reference"),
        "clients",
        ["reference"],
        unique=True,
        postgresql_ops={"reference": "text_pattern_ops"},
    )
    op.create_index(
        op.f("ix_clients_second_responsible_id_sort_name_id"),
        "clients",
        ["second_responsible_id", "sort_name", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_clients_sort_name_id"), "clients", ["sort_name", "id"], unique=False)
    op.create_index(
        op.f("ix_clients_status_sort_name_id"),
        "clients",
        ["status", "sort_name", "id"],
        unique=False,
    )
    op.create_table(
        "mail_imports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("file_key", sa.String(length=64), nullable=True),
        sa.Column("path", sa.String(length=1000), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "cancelled",
                "failed",
                name="mailimportstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("finished_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_mail_imports_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_imports")),
    )
    op.create_table(
        "one_time_links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invitation",
                "password_reset",
                "email_change_old",
                "email_change_new",
                name="linkkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("expires_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("used_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_one_time_links_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_links_token_hash")),
    )
    op.create_index(
        op.f("ix_one_time_links_staff_id"), "one_time_links", ["staff_id"], unique=False
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code_hash", sa.String(length=256), nullable=False),
        sa.Column("used_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_recovery_codes_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(
        op.f("ix_recovery_codes_staff_id"), "recovery_codes", ["staff_id"], unique=False
    )
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("last_seen_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_staff_sessions_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_sessions_token_hash")),
    )
    op.create_index(
        op.f("ix_staff_sessions_staff_id"), "staff_sessions", ["staff_id"], unique=False
    )
    op.create_table(
        "tag_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("adds", sa.JSON(), nullable=False),
        sa.Column("removes", sa.JSON(), nullable=False),
        sa.Column("added_names", sa.JSON(), nullable=False),
        sa.Column("removed_names", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "running",
                "done",
                "cancelled",
                "undoing",
                "undone",
                "failed",
                name="changestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("finished_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "undone_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_tag_changes_staff_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["staff.id"], name=op.f("fk_tag_changes_undone_by_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_changes")),
    )
    op.create_index(
        op.f("ix_tag_changes_staff_id_created_at"),
        "tag_changes",
        ["staff_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "webhook_calls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "webhook_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "taken",
                "given_up",
                "dropped",
                name="callstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("tried_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("status", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "duration_ms", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.id"],
            name=op.f("fk_webhook_calls_webhook_id_webhooks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_calls")),
        sa.UniqueConstraint("event_id", name=op.f("uq_webhook_calls_event_id")),
    )
    op.create_index(
        op.f("ix_webhook_calls_created_at"), "webhook_calls", ["created_at"], unique=False
    )
    op.create_index(
        "ix_webhook_calls_due",
        "webhook_calls",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_webhook_calls_webhook_id_id"), "webhook_calls", ["webhook_id", "id"], unique=False
    )
    op.create_table(
        "case_notes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "general",
                "instruction",
                "privileged",
                "billing",
                name="notekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("edited_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("deleted_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "merged_from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_case_notes_says_something")),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_case_notes_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["merged_from_id"], ["clients.id"], name=op.f("fk_case_notes_merged_from_id_clients")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_case_notes_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_notes")),
    )
    op.create_index(
        op.f("ix_case_notes_client_id_created_at_id"),
        "case_notes",
        ["client_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "client_accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=True),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("disabled_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("last_sign_in_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("last_seen_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("notified_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "moved_from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_client_accounts_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["moved_from_id"],
            ["clients.id"],
            name=op.f("fk_client_accounts_moved_from_id_clients"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_accounts")),
        sa.UniqueConstraint("client_id", name=op.f("uq_client_accounts_client_id")),
        sa.UniqueConstraint("email", name=op.f("uq_client_accounts_email")),
    )
    op.create_index(
        op.f("ix_client_accounts_moved_from_id"), "client_accounts", ["moved_from_id"], unique=False
    )
    op.create_table(
        "client_documents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "identity",
                "address",
                "credit_report",
                "dispute_letter",
                "bureau_answer",
                "agreement",
                "authorization",
                "statement",
                "other",
                name="documentkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("updated_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("withdrawn_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "merged_from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_client_documents_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["merged_from_id"],
            ["clients.id"],
            name=op.f("fk_client_documents_merged_from_id_clients"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_client_documents_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_documents")),
    )
    op.create_index(
        op.f("ix_client_documents_client_id_updated_at_id"),
        "client_documents",
        ["client_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "client_emails",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("normal_form", sa.String(length=320), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bounced_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_client_emails_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_emails")),
        sa.UniqueConstraint(
            "client_id", "normal_form", name=op.f("uq_client_emails_client_id_normal_form")
        ),
    )
    op.create_index(
        op.f("ix_client_emails_normal_form"),
        "client_emails",
        ["normal_form"],
        unique=False,
        postgresql_ops={"normal_form": "text_pattern_ops"},
    )
    op.create_table(
        "client_import_rows",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("line", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "created",
                "updated",
                "unchanged",
                "refused",
                name="rowoutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_client_import_rows_client_id_clients"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["client_imports.id"],
            name=op.f("fk_client_import_rows_import_id_client_imports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_import_rows")),
        sa.UniqueConstraint("import_id", "line", name=op.f("uq_client_import_rows_import_id_line")),
    )
    op.create_table(
        "client_merges",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kept_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "merged_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("merged_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("undone_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kept_id"], ["clients.id"], name=op.f("fk_client_merges_kept_id_clients")
        ),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["clients.id"], name=op.f("fk_client_merges_merged_id_clients")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_client_merges_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_merges")),
    )
    op.create_index(op.f("ix_client_merges_kept_id"), "client_merges", ["kept_id"], unique=False)
    op.create_index(
        op.f("ix_client_merges_merged_id"), "client_merges", ["merged_id"], unique=False
    )
    op.create_table(
        "client_phones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("e164", sa.String(length=16), nullable=False),
        sa.Column("as_typed", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "text_fault",
            sa.Enum(
                "not_mobile",
                "unknown",
                name="textfault",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("text_fault_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_client_phones_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_phones")),
        sa.UniqueConstraint("client_id", "e164", name=op.f("uq_client_phones_client_id_e164")),
    )
    op.create_index(op.f("ix_client_phones_e164"), "client_phones", ["e164"], unique=False)
    op.create_table(
        "client_tag_assignments",
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("assigned_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column(
            "merged_from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_client_tag_assignments_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["merged_from_id"],
            ["clients.id"],
            name=op.f("fk_client_tag_assignments_merged_from_id_clients"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_client_tag_assignments_staff_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"],
            ["client_tags.id"],
            name=op.f("fk_client_tag_assignments_tag_id_client_tags"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "tag_id", name=op.f("pk_client_tag_assignments")),
    )
    op.create_index(
        op.f("ix_client_tag_assignments_tag_id_client_id"),
        "client_tag_assignments",
        ["tag_id", "client_id"],
        unique=False,
    )
    op.create_table(
        "contact_consents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "channel",
            sa.Enum(
                "email",
                "sms",
                "portal",
                "call",
                name="preferredchannel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "granted",
                "withdrawn",
                name="consentstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum(
                "text",
                "wrote",
                "staff",
                "carrier",
                name="consentsource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_contact_consents_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_consents")),
    )
    op.create_index(
        op.f("ix_contact_consents_channel_address_client_id_id"),
        "contact_consents",
        ["channel", "address", "client_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_contact_consents_client_id"), "contact_consents", ["client_id"], unique=False
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "snoozed",
                "done",
                name="conversationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "assignee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("snoozed_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("waiting_since", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("settled_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("last_inbound_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("last_outbound_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assignee_id"], ["staff.id"], name=op.f("fk_conversations_assignee_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_conversations_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("client_id", name=op.f("uq_conversations_client_id")),
    )
    op.create_index(
        op.f("ix_conversations_assignee_id"), "conversations", ["assignee_id"], unique=False
    )
    op.create_table(
        "evidence_bundles",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("is_redacted", sa.Boolean(), nullable=False),
        sa.Column("with_files", sa.Boolean(), nullable=False),
        sa.Column("with_privileged", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "running",
                "done",
                "cancelled",
                "failed",
                "expired",
                name="bundlestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_key", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("finished_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("expires_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(file_key IS NULL) = (sha256 IS NULL)",
            name=op.f("ck_evidence_bundles_file_with_digest"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_evidence_bundles_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_evidence_bundles_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_bundles")),
    )
    op.create_index(
        op.f("ix_evidence_bundles_client_id_created_at"),
        "evidence_bundles",
        ["client_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_evidence_bundles_file_key"), "evidence_bundles", ["file_key"], unique=False
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "mentioned",
                "assigned",
                "woken",
                "not_sent",
                name="notificationkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "merged_from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("read_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_notifications_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["merged_from_id"], ["clients.id"], name=op.f("fk_notifications_merged_from_id_clients")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_notifications_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint(
            "staff_id",
            "kind",
            "subject_id",
            "at",
            name=op.f("uq_notifications_staff_id_kind_subject_id_at"),
        ),
    )
    op.create_index(
        op.f("ix_notifications_client_id"), "notifications", ["client_id"], unique=False
    )
    op.create_index(
        op.f("ix_notifications_staff_id_at_id"),
        "notifications",
        ["staff_id", "at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["staff_id"],
        unique=False,
        sqlite_where=sa.text("read_at IS NULL"),
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_index(
        "uq_notifications_once",
        "notifications",
        ["staff_id", "kind", "subject_id"],
        unique=True,
        sqlite_where=sa.text("kind IN ('mentioned', 'not_sent')"),
        postgresql_where=sa.text("kind IN ('mentioned', 'not_sent')"),
    )
    op.create_table(
        "presences",
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seen_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("typed_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_presences_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_presences_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client_id", "staff_id", name=op.f("pk_presences")),
    )
    op.create_index(op.f("ix_presences_seen_at"), "presences", ["seen_at"], unique=False)
    op.create_index(op.f("ix_presences_staff_id"), "presences", ["staff_id"], unique=False)
    op.create_table(
        "published_events",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("published_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_published_events_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["activity_events.id"],
            name=op.f("fk_published_events_event_id_activity_events"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_published_events")),
    )
    op.create_index(
        op.f("ix_published_events_client_id"), "published_events", ["client_id"], unique=False
    )
    op.create_table(
        "tag_change_clients",
        sa.Column(
            "change_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("added", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("removed", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["tag_changes.id"],
            name=op.f("fk_tag_change_clients_change_id_tag_changes"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_tag_change_clients_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("change_id", "client_id", name=op.f("pk_tag_change_clients")),
    )
    op.create_index(
        op.f("ix_tag_change_clients_client_id"), "tag_change_clients", ["client_id"], unique=False
    )
    op.create_table(
        "timeline_marks",
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seen_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_timeline_marks_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_timeline_marks_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", "client_id", name=op.f("pk_timeline_marks")),
    )
    op.create_index(
        op.f("ix_timeline_marks_client_id"), "timeline_marks", ["client_id"], unique=False
    )
    op.create_table(
        "triage_senders",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "email",
                "sms",
                "portal",
                "call",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("unproven", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "linked",
                "set_aside",
                name="triagestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "unknown",
                "ambiguous",
                "unverified",
                name="triagereason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("first_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("last_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column(
            "last_message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("preview", sa.String(length=140), nullable=False),
        sa.Column(
            "waiting_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "state <> 'linked' OR client_id IS NOT NULL",
            name=op.f("ck_triage_senders_linked_to_someone"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_triage_senders_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["staff.id"], name=op.f("fk_triage_senders_decided_by_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triage_senders")),
        sa.UniqueConstraint(
            "channel",
            "address",
            "unproven",
            name=op.f("uq_triage_senders_channel_address_unproven"),
        ),
    )
    op.create_index(
        op.f("ix_triage_senders_state_last_at_id"),
        "triage_senders",
        ["state", "last_at", "id"],
        unique=False,
    )
    op.create_table(
        "client_links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "invitation",
                "sign_in",
                name="clientlinkkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("expires_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("used_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["client_accounts.id"],
            name=op.f("fk_client_links_account_id_client_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_client_links_token_hash")),
    )
    op.create_index(
        op.f("ix_client_links_account_id"), "client_links", ["account_id"], unique=False
    )
    op.create_table(
        "client_sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("last_seen_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["client_accounts.id"],
            name=op.f("fk_client_sessions_account_id_client_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_client_sessions_token_hash")),
    )
    op.create_index(
        op.f("ix_client_sessions_account_id"), "client_sessions", ["account_id"], unique=False
    )
    op.create_table(
        "conversation_heads",
        sa.Column(
            "conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "lane",
            sa.Enum(
                "all",
                "email",
                "sms",
                "portal",
                "call",
                name="lane",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("last_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column(
            "last_message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "last_channel",
            sa.Enum(
                "email",
                "sms",
                "portal",
                "call",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "last_direction",
            sa.Enum(
                "inbound",
                "outbound",
                name="direction",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("preview", sa.String(length=140), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_heads_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", "lane", name=op.f("pk_conversation_heads")),
    )
    op.create_index(
        op.f("ix_conversation_heads_lane_last_at_conversation_id"),
        "conversation_heads",
        ["lane", "last_at", "conversation_id"],
        unique=False,
    )
    op.create_table(
        "followers",
        sa.Column(
            "conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_followers_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_followers_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("conversation_id", "staff_id", name=op.f("pk_followers")),
    )
    op.create_index(op.f("ix_followers_staff_id"), "followers", ["staff_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "triage_sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "channel",
            sa.Enum(
                "email",
                "sms",
                "portal",
                "call",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "direction",
            sa.Enum(
                "inbound",
                "outbound",
                name="direction",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=998), nullable=False),
        sa.Column("preview", sa.String(length=140), nullable=False),
        sa.Column("body_text", sa.Text(), nullable=False),
        sa.Column("occurred_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("recorded_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "received",
                "queued",
                "sending",
                "sent",
                "delivered",
                "bounced",
                "failed",
                "unconfirmed",
                "undone",
                name="messagestatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sender_verified", sa.Boolean(), nullable=True),
        sa.Column("is_history", sa.Boolean(), nullable=False),
        sa.Column("counts_as_read", sa.Boolean(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=100), nullable=True),
        sa.CheckConstraint(
            "(direction = 'inbound') = (status = 'received')",
            name=op.f("ck_messages_inbound_is_received"),
        ),
        sa.CheckConstraint(
            "(client_id IS NULL) = (conversation_id IS NULL)",
            name=op.f("ck_messages_client_with_conversation"),
        ),
        sa.CheckConstraint(
            "client_id IS NOT NULL OR triage_sender_id IS NOT NULL",
            name=op.f("ck_messages_matched_or_in_triage"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_messages_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_messages_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_messages_staff_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["triage_sender_id"],
            ["triage_senders.id"],
            name=op.f("fk_messages_triage_sender_id_triage_senders"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_messages_idempotency_key")),
    )
    op.create_index(
        op.f("ix_messages_client_id_occurred_at_id"),
        "messages",
        ["client_id", "occurred_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_messages_conversation_id_channel_occurred_at_id"),
        "messages",
        ["conversation_id", "channel", "occurred_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_messages_occurred_at_id"), "messages", ["occurred_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_messages_triage_sender_id_id"),
        "messages",
        ["triage_sender_id", "id"],
        unique=False,
    )
    op.create_table(
        "note_mentions",
        sa.Column("note_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["note_id"],
            ["case_notes.id"],
            name=op.f("fk_note_mentions_note_id_case_notes"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_note_mentions_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("note_id", "staff_id", name=op.f("pk_note_mentions")),
    )
    op.create_index(op.f("ix_note_mentions_staff_id"), "note_mentions", ["staff_id"], unique=False)
    op.create_table(
        "readerships",
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "lane",
            sa.Enum(
                "all",
                "email",
                "sms",
                "portal",
                "call",
                name="lane",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("last_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("unread", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("read_up_to_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "read_up_to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint("unread >= 0", name=op.f("ck_readerships_unread_not_negative")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_readerships_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_readerships_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", "conversation_id", "lane", name=op.f("pk_readerships")),
    )
    op.create_index(
        op.f("ix_readerships_conversation_id"), "readerships", ["conversation_id"], unique=False
    )
    op.create_index(
        op.f("ix_readerships_staff_id_lane_last_at_conversation_id"),
        "readerships",
        ["staff_id", "lane", "last_at", "conversation_id"],
        unique=False,
    )
    op.create_index(
        "ix_readerships_unread",
        "readerships",
        ["staff_id", "lane", "conversation_id", "unread"],
        unique=False,
        sqlite_where=sa.text("unread > 0"),
        postgresql_where=sa.text("unread > 0"),
    )
    op.create_table(
        "snoozes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_snoozes_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_snoozes_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snoozes")),
        sa.UniqueConstraint("conversation_id", name=op.f("uq_snoozes_conversation_id")),
    )
    op.create_index(
        "ix_snoozes_due",
        "snoozes",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shown_name", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=127), nullable=False),
        sa.Column("content_id", sa.String(length=255), nullable=True),
        sa.Column("is_inline", sa.Boolean(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_key", sa.String(length=64), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_attachments_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_attachments_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_attachments_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_file_key"), "attachments", ["file_key"], unique=False)
    op.create_index(
        op.f("ix_attachments_message_id_position"),
        "attachments",
        ["message_id", "position"],
        unique=False,
    )
    op.create_table(
        "call_logs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "connected",
                "voicemail",
                "no_answer",
                "busy",
                "wrong_number",
                name="calloutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("started_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("ended_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "duration_seconds", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "number = '' OR number LIKE '+%'", name=op.f("ck_call_logs_number_is_e164")
        ),
        sa.CheckConstraint(
            "outcome NOT IN ('no_answer', 'busy') OR duration_seconds IS NULL",
            name=op.f("ck_call_logs_nobody_spoke_no_duration"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (duration_seconds IS NULL)",
            name=op.f("ck_call_logs_ended_with_duration"),
        ),
        sa.CheckConstraint(
            "duration_seconds >= 0", name=op.f("ck_call_logs_duration_not_negative")
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= started_at", name=op.f("ck_call_logs_ends_after_start")
        ),
        sa.ForeignKeyConstraint(
            ["id"], ["messages.id"], name=op.f("fk_call_logs_id_messages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_logs")),
    )
    op.create_index(
        op.f("ix_call_logs_started_at_id"), "call_logs", ["started_at", "id"], unique=False
    )
    op.create_table(
        "client_messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=43), nullable=False),
        sa.Column("seen_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["id"], ["messages.id"], name=op.f("fk_client_messages_id_messages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_messages")),
        sa.UniqueConstraint("public_id", name=op.f("uq_client_messages_public_id")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "channel",
            sa.Enum(
                "email",
                "sms",
                "portal",
                "call",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "received",
                "queued",
                "sending",
                "sent",
                "delivered",
                "bounced",
                "failed",
                "unconfirmed",
                "undone",
                name="messagestatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column(
            "held",
            sa.Enum(
                "order",
                "paused",
                "channel_stopped",
                "provider_away",
                "quiet_hours",
                "limit",
                name="hold",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("queued_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("scheduled_for", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("counted_for", sa.Date(), nullable=True),
        sa.Column("sent_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "resolved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_deliveries_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["staff.id"], name=op.f("fk_deliveries_resolved_by_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("message_id", name=op.f("uq_deliveries_message_id")),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_deliveries_provider_id"), "deliveries", ["provider_id"], unique=False)
    op.create_index(op.f("ix_deliveries_recipient"), "deliveries", ["recipient"], unique=False)
    op.create_table(
        "email_messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rfc_message_id", sa.String(length=998), nullable=True),
        sa.Column("in_reply_to", sa.String(length=998), nullable=True),
        sa.Column("references", sa.JSON(), nullable=False),
        sa.Column("from_name", sa.String(length=300), nullable=False),
        sa.Column("from_address", sa.String(length=320), nullable=False),
        sa.Column("to", sa.JSON(), nullable=False),
        sa.Column("cc", sa.JSON(), nullable=False),
        sa.Column("reply_to", sa.JSON(), nullable=False),
        sa.Column("date_header", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("reply_text", sa.Text(), nullable=False),
        sa.Column("quoted_text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "mail",
                "reply",
                "forward",
                "calendar",
                "auto-reply",
                "auto-generated",
                "list",
                "bounce",
                "delivery-delayed",
                "delivery-confirmed",
                "disposition",
                "complaint",
                name="mailkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("must_not_answer", sa.Boolean(), nullable=False),
        sa.Column(
            "sender_check",
            sa.Enum(
                "verified",
                "unverified",
                "failed",
                "unchecked",
                name="senderstanding",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("sender_note", sa.String(length=300), nullable=False),
        sa.Column("defects", sa.JSON(), nullable=False),
        sa.Column("asks_to_stop", sa.Boolean(), nullable=False),
        sa.Column(
            "bounced_message_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["bounced_message_id"],
            ["messages.id"],
            name=op.f("fk_email_messages_bounced_message_id_messages"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["id"], ["messages.id"], name=op.f("fk_email_messages_id_messages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_messages")),
    )
    op.create_index(
        op.f("ix_email_messages_from_address"), "email_messages", ["from_address"], unique=False
    )
    op.create_index(
        op.f("ix_email_messages_rfc_message_id"), "email_messages", ["rfc_message_id"], unique=False
    )
    op.create_table(
        "inbound_mails",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "imap",
                "webhook",
                "import",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "uid_validity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("uid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("received_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("recorded_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_key", sa.String(length=64), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "stored",
                "taken_in",
                "quarantined",
                "duplicate",
                "skipped",
                name="inboundstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("is_history", sa.Boolean(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["mail_imports.id"],
            name=op.f("fk_inbound_mails_import_id_mail_imports"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"],
            ["mailboxes.id"],
            name=op.f("fk_inbound_mails_mailbox_id_mailboxes"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_inbound_mails_message_id_messages"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_mails")),
        sa.UniqueConstraint(
            "mailbox_id",
            "uid_validity",
            "uid",
            name=op.f("uq_inbound_mails_mailbox_id_uid_validity_uid"),
        ),
    )
    op.create_index(
        "ix_inbound_mails_due",
        "inbound_mails",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_inbound_mails_file_key"), "inbound_mails", ["file_key"], unique=False)
    op.create_index(
        op.f("ix_inbound_mails_import_id"), "inbound_mails", ["import_id"], unique=False
    )
    op.create_index(
        op.f("ix_inbound_mails_message_id"), "inbound_mails", ["message_id"], unique=False
    )
    op.create_index(op.f("ix_inbound_mails_sha256"), "inbound_mails", ["sha256"], unique=False)
    op.create_index(
        op.f("ix_inbound_mails_state_id"), "inbound_mails", ["state", "id"], unique=False
    )
    op.create_index(
        "uq_inbound_mails_pushed",
        "inbound_mails",
        ["sha256"],
        unique=True,
        sqlite_where=sa.text("source = 'webhook'"),
        postgresql_where=sa.text("source = 'webhook'"),
    )
    op.create_table(
        "merged_messages",
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "from_client_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["from_client_id"],
            ["clients.id"],
            name=op.f("fk_merged_messages_from_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_merged_messages_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", "from_client_id", name=op.f("pk_merged_messages")),
    )
    op.create_index(
        op.f("ix_merged_messages_from_client_id"),
        "merged_messages",
        ["from_client_id"],
        unique=False,
    )
    op.create_table(
        "sms_messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("from_number", sa.String(length=40), nullable=False),
        sa.Column("to_number", sa.String(length=40), nullable=False),
        sa.Column("segments", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "media_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("may_ask_to_stop", sa.Boolean(), nullable=False),
        sa.Column("carrier_status", sa.String(length=40), nullable=False),
        sa.Column("carrier_conflict", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["messages.id"], name=op.f("fk_sms_messages_id_messages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_messages")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_sms_messages_provider_id")),
    )
    op.create_index(
        op.f("ix_sms_messages_from_number"), "sms_messages", ["from_number"], unique=False
    )
    op.create_table(
        "document_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "attachment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("file_key", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shown_name", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=127), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", casewell.kernel.types.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "(file_key IS NULL) <> (attachment_id IS NULL)",
            name=op.f("ck_document_versions_uploaded_or_brought"),
        ),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["attachments.id"],
            name=op.f("fk_document_versions_attachment_id_attachments"),
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["client_documents.id"],
            name=op.f("fk_document_versions_document_id_client_documents"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_document_versions_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_versions")),
        sa.UniqueConstraint("attachment_id", name=op.f("uq_document_versions_attachment_id")),
        sa.UniqueConstraint(
            "document_id", "number", name=op.f("uq_document_versions_document_id_number")
        ),
    )
    op.create_index(
        op.f("ix_document_versions_file_key"), "document_versions", ["file_key"], unique=False
    )
    op.create_table(
        "media_fetches",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "attachment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("due_at", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column("lease_until", casewell.kernel.types.UTCDateTime(), nullable=True),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="0",
            nullable=False,
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["attachments.id"],
            name=op.f("fk_media_fetches_attachment_id_attachments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_fetches")),
        sa.UniqueConstraint("attachment_id", name=op.f("uq_media_fetches_attachment_id")),
    )
    op.create_index(
        "ix_media_fetches_due",
        "media_fetches",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE clients_search USING fts5(sort_name, content='clients', content_rowid='id', tokenize='unicode61')"
        )
        op.execute(
            "CREATE TRIGGER clients_search_insert AFTER INSERT ON clients BEGIN INSERT INTO clients_search(rowid, sort_name) VALUES (new.id, new.sort_name); END"
        )
        op.execute(
            "CREATE TRIGGER clients_search_delete AFTER DELETE ON clients BEGIN INSERT INTO clients_search(clients_search, rowid, sort_name) VALUES ('delete', old.id, old.sort_name); END"
        )
        op.execute(
            "CREATE TRIGGER clients_search_update AFTER UPDATE OF sort_name ON clients BEGIN INSERT INTO clients_search(clients_search, rowid, sort_name) VALUES ('delete', old.id, old.sort_name); INSERT INTO clients_search(rowid, sort_name) VALUES (new.id, new.sort_name); END"
        )
        op.execute(
            "CREATE VIRTUAL TABLE messages_search USING fts5(subject, body_text, content='messages', content_rowid='id', tokenize='unicode61')"
        )
        op.execute(
            "CREATE TRIGGER messages_search_insert AFTER INSERT ON messages BEGIN INSERT INTO messages_search(rowid, subject, body_text) VALUES (new.id, new.subject, new.body_text); END"
        )
        op.execute(
            "CREATE TRIGGER messages_search_delete AFTER DELETE ON messages BEGIN INSERT INTO messages_search(messages_search, rowid, subject, body_text) VALUES ('delete', old.id, old.subject, old.body_text); END"
        )
        op.execute(
            "CREATE TRIGGER messages_search_update AFTER UPDATE OF subject, body_text ON messages BEGIN INSERT INTO messages_search(messages_search, rowid, subject, body_text) VALUES ('delete', old.id, old.subject, old.body_text); INSERT INTO messages_search(rowid, subject, body_text) VALUES (new.id, new.subject, new.body_text); END"
        )
        op.execute(
            "CREATE TABLE messages_search_spans (span INTEGER PRIMARY KEY, oldest TEXT NOT NULL, newest TEXT NOT NULL)"
        )
        op.execute(
            "CREATE TRIGGER messages_search_spans_insert AFTER INSERT ON messages BEGIN INSERT INTO messages_search_spans VALUES (new.id / 1024, new.occurred_at, new.occurred_at) ON CONFLICT (span) DO UPDATE SET oldest = min(oldest, excluded.oldest), newest = max(newest, excluded.newest); END"
        )
        op.execute(
            "CREATE TRIGGER messages_search_spans_update AFTER UPDATE OF occurred_at ON messages BEGIN INSERT INTO messages_search_spans VALUES (new.id / 1024, new.occurred_at, new.occurred_at) ON CONFLICT (span) DO UPDATE SET oldest = min(oldest, excluded.oldest), newest = max(newest, excluded.newest); END"
        )
    else:
        op.execute(
            "CREATE INDEX clients_search ON clients USING gin (to_tsvector('simple', translate(coalesce(sort_name, ''), '@./-_+&=#~?', '           ')))"
        )
        op.execute(
            "CREATE INDEX messages_search ON messages USING gin (to_tsvector('simple', translate(coalesce(subject, '') || ' ' || coalesce(body_text, ''), '@./-_+&=#~?', '           ')))"
        )

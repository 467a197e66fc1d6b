"""Triggers that make the audit tables append-only in the database itself (SEC-51)."""

from __future__ import annotations

TABLES = ("audit_events", "audit_seals", "audit_sealed_events")


def create_statements(dialect: str) -> list[str]:
    """Return the statements that forbid UPDATE and DELETE (and TRUNCATE where it exists)."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
            for table in TABLES
            for verb in ("UPDATE", "DELETE")
        ]
    function = (
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$"
    )
    return [function] + [
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        for table in TABLES
    ]


def drop_statements(dialect: str) -> list[str]:
    """Return the statements that take the triggers away (for a downgrade only)."""
    if dialect == "sqlite":
        return [f"DROP TRIGGER {table}_no_{verb}" for table in TABLES for verb in ("update", "delete")]
    return [f"DROP TRIGGER {table}_append_only ON {table}" for table in TABLES] + ["DROP FUNCTION audit_append_only()"]

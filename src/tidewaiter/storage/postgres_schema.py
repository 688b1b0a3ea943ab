"""The tables of a custody log in PostgreSQL, who may do what with them, and the driver."""

from __future__ import annotations

import re
from typing import Any

from tidewaiter.errors import ConfigurationError

INSTALL_COMMAND = "pip install 'tidewaiter[postgres]'"
# Without any one of these a crash may lose what was acknowledged.
NEEDED = {"synchronous_commit": "on", "fsync": "on", "full_page_writes": "on"}
SCHEMA = """
CREATE SCHEMA {schema};
CREATE TABLE {schema}.log (one int PRIMARY KEY CHECK (one = 1), origin text NOT NULL);
CREATE TABLE {schema}.head (one int PRIMARY KEY CHECK (one = 1), size bigint NOT NULL,
                            root bytea NOT NULL);
CREATE TABLE {schema}.leaf (i bigint PRIMARY KEY, hash bytea NOT NULL UNIQUE,
                            body bytea NOT NULL);
CREATE TABLE {schema}.checkpoint (size bigint PRIMARY KEY, root bytea NOT NULL,
                                  note bytea NOT NULL);
CREATE TABLE {schema}.cosignature (size bigint NOT NULL, witness text NOT NULL,
                                   line bytea NOT NULL, PRIMARY KEY (size, witness));
"""
# The role that writes may add and read; only head changes, and cosignatures are replaced.
GRANTS = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON {schema}.log TO {role};
GRANT SELECT, UPDATE (size, root) ON {schema}.head TO {role};
GRANT SELECT, INSERT ON {schema}.leaf, {schema}.checkpoint TO {role};
GRANT SELECT, INSERT, UPDATE (line) ON {schema}.cosignature TO {role};
"""
# Which records hold which words: derived from the records, filled with them, never evidence.
PLACES = """
DROP TABLE IF EXISTS {schema}.place;
DROP TABLE IF EXISTS {schema}.placed;
CREATE TABLE {schema}.place (word bytea NOT NULL, i bigint NOT NULL);
CREATE INDEX place_word ON {schema}.place (word, i);
CREATE TABLE {schema}.placed (one int PRIMARY KEY CHECK (one = 1), size bigint NOT NULL);
INSERT INTO {schema}.placed VALUES (1, 0);
"""
PLACES_GRANTS = """
GRANT SELECT, INSERT, DELETE ON {schema}.place TO {role};
GRANT SELECT, UPDATE (size) ON {schema}.placed TO {role};
"""
# Who adds records may add their words, in a log made before there were any.
WRITERS = """
SELECT DISTINCT grantee FROM information_schema.role_table_grants
WHERE table_schema = %s AND table_name = 'leaf' AND privilege_type = 'INSERT'
  AND grantee <> current_user
"""
NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def driver() -> Any:
    """Psycopg. Raises ConfigurationError where it is not installed."""
    try:
        import psycopg
    except ImportError as error:
        raise ConfigurationError(
            f"psycopg is not installed; it speaks to PostgreSQL; {INSTALL_COMMAND}"
        ) from error
    return psycopg


def named(name: str) -> str:
    """A schema or role as it may stand in a statement."""
    if not NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a schema or role here; lower-case letters, digits "
            "and underscores are needed"
        )
    return name


def first_line(error: Exception) -> str:
    """The driver's message without its hints, which may quote rows."""
    return str(error).strip().split("\n", 1)[0] or type(error).__name__

"""Tables of nodes and edges: read, encoded, made a graph and written back."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grapevine.data.tables.encoder import Encoder, EncodingReport
    from grapevine.data.tables.graph import tables_to_graph
    from grapevine.data.tables.identifiers import Identifiers
    from grapevine.data.tables.read import Table, read_table
    from grapevine.data.tables.rejects import Rejects
    from grapevine.data.tables.spec import TableSpec
    from grapevine.data.tables.sql import read_sql
    from grapevine.data.tables.table_graph import TableEncoders, TableGraph
    from grapevine.data.tables.target import Target
    from grapevine.data.tables.write import write_table, write_tables

_HOMES = {
    "Encoder": "encoder", "EncodingReport": "encoder", "Identifiers": "identifiers", "Rejects": "rejects",
    "Table": "read", "TableEncoders": "table_graph", "TableGraph": "table_graph", "TableSpec": "spec",
    "Target": "target", "read_sql": "sql", "read_table": "read", "tables_to_graph": "graph", "write_table": "write",
    "write_tables": "write",
}  # fmt: skip
__all__ = [
    "Encoder",
    "EncodingReport",
    "Identifiers",
    "Rejects",
    "Table",
    "TableEncoders",
    "TableGraph",
    "TableSpec",
    "Target",
    "read_sql",
    "read_table",
    "tables_to_graph",
    "write_table",
    "write_tables",
]


def __getattr__(name: str) -> object:
    """Import on first use: reading a table needs no PyTorch, which making a graph of it does."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Tables of nodes and edges: read, encoded, made a graph and written back."""

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

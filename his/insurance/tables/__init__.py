"""The official claim tables as data: which fields, in which order, of which shape, on which day.

Source: QĐ 130/QĐ-BYT 2023, its tables replaced by QĐ 4750/QĐ-BYT 2023 (from 01/07/2024) and changed by
QĐ 3176/QĐ-BYT 2024 (from 01/01/2025) and QĐ 1931/QĐ-BYT 2026 (from 01/07/2026). A row of a table is an
ordered mapping from official field name to text; `make_row` builds one from plain values.
"""

from his.insurance.tables.rows import BadValue, Row, format_date, format_number, format_time, make_row
from his.insurance.tables.spec import (
    CHECKIN_TABLE,
    CLAIM_TABLES,
    LAYER_1931,
    LAYER_3176,
    LAYER_4750,
    SINGLE_RECORD_TABLES,
    FieldSpec,
    FieldType,
    Requirement,
    TableSpec,
    layer_of,
    table_spec,
    table_specs,
)

__all__ = [
    "CHECKIN_TABLE",
    "CLAIM_TABLES",
    "LAYER_1931",
    "LAYER_3176",
    "LAYER_4750",
    "SINGLE_RECORD_TABLES",
    "BadValue",
    "FieldSpec",
    "FieldType",
    "Requirement",
    "Row",
    "TableSpec",
    "format_date",
    "format_number",
    "format_time",
    "layer_of",
    "make_row",
    "table_spec",
    "table_specs",
]

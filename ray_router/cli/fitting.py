"""Tables that fit: columns that can be spared are left out where there is no room for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Union

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_UNBOUNDED = 10_000
Cell = Union[str, Text]


class Column(NamedTuple):
    """A column: its title, and a cell for each row."""

    title: str
    cells: Sequence[Cell]
    justify: Literal["left", "right"] = "right"


def fitted_table(
    console: Console, columns: Sequence[Column], spare: Sequence[str], total: bool = False
) -> Table:
    """A table of these columns, without as many of the spare ones as it takes, in the order given.

    Args:
        total: the last row is the sum of the others.
    """
    unbounded = console.options.update(max_width=_UNBOUNDED)
    for count in range(len(spare) + 1):
        table = _table([column for column in columns if column.title not in spare[:count]], total)
        if Measurement.get(console, unbounded, table).maximum <= console.width:
            break
    return table


def _table(columns: Sequence[Column], total: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column.title, justify=column.justify, no_wrap=True)
    rows = list(zip(*(column.cells for column in columns), strict=True))
    for number, row in enumerate(rows, start=1):
        is_total = total and number == len(rows)
        if is_total:
            table.add_section()
        table.add_row(*row, style="bold" if is_total else None)
    return table

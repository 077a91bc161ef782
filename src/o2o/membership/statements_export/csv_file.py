"""A statement as CSV: UTF-8 with its mark, and no cell that a spreadsheet takes for a formula."""

import csv
import io

from o2o.membership.rules.export_files import csv_cell
from o2o.membership.statements_export.sheet import FIGURES, Sheet

# So that spreadsheet programs take it for UTF-8.
_MARK = "\ufeff"


def csv_bytes(sheet: Sheet) -> bytes:
    """Write the head, a line between, and the table."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([csv_cell(sheet.title)])
    writer.writerows([csv_cell(label), csv_cell(value)] for label, value in sheet.facts)
    writer.writerow([])
    writer.writerow([csv_cell(label) for label in sheet.labels])
    writer.writerows(
        # Figures are ours; a minus before one of them is no formula.
        [
            cell if name in FIGURES else csv_cell(cell)
            for name, cell in zip(sheet.columns, row, strict=True)
        ]
        for row in sheet.rows
    )
    return (_MARK + written.getvalue()).encode()

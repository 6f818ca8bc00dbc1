"""Pictures of search results, for people and for papers."""

from amgan.sheets.layout import render_result_sheet
from amgan.sheets.rows import SheetItem, SheetRow, sheet_row

__all__ = ["SheetItem", "SheetRow", "render_result_sheet", "sheet_row"]

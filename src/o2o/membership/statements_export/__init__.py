"""A member's statement as a file: for a period, as CSV for spreadsheets or as PDF to print."""

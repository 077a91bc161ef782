"""The disk spool: callbacks that the database could not take are kept here until it can."""

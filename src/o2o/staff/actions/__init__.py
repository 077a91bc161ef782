"""What can be done to staff, pads and keys, one use case per file."""

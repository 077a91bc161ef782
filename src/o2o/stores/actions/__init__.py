"""What can be done to brands and stores, one use case per file."""

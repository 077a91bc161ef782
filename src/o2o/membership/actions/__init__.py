"""What can be done to members, codes, visits and money at the counter, one use case per file."""

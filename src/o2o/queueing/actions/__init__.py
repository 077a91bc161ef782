"""What can be done to queues, tickets and bookings, one use case per file."""

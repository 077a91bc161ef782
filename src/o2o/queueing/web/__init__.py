"""What diners, clerks, displays, managers and programs see of queues."""

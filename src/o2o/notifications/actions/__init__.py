"""What members are told, one occasion per file."""

"""What members, clerks and programs see of membership."""

"""What `o2o doctor` examines, one subject per file; every finding has a code and words in copy."""

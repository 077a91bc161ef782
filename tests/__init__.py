"""All tests; a package so that factories and fakes can be imported as `tests.factories…`."""

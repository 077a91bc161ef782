"""HTTP plumbing: principals, guards, errors as answers, templates, CSRF, sessions, live streams."""

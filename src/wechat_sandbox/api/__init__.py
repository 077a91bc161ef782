"""WeChat's own HTTP API: each module registers the paths it answers, `gateway` does the rest."""

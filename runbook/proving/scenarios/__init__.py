"""The scenarios of each platform's alerts."""

"""What an update would do, from a preview: its hash, its rules, and what a reviewer reads of it."""

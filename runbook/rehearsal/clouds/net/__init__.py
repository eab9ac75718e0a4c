"""The stand-in internet: one clock, DNS with its caches, and hosts behind TLS, all on this machine."""

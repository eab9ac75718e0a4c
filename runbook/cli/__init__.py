"""The command line around a cutover."""

"""What people run; the Makefile only names it."""

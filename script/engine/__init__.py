"""Set-up: the virtual environment, and the Pulumi CLI found, fetched or built.

Only the standard library is used here, because all of it runs before anything is installed.
"""

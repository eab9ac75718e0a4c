"""What keeps the proof from being made, as one sentence each. A proof that fails is no such thing: it is a result."""

from __future__ import annotations

AGAIN = "run `make alerts` again"


class ProofError(Exception):
    """The proof cannot be made. Its text is what people see."""

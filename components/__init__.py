"""Components: the model's data as resources. No decision is made here."""

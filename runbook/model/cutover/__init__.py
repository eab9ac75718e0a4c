"""Cutovers: phases, the ledger, what is refused, the steps and their order. Pure, like all of the model."""

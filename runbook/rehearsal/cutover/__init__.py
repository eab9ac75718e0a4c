"""Cutovers as the rehearsal plays them: the acts, what clients observe, and the proof that a way back is one."""

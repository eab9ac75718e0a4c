"""Proof of the alerts: what is emitted fires when it should, stays silent when it should not, reaches its owner.

Proven are the emitted queries and thresholds, on Prometheus, Loki and PostgreSQL. The way from values to states is
modelled (states.py) after Grafana's documents: no Grafana is asked anything.
"""

"""Measurements, each against a rival or a floor in the same run.

``python -m benchmarks.NAME`` prints a table; ``--json`` one object; ``--quick`` takes less than
a minute, and its figures are for a first look only.
"""

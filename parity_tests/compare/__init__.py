"""Run one unmodified script under torch and under a candidate, and find where their outputs part."""

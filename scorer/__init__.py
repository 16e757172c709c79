"""The Lead Scorer: numpy and scikit-learn only, no Flask and no SQL."""

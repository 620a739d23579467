"""Our engine beside every other way to run the same model, in one run: ``make bench`` (``QUICK=1`` within ten minutes)."""

"""Is it better? Judged collections, measures, comparisons and their statistics."""

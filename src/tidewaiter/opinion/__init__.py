"""Findings to calibrated, bounded likelihood ratios."""

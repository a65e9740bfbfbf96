"""Tests of engineered features."""
